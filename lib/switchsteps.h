/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The switch log (switchlog.h) where BPF cannot be had: sched:sched_switch and tlb:tlb_flush, sampled one by one through
 * perf_event_open. Neither event knows of address spaces, so `mm` is a stand-in, the process (tgid) that /proc or the
 * caller names, and a kernel thread's `active_mm` is the rule's word for it: that of the user task before. CR3 loads are
 * seen, mm_users and mm_count are not (-1).
 */
#ifndef LIB_SWITCHSTEPS_H
#define LIB_SWITCHSTEPS_H

#include "lib/switchlog.h"

struct switchsteps;

/* The `reason` of a switch whose CR3 loads would not have been seen: the idle task's, where the kernel samples nothing. */
#define SWITCHSTEPS_BLIND 1

/* Start logging CPU `cpu`. 0, or -errno with the reason: -EPERM (how to get the permission), -ENOENT (no tracefs). */
int switchsteps_open(struct switchsteps **steps, unsigned int cpu, struct error *error);

/* Thread `tid` belongs to process `tgid`: for tasks that are gone when the log is read. 0 or -ENOMEM. */
int switchsteps_own(struct switchsteps *steps, uint32_t tid, uint32_t tgid);

/*
 * Visit what was logged since the last call. What did not fit into the buffer (some 8000 entries) is counted in *lost, if it is not
 * NULL. Where the kernel has no tlb:tlb_flush, *loads is false. 0 or -errno.
 */
int switchsteps_read(struct switchsteps *steps, switchlog_visit visit, void *context,
		     uint64_t *lost, bool *loads, struct error *error);

/* Stop and free; NULL is allowed. */
void switchsteps_close(struct switchsteps *steps);

#endif
