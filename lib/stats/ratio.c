// SPDX-License-Identifier: GPL-2.0-or-later
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/stats/ratio.h"

/* From so many events on their number's own randomness shows in the looks. */
#define MANY 100

/* Looks that saw a kind: fewer may have seen single bursts of it. */
#define FEW 10

/* So many times the variance that the looks tell of is not chance any more. */
#define UNLIKE 9

struct stats_ratio {
	size_t kinds, most, strata;
	uint64_t *sum; /* [0]: the base, [1 + kind] */
	size_t looks, *seen_in; /* how many, and in how many of them each was seen; as sum */
	/* By stratum how much more its first look had than its second: [stratum][0]: the base, [1 + kind]. */
	double *more;
	double *missed; /* by stratum: the base's total less what its looks would make it */
	double share; /* of time that is looked at */
	/* Strata cut short have no second look: they stand for themselves. */
	size_t lone;
	double *alone;
};

/* A watch is cut short once at its end, and after each time that it was stopped. */
#define LONE_MOST 16

struct stats_ratio *stats_ratio_new(size_t kinds, double share, size_t most)
{
	struct stats_ratio *r = calloc(1, sizeof(*r));
	size_t width = 1 + kinds;

	if (!r)
		return NULL;
	r->kinds = kinds;
	r->share = share;
	r->most = most / 2 * 2;
	r->missed = calloc(r->most, sizeof(*r->missed));
	r->sum = calloc(width, sizeof(*r->sum));
	r->seen_in = calloc(width, sizeof(*r->seen_in));
	r->more = calloc(r->most * width, sizeof(*r->more));
	r->alone = calloc(LONE_MOST * width, sizeof(*r->alone));
	if (r->sum && r->seen_in && r->more && r->missed && r->alone)
		return r;
	stats_ratio_free(r);
	return NULL;
}

/* Two strata of two looks are one of two looks twice as long, whose difference varies as theirs together. */
static void join(struct stats_ratio *r)
{
	size_t width = 1 + r->kinds;

	for (size_t h = 0; h < r->strata / 2; h++) {
		r->missed[h] = r->missed[2 * h] + r->missed[2 * h + 1];
		for (size_t i = 0; i < width; i++)
			r->more[h * width + i] = r->more[2 * h * width + i] +
						 r->more[(2 * h + 1) * width + i];
	}
	r->strata /= 2;
}

void stats_ratio_add(struct stats_ratio *r, uint64_t total, const uint64_t *bases,
		     const uint64_t *counts, size_t looks)
{
	size_t width = 1 + r->kinds;
	double *row;

	for (size_t look = 0; look < looks; look++)
		for (size_t i = 0; i < width; i++) {
			uint64_t value = i ? counts[look * r->kinds + i - 1] : bases[look];

			r->sum[i] += value;
			r->seen_in[i] += value > 0;
		}
	r->looks += looks;
	if (looks == 2) {
		if (r->strata == r->most)
			join(r);
		r->missed[r->strata] = (double)total - (double)(bases[0] + bases[1]) / r->share;
		row = &r->more[r->strata++ * width];
		row[0] = (double)bases[0] - (double)bases[1];
		for (size_t i = 1; i < width; i++)
			row[i] = (double)counts[i - 1] - (double)counts[r->kinds + i - 1];
	} else if (looks) {
		row = &r->alone[r->lone % LONE_MOST * width];
		r->lone++;
		row[0] = (double)bases[0];
		for (size_t i = 1; i < width; i++)
			row[i] = (double)counts[i - 1];
	}
}

/*
 * How the base's totals vary about what the looks make of them, and how they should by the looks' own differences: bursts that
 * no look fell into show here only.
 */
static void unseen(const struct stats_ratio *r, double *real, double *told, double *most)
{
	double d;

	*real = *told = *most = 0;
	for (size_t h = 0; h < r->strata; h++) {
		d = r->more[h * (1 + r->kinds)];
		*real += r->missed[h] * r->missed[h] * r->share * r->share;
		*most += fabs(r->missed[h]) * r->share;
		*told += d * d * (1 - r->share);
	}
}

