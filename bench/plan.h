/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which scenarios a run does, with which parameters, how often, in what order. */
#ifndef BENCH_PLAN_H
#define BENCH_PLAN_H

#include <gsl/gsl_rng.h>
#include <jansson.h>

#include "bench/trial.h"

struct plan_item {
	const struct scenario *scenario;
	long params[PARAMS_MAX];
	bool handover_given; /* by the user: the default may change where it does not hold */
	uint64_t iterations; /* per trial; 0 until known */
	double expected_ns; /* per round trip, by a short look before the run */
};

struct plan {
	struct plan_item *items;
	unsigned int n;
};

/* Adds "SCENARIO[:key=value,...]"; a value/value/... stands for an item with each. -EINVAL names what is allowed. */
int plan_add(struct plan *p, const char *spec, struct error *e);

/* Adds the whole suite; @quick: fewer working sets. */
int plan_add_suite(struct plan *p, bool quick, struct error *e);

/* Where yielding does not alternate and eventfds are taken instead: adds for each yielding base one with eventfds. */
int plan_add_fallback_base(struct plan *p, struct error *e);

/* The item in the form that plan_add() takes, with every parameter. */
void plan_spec(const struct plan_item *item, char *buf, size_t len);

/* A random order of the items. @order has room for p->n. */
void plan_shuffle(const struct plan *p, gsl_rng *rng, unsigned int *order);

void plan_free(struct plan *p);

#endif
