// SPDX-License-Identifier: GPL-2.0-or-later
/* The statistics of comparisons against SciPy and R (stats-reference.json), and what must hold of any samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/stats/order.h"
#include "lib/stats/rank.h"
#include "lib/stats/ratio.h"
#include "lib/stats/repetitions.h"
#include "lib/stats/sessions.h"
#include "lib/stats/speeds.h"
#include "lib/stats/stats.h"

#define MOST 1000

static json_t *reference;
static gsl_rng *rng;

static int setup(void **state)
{
	json_error_t e;

	(void)state;
	reference = json_load_file(STATS_REFERENCE, 0, &e);
	rng = gsl_rng_alloc(gsl_rng_mt19937);
	return reference && rng ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	gsl_rng_free(rng);
	json_decref(reference);
	return 0;
}

static size_t values(const json_t *o, const char *key, double *v)
{
	const json_t *a = json_object_get(o, key), *one;
	size_t i;

	json_array_foreach (a, i, one)
		v[i] = json_number_value(one);
	assert_true(1 <= json_array_size(a) && json_array_size(a) <= MOST);
	return json_array_size(a);
}

static double number(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(o, key));
}

static void close_to(double is, double should, double part, const char *what)
{
	if (!(fabs(is - should) <= part * fabs(should) + 1e-12))
		fail_msg("%s: %.12g, but the reference says %.12g", what, is, should);
}

static void two_samples_agree_with_scipy_and_r(void **state)
{
	const json_t *one;
	size_t i;

	(void)state;
	json_array_foreach (json_object_get(reference, "pairs"), i, one) {
		const char *what = json_string_value(json_object_get(one, "what"));
		const json_t *interval = json_object_get(one, "ratio_interval");
		double x[MOST], y[MOST], low = json_number_value(json_array_get(interval, 0)),
					 high = json_number_value(json_array_get(interval, 1));
		size_t nx = values(one, "x", x), ny = values(one, "y", y);
		struct mann_whitney m = stats_mann_whitney(x, nx, y, ny);
		struct stats_difference d = stats_difference(x, nx, y, ny, 0.95, 20000, 1);

		close_to(m.u, number(one, "u"), 0, what);
		close_to(m.p, number(one, "p"), 1e-9, what);
		assert_int_equal(m.exact, json_is_true(json_object_get(one, "exact")));
		/* Both are random: to a tenth of the interval's width. */
		if (fabs(d.ratio_low - low) > 0.1 * (high - low) ||
		    fabs(d.ratio_high - high) > 0.1 * (high - low))
			fail_msg("%s: [%g, %g], but SciPy has [%g, %g]", what, d.ratio_low,
				 d.ratio_high, low, high);
	}
}

static void holm_agrees_with_r(void **state)
{
	const json_t *h = json_object_get(reference, "holm");
	double p[MOST], should[MOST], is[MOST];
	size_t n = values(h, "p", p);

	(void)state;
	values(h, "adjusted", should);
	p[n] = NAN; /* not a test: neither counted nor corrected */
	assert_int_equal(stats_holm(p, is, n + 1), 0);
	for (size_t i = 0; i < n; i++)
		close_to(is[i], should[i], 1e-12, "Holm");
	assert_true(isnan(is[n]));
}

static void the_signed_rank_test_agrees_with_scipy_and_r(void **state)
{
	const json_t *one;
	double d[MOST], p;
	size_t i, n;

	(void)state;
	json_array_foreach (json_object_get(reference, "signed"), i, one) {
		n = values(one, "d", d);
		p = stats_signed_rank(d, n);
		close_to(p, number(one, "p"), 1e-9,
			 json_string_value(json_object_get(one, "what")));
		for (size_t k = 0; k < n; k++)
			d[k] = -d[k];
		close_to(stats_signed_rank(d, n), p, 1e-12, "the other way round");
	}
	assert_int_equal(i, 5);
	d[0] = d[1] = 0;
	assert_true(isnan(stats_signed_rank(d, 2)));
}

