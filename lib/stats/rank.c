// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/stats/rank.h"

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void stats_sort(double *v, size_t n)
{
	size_t i = 1;

	/* Counts are often all the same. */
	while (i < n && v[i - 1] <= v[i])
		i++;
	/* Merging is quicker than GSL's heap sort beyond the caches. */
	if (i < n)
		qsort(v, n, sizeof(*v), by_value);
}

double stats_sorted_median(const double *v, size_t n)
{
	return n ? gsl_stats_median_from_sorted_data(v, 1, n) : NAN;
}

/*
 * P(U <= @u) without ties. P(n, m, k), the chance of U = k, is n/(n+m) P(n-1, m, k-m) + m/(n+m) P(n, m-1, k): the largest of all
 * is one of the n, and beats all m, or one of the m. Sums of positive terms only, so nothing cancels.
 */
static double exact_cdf(size_t nx, size_t ny, size_t u)
{
	size_t most = nx * ny, width = most + 1;
	/* One row per m for the current n. */
	double *p = calloc((ny + 1) * width, sizeof(*p)), sum = 0;

	if (!p)
		return NAN;
	for (size_t m = 0; m <= ny; m++)
		p[m * width] = 1; /* n = 0: U is 0 */
	for (size_t n = 1; n <= nx; n++)
		for (size_t m = 1; m <= ny; m++) {
			double *now = p + m * width, *less = now - width;
			double of_n = (double)n / (double)(n + m);

			/* Downwards: now[] still holds n - 1 below k. */
			for (size_t k = n * m + 1; k-- > 0;)
				now[k] = (k >= m ? of_n * now[k - m] : 0) +
					 (k <= n * (m - 1) ? (1 - of_n) * less[k] : 0);
		}
	for (size_t k = 0; k <= u && k <= most; k++)
		sum += p[ny * width + k];
	free(p);
	return sum;
}

struct mann_whitney stats_mann_whitney(const double *x, size_t nx, const double *y, size_t ny)
{
	struct mann_whitney r = { .u = NAN, .p = NAN };
	double n = (double)nx + (double)ny, pairs = (double)nx * (double)ny, ties = 0, var;
	size_t i = 0, k = 0;

	if (!nx || !ny)
		return r;
	r.u = 0;
	while (k < ny) {
		double v = i < nx && x[i] < y[k] ? x[i] : y[k], same_x, same_y;
		size_t i0 = i, k0 = k;

		while (i < nx && x[i] == v)
			i++;
		while (k < ny && y[k] == v)
			k++;
		same_x = (double)(i - i0);
		same_y = (double)(k - k0);
		r.u += same_y * ((double)i0 + same_x / 2);
		ties += pow(same_x + same_y, 3) - (same_x + same_y);
	}
	for (size_t same; i < nx; i += same) {
		for (same = 1; i + same < nx && x[i + same] == x[i]; same++)
			;
		ties += pow((double)same, 3) - (double)same;
	}
	r.exact = ties == 0 && nx <= STATS_EXACT_MOST && ny <= STATS_EXACT_MOST;
	if (r.exact) {
		r.p = fmin(1, 2 * exact_cdf(nx, ny, (size_t)fmin(r.u, pairs - r.u)));
		return r;
	}
	var = pairs / 12 * (n + 1 - ties / (n * (n - 1)));
	r.p = var <= 0 ? 1
		       : fmin(1, 2 * gsl_cdf_ugaussian_Q(fmax(0, fabs(r.u - pairs / 2) - 0.5) /
							 sqrt(var)));
	return r;
}

int stats_holm(const double *p, double *adjusted, size_t n)
{
	size_t *order = malloc((n + 1) * sizeof(*order)), m = 0;
	double *known = malloc((n + 1) * sizeof(*known)), worst = 0;
	size_t *place = malloc((n + 1) * sizeof(*place));

	if (order && known && place) {
		for (size_t i = 0; i < n; i++) {
			adjusted[i] = NAN;
			if (isnan(p[i]))
				continue;
			place[m] = i;
			known[m++] = p[i];
		}
		if (m)
			gsl_sort_index(order, known, 1, m);
		for (size_t i = 0; i < m; i++) {
			worst = fmax(worst, known[order[i]] * (double)(m - i));
			adjusted[place[order[i]]] = fmin(1, worst);
		}
	}
	free(place);
	free(known);
	free(order);
	return order && known && place ? 0 : -ENOMEM;
}

