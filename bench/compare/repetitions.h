/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many sessions, trials and seconds would tell two kernels apart, from what result sets showed. */
#ifndef BENCH_COMPARE_REPETITIONS_H
#define BENCH_COMPARE_REPETITIONS_H

#include <stdio.h>

#include "lib/results/set.h"

struct repetitions_options {
	double percent; /* the difference to be told */
	double power; /* in this share of tries */
	double between_s; /* seconds that a session takes beside its run (a boot, a pause); NaN: what the sets' boots took */
	const json_t *spreads; /* what a history knows, as bench/history has it; NULL: nothing */
};

/*
 * Of the @n sets, each a session: {"percent", "power_percent", "sessions", "kernels", "seconds": {"between", "assumed", "look", "trial"}, "rows":
 * [{"scenario", "params", "between", "within", "sampled", "from", and "plan" or "unavailable"}], "all": a plan for all rows in each
 * session, or "unavailable"}; a plan: {"sessions", "sessions_high", "trials", "trial_s", "session_s", "total_s", "command"}. New
 * reference; NULL with @e.
 */
json_t *repetitions_make(const struct result_set *sets, size_t n,
			 const struct repetitions_options *options, struct error *e);

/* The same as a table. */
void repetitions_print(const json_t *plan, FILE *out);

#endif
