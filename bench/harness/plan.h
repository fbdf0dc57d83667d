/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which scenarios a run does, with which parameters, how often, in what order. */
#ifndef BENCH_HARNESS_PLAN_H
#define BENCH_HARNESS_PLAN_H

#include <gsl/gsl_rng.h>
#include <jansson.h>

#include "bench/harness/fit.h"
#include "bench/harness/trial.h"

struct plan_item {
	const struct scenario *scenario;
	long params[PARAMS_MAX];
	bool handover_given; /* by the user: the default may change where it does not hold */
	bool unverified; /* its short look could not count all that it claims: */
	char why_unverified[320];
	bool named; /* by the user: that it cannot run fails the run */
	struct fit_row
		row; /* how long it takes, by a short look before the run, and how long its trials are to be */
};

struct plan {
	struct plan_item *items;
	unsigned int n;
};

/* Adds "SCENARIO[:key=value,...]"; a value/value/... stands for an item with each. -EINVAL names what is allowed. */
int plan_add(struct plan *p, const char *spec, struct error *e);

/* Adds the whole suite; @quick: fewer working sets. */
int plan_add_suite(struct plan *p, bool quick, struct error *e);

/*
 * Item @i's tasks hand over by @to instead of yielding. Its net cost is computed from a base that does so, too: for each yielding base
 * with the same working set one is added, which takes its times. 0 or -ENOMEM.
 */
int plan_hand_over(struct plan *p, unsigned int i, enum handover_kind to, struct error *e);

/* The item in the form that plan_add() takes, with every parameter. */
void plan_spec(const struct plan_item *item, char *buf, size_t len);

/* What is left out first where time is short: 0, never before others; 1, parameters of its own; 2, a working set. */
unsigned int plan_rank(const struct plan_item *item);

/* A random order of the items. @order has room for p->n. */
void plan_shuffle(const struct plan *p, gsl_rng *rng, unsigned int *order);

void plan_free(struct plan *p);

#endif
