/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens on the measured CPU beside the switches: tasks that do not belong to the trial (from
 * sched:sched_switch, sampled only where a foreign task comes or goes), interrupts and steal (from /proc).
 */
#ifndef BENCH_OBSERVE_H
#define BENCH_OBSERVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/scenario.h"

/* Does a task of @cpu take part in @t (own tasks), by @c (kworkers, idle)? */
bool task_is_own(const struct trial *t, const struct claim *c, int cpu, pid_t pid,
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

/* Who belongs to the trial. 0 or -errno. */
int observer_own(const struct observer *o, const struct trial *t, const struct claim *c,
		 struct error *e);

/* Before and after a counted batch; no-ops where @o is NULL. */
void observer_enable(const struct observer *o);
void observer_disable(const struct observer *o);

/* Takes what was seen (@t and @c: who belongs to the trial). Free @in->list. */
int observer_collect(struct observer *o, const struct trial *t, const struct claim *c,
		     struct intruders *in);

/* Interrupts and steal on one CPU, from /proc/interrupts and /proc/stat. */
struct interrupts {
	uint64_t total;
	uint64_t *lines; /* per row of /proc/interrupts, malloc'ed */
	char (*names)[48];
	unsigned int n;
	double steal_ns;
};

int interrupts_read(struct interrupts *irq, int cpu);
void interrupts_free(struct interrupts *irq);

/* The @most rows that grew most between two readings, the greatest first, into @lines; returns how many. */
struct interrupt_line {
	char name[48];
	uint64_t count;
};
unsigned int interrupts_grown(const struct interrupts *before, const struct interrupts *after,
			      struct interrupt_line *lines, unsigned int most);

/* Nanoseconds that @cpu was in use so far, from /proc/stat; 0 where it is not listed. */
double cpu_busy_ns(int cpu);

/* The row that grew most between two readings, into @name; returns the growth. */
uint64_t interrupts_culprit(const struct interrupts *before, const struct interrupts *after,
			    char *name, size_t len);

#endif
