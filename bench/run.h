/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run: the plan's items in random order, round after round, into a result set. */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include <stdbool.h>

#include "bench/plan.h"
#include "bench/setup.h"
#include "lib/result.h"

#define RUN_ATTEMPTS \
	6 /* an invalid trial is done again, so often in all, after ever longer pauses */

struct run_options {
	long cpu; /* -1: chosen */
	long trials; /* rounds; 0: the default */
	long iterations; /* round trips per trial; 0: as many as take the usual time */
	long seconds; /* of the whole run; 0: no limit, trials decide */
	unsigned long seed;
	bool quick;
	bool resume;
	const char *dir;
};

struct run_tally {
	unsigned int trials, invalid,
		given_up; /* attempts made; of them invalid; trials without a valid attempt */
};

/*
 * Looks at each item briefly: how long a round trip takes, whether the default hand-over holds here, and whether this
 * kernel does what is claimed at all: what it does not is dropped from the plan and told in @skipped ({"what", "why"}),
 * as are working sets whose huge pages are not to be had.
 */
int run_look(const struct bench *b, struct plan *plan, const struct run_options *o, json_t *skipped,
	     struct error *e);

/* Does the rounds. @done: keys of trials that the set holds already. 0, -EINTR when stopped, or -errno. */
int run_rounds(const struct bench *b, const struct plan *plan, const struct run_options *o,
	       struct result_writer *w, const json_t *done, struct run_tally *tally,
	       struct error *e);

/* The key of a trial in @done: "scenario {params} number". malloc'ed. */
char *run_key(const char *scenario, const json_t *params, json_int_t trial);

#endif
