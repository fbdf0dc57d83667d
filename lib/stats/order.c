// SPDX-License-Identifier: GPL-2.0-or-later
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/stats/order.h"
#include "lib/stats/rank.h"
#include "lib/stats/stats.h"

#define BLOCKS	    100
#define FEW_ORDERS  199
#define MANY_ORDERS 9999

/* Ranks of @v, ties sharing their mean. 0, or -1 without memory. */
static int ranks(const double *v, size_t n, double *rank)
{
	size_t *at = malloc(n * sizeof(*at));

	if (!at)
		return -1;
	gsl_sort_index(at, v, 1, n);
	for (size_t i = 0, same; i < n; i += same) {
		for (same = 1; i + same < n && v[at[i + same]] == v[at[i]]; same++)
			;
		for (size_t k = 0; k < same; k++)
			rank[at[i + k]] = (double)i + (double)(same + 1) / 2;
	}
	free(at);
	return 0;
}

static double share(double now, double before)
{
	return now > 0 && before > 0 ? now / before - 1 : NAN;
}

struct stats_order stats_order(const double *v, size_t n)
{
	struct stats_order r = { NAN, NAN, NAN, NAN, NAN };
	double *rank = n >= STATS_ORDER_LEAST ? malloc(2 * n * sizeof(*rank)) : NULL, d = (double)n,
	       *order = rank ? rank + n : NULL;

	if (rank && !ranks(v, n, rank)) {
		for (size_t i = 0; i < n; i++)
			order[i] = (double)i;
		/* Spearman's rho is Pearson's of the ranks. */
		r.drift = gsl_stats_correlation(rank, 1, order, 1, n);
		if (isfinite(r.drift)) {
			double rest = fmax(1 - r.drift * r.drift, 1e-300);

			r.drift_p = 2 *
				    gsl_cdf_tdist_Q(fabs(r.drift) * sqrt((d - 2) / rest), d - 2);
			r.lag1 = gsl_stats_lag1_autocorrelation(rank, 1, n);
			r.lag1_p = 2 * gsl_cdf_ugaussian_Q(fabs(r.lag1 + 1 / d) * d * sqrt(d - 1) /
							   (d - 2));
		}
		r.drift_share = share(stats_percentile(v + n - n / 3, n / 3, 50),
				      stats_percentile(v, n / 3, 50));
	}
	free(rank);
	return r;
}

/* The squared standard error of what is left after cutting off the first values: least for which cut? Gain over no cut in *@gain. */
static size_t mser(const double *v, size_t n, double mean, double *gain)
{
	double sum = 0, squares = 0, best = HUGE_VAL, all = 0;
	size_t cut = 0;

	for (size_t i = n; i-- > 0;) {
		double left = (double)(n - i), x = v[i] - mean, error;

		sum += x;
		squares += x * x;
		if (i > n / 2)
			continue;
		error = fmax(0, squares - sum * sum / left) / (left * left);
		if (error <= best) {
			best = error;
			cut = i;
		}
		all = error;
	}
	*gain = best > 0 ? all / best : all > 0 ? HUGE_VAL : 1;
	return cut;
}

/* The chance that a random order gains as much. Most series show none soon; the rest get more orders. */
static double gain_p(double *v, size_t n, double mean, double gain, unsigned long seed)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	unsigned int done = 0, as_much = 0;
	double other;

	if (!rng)
		return NAN;
	gsl_rng_set(rng, seed);
	while (done < FEW_ORDERS || (done < MANY_ORDERS && as_much < FEW_ORDERS / 10)) {
		gsl_ran_shuffle(rng, v, n, sizeof(*v));
		mser(v, n, mean, &other);
		as_much += other >= gain;
		done++;
	}
	gsl_rng_free(rng);
	return (as_much + 1.) / (done + 1.);
}

struct stats_warmup stats_warmup(const double *v, size_t n, unsigned long seed)
{
	struct stats_warmup r = { .p = NAN, .share = NAN };
	size_t length = (n + BLOCKS - 1) / BLOCKS, blocks = length ? n / length : 0;
	double *block = n >= STATS_ORDER_LEAST ? malloc(2 * blocks * sizeof(*block)) : NULL, *rank,
	       mean, gain;

	if (!block)
		return r;
	rank = block + blocks;
	for (size_t i = 0; i < blocks; i++)
		block[i] = length == 1 ? v[i] : stats_percentile(v + i * length, length, 50);
	/* Ranks: one odd value must not decide. */
	if (!ranks(block, blocks, rank)) {
		mean = gsl_stats_mean(rank, 1, blocks);
		r.values = mser(rank, blocks, mean, &gain) * length;
		r.p = r.values ? gain_p(rank, blocks, mean, gain, seed) : 1;
		if (!(r.p <= 0.05))
			r.values = 0;
		if (r.values)
			r.share = share(stats_percentile(v, r.values, 50),
					stats_percentile(v + r.values, n - r.values, 50));
	}
	free(block);
	return r;
}

size_t stats_warmup_batches(const unsigned int *above, const unsigned int *below, size_t n,
			    double alpha, double *p)
{
	*p = NAN;
	for (size_t k = 0; k < n; k++) {
		unsigned int less = above[k] < below[k] ? above[k] : below[k];
		double one = fmin(1, 2 * gsl_cdf_binomial_P(less, 0.5, above[k] + below[k]));

		if (k == 0)
			*p = above[k] + below[k] ? one : NAN;
		if (!(one < alpha))
			return k;
	}
	return n;
}
