// SPDX-License-Identifier: GPL-2.0-or-later
/* Nodes pooled: against figures worked out by another program, and against known truth. POOLED_TABLE=1 prints all of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/stats/pooled.h"

#define MOST	 50 /* nodes */
#define SESSIONS 5 /* of a kernel on one */

static void near(double is, double should, double within)
{
	if (!(fabs(is - should) <= within))
		fail_msg("%.9g is not %.9g", is, should);
}

/* The thirteen trials of BCG that metafor's manual has (Viechtbauer 2010): log risk ratios; tau^2 there is 0.318. */
static void test_known_trials(void **state)
{
	const struct stats_effect e[] = {
		{ -0.8893, 0.3256 }, { -1.5854, 0.1946 }, { -1.3481, 0.4154 }, { -1.4416, 0.02 },
		{ -0.2175, 0.0512 }, { -0.7861, 0.0069 }, { -1.6209, 0.223 },  { 0.012, 0.004 },
		{ -0.4694, 0.0564 }, { -1.3713, 0.073 },  { -0.3394, 0.0124 }, { 0.4459, 0.5325 },
		{ -0.0173, 0.0714 }
	};
	struct stats_pooled p = stats_pooled(e, 13, 0.95);

	(void)state;
	near(p.tau * p.tau, 0.3180824, 1e-5);
	near(p.value, -0.7149703, 1e-5);
	near(p.low, -1.1091056, 1e-5);
	near(p.high, -0.3208350, 1e-5);
	near(p.share, 0.9231787, 1e-5);
}

/* With equal variances it is Student's t over nodes, and tau^2 what they vary more than their errors. */
static void test_equal_variances(void **state)
{
	struct stats_effect e[] = {
		{ 0.01, 1e-4 }, { 0.05, 1e-4 }, { 0.03, 1e-4 }, { 0.07, 1e-4 }
	};
	const double variance = 20 / 3.0 * 1e-4, t = 3.182446305; /* of 3 degrees, 97.5 % */
	struct stats_pooled p = stats_pooled(e, 4, 0.95);

	(void)state;
	assert_int_equal(p.nodes, 4);
	near(p.value, 0.04, 1e-9);
	near(p.tau, sqrt(variance - 1e-4), 1e-6);
	near(p.high - p.value, t * sqrt(variance / 4), 1e-8);
	near(p.value - p.low, t * sqrt(variance / 4), 1e-8);
	near(p.share, (variance - 1e-4) / variance, 1e-5);
	near(p.spread, sqrt(variance), 1e-8);
	for (int i = 0; i < 4; i++)
		e[i].variance = NAN;
	p = stats_pooled(e, 4, 0.95);
	near(p.high - p.value, t * sqrt(variance / 4), 1e-8);
	assert_true(isnan(p.tau) && isnan(p.share));
}

static void test_few(void **state)
{
	const struct stats_effect one = { 0.1, 1e-4 }, same[] = { { 0.1, 0 }, { 0.1, 0 } };
	struct stats_stranger found[4];
	struct stats_pooled p = stats_pooled(&one, 1, 0.95);

	(void)state;
	assert_true(p.value == 0.1 && isnan(p.low) && isnan(p.p));
	assert_true(isnan(stats_pooled(NULL, 0, 0.95).value));
	p = stats_pooled(same, 2, 0.95);
	near(p.value, 0.1, 1e-12);
	near(p.tau, 0, 1e-9);
	assert_int_equal(stats_strangers(same, 2, 0.05, found), 0);
	assert_int_equal(stats_strangers(NULL, 0, 0.05, found), 0);
}

/* One of ten that is far off is named, and one of three could not be; two that hide each other are both. */
static void test_strangers(void **state)
{
	struct stats_effect e[20];
	struct stats_stranger found[20];
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	(void)state;
	for (int i = 0; i < 20; i++)
		e[i] = (struct stats_effect){ 0.02 + gsl_ran_gaussian(rng, 0.01), 1e-4 };
	assert_int_equal(stats_strangers(e, 20, 0.05, found), 0);
	e[3].value = 0.12;
	assert_int_equal(stats_strangers(e, 10, 0.05, found), 1);
	assert_int_equal(found[0].node, 3);
	assert_true(found[0].t > 5 && found[0].p < 0.01);
	near(found[0].others, 0.02, 0.01);
	assert_int_equal(stats_strangers(e + 1, 3, 0.05, found), 0);
	e[7].value = 0.13;
	assert_int_equal(stats_strangers(e, 20, 0.05, found), 2);
	assert_true(found[0].node + found[1].node == 10 && found[0].node != found[1].node);
	gsl_rng_free(rng);
}

