/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Statistics on trials, by GSL. No function changes its input. NaN where a figure needs more values than it got. */
#ifndef LIB_STATS_STATS_H
#define LIB_STATS_STATS_H

#include <stddef.h>
#include <stdint.h>

struct interval {
	double median;
	double low, high; /* bounds of the confidence interval of the median, same unit */
	double mad; /* median absolute deviation, scaled to a normal's sigma */
	size_t n;
};

/* Percentile @p (0..100) of @v, interpolated linearly (R's type 7). */
double stats_percentile(const double *v, size_t n, double p);

/*
 * Median with its bootstrap percentile interval at @level (0.95), from @resamples resamplings drawn from @seed.
 * (Efron & Tibshirani, An Introduction to the Bootstrap, ch. 13)
 */
struct interval stats_median(const double *v, size_t n, double level, unsigned int resamples,
			     unsigned long seed);

/* The same for paired differences a[i] - b[i]. */
struct interval stats_paired(const double *a, const double *b, size_t n, double level,
			     unsigned int resamples, unsigned long seed);

/*
 * Slope of the least-squares line through the points (x[k], median over rounds of y[k]), @sizes of them; @y holds @rounds rows of
 * @sizes values. The interval is of whole rounds resampled, and its "median" the slope itself: medians first, for one disturbed
 * value bends its round's line, but not the median. @y's unit per @x's; no mad.
 */
struct interval stats_slope(const double *x, size_t sizes, const double *y, size_t rounds,
			    double level, unsigned int resamples, unsigned long seed);

#endif
