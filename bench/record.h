/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trial as a line of trials.jsonl (results/schema/trial.schema.json). */
#ifndef BENCH_RECORD_H
#define BENCH_RECORD_H

#include <jansson.h>

#include "bench/trial.h"

struct record_place {
	unsigned int
		trial; /* number of the trial among those of its scenario and parameters; also the round */
	unsigned int attempt; /* 1 for the first */
};

/* The scenario's parameters as an object. New reference. */
json_t *record_params(const struct scenario *s, const long *values);

/* The whole line. Takes @violations (its reference is consumed). New reference, NULL without memory. */
json_t *record_trial(const struct bench *b, const struct trial_order *order,
		     const struct trial_outcome *out, const struct record_place *place,
		     json_t *violations);

#endif