/* The median of one bootstrap resample of the sorted @v. */
static double resampled_median(gsl_rng *rng, const double *v, size_t n)
{
	size_t k = (n + 1) / 2; /* the lower middle one, counted from 1 */
	double at = gsl_ran_beta(rng, (double)k, (double)(n - k + 1)), next;
	size_t i = (size_t)(at * (double)n);

	i = i < n ? i : n - 1;
	if (n % 2)
		return v[i];
	/* The next one is the least of the n - k that fell above. */
	next = at + (1 - at) * (1 - pow(gsl_rng_uniform_pos(rng), 1 / (double)(n - k)));
	k = (size_t)(next * (double)n);
	return (v[i] + v[k < n ? k : n - 1]) / 2;
}

/* In which order the sides are drawn must not depend on which is called x. */
static bool drawn_second(const double *x, size_t nx, const double *y, size_t ny)
{
	if (nx != ny)
		return nx > ny;
	for (size_t i = 0; i < nx; i++)
		if (x[i] != y[i])
			return x[i] > y[i];
	return false;
}

struct stats_difference stats_difference(const double *x, size_t nx, const double *y, size_t ny,
					 double level, unsigned int resamples, unsigned long seed)
{
	struct stats_difference r = { NAN, NAN, NAN, NAN, NAN, NAN };
	bool positive = nx && ny && x[0] > 0 && y[0] > 0;
	double *ratios, *values, tail = (1 - level) / 2;
	gsl_rng *rng;

	if (!nx || !ny)
		return r;
	if (drawn_second(x, nx, y, ny)) {
		struct stats_difference s = stats_difference(y, ny, x, nx, level, resamples, seed);

		return (struct stats_difference){ 1 / s.ratio, 1 / s.ratio_high, 1 / s.ratio_low,
						  -s.value,    -s.high,		 -s.low };
	}
	r.value = stats_sorted_median(y, ny) - stats_sorted_median(x, nx);
	if (positive)
		r.ratio = stats_sorted_median(y, ny) / stats_sorted_median(x, nx);
	/* One value has no spread to resample: no interval, rather than one of no width. */
	if (nx < 2 || ny < 2 || !resamples)
		return r;
	ratios = malloc(resamples * sizeof(*ratios));
	values = malloc(resamples * sizeof(*values));
	rng = gsl_rng_alloc(gsl_rng_mt19937);
	if (ratios && values && rng) {
		gsl_rng_set(rng, seed);
		for (unsigned int i = 0; i < resamples; i++) {
			double mx = resampled_median(rng, x, nx), my = resampled_median(rng, y, ny);

			values[i] = my - mx;
			ratios[i] = positive ? log(my / mx) : 0;
		}
		stats_sort(values, resamples);
		r.low = gsl_stats_quantile_from_sorted_data(values, 1, resamples, tail);
		r.high = gsl_stats_quantile_from_sorted_data(values, 1, resamples, 1 - tail);
		stats_sort(ratios, resamples);
		if (positive) {
			r.ratio_low = exp(
				gsl_stats_quantile_from_sorted_data(ratios, 1, resamples, tail));
			r.ratio_high = exp(gsl_stats_quantile_from_sorted_data(ratios, 1, resamples,
									       1 - tail));
		}
	}
	gsl_rng_free(rng);
	free(values);
	free(ratios);
	return r;
}

struct interval stats_sorted_interval(const double *v, size_t n, double level,
				      unsigned int resamples, unsigned long seed)
{
	struct interval r = { stats_sorted_median(v, n), NAN, NAN, NAN, n };
	double *medians = n > 1 && resamples ? malloc(resamples * sizeof(*medians)) : NULL;
	gsl_rng *rng = medians ? gsl_rng_alloc(gsl_rng_mt19937) : NULL;

	if (rng) {
		gsl_rng_set(rng, seed);
		for (unsigned int i = 0; i < resamples; i++)
			medians[i] = resampled_median(rng, v, n);
		stats_sort(medians, resamples);
		r.low = gsl_stats_quantile_from_sorted_data(medians, 1, resamples, (1 - level) / 2);
		r.high = gsl_stats_quantile_from_sorted_data(medians, 1, resamples,
							     (1 + level) / 2);
		gsl_rng_free(rng);
	}
	free(medians);
	return r;
}

