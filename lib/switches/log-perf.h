/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The switch log (log-bpf.h) where BPF cannot be had: sched:sched_switch and tlb:tlb_flush, sampled one by one through
 * perf_event_open. Neither event knows of address spaces, so `mm` is a stand-in, the process (tgid) that /proc or the
 * caller names, and a kernel thread's `active_mm` is the rule's word for it: that of the user task before. CR3 loads are
 * seen, mm_users and mm_count are not (-1).
 */
#ifndef LIB_SWITCHES_LOG_PERF_H
#define LIB_SWITCHES_LOG_PERF_H

#include "lib/switches/log-bpf.h"

struct log_perf;

/* The `reason` of a switch whose CR3 loads would not have been seen: the idle task's, where the kernel samples nothing. */
#define LOG_PERF_BLIND 1

/* Start logging CPU `cpu`. 0, or -errno with the reason: -EPERM (how to get the permission), -ENOENT (no tracefs). */
int log_perf_open(struct log_perf **steps, unsigned int cpu, struct error *error);

/* Thread `tid` belongs to process `tgid`: for tasks that are gone when the log is read. 0 or -ENOMEM. */
int log_perf_own(struct log_perf *steps, uint32_t tid, uint32_t tgid);

/*
 * Visit what was logged since the last call. What did not fit into the buffer (some 8000 entries) is counted in *lost, if it is not
 * NULL. Where the kernel has no tlb:tlb_flush, *loads is false. 0 or -errno.
 */
int log_perf_read(struct log_perf *steps, switch_visit visit, void *context, uint64_t *lost,
		  bool *loads, struct error *error);

/* Stop and free; NULL is allowed. */
void log_perf_close(struct log_perf *steps);

#endif
