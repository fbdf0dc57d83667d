// SPDX-License-Identifier: GPL-2.0-or-later
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/stats/speeds.h"

#define LEAST 5 /* values */
#define APART 0.08 /* of the lower cluster's median, at least, is the upper one away */
#define EMPTY 0.6 /* of the distance of the medians, between the clusters' inner deciles */

/*
 * The share that 1 in 100 samples of so many normal values stays below, from LEAST on: 400 000 samples each. For more values the
 * last one serves: the true one grows.
 */
static const double critical[] = { 0.018, 0.033, 0.048, 0.064, 0.082, 0.094, 0.105, 0.115, 0.125,
				   0.134, 0.141, 0.147, 0.155, 0.160, 0.165, 0.170, 0.175, 0.179,
				   0.183, 0.187, 0.191, 0.194, 0.197, 0.200, 0.203, 0.206, 0.209,
				   0.211, 0.214, 0.216, 0.218, 0.220, 0.222, 0.224, 0.225, 0.228 };

/* The cut that leaves least within both parts, and the share of all squares that it leaves. */
static size_t cut_best(const double *v, size_t n, double *share)
{
	size_t least = (n + 3) / 4 < 2 ? 2 : (n + 3) / 4, best = 0;
	double sum = 0, squares = 0, lower = 0, within = INFINITY, total;

	/* About the middle, so that squares lose no digits. */
	for (size_t i = 0; i < n; i++) {
		sum += v[i] - v[n / 2];
		squares += (v[i] - v[n / 2]) * (v[i] - v[n / 2]);
	}
	total = squares - sum * sum / (double)n;
	for (size_t i = 1; i + least <= n; i++) {
		double d = v[i - 1] - v[n / 2], upper, left;

		lower += d;
		upper = sum - lower;
		left = squares - lower * lower / (double)i - upper * upper / (double)(n - i);
		if (i >= least && left < within) {
			within = left;
			best = i;
		}
	}
	*share = total > 0 ? within / total : 1;
	return best;
}

static bool apart(const double *v, size_t n, size_t cut, bool logarithms)
{
	double low = gsl_stats_median_from_sorted_data(v, 1, cut),
	       high = gsl_stats_median_from_sorted_data(v + cut, 1, n - cut),
	       gap = gsl_stats_quantile_from_sorted_data(v + cut, 1, n - cut, 0.1) -
		     gsl_stats_quantile_from_sorted_data(v, 1, cut, 0.9);
	bool far = logarithms ? expm1(high - low) >= APART
			      : high - low >= APART * fmax(fabs(low), fabs(high));

	return far && gap >= EMPTY * (high - low);
}

size_t stats_speeds(const double *sorted, size_t n)
{
	size_t known = sizeof(critical) / sizeof(*critical), cut;
	bool logarithms = n && sorted[0] > 0;
	double *v, share;

	if (n < LEAST)
		return 0;
	v = malloc(n * sizeof(*v));
	if (!v)
		return 0;
	for (size_t i = 0; i < n; i++)
		v[i] = logarithms ? log(sorted[i]) : sorted[i];
	cut = cut_best(v, n, &share);
	if (!cut || share > critical[n - LEAST < known ? n - LEAST : known - 1] ||
	    !apart(v, n, cut, logarithms))
		cut = 0;
	free(v);
	return cut;
}
