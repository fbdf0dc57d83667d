/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trial as a line of trials.jsonl (results/schema/trial.schema.json). */
#ifndef BENCH_HARNESS_RECORD_H
#define BENCH_HARNESS_RECORD_H

#include <jansson.h>

#include "bench/harness/trial.h"
#include "bench/harness/verify.h"

struct record_place {
	unsigned int
		trial; /* number of the trial among those of its scenario and parameters; also the round */
	unsigned int attempt; /* 1 for the first */
};

/* The scenario's parameters as an object. New reference. */
json_t *record_params(const struct scenario *s, const long *values);

/* What is claimed, as a trial's line and a finding hold it. New reference. */
json_t *record_claim(const struct claim *c);

/* Reads such a record: what it claims replaces @c's ranges, what it does not tell of stays. */
void record_claim_read(const json_t *claim, struct claim *c);

/* The whole line. New reference; NULL if a part of it could not be made, see members_failed(). */
json_t *record_trial(const struct bench *b, const struct trial_order *order,
		     const struct trial_outcome *out, const struct record_place *place,
		     const struct verdict *verdict);

/* @line is of a sound trial that ran at @share of the run's speed, told by @piece: another one takes its place. */
void record_set_aside(json_t *line, double share, enum speed_kind piece);

#endif
