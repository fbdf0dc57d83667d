/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which counters can be believed: those that were seen to follow what must be counted. */
#ifndef BENCH_HARNESS_PROVE_H
#define BENCH_HARNESS_PROVE_H

#include <stdint.h>

#include "lib/counters/counters.h"

/* The kernel's function that a change of mm enters, beside what counts loads. */
struct witness {
	const char *function; /* NULL: none is counted, */
	char why[224]; /* because */
	uint64_t changes, seen; /* changes of mm at least, and what it counted of them */
};

/*
 * Changes the mm on @cpu some times and touches new pages, from a process of its own. What can be opened and counts nothing then is
 * doubted, and not to be had in @values[COUNTER_NR]. No counter at all is no error: 0, or -errno where it could not be tried.
 */
int counters_prove(int cpu, struct counter_doubts *doubts, struct counter_value *values,
		   struct witness *w, struct error *e);

/* Does what counts @loads see changes of mm only? Other functions than that which loads are left out where a mm is loaded again. */
bool counters_miss_reloads(const struct counter_value *loads);

/* What of @values, read after @changes changes of mm and after new pages were touched, cannot be believed is added to @doubts. True: try again. */
bool counters_doubt(struct counter_value *values, uint64_t changes, struct counter_doubts *doubts);

#endif