static void a_slope_heeds_all_rounds_but_no_wild_value(void **state)
{
	const double x[] = { 0, 64, 512 };
	double y[7][3], wild;
	struct interval s, one;

	(void)state;
	for (int round = 0; round < 7; round++)
		for (int k = 0; k < 3; k++)
			y[round][k] = 1000 + 10 * round + (13 + 0.1 * (round - 3)) * x[k];
	s = stats_slope(x, 3, *y, 7, 0.95, 2000, 1);
	close_to(s.median, 13, 1e-12, "slope");
	assert_true(s.low >= 12.7 && s.low < 13 && s.high > 13 && s.high <= 13.3);
	/* One value far off bends its round's line by half, and the medians' by what the next round has. */
	wild = y[6][2];
	y[6][2] += 4000;
	assert_true(fabs(stats_slope(x, 3, *y, 7, 0.95, 2000, 1).median - 13) < 0.2);
	y[6][2] = wild;
	one = stats_slope(x, 3, *y, 1, 0.95, 2000, 1);
	close_to(one.median, 12.7, 1e-12, "slope of one round");
	assert_true(isnan(one.low) && isnan(one.high));
	assert_true(isnan(stats_slope(x, 1, *y, 7, 0.95, 2000, 1).median));
}

static void series_agree_with_scipy_and_r(void **state)
{
	const json_t *one;
	size_t i;

	(void)state;
	json_array_foreach (json_object_get(reference, "series"), i, one) {
		double v[MOST];
		struct stats_order o = stats_order(v, values(one, "v", v));

		close_to(o.drift, number(one, "rho"), 1e-9, "rho");
		close_to(o.drift_p, number(one, "rho_p"), 1e-6, "p of rho");
		close_to(o.lag1, number(one, "lag1"), 1e-9, "lag 1");
	}
	json_array_foreach (json_object_get(reference, "sign"), i, one) {
		unsigned int above = (unsigned int)number(one, "above"),
			     below = (unsigned int)number(one, "below");
		double p;

		stats_warmup_batches(&above, &below, 1, 0.05, &p);
		close_to(p, number(one, "p"), 1e-9, "sign test");
	}
}

static size_t noise(double *v, size_t n, double centre, double spread)
{
	for (size_t i = 0; i < n; i++)
		v[i] = centre * exp(gsl_ran_gaussian(rng, spread));
	return n;
}

/* Drawing order statistics must give what drawing every value does. */
static void one_samples_interval_is_the_bootstraps(void **state)
{
	(void)state;
	for (size_t n = 2; n < 60; n += 7) {
		double v[60];
		struct interval quick, slow;

		noise(v, n, 1000, 0.01);
		stats_sort(v, n);
		quick = stats_sorted_interval(v, n, 0.95, 20000, 1);
		slow = stats_median(v, n, 0.95, 20000, 2);
		close_to(quick.median, slow.median, 1e-12, "median");
		close_to(quick.low, slow.low, 1e-3, "low");
		close_to(quick.high, slow.high, 1e-3, "high");
		assert_true(quick.low <= quick.median && quick.median <= quick.high);
		assert_int_equal(quick.n, n);
	}
}

static void swapping_the_sides_flips_every_sign(void **state)
{
	(void)state;
	for (unsigned long seed = 0; seed < 200; seed++) {
		double x[40], y[40];
		size_t nx, ny;
		struct stats_difference d, e;

		gsl_rng_set(rng, seed + 1);
		nx = noise(x, 2 + seed % 39, 1000, 0.02);
		ny = noise(y, 2 + seed * 7 % 39, 1005, 0.03);
		stats_sort(x, nx);
		stats_sort(y, ny);
		d = stats_difference(x, nx, y, ny, 0.95, 500, seed);
		e = stats_difference(y, ny, x, nx, 0.95, 500, seed);
		close_to(e.ratio, 1 / d.ratio, 1e-12, "ratio");
		close_to(e.ratio_low, 1 / d.ratio_high, 1e-12, "low ratio");
		close_to(e.ratio_high, 1 / d.ratio_low, 1e-12, "high ratio");
		close_to(e.value, -d.value, 1e-9, "difference");
		close_to(e.low, -d.high, 1e-9, "low difference");
		close_to(e.high, -d.low, 1e-9, "high difference");
		close_to(stats_mann_whitney(y, ny, x, nx).p, stats_mann_whitney(x, nx, y, ny).p,
			 1e-12, "p");
		assert_true(stats_mann_whitney(x, nx, x, nx).p == 1);
	}
}

