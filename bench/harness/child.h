/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Waiting for a child process without reaping it. */
#ifndef BENCH_HARNESS_CHILD_H
#define BENCH_HARNESS_CHILD_H

#include <sys/types.h>

/*
 * Waits until @pid, a child, has ended; it stays to be reaped. At most @limit_s seconds, 0: for ever. 0; -ETIMEDOUT; or
 * -EINTR once trial_stop was set.
 */
int child_wait(pid_t pid, double limit_s);

#endif
