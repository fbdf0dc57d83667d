/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A result set's trials by scenario and parameters, and sums and differences of them that are paired by round. */
#ifndef BENCH_SUMMARY_GROUP_H
#define BENCH_SUMMARY_GROUP_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/results/set.h"
#include "lib/stats/stats.h"

#define LEVEL	  0.95
#define RESAMPLES 2000
#define SEED	  1999 /* fixed: the same trials give the same figures */

/* Trials of one scenario and parameter set; all borrowed from the result set. */
struct group {
	const char *scenario;
	const json_t *params;
	const json_t **trials;
	size_t n;
	size_t place; /* in the run's plan */
};

/* In the order of the plan's scenarios, then by n and pages, then as planned. */
struct groups {
	struct group *list;
	size_t n;
};

/* The groups of @set, which must outlive them. 0 or -ENOMEM. */
int groups_make(struct groups *g, const struct result_set *set, struct error *e);
void groups_free(struct groups *g);

/* Does @params hold all that @wanted holds? */
bool params_match(const json_t *params, const json_t *wanted);

/* The first group of @scenario whose parameters hold @wanted, which is released, and ask for nothing else. NULL if there is none. */
const struct group *group_like(const struct groups *g, const char *scenario, json_t *wanted);

/* Is it valid, with a time? */
bool trial_usable(const json_t *t);

/* What of a trial: its own @name ("ns_per_round_trip"), its latency's, its counter's per round trip, its scenario's figure. NaN without. */
double value_ns(const json_t *t, const char *name);
double value_latency(const json_t *t, const char *name);
double value_counter(const json_t *t, const char *name);
double value_figure(const json_t *t, const char *name);

/* @what of every usable trial into @v (room for g->n); returns how many. */
size_t group_values(const struct group *g, double (*what)(const json_t *t, const char *name),
		    const char *name, double *v);
/* Their median; NaN without any. */
double group_median(const struct group *g, double (*what)(const json_t *, const char *),
		    const char *name);
/* Their median and its interval. */
struct interval group_interval(const struct group *g,
			       double (*what)(const json_t *t, const char *name), const char *name);

/* A weighted sum of groups' times: a scenario minus its base has weights 1 and -1. */
struct term {
	const struct group *group;
	double weight;
};

/* The sum in one round: of trials that have the same number. */
struct round_value {
	json_int_t trial;
	double value; /* ns */
};

/* The sum in every round that has a usable trial of each term, by number. @values is malloc'ed (NULL: none). */
size_t terms_rounds(const struct term *terms, size_t n, struct round_value **values);

/* Median and bootstrap interval over rounds. */
struct interval rounds_interval(const struct round_value *v, size_t n);
struct interval terms_interval(const struct term *terms, size_t n);
struct interval group_difference(const struct group *a, const struct group *b);

/* A figure, or null where there is none. */
json_t *summary_real(double v);
json_t *summary_interval(const struct interval *i);

/*
 * A time's median and interval, and both speeds' where the values fall into two (lib/stats/speeds.h): of values, of a group, of
 * paired sums.
 */
json_t *summary_figure(const double *v, size_t n);
json_t *group_figure(const struct group *g, double (*what)(const json_t *t, const char *name),
		     const char *name);
json_t *terms_figure(const struct term *terms, size_t n);

/*
 * What each scenario takes beyond the same system calls and touches without a switch (scenario base), by group:
 * [{"scenario", "params", "base": {"kind", "sides"}, "ns"} or {"scenario", "params", "unavailable"}].
 */
json_t *summary_net(const struct groups *g);

/*
 * The scenario's base at @pages (-1: its own working set), NULL if the set has none; @same_calls: whether it makes the
 * same system calls or only the touches. The same scenario or its like without a change of mm, or whose loads do not flush;
 * with @scale, how many of its round trips hold the same switches. NULL if there is none.
 */
const struct group *net_base(const struct groups *g, const struct group *x, json_int_t pages,
			     bool *same_calls);
const struct group *net_same_mm(const struct groups *g, const struct group *x, json_int_t pages,
				double *scale);
const struct group *net_unflushed(const struct groups *g, const struct group *x, json_int_t pages);

/* @x with another working set, or NULL. */
const struct group *net_at(const struct groups *g, const struct group *x, json_int_t pages);

/* The largest working set below the knees, and why it is that one. */
json_int_t dtlb_range(const json_t *machine, bool huge, const char **why);

/* The dTLB's sizes, or why they are not known. New reference. */
json_t *dtlb_json(const json_t *machine);

/* The cost per page of refilling the TLB, from the curves' slopes; and the dTLB's sizes. */
json_t *summary_refill(const struct groups *g, const json_t *machine);

/* What a round trip's time is made of, by scenario. */
json_t *summary_decomposition(const struct groups *g, const json_t *machine);

/*
 * What is asked for adds to a round trip, paired by round: [{"scenario", "params", "adds_ns"} or {"scenario", "params", "unavailable"}].
 */
json_t *summary_asked(const struct groups *g);

/*
 * What is left of one CPU's pace when refcount and flush run on more: [{"scenario", "params", "efficiency_percent"}], a CPU's round trips
 * per second as a percentage of those of n=1 with the same mm and via (refcount), op and pages (flush), paired by round.
 */
json_t *summary_scaling(const struct groups *groups);

#endif
