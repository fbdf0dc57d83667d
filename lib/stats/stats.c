// SPDX-License-Identifier: GPL-2.0-or-later
#include <gsl/gsl_fit.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/stats/stats.h"

double stats_percentile(const double *v, size_t n, double p)
{
	double *copy, value;

	copy = n ? malloc(n * sizeof(*copy)) : NULL;
	if (!copy)
		return NAN;
	memcpy(copy, v, n * sizeof(*copy));
	gsl_sort(copy, 1, n);
	value = gsl_stats_quantile_from_sorted_data(copy, 1, n, p / 100);
	free(copy);
	return value;
}

/* The percentile interval that the resamples give; sorts them. */
static void bounds(struct interval *r, double *resampled, size_t n, double level)
{
	gsl_sort(resampled, 1, n);
	r->low = gsl_stats_quantile_from_sorted_data(resampled, 1, n, (1 - level) / 2);
	r->high = gsl_stats_quantile_from_sorted_data(resampled, 1, n, (1 + level) / 2);
}

struct interval stats_median(const double *v, size_t n, double level, unsigned int resamples,
			     unsigned long seed)
{
	struct interval r = { .median = NAN, .low = NAN, .high = NAN, .mad = NAN, .n = n };
	double *work = n ? malloc(n * sizeof(double)) : NULL;
	double *source = n ? malloc(n * sizeof(double)) : NULL;
	double *medians = resamples ? malloc(resamples * sizeof(double)) : NULL;
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	if (work && source && rng && (medians || !resamples)) {
		memcpy(source, v, n * sizeof(double));
		memcpy(work, v, n * sizeof(double));
		gsl_sort(work, 1, n);
		r.median = gsl_stats_median_from_sorted_data(work, 1, n);
		r.mad = gsl_stats_mad(source, 1, n, work);
		gsl_rng_set(rng, seed);
		for (unsigned int i = 0; i < resamples; i++) {
			gsl_ran_sample(rng, work, n, source, n, sizeof(double));
			gsl_sort(work, 1, n);
			medians[i] = gsl_stats_median_from_sorted_data(work, 1, n);
		}
		/* One trial has no spread to resample: no interval, rather than one of no width. */
		if (resamples && n > 1)
			bounds(&r, medians, resamples, level);
	}
	gsl_rng_free(rng);
	free(medians);
	free(source);
	free(work);
	return r;
}

struct interval stats_paired(const double *a, const double *b, size_t n, double level,
			     unsigned int resamples, unsigned long seed)
{
	struct interval r = { .median = NAN, .low = NAN, .high = NAN, .mad = NAN, .n = n };
	double *d = n ? malloc(n * sizeof(*d)) : NULL;

	if (!d)
		return r;
	for (size_t i = 0; i < n; i++)
		d[i] = a[i] - b[i];
	r = stats_median(d, n, level, resamples, seed);
	free(d);
	return r;
}

/* Of the rounds that @pick names; @column has room for as many values, @middle for @sizes. */
static double slope_of(const double *x, size_t sizes, const double *y, const size_t *pick,
		       size_t rounds, double *column, double *middle)
{
	double at, slope, c00, c01, c11, squares;

	for (size_t k = 0; k < sizes; k++) {
		for (size_t i = 0; i < rounds; i++)
			column[i] = y[pick[i] * sizes + k];
		gsl_sort(column, 1, rounds);
		middle[k] = gsl_stats_median_from_sorted_data(column, 1, rounds);
	}
	gsl_fit_linear(x, 1, middle, 1, sizes, &at, &slope, &c00, &c01, &c11, &squares);
	return slope;
}

struct interval stats_slope(const double *x, size_t sizes, const double *y, size_t rounds,
			    double level, unsigned int resamples, unsigned long seed)
{
	struct interval r = { .median = NAN, .low = NAN, .high = NAN, .mad = NAN, .n = rounds };
	double *column = malloc((rounds + 1) * sizeof(*column));
	double *middle = malloc((sizes + 1) * sizeof(*middle));
	double *slopes = malloc((resamples + 1) * sizeof(*slopes));
	size_t *pick = calloc(rounds + 1, sizeof(*pick));
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	if (column && middle && slopes && pick && rng && sizes > 1 && rounds) {
		for (size_t i = 0; i < rounds; i++)
			pick[i] = i;
		r.median = slope_of(x, sizes, y, pick, rounds, column, middle);
		gsl_rng_set(rng, seed);
		for (unsigned int b = 0; b < resamples; b++) {
			for (size_t i = 0; i < rounds; i++)
				pick[i] = gsl_rng_uniform_int(rng, rounds);
			slopes[b] = slope_of(x, sizes, y, pick, rounds, column, middle);
		}
		/* One round has no spread to resample. */
		if (resamples && rounds > 1)
			bounds(&r, slopes, resamples, level);
	}
	gsl_rng_free(rng);
	free(pick);
	free(slopes);
	free(middle);
	free(column);
	return r;
}