/* The least number a side with which the exact test can reach @alpha: 2 / C(2n, n) <= alpha. */
static double fewest(double alpha)
{
	double p = 2, n = 0;

	while (p > alpha && n < 1000) {
		n++;
		p *= n / (2 * (2 * n - 1)); /* C(2n, n) = C(2n-2, n-1) * 2(2n-1)/n */
	}
	return n;
}

double stats_trials_needed(const double *x, size_t nx, const double *y, size_t ny, double share,
			   double alpha, double power)
{
	size_t n = nx + ny, below = 0;
	double *z, mx = stats_sorted_median(x, nx), my = stats_sorted_median(y, ny), wins = 0,
		   least = fewest(alpha), edge, need;

	if (nx < 3 || ny < 3 || !(x[0] > 0) || !(y[0] > 0))
		return NAN;
	z = malloc(n * sizeof(*z));
	if (!z)
		return NAN;
	for (size_t i = 0; i < nx; i++)
		z[i] = x[i] / mx;
	for (size_t i = 0; i < ny; i++)
		z[nx + i] = y[i] / my;
	stats_sort(z, n);
	for (size_t i = 0; i < n; i++) {
		while (below < n && z[below] < z[i] * (1 + share))
			below++;
		wins += (double)below - 1; /* not against itself */
	}
	free(z);
	edge = wins / ((double)n * ((double)n - 1)) - 0.5;
	if (edge <= 0)
		return HUGE_VAL;
	need = gsl_cdf_ugaussian_Qinv(alpha / 2) + gsl_cdf_ugaussian_Pinv(power);
	return fmax(least, ceil(need * need / (6 * edge * edge)));
}

static int by_magnitude(const void *a, const void *b)
{
	double x = fabs(*(const double *)a), y = fabs(*(const double *)b);

	return (x > y) - (x < y);
}

/* P(W <= w) for the sum W of the ranks 1..n, each taken with probability 1/2. */
static double rank_sum_cdf(size_t n, double w)
{
	size_t most = n * (n + 1) / 2;
	double *p = calloc(most + 1, sizeof(*p)), sum = 0;

	if (!p)
		return NAN;
	p[0] = 1;
	for (size_t rank = 1; rank <= n; rank++)
		for (size_t s = most + 1; s-- > 0;)
			p[s] = (p[s] + (s >= rank ? p[s - rank] : 0)) / 2;
	for (size_t s = 0; s <= most && (double)s <= w; s++)
		sum += p[s];
	free(p);
	return sum;
}

double stats_signed_rank(const double *d, size_t n)
{
	double *v = malloc((n + 1) * sizeof(*v)), plus = 0, ties = 0, mean, var;
	size_t m = 0;

	if (!v)
		return NAN;
	for (size_t i = 0; i < n; i++)
		if (d[i] < 0 || d[i] > 0)
			v[m++] = d[i];
	qsort(v, m, sizeof(*v), by_magnitude);
	for (size_t i = 0, same; i < m; i += same) {
		for (same = 1; i + same < m && fabs(v[i + same]) == fabs(v[i]); same++)
			;
		ties += (double)same * (double)same * (double)same - (double)same;
		for (size_t k = i; k < i + same; k++)
			if (v[k] > 0)
				plus += (double)i + ((double)same + 1) / 2;
	}
	free(v);
	if (!m)
		return NAN;
	mean = (double)m * ((double)m + 1) / 4;
	if (m <= STATS_EXACT_MOST && !(ties > 0))
		return fmin(1, 2 * rank_sum_cdf(m, fmin(plus, 2 * mean - plus)));
	var = mean * (2 * (double)m + 1) / 6 - ties / 48;
	if (var <= 0)
		return 1;
	return fmin(1, 2 * gsl_cdf_ugaussian_Q(fmax(0, fabs(plus - mean) - 0.5) / sqrt(var)));
}