/* Of one source, sets differ "significantly" at most as often as the level says; 5 % of 2000 is 100, three sigma more 129. */
static void alike_is_called_different_no_more_often_than_promised(void **state)
{
	static const size_t sizes[] = { 5, 15, 60 };

	(void)state;
	for (size_t s = 0; s < 3; s++) {
		unsigned int wrong = 0, missed = 0, drift = 0, lag = 0, warm = 0;
		double x[60], y[60], level = 0.05;

		gsl_rng_set(rng, 7);
		for (int round = 0; round < 2000; round++) {
			size_t n = noise(x, sizes[s], 1000, 0.05);
			struct stats_order o = stats_order(x, n);
			struct stats_difference d;

			noise(y, n, 1000, 0.05);
			drift += o.drift_p < level;
			lag += o.lag1_p < level;
			if (round < 500)
				warm += stats_warmup(x, n, (unsigned long)round).values > 0;
			stats_sort(x, n);
			stats_sort(y, n);
			wrong += stats_mann_whitney(x, n, y, n).p < level;
			d = stats_difference(x, n, y, n, 0.95, 500, (unsigned long)round);
			missed += d.ratio_low > 1 || d.ratio_high < 1;
		}
		if (wrong > 129 || missed > 140 || drift > 129 || lag > 129 || warm > 40)
			fail_msg("of 2000 at %zu: %u differ, %u intervals miss, %u drift, %u are "
				 "autocorrelated; of 500: %u warm up",
				 sizes[s], wrong, missed, drift, lag, warm);
	}
}

/* As many trials as it names must find the difference about as often as it says (80 %). */
static void the_trials_it_names_are_enough(void **state)
{
	double x[400], y[400], need = 0;
	unsigned int found = 0;
	size_t n;

	(void)state;
	gsl_rng_set(rng, 11);
	for (int i = 0; i < 200; i++) {
		noise(x, 15, 1000, 0.03);
		noise(y, 15, 1000, 0.03);
		stats_sort(x, 15);
		stats_sort(y, 15);
		need += stats_trials_needed(x, 15, y, 15, 0.02, 0.01, 0.8) / 200;
	}
	n = (size_t)need;
	assert_true(20 <= n && n <= 400);
	for (int i = 0; i < 500; i++) {
		noise(x, n, 1000, 0.03);
		noise(y, n, 1020, 0.03);
		stats_sort(x, n);
		stats_sort(y, n);
		found += stats_mann_whitney(x, n, y, n).p < 0.01;
	}
	if (found < 350 || found > 475)
		fail_msg("%zu trials find it in %u of 500", n, found);
}

static void a_warm_up_is_found_where_there_is_one(void **state)
{
	static const unsigned int above[] = { 60, 59, 48, 31 }, below[] = { 0, 1, 12, 29 };
	unsigned int found = 0, near = 0;
	double v[40], p;

	(void)state;
	gsl_rng_set(rng, 3);
	for (unsigned long i = 0; i < 200; i++) {
		struct stats_warmup w;

		noise(v, 40, 1000, 0.01);
		for (int k = 0; k < 6; k++)
			v[k] *= 1.05;
		w = stats_warmup(v, 40, i);
		found += w.values > 0;
		near += w.values >= 5 && w.values <= 8 && w.share > 0.03;
	}
	if (found < 190 || near < 180)
		fail_msg("of 200: %u found, %u as long as it is", found, near);
	assert_int_equal(stats_warmup_batches(above, below, 4, 0.05, &p), 3);
}

static void too_little_gives_no_figure(void **state)
{
	static const double v[] = { 1, 2, 3 };

	(void)state;
	assert_true(isnan(stats_mann_whitney(v, 0, v, 3).p));
	assert_true(isnan(stats_difference(v, 1, v, 3, 0.95, 100, 1).low));
	assert_true(isnan(stats_sorted_interval(v, 1, 0.95, 100, 1).low));
	assert_true(isnan(stats_sorted_interval(v, 0, 0.95, 100, 1).median));
	assert_true(isnan(stats_order(v, 3).drift_p));
	assert_true(isnan(stats_warmup(v, 3, 1).p));
	assert_true(isnan(stats_trials_needed(v, 2, v, 3, 0.02, 0.05, 0.8)));
	assert_true(isnan(stats_sorted_median(v, 0)));
}

/* Times of one speed, spread by @kind; and of two, @upper times apart, a quarter of the trials slow for @kind 6. */
static double one_speed(int kind, size_t i)
{
	double z = gsl_ran_ugaussian(rng);

	switch (kind) {
	case 0: /* a quiet machine */
		return 1 + 0.02 * z;
	case 1:
		return fmax(0.05, 1 + 0.1 * z);
	case 2:
		return fmax(0.05, 1 + 0.3 * z);
	case 3:
		return exp(0.3 * z);
	case 4: /* an outlier */
		return (1 + 0.03 * z) * (i ? 1 : 1.4);
	default: /* a tail */
		return 1 + 0.2 * gsl_ran_exponential(rng, 1);
	}
}

