// SPDX-License-Identifier: GPL-2.0-or-later
/* Change points: found where they are known to be, and seldom where there are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>

#include "lib/stats/changes.h"

#define MOST 200

static gsl_rng *rng;

static int setup(void **state)
{
	(void)state;
	rng = gsl_rng_alloc(gsl_rng_mt19937);
	return rng ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	gsl_rng_free(rng);
	return 0;
}

static double normal(void)
{
	return gsl_ran_gaussian(rng, 1);
}

/* Skewed, with a long tail, as times are. */
static double skewed(void)
{
	return gsl_ran_lognormal(rng, 0, 1);
}

/* Two speeds of a machine. */
static double speeds(void)
{
	return gsl_rng_uniform(rng) < 0.3 ? 10 + normal() : normal();
}

static double few(void)
{
	return (double)gsl_rng_uniform_int(rng, 3);
}

/* How many of @tries series of @n values without a change are said to have one. */
static int false_alarms(double (*value)(void), size_t n, double alpha, const bool *cut, int tries)
{
	struct stats_change *found;
	double v[MOST];
	int alarms = 0;

	for (int t = 0; t < tries; t++) {
		const struct stats_changes_options o = { alpha, (unsigned long)t, cut };

		for (size_t i = 0; i < n; i++)
			v[i] = value();
		alarms += stats_changes(v, n, &o, &found) > 0;
		free(found);
	}
	return alarms;
}

/* The rate is what was asked for: 400 series at 5 % have more than 34 alarms once in a thousand times. */
static void without_change(void **state)
{
	static double (*const values[])(void) = { normal, skewed, speeds, few };
	bool cut[MOST] = { false };

	(void)state;
	gsl_rng_set(rng, 1);
	for (size_t i = 5; i < MOST; i += 5)
		cut[i] = true;
	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		assert_in_range(false_alarms(values[i], 40, 0.05, NULL, 400), 0, 34);
		assert_in_range(false_alarms(values[i], 20, 0.05, cut, 400), 0, 34);
	}
	/* And no less: a test that never says anything holds any rate. */
	assert_in_range(false_alarms(normal, 40, 0.2, NULL, 400), 50, 120);
}

/* Steps of three standard deviations are found, all of them, within two values of where they are. */
static void known_changes(void **state)
{
	static const size_t at[] = { 30, 50, 90 };
	static const double level[] = { 100, 103, 100, 96 };
	const struct stats_changes_options o = { 0.01, 7, NULL };
	struct stats_change *found;
	double v[120];
	int whole = 0;

	(void)state;
	gsl_rng_set(rng, 2);
	for (int t = 0; t < 40; t++) {
		bool good;
		ssize_t n;

		for (size_t i = 0, k = 0; i < 120; i++) {
			k += k < 3 && i == at[k];
			v[i] = level[k] + normal();
		}
		n = stats_changes(v, 120, &o, &found);
		good = n == 3;
		for (ssize_t k = 0; k < n && good; k++)
			good = labs((long)found[k].at - (long)at[k]) <= 2 && found[k].p <= 0.01 &&
			       fabs(found[k].before - level[k]) < 1 &&
			       fabs(found[k].after - level[k + 1]) < 1;
		whole += good;
		free(found);
	}
	assert_in_range(whole, 34, 40);
}

/* A change only lies where it may: between kernels. */
static void only_at_cuts(void **state)
{
	bool cut[30] = { false };
	struct stats_change *found;
	double v[30];

	(void)state;
	gsl_rng_set(rng, 3);
	cut[10] = cut[20] = true;
	for (size_t i = 0; i < 30; i++)
		v[i] = (i < 12 ? 100 : i < 18 ? 110 : 120) + normal();
	assert_int_equal(
		stats_changes(v, 30, &(struct stats_changes_options){ 0.01, 1, cut }, &found), 2);
	assert_int_equal(found[0].at, 10);
	assert_int_equal(found[1].at, 20);
	free(found);
}

static void too_few(void **state)
{
	static const double v[] = { 1, 1, 9, 9, 9 };
	struct stats_change *found;

	(void)state;
	for (size_t n = 0; n <= 5; n++) {
		assert_int_equal(stats_changes(v, n,
					       &(struct stats_changes_options){ 0.01, 1, NULL },
					       &found),
				 0);
		free(found);
	}
	assert_false(stats_changes_possible(3, 0.5));
	assert_false(stats_changes_possible(8, 0.02)); /* 2 of 70 orders */
	assert_true(stats_changes_possible(8, 0.03));
	assert_true(stats_changes_possible(5000, 1e-9));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_change),
		cmocka_unit_test(known_changes),
		cmocka_unit_test(only_at_cuts),
		cmocka_unit_test(too_few),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
