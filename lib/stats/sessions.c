// SPDX-License-Identifier: GPL-2.0-or-later
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_combination.h>
#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/stats/sessions.h"

#define COUNTED 200000 /* permutations that are counted through: 10 sessions a side */
#define MOST	10000 /* sessions that anybody would be told to make */

static double squares(const double *v, size_t n)
{
	return n > 1 ? gsl_stats_variance(v, 1, n) * (double)(n - 1) : 0;
}

/* The share of all ways to deal the sessions out to the two sides whose means lie as far apart. NaN: out of memory. */
static double permuted(const double *x, size_t nx, const double *y, size_t ny)
{
	double *all = malloc((nx + ny) * sizeof(*all)), total = 0, apart, sum, far = 0, n = 0;
	gsl_combination *c = gsl_combination_calloc(nx + ny, nx);

	if (!all || !c) {
		free(all);
		if (c)
			gsl_combination_free(c);
		return NAN;
	}
	memcpy(all, x, nx * sizeof(*x));
	memcpy(all + nx, y, ny * sizeof(*y));
	for (size_t i = 0; i < nx + ny; i++)
		total += all[i];
	apart = fabs(gsl_stats_mean(x, 1, nx) - gsl_stats_mean(y, 1, ny));
	do {
		sum = 0;
		for (size_t i = 0; i < nx; i++)
			sum += all[gsl_combination_get(c, i)];
		/* Sums in another order differ in the last digits. */
		far += fabs(sum / (double)nx - (total - sum) / (double)ny) >= apart * (1 - 1e-9);
		n++;
	} while (gsl_combination_next(c) == GSL_SUCCESS);
	gsl_combination_free(c);
	free(all);
	return far / n;
}

struct stats_sessions stats_sessions(const double *x, size_t nx, const double *y, size_t ny,
				     double level, double alpha)
{
	struct stats_sessions s = { NAN, NAN, NAN, NAN, NAN, "t" };
	double difference, df = (double)nx + (double)ny - 2, error, ways, p;

	if (nx < 2 || ny < 2)
		return s;
	difference = gsl_stats_mean(y, 1, ny) - gsl_stats_mean(x, 1, nx);
	s.spread = sqrt((squares(x, nx) + squares(y, ny)) / df);
	error = s.spread * sqrt(1 / (double)nx + 1 / (double)ny);
	s.ratio = exp(difference);
	s.low = exp(difference - error * gsl_cdf_tdist_Pinv((1 + level) / 2, df));
	s.high = exp(difference + error * gsl_cdf_tdist_Pinv((1 + level) / 2, df));
	s.p = error > 0		? 2 * gsl_cdf_tdist_Q(fabs(difference) / error, df)
	      : difference == 0 ? 1
				: 0;
	ways = exp(gsl_sf_lnchoose((unsigned int)(nx + ny), (unsigned int)nx));
	if (ways <= COUNTED && 2 / ways <= alpha) {
		p = permuted(x, nx, y, ny);
		if (isfinite(p)) {
			s.p = p;
			s.method = "permutation";
		}
	}
	return s;
}

void stats_sessions_widen(struct stats_sessions *s, size_t nx, size_t ny, double variance,
			  double level)
{
	double df = (double)nx + (double)ny - 2, difference = log(s->ratio),
	       error = sqrt(s->spread * s->spread * (1 / (double)nx + 1 / (double)ny) + variance);

	if (!isfinite(s->ratio) || !(variance > 0))
		return;
	s->low = exp(difference - error * gsl_cdf_tdist_Pinv((1 + level) / 2, df));
	s->high = exp(difference + error * gsl_cdf_tdist_Pinv((1 + level) / 2, df));
	s->p = fmax(s->p, 2 * gsl_cdf_tdist_Q(fabs(difference) / error, df));
}

/* The level at which stats_sessions() with @n a side really tests: permutations have but so many values of p. */
static double attained(double n, double alpha)
{
	double ways = exp(gsl_sf_lnchoose((unsigned int)(2 * n), (unsigned int)n));

	return ways <= COUNTED && 2 / ways <= alpha ? 2 * floor(alpha * ways / 2 + 1e-9) / ways
						    : alpha;
}

double stats_sessions_needed(double spread, double share, double alpha, double power)
{
	double shift = log1p(share);

	if (!isfinite(spread) || !(shift > 0))
		return NAN;
	for (double n = 2; n < MOST; n++) {
		double df = 2 * n - 2, error = spread * sqrt(2 / n);

		/* The shifted t, for the non-central one: it asks for a session more at most. */
		if (shift >= error * (gsl_cdf_tdist_Qinv(attained(n, alpha) / 2, df) +
				      gsl_cdf_tdist_Pinv(power, df)))
			return n;
	}
	return HUGE_VAL;
}

void stats_sessions_split(const double *v, const size_t *ends, size_t sessions, double *between,
			  double *within)
{
	double *means = malloc((sessions + 1) * sizeof(*means)), sum = 0, df = 0, per = 0;
	size_t m = 0, from = 0;

	*between = *within = NAN;
	for (size_t i = 0; i < sessions && means; i++) {
		size_t n = ends[i] - from;

		if (n) {
			means[m++] = gsl_stats_mean(v + from, 1, n);
			sum += squares(v + from, n);
			df += (double)n - 1;
			per += 1 / (double)n;
		}
		from = ends[i];
	}
	if (df > 0)
		*within = sqrt(sum / df);
	if (df > 0 && m > 1)
		*between = sqrt(fmax(0, gsl_stats_variance(means, 1, m) -
						*within * *within * per / (double)m));
	free(means);
}