static double two_speeds(double upper, double spread, size_t slow, size_t i)
{
	return (i < slow ? upper : 1) * (1 + spread * gsl_ran_ugaussian(rng));
}

static void speeds_are_found_where_there_are_two_and_seldom_elsewhere(void **state)
{
	enum { SAMPLES = 4000 };
	double v[20];

	(void)state;
	gsl_rng_set(rng, 10);
	for (size_t n = 5; n <= 20; n += n < 12 ? 1 : 8) {
		int alarms[6] = { 0 }, found = 0, few = 0, near = 0;

		for (int s = 0; s < SAMPLES; s++) {
			for (int kind = 0; kind < 6; kind++) {
				for (size_t i = 0; i < n; i++)
					v[i] = one_speed(kind, i);
				gsl_sort(v, 1, n);
				alarms[kind] += stats_speeds(v, n) > 0;
			}
			for (size_t i = 0; i < n; i++)
				v[i] = two_speeds(1.4, 0.02, n / 2, i);
			gsl_sort(v, 1, n);
			found += stats_speeds(v, n) == n - n / 2;
			for (size_t i = 0; i < n; i++)
				v[i] = two_speeds(1.4, 0.02, n < 9 ? 2 : (n + 3) / 4, i);
			gsl_sort(v, 1, n);
			few += stats_speeds(v, n) > 0;
			for (size_t i = 0; i < n; i++)
				v[i] = two_speeds(1.05, 0.001, n / 2, i);
			gsl_sort(v, 1, n);
			near += stats_speeds(v, n) > 0;
		}
		/* 1 in 100 is promised of normal and lognormal samples; three deviations more may come by chance. */
		for (int kind = 0; kind < 4; kind++)
			assert_true(alarms[kind] <= 0.015 * SAMPLES);
		assert_true(alarms[0] <= 0.001 * SAMPLES && alarms[4] <= 0.001 * SAMPLES);
		assert_true(alarms[5] <= 0.05 * SAMPLES);
		assert_true(found >= (n < 6 ? 0.85 : 0.98) * SAMPLES);
		assert_true(few >= (n < 6 ? 0.85 : 0.95) * SAMPLES);
		assert_int_equal(near, 0); /* under 8 % is not worth a word */
	}
}

enum { TRIALS = 12, SESSIONS_MOST = 24 };

/* Logarithms of the medians of @n sessions whose trials vary by 2 %, they by @between times that; @speeds: two speeds, 1 : 1.35. */
static void sessions(double *v, size_t n, double between, bool speeds, double shift)
{
	double t[TRIALS];

	for (size_t i = 0; i < n; i++) {
		double own = shift + (speeds ? (gsl_rng_uniform(rng) < 0.5 ? log(1.35) : 0)
					     : 0.02 * between * gsl_ran_ugaussian(rng));

		for (int k = 0; k < TRIALS; k++)
			t[k] = exp(own + 0.02 * gsl_ran_ugaussian(rng));
		v[i] = log(stats_percentile(t, TRIALS, 50));
	}
}