/*
 * Half the interval of the looks' sum of a kind, whose residuals in them have @variance, @t wide. The kinds are taken to vary as
 * much more than their looks tell as the base does (Isaki, Variance estimation using auxiliary information, JASA 78, 1983); where
 * the looks tell next to nothing of the base, what they missed may have been all of one kind. But no more than they missed.
 */
static double half_width(const struct stats_ratio *r, double variance, double ratio, double t)
{
	double real, told, most, more, worst = fmax(ratio, 1 - ratio);

	variance *= 1 - r->share;
	unseen(r, &real, &told, &most);
	if (!(real > told))
		return t * sqrt(variance);
	more = told > 0 ? variance * real / told : variance;
	if (real > UNLIKE * told)
		more += (real - told) * worst * worst;
	return fmin(t * sqrt(more), t * sqrt(variance) + worst * most);
}

/* What the kinds have more than their ratio of the base's. */
static double residual(const double *row, size_t kind, size_t n, double ratio)
{
	double sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += row[1 + kind + i];
	return sum - ratio * row[0];
}

static void widen(struct stats_total *t, double seen, double factor, double level)
{
	double tail = (1 - level) / 2;

	if (seen >= MANY)
		return;
	t->low = fmin(t->low, seen > 0 ? gsl_cdf_chisq_Pinv(tail, 2 * seen) / 2 * factor : 0);
	t->high = fmax(t->high, gsl_cdf_chisq_Qinv(tail, 2 * seen + 2) / 2 * factor);
}

/* A kind that few looks saw may come in bursts, of which few were seen: their number is Poisson's, too. */
static void widen_by_bursts(struct stats_total *t, const struct stats_ratio *r, double in,
			    double base, double level)
{
	double tail = (1 - level) / 2, n = (double)r->looks, most;

	if (in >= FEW || in >= n)
		return;
	most = fmin(n, gsl_cdf_chisq_Qinv(tail, 2 * in + 2) / 2);
	if (in > 0) {
		t->low = fmin(t->low, t->value * gsl_cdf_chisq_Pinv(tail, 2 * in) / 2 / in);
		t->high = fmax(t->high, t->value * most / in);
	} else {
		t->high = fmax(t->high, base * most / n);
	}
}

struct stats_total stats_ratio_total(const struct stats_ratio *r, size_t kind, size_t n,
				     double base, bool part, double level)
{
	struct stats_total t = { NAN, 0, part ? base : INFINITY, 0 }, wide;
	size_t width = 1 + r->kinds, lone = r->lone < LONE_MOST ? r->lone : LONE_MOST;
	double seen = 0, seen_in = 0, bases = (double)r->sum[0], ratio, variance = 0, squares = 0,
	       half;

	for (size_t i = 0; i < n; i++) {
		seen += (double)r->sum[1 + kind + i];
		seen_in = fmax(seen_in, (double)r->seen_in[1 + kind + i]);
	}
	t.low = seen;
	if (part && base > bases)
		t.high = base - (bases - seen);
	if (!(bases > 0))
		return t;
	ratio = seen / bases;
	t.value = ratio * base;
	for (size_t h = 0; h < r->strata + lone; h++) {
		const double *row = h < r->strata ? &r->more[h * width]
						  : &r->alone[(h - r->strata) * width];
		double e = residual(row, kind, n, ratio);

		variance += e * e;
		squares += e * e * e * e;
	}
	if (!(r->strata + lone))
		return t;
	t.freedom = squares > 0 ? 3 * variance * variance / squares - 2
				: (double)(r->strata + lone);
	t.freedom = fmax(1, fmin(t.freedom, (double)(r->strata + lone)));
	half = half_width(r, variance, ratio, gsl_cdf_tdist_Pinv((1 + level) / 2, t.freedom)) /
	       bases * base;
	wide = (struct stats_total){ t.value, t.value - half, t.value + half, t.freedom };
	widen(&wide, seen, base / bases, level);
	widen_by_bursts(&wide, r, seen_in, base, level);
	t.low = fmax(t.low, wide.low);
	t.high = fmin(t.high, wide.high);
	return t;
}

void stats_ratio_free(struct stats_ratio *r)
{
	if (!r)
		return;
	free(r->sum);
	free(r->seen_in);
	free(r->more);
	free(r->missed);
	free(r->alone);
	free(r);
}
