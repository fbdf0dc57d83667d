/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two samples set against each other: is there a difference, how large, how many values would it take. Samples are given
 * sorted ascending (stats_sort) and finite; no function changes them. NaN where a figure needs more values than it got.
 */
#ifndef LIB_STATS_RANK_H
#define LIB_STATS_RANK_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/stats/stats.h"

/* Up to so many values on each side, and without ties, the Mann-Whitney test is exact. */
#define STATS_EXACT_MOST 50

struct mann_whitney {
	double u; /* pairs in which y is the larger; a tie counts one half */
	double p; /* two-sided */
	bool exact;
};

/* Relative and absolute difference of two medians with bootstrap intervals. */
struct stats_difference {
	double ratio, ratio_low,
		ratio_high; /* median(y) / median(x); NaN unless all values are > 0 */
	double value, low, high; /* median(y) - median(x), the samples' unit */
};

/* Sorts @v ascending in place, O(n log n). */
void stats_sort(double *v, size_t n);

/* Median of a sorted sample, NaN of none. */
double stats_sorted_median(const double *v, size_t n);

/*
 * The Mann-Whitney test, O(n log n) with the sorting. Exact (Mann & Whitney 1947, by their recurrence) for small samples without
 * ties, otherwise the normal approximation with corrections for ties and continuity (Hollander & Wolfe, Nonparametric Statistical
 * Methods, 4.1). p is NaN when a side is empty or memory ran out.
 */
struct mann_whitney stats_mann_whitney(const double *x, size_t nx, const double *y, size_t ny);

/*
 * Two-sided p of Wilcoxon's signed-rank test that the differences @d (in any order) are symmetric about 0; zeros are left out, ties
 * share ranks. Exact for small samples without ties, else the normal approximation with corrections for continuity and ties
 * (Hollander & Wolfe, 3.1). NaN without a difference that is not 0.
 */
double stats_signed_rank(const double *d, size_t n);

/*
 * Holm's step-down correction (Scand. J. Statist. 6, 1979) of the @n values of @p that are not NaN, into @adjusted (NaN where
 * @p is). 0 or -ENOMEM.
 */
int stats_holm(const double *p, double *adjusted, size_t n);

/*
 * Difference and ratio of medians with their bootstrap percentile intervals at @level (0.95). Resampling is not done value by
 * value: the k-th of n values drawn with replacement from a sorted sample is the sample's value at a Beta(k, n - k + 1) variate of
 * its length (the distribution of an order statistic; Efron 1979 uses the same to have it in closed form), so a resample costs the
 * same for ten values and for a million. Swapping the sides negates the difference and inverts the ratio, bounds included.
 */
struct stats_difference stats_difference(const double *x, size_t nx, const double *y, size_t ny,
					 double level, unsigned int resamples, unsigned long seed);

/*
 * The median of one sorted sample with its bootstrap percentile interval at @level, resampled as above; no mad. low and high are
 * NaN with fewer than two values.
 */
struct interval stats_sorted_interval(const double *v, size_t n, double level,
				      unsigned int resamples, unsigned long seed);

/*
 * How many values a side the test needs to find a difference of @share (0.02: 2 %) with probability @power at significance @alpha,
 * given the spread of these samples: Noether's formula (J. Am. Stat. Assoc. 82, 1987) n = (z(alpha/2) + z(power))^2 /
 * (6 (P - 1/2)^2), where P, the chance that a value of a shifted sample exceeds one of an unshifted, is counted over all pairs of
 * the values at hand, each side divided by its median. Never less than what an exact test needs to reach @alpha at all.
 * NaN with fewer than 3 values a side or values that are not positive; HUGE_VAL when the spread hides the difference altogether.
 */
double stats_trials_needed(const double *x, size_t nx, const double *y, size_t ny, double share,
			   double alpha, double power);

#endif