/* The promise of a comparison of kernels: at most 5 in 100 equal ones are told apart, and 95 of 100 intervals hold the truth. */
static void sessions_hold_their_level_and_their_intervals_the_truth(void **state)
{
	static const size_t sizes[] = { 2, 3, 4, 6, 8, 10 };
	size_t nsizes = getenv("SESSIONS_TABLE") ? 6 : 4; /* permutations take their time */
	static const double ratios[] = { 0, 0.5, 1, 3, 10 };
	double x[SESSIONS_MOST], y[SESSIONS_MOST];

	(void)state;
	gsl_rng_set(rng, 11);
	for (size_t s = 0; s < nsizes; s++)
		for (size_t b = 0; b <= sizeof(ratios) / sizeof(*ratios); b++) {
			bool speeds = b == sizeof(ratios) / sizeof(*ratios);
			int tries = sizes[s] > 4 ? 150 : 1000, calls = 0, held = 0;
			double slack;

			for (int i = 0; i < tries; i++) {
				struct stats_sessions r;

				sessions(x, sizes[s], speeds ? 0 : ratios[b], speeds, 0);
				sessions(y, sizes[s], speeds ? 0 : ratios[b], speeds, log(1.02));
				r = stats_sessions(x, sizes[s], y, sizes[s], 0.95, 0.05);
				held += r.low <= 1.02 && 1.02 <= r.high;
				for (size_t k = 0; k < sizes[s]; k++)
					y[k] -= log(1.02);
				calls += stats_sessions(x, sizes[s], y, sizes[s], 0.95, 0.05).p <
					 0.05;
			}
			slack = 4.5 * sqrt(0.05 * 0.95 / tries);
			if (getenv("SESSIONS_TABLE"))
				printf("%zu sessions, %s %.1f: %.1f %% called, %.1f %% held\n",
				       sizes[s], speeds ? "speeds" : "ratio",
				       speeds ? 1.35 : ratios[b], 100.0 * calls / tries,
				       100.0 * held / tries);
			/* Two speeds are no normal: few sessions may all happen to have one. */
			assert_true(calls <=
				    (0.05 + slack + (speeds && sizes[s] < 6 ? 0.1 : 0)) * tries);
			assert_true(held >=
				    (0.95 - slack - (speeds && sizes[s] < 6 ? 0.1 : 0)) * tries);
		}
}

static void as_many_sessions_as_are_needed_find_two_percent(void **state)
{
	double x[SESSIONS_MOST], y[SESSIONS_MOST];

	(void)state;
	gsl_rng_set(rng, 12);
	for (int k = 1; k <= 3; k++) {
		double between = 0.3 * k, own = 0.02 * 1.25 / sqrt(TRIALS), /* of a median */
			spread = hypot(0.02 * between, own);
		double n = stats_sessions_needed(spread, 0.02, 0.05, 0.9);
		int found = 0, tries = 600;

		assert_true(n >= 2 && n <= SESSIONS_MOST);
		for (int i = 0; i < tries; i++) {
			sessions(x, (size_t)n, between, false, 0);
			sessions(y, (size_t)n, between, false, log(1.02));
			/* No permutations: alpha 0. */
			found += stats_sessions(x, (size_t)n, y, (size_t)n, 0.95, 0).p < 0.05;
		}
		assert_true(found >= 0.86 * tries && found <= 0.995 * tries);
	}
	assert_true(isnan(stats_sessions_needed(NAN, 0.02, 0.05, 0.9)));
	assert_true(stats_sessions_needed(0, 0.02, 0.05, 0.9) == 2);
}

/* What the truth of a row is: each session's own, each trial's own, and what a trial's length leaves. */
struct truth {
	double between, fixed, sampled; /* sampled: at 0.1 s */
};

static double session(const struct truth *t, unsigned int trials, double length_s, double shift,
		      struct stats_session *s)
{
	double own = shift + t->between * gsl_ran_ugaussian(rng), v[64], mean = 0;

	*s = (struct stats_session){ .trials = trials, .halved = trials };
	for (unsigned int i = 0; i < trials; i++) {
		double level = own + t->fixed * gsl_ran_ugaussian(rng),
		       half = t->sampled * sqrt(0.2 / length_s), a = half * gsl_ran_ugaussian(rng),
		       b = half * gsl_ran_ugaussian(rng);

		v[i] = level + (a + b) / 2;
		mean += v[i] / trials;
		s->halves += (a - b) * (a - b);
	}
	for (unsigned int i = 0; i < trials; i++)
		s->squares += (v[i] - mean) * (v[i] - mean);
	s->median = stats_percentile(v, trials, 50);
	return s->median;
}

static double promised(const struct truth *t, const struct stats_repetitions *r, int tries)
{
	int found = 0;

	for (int i = 0; i < tries; i++) {
		double x[SESSIONS_MOST], y[SESSIONS_MOST];
		struct stats_session ignored;

		for (int k = 0; k < r->sessions; k++) {
			x[k] = session(t, r->trials, r->length_s, 0, &ignored);
			y[k] = session(t, r->trials, r->length_s, log(1.02), &ignored);
		}
		/* Permutations of more take their time, and say the same. */
		found += stats_sessions(x, (size_t)r->sessions, y, (size_t)r->sessions, 0.95,
					r->sessions > 6 ? 0 : 0.05)
				 .p < 0.05;
	}
	return (double)found / tries;
}

