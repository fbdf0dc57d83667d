/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A result set reduced to what comparisons need, for sets too large to hold as JSON. */
#ifndef LIB_RESULTS_SCAN_SET_H
#define LIB_RESULTS_SCAN_SET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"
#include "lib/results/scan-line.h"

#define TRIAL_GROUPS_MOST  4096 /* scenario and parameter sets; more are no result set */
#define TRIAL_BATCHES_MOST 64 /* of one trial that are looked at */
#define TRIAL_SERIES	   256 /* trials of one group whose batches are looked at */

struct scan_values {
	double *v; /* of valid trials that have it, in time order */
	size_t n, room;
	size_t *ends; /* of a joined set's counter: as scan_group's; NULL: none */
};

/* How the first trials' batches lie against their own settled part, the later half. */
struct scan_start {
	size_t trials;
	uint32_t above[TRIAL_SERIES],
		below[TRIAL_SERIES]; /* by trial; bit k: batch k of the first half */
	double first[TRIAL_SERIES]; /* first batch over the settled median */
};
_Static_assert(TRIAL_BATCHES_MOST / 2 <= 32, "a bit for each batch of the first half");

/* Trials of one scenario and parameter set. */
struct scan_group {
	char *scenario;
	char *params; /* JSON text, compact, keys sorted */
	json_t *parsed; /* the same as an object */
	size_t trials, valid;
	double counted; /* round trips that the shortest of its valid trials counted; 0: not known */
	struct scan_values ns; /* per round trip */
	struct scan_values speed[SPEED_KINDS + 1]; /* of each of ns, as in struct line_view */
	size_t *ends; /* of joined sets: how many of ns there are up to the end of each; else NULL */
	struct scan_values *counter; /* per round trip, by scan_set's names */
	size_t counters;
	struct scan_start *start; /* NULL if no trial has batches */
};

struct scan_set {
	char *dir;
	json_t *machine;
	struct scan_group *groups; /* in order of first appearance */
	size_t n;
	char *counter
		[TRIAL_COUNTERS]; /* names, in order of first appearance; those of the helper CPU begin with "remote-" */
	double share
		[TRIAL_COUNTERS]; /* least part of the time in which a valid trial's counter counted and was scaled up; 0: none was */
	size_t counters;
	size_t trials;
	bool verified; /* all trials, and there are some */
	char **session; /* folders of the sets that were joined; NULL: it is one */
	size_t sessions;
	unsigned int *
		node; /* by session: its machine's number, from whoever joined them; NULL: not told apart */
	bool unread; /* of its trials nothing is known yet */
	char notice[256]; /* what was dropped (a half-written last line), "" if nothing */
};

/*
 * Reads the set in @dir as result_read() does, on all CPUs that the process may use, in memory of about a hundred bytes a trial. Time
 * order is the order of the lines. Errors as in lib/results/set.h. Free with scan_set_free().
 */
int scan_set_read(struct scan_set *set, const char *dir, struct error *e);
void scan_set_free(struct scan_set *set);

/* The same in two steps: machine.json, and the trials of a set that was opened. Both free it where they fail. */
int scan_set_open(struct scan_set *set, const char *dir, struct error *e);
int scan_set_trials(struct scan_set *set, struct error *e);

/*
 * Opens @n sets, on all CPUs that the process may use; @trim, unless NULL, takes out of each record what nobody will ask for. Free all of
 * them in either case. The error is the first one's in the order of @dirs.
 */
int scan_sets_open(struct scan_set *sets, char *const *dirs, size_t n,
		   void (*trim)(json_t *machine), struct error *e);

/*
 * Puts the @n sets, sessions of one kernel, into one: values one after the other, the first one's folder and machine record. They
 * are empty afterwards but for their notices. Of unread ones a few at a time are read meanwhile, on all CPUs. Counts are of all; what tells of a single session's
 * course (start) is left out. 0 or -errno with @e; free @into in either case.
 */
int scan_set_join(struct scan_set *into, struct scan_set *sets, size_t n, struct error *e);

/* In how many of @start's trials batch k, of TRIAL_BATCHES_MOST / 2, lies above and below the trial's settled part. */
void scan_start_count(const struct scan_start *start, unsigned int above[], unsigned int below[]);

/* The group of that scenario and canonical params text, or NULL. Linear in the number of groups. */
const struct scan_group *scan_set_find(const struct scan_set *set, const char *scenario,
				       const char *params);

/* The set's share of the counter called @name; 1: it was never scaled up. */
double scan_share(const struct scan_set *set, const char *name);

/* The group's values of the counter called @name; one without values if it has none. */
const struct scan_values *scan_counter(const struct scan_set *set, const struct scan_group *g,
				       const char *name);

#endif
