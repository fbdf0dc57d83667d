/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A result set reduced to what comparisons need, for sets too large to hold as JSON. */
#ifndef LIB_TRIALSET_H
#define LIB_TRIALSET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"
#include "lib/trialscan.h"

#define TRIAL_GROUPS_MOST  4096 /* scenario and parameter sets; more are no result set */
#define TRIAL_BATCHES_MOST 64 /* of one trial that are looked at */
#define TRIAL_SERIES	   256 /* trials of one group whose batches are looked at */

struct trial_values {
	double *v; /* of valid trials that have it, in time order */
	size_t n, room;
};

/* How the first trials' batches lie against their own settled part, the later half. */
struct trial_start {
	size_t trials;
	uint32_t above[TRIAL_SERIES],
		below[TRIAL_SERIES]; /* by trial; bit k: batch k of the first half */
	double first[TRIAL_SERIES]; /* first batch over the settled median */
};
_Static_assert(TRIAL_BATCHES_MOST / 2 <= 32, "a bit for each batch of the first half");

/* Trials of one scenario and parameter set. */
struct trial_group {
	char *scenario;
	char *params; /* JSON text, compact, keys sorted */
	json_t *parsed; /* the same as an object */
	size_t trials, valid;
	struct trial_values ns; /* per round trip */
	struct trial_values *counter; /* per round trip, by trial_set's names */
	size_t counters;
	struct trial_start *start; /* NULL if no trial has batches */
};

struct trial_set {
	char *dir;
	json_t *machine;
	struct trial_group *groups; /* in order of first appearance */
	size_t n;
	char *counter[TRIAL_COUNTERS]; /* names, in order of first appearance */
	size_t counters;
	size_t trials;
	bool verified; /* all trials, and there are some */
	char notice[256]; /* what was dropped (a half-written last line), "" if nothing */
};

/*
 * Reads the set in @dir as result_read() does, on all CPUs that the process may use, in memory of about a hundred bytes a trial. Time
 * order is the order of the lines. Errors as in lib/result.h. Free with trial_set_free().
 */
int trial_set_read(struct trial_set *set, const char *dir, struct error *e);
void trial_set_free(struct trial_set *set);

/* In how many of @start's trials batch k, of TRIAL_BATCHES_MOST / 2, lies above and below the trial's settled part. */
void trial_start_count(const struct trial_start *start, unsigned int above[], unsigned int below[]);

/* The group of that scenario and canonical params text, or NULL. Linear in the number of groups. */
const struct trial_group *trial_set_find(const struct trial_set *set, const char *scenario,
					 const char *params);

/* The group's values of the counter called @name; one without values if it has none. */
const struct trial_values *trial_counter(const struct trial_set *set, const struct trial_group *g,
					 const char *name);

#endif