static void repetitions_keep_their_promise_at_least_cost(void **state)
{
	static const struct truth truths[] = { { 0.010, 0.005, 0.020 },
					       { 0.002, 0.030, 0.005 },
					       { 0.012, 0.002, 0.002 },
					       { 0.004, 0.002, 0.060 } };
	const struct stats_need need = { 0.02, 0.05, 0.9, 10 };
	struct stats_repetitions r[5], dear;

	(void)state;
	gsl_rng_set(rng, 14);
	for (int i = 0; i < 4; i++) {
		const struct truth *t = &truths[i];
		double within = hypot(t->fixed, t->sampled), power, pilots = 0;
		struct stats_row row = {
			{ t->between, t->between, 9, within, t->sampled }, 0.1, 2.5, 0.05
		};
		/* Kalibera and Jones' optimum of the trials, for the length as it was seen. */
		double best = sqrt(need.session_s / (row.trial_s + row.per_s * 0.1) * M_PI / 2) *
			      within / t->between,
		       one = need.session_s + best * (row.trial_s + row.per_s * 0.1),
		       spread = hypot(t->between, within * sqrt(M_PI / 2 / best));

		r[i] = stats_repetitions(&row, 1, &need);
		assert_true(r[i].sessions >= 2 && r[i].sessions <= SESSIONS_MOST);
		assert_true(r[i].trials <= 64);
		power = promised(t, &r[i], 500);
		if (getenv("SESSIONS_TABLE"))
			printf("%.0f sessions of %u trials of %.3g s: %.0f s, power %.3f\n",
			       r[i].sessions, r[i].trials, r[i].length_s, r[i].total_s, power);
		assert_true(power >= 0.86);
		/* Whole sessions may overshoot, the two that are the least may by much. */
		assert_true(power <= 0.99 || r[i].sessions < 4);
		assert_true(r[i].total_s <=
			    1.02 * 2 * one * stats_sessions_needed(spread, 0.02, 0.05, 0.9));
		/* From what a few sessions showed, as from the truth; two kernels 30 % apart. */
		power = 0;
		for (int pilot = 0; pilot < 16; pilot++) {
			struct stats_session seen[16];

			for (size_t k = 0; k < 16; k++) {
				session(t, 12, 0.1, k < 8 ? 0 : 0.3, &seen[k]);
				seen[k].kernel = k / 8;
			}
			row.levels = stats_levels(seen, 16);
			assert_int_equal(row.levels.freedom, 14);
			assert_true(fabs(row.levels.within / within - 1) < 0.3);
			r[4] = stats_repetitions(&row, 1, &need);
			pilots += r[4].total_s / 16;
			/* What they happened to show may be little, but not on average. */
			if (r[4].sessions <= SESSIONS_MOST && r[4].trials <= 64)
				power += promised(t, &r[4], 50) / 16;
			else
				power += 1.0 / 16;
		}
		if (getenv("SESSIONS_TABLE"))
			printf("  from pilots: %.2f of that, power %.3f\n", pilots / r[i].total_s,
			       power);
		assert_true(power > 0.78 && pilots < 1.6 * r[i].total_s);
	}
	/* Steady sessions whose trials scatter want many trials, others few; noise within trials long ones. */
	assert_true(r[1].trials > 2 * r[2].trials && r[3].length_s > r[1].length_s);
	/* A session that costs more gets more trials. */
	dear = stats_repetitions(
		&(struct stats_row){ { 0.01, 0.01, 9, 0.03, 0.01 }, 0.1, 2.5, 0.05 }, 1,
		&(struct stats_need){ 0.02, 0.05, 0.9, 120 });
	assert_true(dear.trials >
		    stats_repetitions(
			    &(struct stats_row){ { 0.01, 0.01, 9, 0.03, 0.01 }, 0.1, 2.5, 0.05 }, 1,
			    &need)
			    .trials);
	assert_true(dear.sessions_high >= dear.sessions);
	/* Of several rows the worst decides. */
	{
		const struct stats_row two[] = { { { 0.01, 0.01, 9, 0.01, 0 }, 0.1, 2.5, 0.05 },
						 { { 0.03, 0.03, 9, 0.01, 0 }, 0.1, 2.5, 0.05 } };
		struct stats_repetitions both = stats_repetitions(two, 2, &need);

		assert_int_equal(both.worst, 1);
		assert_true(both.sessions >= stats_repetitions(two, 1, &need).sessions);
	}
	/* One session does not tell. */
	assert_true(isnan(
		stats_levels(&(struct stats_session){ .trials = 9, .squares = 1 }, 1).between));
}

