// SPDX-License-Identifier: GPL-2.0-or-later
/* What the machine's speed explains of trials, and what is left of a difference that it made: simulated, so that the truth is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>

#include "lib/stats/covariate.h"
#include "lib/stats/sessions.h"
#include "lib/stats/stats.h"

enum { SESSIONS = 8, TRIALS = 12, N = SESSIONS * TRIALS, TRIES = 400, KINDS = 3 };

#define SLOPE 0.8

static gsl_rng *rng;
static double value[N], x[KINDS][N];
static const double *const kinds[KINDS] = { x[0], x[1], x[2] };
static size_t ends[SESSIONS];

/* Half of the sessions on each side, that of the other ran at a machine @slower by so much; @wild: a trial in twenty is disturbed. */
static void simulate(double slope, double slower, double shift, bool wild)
{
	size_t i = 0;

	for (size_t g = 0; g < SESSIONS; g++) {
		bool other = g >= SESSIONS / 2;
		double session = 0.02 * gsl_ran_ugaussian(rng) + (other ? slower : 0);

		for (size_t k = 0; k < TRIALS; k++, i++) {
			double speed = session + 0.03 * gsl_ran_ugaussian(rng);

			x[0][i] = speed + 0.003 * gsl_ran_ugaussian(rng);
			x[1][i] = 0.01 * gsl_ran_ugaussian(rng);
			x[2][i] = 5;
			value[i] = 8 + slope * speed + (other ? shift : 0) +
				   0.01 * gsl_ran_ugaussian(rng);
			if (wild && gsl_rng_uniform(rng) < 0.05)
				value[i] += gsl_rng_uniform(rng);
		}
		ends[g] = i;
	}
}

/* What the slopes explain, as `compare' tells it. */
static double explained_by(const struct stats_slopes *s)
{
	double after[N];

	for (size_t i = 0; i < N; i++)
		after[i] = value[i] - stats_slopes_part(s, (double[]){ x[0][i], x[1][i], x[2][i] });
	return stats_explained(value, after, ends, SESSIONS);
}

/* The sides compared as `compare' does it, at one speed. */
static struct stats_sessions compare(const struct stats_slopes *s)
{
	double side[2][SESSIONS / 2], mean[2] = { 0, 0 }, apart[KINDS] = { 0 }, room[TRIALS];
	struct stats_sessions r;

	for (size_t g = 0; g < SESSIONS; g++) {
		size_t half = SESSIONS / 2, from = ends[g] - TRIALS;

		for (size_t i = 0; i < TRIALS; i++) {
			const double at[KINDS] = { x[0][from + i], x[1][from + i], 0 };

			room[i] = value[from + i] - stats_slopes_part(s, at);
		}
		side[g / half][g % half] = stats_percentile(room, TRIALS, 50);
		mean[g / half] += stats_percentile(x[0] + from, TRIALS, 50) / (double)half;
	}
	apart[0] = mean[1] - mean[0];
	r = stats_sessions(side[0], SESSIONS / 2, side[1], SESSIONS / 2, 0.95, 0);
	stats_sessions_widen(&r, SESSIONS / 2, SESSIONS / 2, stats_slopes_variance(s, apart), 0.95);
	return r;
}

static void slope_of(bool wild)
{
	struct stats_slopes s;
	double explained = 0;
	int held = 0, found = 0;

	gsl_rng_set(rng, 3);
	for (int i = 0; i < TRIES; i++) {
		simulate(SLOPE, 0, 0, wild);
		assert_int_equal(stats_slopes(value, kinds, KINDS, ends, SESSIONS, &s), 0);
		found += s.p < 0.001;
		explained += explained_by(&s) / TRIES;
		assert_true(s.slope[2] == 0); /* what does not vary explains nothing */
		/* The covariate's own noise takes a hundredth off. */
		held += fabs(s.slope[0] - SLOPE) < 2 * sqrt(s.covariance[0][0]) + 0.01;
	}
	assert_true(found >= 0.95 * TRIES);
	assert_true(held >= 0.92 * TRIES);
	/* 0.024 of the speed and 0.01 of its own: 85 % */
	assert_true(explained > 0.75 && explained < 0.95);
}

static void a_slope_is_found_within_sessions(void **state)
{
	(void)state;
	slope_of(false);
}

static void disturbed_trials_do_not_bend_it(void **state)
{
	(void)state;
	slope_of(true);
}

static void what_explains_nothing_is_seldom_believed(void **state)
{
	struct stats_slopes s;
	int believed = 0;

	(void)state;
	gsl_rng_set(rng, 5);
	for (int i = 0; i < 5 * TRIES; i++) {
		simulate(0, 0.1, 0, false);
		assert_int_equal(stats_slopes(value, kinds, KINDS, ends, SESSIONS, &s), 0);
		believed += s.p < 0.001;
	}
	assert_true(believed <= 10); /* 2 of 2000 are promised */
}

/* Equal kernels, the second on a machine a tenth slower: as measured they differ, at one speed they do not; nor is 2 % lost. */
static void a_slower_machine_is_no_slower_kernel(void **state)
{
	const struct stats_slopes none = { .kinds = KINDS };
	int raw = 0, called = 0, held = 0, found = 0;
	struct stats_slopes s;

	(void)state;
	gsl_rng_set(rng, 7);
	for (int i = 0; i < TRIES; i++) {
		struct stats_sessions r;

		simulate(SLOPE, 0.1, 0, false);
		raw += compare(&none).p < 0.05;
		stats_slopes(value, kinds, KINDS, ends, SESSIONS, &s);
		r = compare(&s);
		called += r.p < 0.05;
		held += r.low <= 1 && 1 <= r.high;
		simulate(SLOPE, 0.1, log(1.02), false);
		stats_slopes(value, kinds, KINDS, ends, SESSIONS, &s);
		found += compare(&s).p < 0.05;
	}
	assert_true(raw > 0.9 * TRIES);
	assert_true(called < 0.1 * TRIES);
	assert_true(held > 0.9 * TRIES);
	assert_true(found > 0.9 * TRIES);
}

static void too_little_is_not_adjusted(void **state)
{
	struct stats_slopes s;
	size_t one = 11;

	(void)state;
	gsl_rng_set(rng, 9);
	simulate(SLOPE, 0, 0, false);
	assert_int_equal(stats_slopes(value, kinds, KINDS, &one, 1, &s), 0);
	assert_true(isnan(s.p));
	assert_true(s.slope[0] == 0);
	/* Trials without a look, as in sets of older versions. */
	for (size_t i = 0; i < N; i++)
		x[0][i] = NAN;
	assert_int_equal(stats_slopes(value, kinds, KINDS, ends, SESSIONS, &s), 0);
	assert_true(isnan(s.p));
	assert_int_equal(stats_slopes(value, kinds, 0, ends, SESSIONS, &s), 0);
	assert_true(isnan(s.p));
}

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slope_is_found_within_sessions),
		cmocka_unit_test(disturbed_trials_do_not_bend_it),
		cmocka_unit_test(what_explains_nothing_is_seldom_believed),
		cmocka_unit_test(a_slower_machine_is_no_slower_kernel),
		cmocka_unit_test(too_little_is_not_adjusted),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
