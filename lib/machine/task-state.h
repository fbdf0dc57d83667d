/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether another task sleeps, as the kernel shows it. */
#ifndef LIB_MACHINE_TASK_STATE_H
#define LIB_MACHINE_TASK_STATE_H

#include <stdbool.h>

/*
 * True if the task whose /proc/PID/stat is open as @stat sleeps (state S, proc_pid_stat(5)), or is gone. It has then said so, and
 * leaves the CPU within the same call of schedule(). Takes some microseconds.
 */
bool taskstate_sleeps(int stat);

#endif