static void variance_between_sessions_is_told_from_that_within(void **state)
{
	static double v[40 * TRIALS];
	size_t ends[40];
	double between, within, sum = 0;

	(void)state;
	gsl_rng_set(rng, 13);
	for (int round = 0; round < 20; round++) {
		for (size_t i = 0; i < 40; i++) {
			double own = 0.05 * gsl_ran_ugaussian(rng);

			for (size_t k = 0; k < TRIALS; k++)
				v[i * TRIALS + k] = own + 0.02 * gsl_ran_ugaussian(rng);
			ends[i] = (i + 1) * TRIALS;
		}
		stats_sessions_split(v, ends, 40, &between, &within);
		assert_true(fabs(within - 0.02) < 0.003);
		sum += between;
	}
	assert_true(fabs(sum / 20 - 0.05) < 0.004);
	stats_sessions_split(v, ends, 1, &between, &within);
	assert_true(isnan(between) && fabs(within - 0.02) < 0.02);
	ends[1] = ends[0]; /* a session without trials */
	stats_sessions_split(v, ends, 2, &between, &within);
	assert_true(isnan(between));
	assert_true(isnan(stats_sessions(v, 1, v, 2, 0.95, 0.05).p));
}

static void two_speeds_want_a_quarter_of_five_trials(void **state)
{
	static const double four[] = { 1, 1, 2, 2 }, alike[] = { 3, 3, 3, 3, 3, 3 },
			    one[] = { 1, 1.01, 1.02, 1.03, 1.04, 2 },
			    two[] = { 3.70, 3.71, 3.72, 5.20, 5.21, 5.22 },
			    below_zero[] = { -5.2, -5.1, -5.15, 3.7, 3.71, 3.72 };

	(void)state;
	assert_int_equal(stats_speeds(four, 0), 0);
	assert_int_equal(stats_speeds(four, 4), 0);
	assert_int_equal(stats_speeds(alike, 6), 0);
	assert_int_equal(stats_speeds(one, 6), 0);
	assert_int_equal(stats_speeds(two, 6), 3);
	assert_int_equal(stats_speeds(below_zero, 6), 3);
}

#define CELLS 20
#define KINDS 4

/* What is to be known: counts of each kind in each cell of time. */
static void load_make(int load, size_t cells, uint64_t counts[][KINDS])
{
	double rate[KINDS] = { 0 }, left = 0;

	for (size_t i = 0; i < cells; i++) {
		switch (load) {
		case 0: /* steady, the last one rare */
			rate[0] = rate[1] = 1000;
			rate[2] = 50;
			rate[3] = 0.02;
			break;
		case 1: /* repeats with the strata */
			rate[0] = rate[1] = i % CELLS < CELLS / 2 ? 2000 : 20;
			rate[2] = 100;
			rate[3] = i % (2 * CELLS) == 7 ? 20 : 1;
			break;
		default: /* phases, long (2) and short (3) ones */
			if (left-- > 0)
				break;
			left = gsl_ran_exponential(rng, load == 2 ? 60 : 3);
			for (int k = 0; k < KINDS; k++)
				rate[k] = gsl_ran_lognormal(rng, 3, 1);
		}
		for (int k = 0; k < KINDS; k++)
			counts[i][k] = gsl_ran_poisson(rng, rate[k]);
	}
}

static void stratum_look(struct stats_ratio *r, uint64_t cells[CELLS][KINDS])
{
	size_t first = gsl_rng_uniform_int(rng, CELLS),
	       second = gsl_rng_uniform_int(rng, CELLS - 1);
	uint64_t bases[2] = { 0 }, counts[2 * KINDS], total = 0;

	second += second >= first;
	for (int k = 0; k < KINDS; k++) {
		counts[k] = cells[first][k];
		counts[KINDS + k] = cells[second][k];
		bases[0] += cells[first][k];
		bases[1] += cells[second][k];
		for (int i = 0; i < CELLS; i++)
			total += cells[i][k];
	}
	stats_ratio_add(r, total, bases, counts, 2);
}

