// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A scenario that the suite's own program does not have, to show what a comparison finds: `process', and in each round trip a busy loop of as
 * many nanoseconds as the file named by ACTIVEMM_INJECT holds when a trial begins. Both sides of a comparison so have the
 * same parameters and the same path, fences too: they differ by the turns of the loop alone.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/harness/scenario.h"

#define CALIBRATION 20000 /* turns, several times: the fastest counts, what disturbs can only add */
#define REPEATS	    25

static const struct param params[] = { PARAM_HANDOVER, PARAMS_WORKSET };

static uint64_t turns; /* of the busy loop, in each round trip */

static const struct scenario *process(void)
{
	return scenario_find("process");
}

static struct claim claim(const struct trial *t)
{
	return process()->claim(t);
}

/* Fenced, or the CPU does a part of it while it waits for the system calls on either side. */
static void spin(uint64_t n)
{
#if defined(__x86_64__)
	__asm__ volatile("lfence" ::: "memory");
#endif
	for (; n; n--)
		__asm__ volatile("" : "+r"(n));
#if defined(__x86_64__)
	__asm__ volatile("lfence" ::: "memory");
#endif
}

/* Nanoseconds of a turn. */
static double spin_calibrate(const struct clock *c)
{
	double best = 0;

	for (int i = 0; i < REPEATS; i++) {
		uint64_t start = clock_stamp(c);
		double ns;

		spin(CALIBRATION);
		ns = (clock_ns(c, clock_stamp(c) - start) - c->cost_ns) / CALIBRATION;
		if (i == 0 || ns < best)
			best = ns;
	}
	return best;
}

static int prepare(struct trial *t, struct error *e)
{
	const char *path = getenv("ACTIVEMM_INJECT");
	FILE *f = path ? fopen(path, "re") : NULL;
	double ns = 0;

	if (!f || fscanf(f, "%lf", &ns) != 1 || !(ns >= 0)) {
		if (f)
			fclose(f);
		return error_set(e, EINVAL,
				 "ACTIVEMM_INJECT must name a file with nanoseconds in it");
	}
	fclose(f);
	turns = ns > 0 ? (uint64_t)(ns / spin_calibrate(t->clock) + 0.5) : 0;
	return process()->prepare(t, e);
}

static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	int (*one)(struct trial * t, uint64_t n, uint64_t * stamps) = process()->round_trips;

	ROUND_TRIPS(t, n, stamps, one(t, 1, NULL); spin(turns));
	return 0;
}

SCENARIO(injected) = {
	.name = "injected",
	.summary = "process, with a busy loop of ACTIVEMM_INJECT's nanoseconds in each round trip",
	.params = params,
	.claim = claim,
	.prepare = prepare,
	.round_trips = round_trips,
	.cleanup = trial_reap,
};
