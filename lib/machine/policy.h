/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The scheduling policy of a task. */
#ifndef LIB_MACHINE_POLICY_H
#define LIB_MACHINE_POLICY_H

#include "lib/base/error.h"

/* Gives the calling thread @policy (SCHED_*), with @priority where it is a real-time one. 0, or -errno with the remedy. */
int policy_set(int policy, int priority, struct error *e);

/* Could policy_set() here? Tried in a process of its own, so nothing changes. 0, or -errno with the remedy. */
int policy_possible(int policy, int priority, struct error *e);

#endif