static void looks_at_a_tenth_hold_the_whole(void **state)
{
	enum { STRATA = 60, TRIES = 400 };
	static uint64_t counts[STRATA * CELLS][KINDS];

	(void)state;
	for (int load = 0; load < 4; load++) {
		int held[KINDS] = { 0 };

		for (int try = 0; try < TRIES; try++) {
			struct stats_ratio *r = stats_ratio_new(KINDS, 2.0 / CELLS,
								try % 2 ? 16 : STRATA);
			uint64_t truth[KINDS] = { 0 }, all = 0;

			assert_non_null(r);
			load_make(load, STRATA * CELLS, counts);
			for (int h = 0; h < STRATA; h++)
				stratum_look(r, &counts[h * CELLS]);
			for (int i = 0; i < STRATA * CELLS; i++)
				for (int k = 0; k < KINDS; k++) {
					truth[k] += counts[i][k];
					all += counts[i][k];
				}
			for (int k = 0; k < KINDS; k++) {
				struct stats_total t = stats_ratio_total(r, k, 1, all, true, 0.95);

				assert_true(t.low <= t.value && t.value <= t.high);
				held[k] += t.low <= truth[k] && truth[k] <= t.high;
			}
			stats_ratio_free(r);
		}
		for (int k = 0; k < KINDS; k++) {
			if (getenv("RATIO_TABLE"))
				printf("load %d, kind %d: %.1f %%\n", load, k,
				       100.0 * held[k] / TRIES);
			/* 95 % are promised; half a percent of such tests would see fewer than 92. */
			if (held[k] < 0.92 * TRIES)
				fail_msg("load %d, kind %d: %d of %d", load, k, held[k], TRIES);
		}
	}
}

static void looks_that_saw_nothing_know_nothing(void **state)
{
	struct stats_ratio *r = stats_ratio_new(1, 0.1, 4);
	uint64_t base = 10, seen = 4, none = 0;
	struct stats_total t;

	(void)state;
	assert_non_null(r);
	t = stats_ratio_total(r, 0, 1, 100, true, 0.95);
	assert_true(isnan(t.value) && t.low == 0 && t.high == 100);
	/* Where a watch was cut short, its look alone: 6 of the 10 are certainly none. */
	stats_ratio_add(r, 0, &base, &seen, 1);
	t = stats_ratio_total(r, 0, 1, 100, true, 0.95);
	assert_true(t.value == 40 && t.low >= 4 && t.high <= 94);
	stats_ratio_free(r);
	/* None of them: 3.7 of the looks may as well have been full of it, by Poisson's. */
	r = stats_ratio_new(1, 0.1, 4);
	assert_non_null(r);
	for (int i = 0; i < 10; i++)
		stats_ratio_add(r, 0, &base, &none, 1);
	t = stats_ratio_total(r, 0, 1, 1000, false, 0.95);
	assert_true(t.value == 0 && t.low == 0);
	close_to(t.high, 368.88794541139, 1e-9, "Poisson's");
	/* A week of them. */
	for (int i = 0; i < 100000; i++)
		stats_ratio_add(r, 200, (const uint64_t[]){ 10, 10 },
				(const uint64_t[]){ i == 9, 0 }, 2);
	t = stats_ratio_total(r, 0, 1, 2e7, false, 0.95);
	assert_true(t.low >= 1 && t.value > t.low && t.high > t.value && t.high < 200);
	stats_ratio_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_samples_agree_with_scipy_and_r),
		cmocka_unit_test(holm_agrees_with_r),
		cmocka_unit_test(looks_at_a_tenth_hold_the_whole),
		cmocka_unit_test(looks_that_saw_nothing_know_nothing),
		cmocka_unit_test(the_signed_rank_test_agrees_with_scipy_and_r),
		cmocka_unit_test(a_slope_heeds_all_rounds_but_no_wild_value),
		cmocka_unit_test(series_agree_with_scipy_and_r),
		cmocka_unit_test(one_samples_interval_is_the_bootstraps),
		cmocka_unit_test(swapping_the_sides_flips_every_sign),
		cmocka_unit_test(alike_is_called_different_no_more_often_than_promised),
		cmocka_unit_test(the_trials_it_names_are_enough),
		cmocka_unit_test(a_warm_up_is_found_where_there_is_one),
		cmocka_unit_test(too_little_gives_no_figure),
		cmocka_unit_test(speeds_are_found_where_there_are_two_and_seldom_elsewhere),
		cmocka_unit_test(two_speeds_want_a_quarter_of_five_trials),
		cmocka_unit_test(sessions_hold_their_level_and_their_intervals_the_truth),
		cmocka_unit_test(as_many_sessions_as_are_needed_find_two_percent),
		cmocka_unit_test(repetitions_keep_their_promise_at_least_cost),
		cmocka_unit_test(variance_between_sessions_is_told_from_that_within),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