struct tally {
	int tries, held, called, named;
};

/* Nodes whose sessions vary by 1, nodes by @tau, with up to @sessions of each kernel (0: 1 to 5, by chance), and no difference in truth. */
static void simulate(gsl_rng *rng, size_t n, int sessions, double tau, struct tally *t)
{
	struct stats_effect e[MOST];
	struct stats_stranger found[MOST];
	struct stats_pooled p;
	double squares = 0, df = 0;
	int have[MOST];

	for (size_t i = 0; i < n; i++) {
		double side[2] = { 0 }, x[SESSIONS];

		have[i] = sessions ? sessions : 1 + (int)gsl_rng_uniform_int(rng, SESSIONS);
		for (int k = 0; k < 2; k++) {
			for (int s = 0; s < have[i]; s++) {
				x[s] = gsl_ran_gaussian(rng, 1);
				side[k] += x[s] / have[i];
			}
			for (int s = 0; s < have[i]; s++)
				squares += (x[s] - side[k]) * (x[s] - side[k]);
			df += have[i] - 1;
		}
		e[i].value = side[1] - side[0] + gsl_ran_gaussian(rng, tau);
	}
	for (size_t i = 0; i < n; i++)
		e[i].variance = df > 0 ? squares / df * 2 / have[i] : NAN;
	p = stats_pooled(e, n, 0.95);
	t->tries++;
	t->held += p.low <= 0 && 0 <= p.high;
	t->called += p.p < 0.05;
	t->named += stats_strangers(e, n, 0.05, found) > 0;
}

/* Intervals hold the truth, and equal kernels are called different, as often as is promised; nodes that answer alike are not named. */
static void test_level(void **state)
{
	static const size_t nodes[] = { 2, 3, 5, 10, 20, 50 };
	static const int sessions[] = { 1, 2, 5, 0 };
	static const double taus[] = { 0, 1, 4 };
	bool table = getenv("POOLED_TABLE");
	int tries = table ? 4000 : 400;
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	struct tally all = { 0 };

	(void)state;
	for (size_t s = 0; s < 4; s++)
		for (size_t k = 0; k < 3; k++)
			for (size_t n = 0; n < 6; n++) {
				struct tally t = { 0 };

				while (t.tries < tries)
					simulate(rng, nodes[n], sessions[s], taus[k], &t);
				if (table)
					printf("%d sessions, tau %g, %zu nodes: held %.1f %%, "
					       "called "
					       "%.1f %%, named %.1f %%\n",
					       sessions[s], taus[k], nodes[n],
					       100. * t.held / tries, 100. * t.called / tries,
					       100. * t.named / tries);
				/* Four standard deviations of that many tries; nodes' test is a little above its level where they are few. */
				assert_true(abs(t.called - tries / 20) <
					    4 * sqrt(tries * 0.05 * 0.95) + 0.01 * tries);
				assert_true(t.named < 0.07 * tries + 4 * sqrt(tries * 0.07 * 0.93));
				all.tries += t.tries;
				all.held += t.held;
				all.called += t.called;
				all.named += t.named;
			}
	near(1. * all.held / all.tries, 0.95, 0.008);
	near(1. * all.called / all.tries, 0.05, 0.008);
	assert_true(all.named < 0.06 * all.tries);
	gsl_rng_free(rng);
}

/* As many nodes as are said to be needed do find the difference. */
static void test_needed(void **state)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	double n = stats_nodes_needed(0.03, 0.02, 0.05, 0.9);
	int found = 0;

	(void)state;
	assert_true(20 < n && n < 32);
	for (int i = 0; i < 400; i++) {
		struct stats_effect e[MOST];

		for (size_t k = 0; k < (size_t)n; k++)
			e[k] = (struct stats_effect){ log(1.02) + gsl_ran_gaussian(rng, 0.03),
						      1e-6 };
		found += stats_pooled(e, (size_t)n, 0.95).p < 0.05;
	}
	assert_in_range(found, 340, 385);
	assert_true(isnan(stats_nodes_needed(NAN, 0.02, 0.05, 0.9)));
	assert_true(stats_nodes_needed(1e-6, 0.02, 0.05, 0.9) == 2);
	assert_true(isinf(stats_nodes_needed(100, 0.02, 0.05, 0.9)));
	gsl_rng_free(rng);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_trials), cmocka_unit_test(test_equal_variances),
		cmocka_unit_test(test_few),	     cmocka_unit_test(test_strangers),
		cmocka_unit_test(test_level),	     cmocka_unit_test(test_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
