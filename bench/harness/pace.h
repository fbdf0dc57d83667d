/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Did a trial run at the speed of its run? By the work beside it (lib/machine/speed.h), never by its own time. */
#ifndef BENCH_HARNESS_PACE_H
#define BENCH_HARNESS_PACE_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/machine/speed.h"

#define PACE_LEAST 8 /* trials before one can be told to be off */
#define PACE_OFF   0.1 /* further from the run's speed than trials of one speed get */

/* The work beside all trials of a run so far. Zeroed: none. */
struct pace {
	double *ns[SPEED_KINDS];
	size_t n, room;
	size_t off; /* trials that were */
};

/*
 * How fast the machine was beside a trial, as a share of the run's speed so far (the median): that of the piece of work that tells most,
 * *@which, or 1 where none is PACE_OFF away, or too few were seen. Adds the trial.
 */
double pace_share(struct pace *p, const double ns[SPEED_KINDS], enum speed_kind *which);

/* Is it the machine that has more than one speed? Then nothing is won by trying again. */
bool pace_is_lost(const struct pace *p);

/* What a slower piece of work of that kind points to. */
const char *pace_cause(enum speed_kind which);

void pace_free(struct pace *p);

#endif
