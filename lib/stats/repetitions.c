// SPDX-License-Identifier: GPL-2.0-or-later
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_math.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "lib/stats/repetitions.h"
#include "lib/stats/sessions.h"

#define TRIALS_LEAST 3
#define TRIALS_MOST  400
#define LONGER	     8
#define EXCEEDED     0.2 /* how often the upper limit of the spread of sessions is */

double stats_median_variance(double n)
{
	/* Exact for 1 and 3 and towards pi / (2 n). A median of two is their mean. */
	return n == 2 ? 0.5 : M_PI / (2 * (n + M_PI / 2 - 1));
}

/* Sum of squares of the medians around their kernel's mean; *@freedom of it. */
static double around_kernels(const struct stats_session *s, size_t n, size_t *freedom)
{
	double all = 0;

	*freedom = 0;
	for (size_t i = 0; i < n; i++) {
		double sum = 0, square = 0;
		size_t count = 0;
		bool first = true;

		for (size_t k = 0; k < n; k++) {
			if (s[k].kernel != s[i].kernel)
				continue;
			first &= k >= i;
			sum += s[k].median;
			square += s[k].median * s[k].median;
			count++;
		}
		if (!first || count < 2)
			continue;
		all += fmax(0, square - sum * sum / (double)count);
		*freedom += count - 1;
	}
	return all;
}

struct stats_levels stats_levels(const struct stats_session *s, size_t n)
{
	struct stats_levels l = { .between = NAN, .between_high = NAN, .within = NAN };
	double squares = 0, df = 0, halves = 0, halved = 0, left = 0, medians, own;

	for (size_t i = 0; i < n; i++) {
		squares += s[i].squares;
		df += (double)s[i].trials - 1;
		halves += s[i].halves;
		halved += (double)s[i].halved;
		left += stats_median_variance((double)s[i].trials) / (double)n;
	}
	if (df > 0)
		l.within = sqrt(squares / df);
	/* A trial's value is of both halves: its variance is a half of one's, the difference's twice that. */
	l.sampled = halved > 0 ? fmin(l.within, sqrt(halves / halved / 4)) : 0;
	medians = around_kernels(s, n, &l.freedom);
	if (!l.freedom || !isfinite(l.within))
		return l;
	own = l.within * l.within * left;
	l.between = sqrt(fmax(0, medians / (double)l.freedom - own));
	l.between_high =
		sqrt(fmax(0, medians / gsl_cdf_chisq_Pinv(EXCEEDED, (double)l.freedom) - own));
	return l;
}

/* The spread of sessions of @trials of @length_s. */
static double spread(const struct stats_row *r, double between, double trials, double length_s)
{
	double sampled = r->levels.sampled * r->levels.sampled,
	       fixed = r->levels.within * r->levels.within - sampled;

	return sqrt(between * between +
		    stats_median_variance(trials) * (fixed + sampled * r->length_s / length_s));
}

static double sessions(const struct stats_row *rows, size_t n, const struct stats_need *need,
		       double trials, double length_s, bool high, size_t *worst)
{
	double most = -1;

	for (size_t i = 0; i < n; i++) {
		const struct stats_levels *l = &rows[i].levels;
		double s = spread(&rows[i], high ? l->between_high : l->between, trials, length_s);

		if (isnan(s))
			return NAN;
		if (s > most) {
			most = s;
			*worst = i;
		}
	}
	return n ? stats_sessions_needed(most, need->share, need->alpha, need->power) : NAN;
}

static double session_s(const struct stats_row *rows, size_t n, const struct stats_need *need,
			double trials, double length_s)
{
	double one = 0;

	for (size_t i = 0; i < n; i++)
		one += rows[i].trial_s + rows[i].per_s * length_s;
	return need->session_s + trials * one;
}

static int by_length(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The rows' usual length; 0 without memory. */
static double usual_length(const struct stats_row *rows, size_t n)
{
	double *v = malloc((n + 1) * sizeof(*v)), middle = 0;

	for (size_t i = 0; i < n && v; i++)
		v[i] = rows[i].length_s;
	if (v && n) {
		qsort(v, n, sizeof(*v), by_length);
		middle = v[n / 2];
	}
	free(v);
	return middle;
}

/* All numbers of trials with one length, into @best where they are cheaper. */
static void try_length(const struct stats_row *rows, size_t n, const struct stats_need *need,
		       double length_s, struct stats_repetitions *best)
{
	for (unsigned int t = TRIALS_LEAST; t <= TRIALS_MOST; t += 1 + t / 12) {
		double one = session_s(rows, n, need, t, length_s), s;
		size_t worst = 0;

		/* Two sessions a side are the least there are. */
		if (isfinite(best->total_s) && 4 * one >= best->total_s)
			return;
		s = sessions(rows, n, need, t, length_s, false, &worst);
		if (isnan(s))
			return;
		if (isfinite(s) && !(2 * s * one >= best->total_s))
			*best = (struct stats_repetitions){ .sessions = s,
							    .trials = t,
							    .length_s = length_s,
							    .session_s = one,
							    .total_s = 2 * s * one,
							    .worst = worst };
	}
}

struct stats_repetitions stats_repetitions(const struct stats_row *rows, size_t n,
					   const struct stats_need *need)
{
	static const double round[] = { 1, 1.5, 2, 3, 5, 7 };
	struct stats_repetitions best = { .sessions = NAN, .sessions_high = NAN, .total_s = NAN };
	double usual = usual_length(rows, n);
	size_t ignored;

	if (!(usual > 0))
		return best;
	for (double tens = pow(10, floor(log10(usual / LONGER))); tens <= usual * LONGER;
	     tens *= 10)
		for (size_t i = 0; i < sizeof(round) / sizeof(*round); i++)
			if (tens * round[i] >= usual / LONGER && tens * round[i] <= usual * LONGER)
				try_length(rows, n, need, tens * round[i], &best);
	if (isfinite(best.sessions))
		best.sessions_high = sessions(rows, n, need, best.trials, best.length_s, true,
					      &ignored);
	return best;
}
