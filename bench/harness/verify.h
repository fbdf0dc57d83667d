/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Did the kernel do what the scenario claims? */
#ifndef BENCH_HARNESS_VERIFY_H
#define BENCH_HARNESS_VERIFY_H

#include <jansson.h>
#include <stdbool.h>

#include "bench/harness/trial.h"
#include "lib/results/tolerance.h"

#define VERIFY_VISITS  100. /* per second */
#define VERIFY_STOLEN  0.02 /* of the counted time, by tasks that do not belong to the trial */
#define VERIFY_PREEMPT 1000. /* times per second: own tasks kept off the CPU for a moment */
#define VERIFY_STORM   20000. /* interrupts per second beyond the claim's */

struct verdict {
	unsigned int
		violations; /* none: the trial is valid. Counted apart from their texts, whatever becomes of those */
	bool verified; /* all that is claimed was counted; */
	char unverified[352]; /* if not: why */
	json_t *list; /* of {"what", "text"}; each text ends with the culprit where one is known */
};

/* Checks @out against its claim. Free @verdict->list with json_decref(). */
void verify_trial(struct verdict *verdict, const struct bench *b, const struct trial_outcome *out);

/* A count that a claim is about, per round trip. */
struct verify_count {
	const char *name, *noun;
	size_t range; /* where its range is in struct claim */
	bool remote; /* of the helper CPU */
	bool judged; /* claimed, and counted */
	bool holds;
	double per;
	double slack; /* by which it may miss the range */
	const char *why; /* claimed and not counted: why; else NULL */
};

#define VERIFY_COUNTS 8

void verify_counts(const struct bench *b, const struct trial_outcome *out,
		   struct verify_count *counts);

/*
 * Does a task of this name only follow what a trial with this claim does, as the threads that expire its timers and free
 * what it gave up do?
 */
bool verify_follows(const struct claim *claim, const char *comm);

/* The range of @count in @claim. */
struct claim_range *verify_range(struct claim *claim, const struct verify_count *count);

#endif
