/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who runs on the measured CPU beside the trial: tasks that do not belong to it, from sched:sched_switch, sampled only
 * where a foreign task comes or goes.
 */
#ifndef BENCH_HARNESS_OBSERVE_H
#define BENCH_HARNESS_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/harness/scenario.h"

/* Does a task of @cpu take part, as one of the trial's @own ones or by @c (kworkers, idle)? */
bool task_is_own(const pid_t *own, unsigned int nown, const struct claim *c, int cpu, pid_t pid,
		 const char *comm);

struct intruder {
	char comm[16];
	pid_t pid;
	uint64_t switches; /* times it came or went while the counters ran */
	double ns; /* time it had the CPU, as far as both ends were seen */
};

struct intruders {
	struct intruder *list; /* malloc'ed, most time first */
	unsigned int n;
	uint64_t lost; /* samples that did not fit the buffer */
};

struct observer;

/*
 * Opens the observer on @cpu, disabled, for one trial: the kernel lets a tracepoint's filter be set only once. Without
 * permission or tracefs: -errno and the reason; trials go on without.
 */
int observer_open(struct observer **o, int cpu, struct error *e);
void observer_close(struct observer *o);

/* Who belongs to the trial: the calling process's. 0 or -errno. */
int observer_own(struct observer *o, const struct trial *t, const struct claim *c, struct error *e);

/* Before and after a counted batch; no-ops where @o is NULL. */
void observer_enable(const struct observer *o);
void observer_disable(const struct observer *o);

/* Takes what was seen of others than observer_own()'s and those of @c. Free @in->list. */
int observer_collect(struct observer *o, const struct claim *c, struct intruders *in);

#endif
