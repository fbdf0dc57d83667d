/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Switch classes without BPF: sched:sched_switch and tlb:tlb_flush through perf_event_open, and the
 * process table for what a task's address space is. Totals of switches, loads and shootdowns are
 * counted; classes are estimates, for two processes may share an mm (vfork) and a task may be gone
 * before the table was read.
 */
#ifndef LIB_SWITCHES_COUNTS_PERF_H
#define LIB_SWITCHES_COUNTS_PERF_H

#include "lib/switches/counts.h"

struct counts_perf;

/*
 * Open the events on every watched CPU that is online. 0, or -errno with the reason: -EPERM (how to
 * get the permission), -ENOENT (no tracefs), -ENOTSUP (FILTER_CGROUP, which only BPF can do).
 */
int counts_perf_open(struct counts_perf **sample, const struct switch_options *options,
		     struct error *error);

/* Class what was recorded since the last call. Call it every 20 ms or so: buffers are finite. */
int counts_perf_drain(struct counts_perf *sample, struct error *error);

/* As counts_bpf_read(); follows CPUs that went off- or online. 0 or -errno. */
int counts_perf_read(struct counts_perf *sample, struct switch_snapshot *snapshot, bool with_pairs,
		     struct error *error);

/* NULL is allowed. */
void counts_perf_close(struct counts_perf *sample);

#endif
