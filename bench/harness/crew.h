/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tasks beside the measured one that do its work at the same time on other CPUs, and count what they do. */
#ifndef BENCH_HARNESS_CREW_H
#define BENCH_HARNESS_CREW_H

#include "bench/harness/scenario.h"

#define CREW_STRIDE 128 /* bytes: no prefetcher pairs two tasks' lines */

struct crew {
	long n; /* tasks, the measured one included, which is number 0 */
	bool own_mm; /* each a process; else threads of the trial's */
	/* The CPU of task @i; its whole life, in which crew_count() becomes 1 as it begins and grows with each thing done. */
	int (*cpu_of)(const struct trial *t, unsigned int i);
	void (*life)(struct trial *t, unsigned int i);
	char *counts; /* by crew_start(): shared by all, CREW_STRIDE apart */
};

static always_inline uint64_t *crew_count(const struct crew *c, long i)
{
	return (uint64_t *)(c->counts + i * CREW_STRIDE);
}

static always_inline uint64_t crew_now(const struct crew *c, long i)
{
	return __atomic_load_n(crew_count(c, i), __ATOMIC_ACQUIRE);
}

/* What all but the measured task have done so far. */
uint64_t crew_others(const struct crew *c);

/* The thread's number, from crew_wait() on; 0 of a process. */
pid_t crew_thread(const struct crew *c, long i);

/*
 * Starts all but the measured task; @c is kept by them and must live as long as the trial's process, which ends them. 0, or -errno
 * with @e.
 */
int crew_start(struct crew *c, struct trial *t, struct error *e);

/* Waits until task @i does what it is for. 0, or -ETIMEDOUT with @e, which gives @why as what may be in its way. */
int crew_wait(const struct crew *c, long i, const char *why, struct error *e);

#endif
