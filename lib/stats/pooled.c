// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_roots.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/stats/pooled.h"

#define LEAST 1e-18 /* an error's variance: values that agree to the last digit still have one */
#define STEPS 200
#define EXACT 1e-6 /* relative, of tau^2 */
#define MOST  10000 /* nodes that anybody would be told to take */
#define CALM  10 /* nodes in a row that are no strangers: behind them is none */

struct fit {
	const struct stats_effect *e;
	size_t n;
	double mean, tau2, weights, squares; /* of the weights, and of the weighted residuals */
};

static double variance_of(const struct stats_effect *e)
{
	return isfinite(e->variance) ? fmax(e->variance, LEAST) : LEAST;
}

/* Mean and weighted residuals at @tau2; what these are more than they should be. */
static double excess(double tau2, void *context)
{
	struct fit *f = context;
	double sum = 0;

	f->weights = f->squares = 0;
	for (size_t i = 0; i < f->n; i++) {
		double w = 1 / (variance_of(&f->e[i]) + tau2);

		f->weights += w;
		sum += w * f->e[i].value;
	}
	f->mean = sum / f->weights;
	for (size_t i = 0; i < f->n; i++) {
		double d = f->e[i].value - f->mean;

		f->squares += d * d / (variance_of(&f->e[i]) + tau2);
	}
	return f->squares - (double)(f->n - 1);
}

/* The tau^2 at which the weighted residuals are what chance makes them. */
static void solve(struct fit *f)
{
	gsl_root_fsolver *s;
	gsl_function g = { excess, f };
	double high = LEAST;

	f->tau2 = 0;
	if (f->n < 2 || excess(0, f) <= 0) {
		excess(0, f);
		return;
	}
	for (size_t i = 0; i < f->n; i++)
		high = fmax(high, variance_of(&f->e[i]));
	while (excess(high, f) > 0)
		high *= 4;
	s = gsl_root_fsolver_alloc(gsl_root_fsolver_brent);
	if (s && gsl_root_fsolver_set(s, &g, 0, high) == GSL_SUCCESS)
		for (int i = 0; i < STEPS; i++) {
			gsl_root_fsolver_iterate(s);
			if (gsl_root_test_interval(gsl_root_fsolver_x_lower(s),
						   gsl_root_fsolver_x_upper(s), 0,
						   EXACT) == GSL_SUCCESS)
				break;
		}
	f->tau2 = s ? gsl_root_fsolver_root(s) : high;
	if (s)
		gsl_root_fsolver_free(s);
	excess(f->tau2, f);
}

/* An error's variance as the weights see it (Higgins and Thompson). */
static double typical(const struct stats_effect *e, size_t n)
{
	double sum = 0, squares = 0;

	for (size_t i = 0; i < n; i++) {
		double w = 1 / variance_of(&e[i]);

		sum += w;
		squares += w * w;
	}
	return (double)(n - 1) * sum / (sum * sum - squares);
}

struct stats_pooled stats_pooled(const struct stats_effect *e, size_t n, double level)
{
	struct stats_pooled r = { n, NAN, NAN, NAN, NAN, NAN, NAN, NAN };
	struct fit f = { .e = e, .n = n };
	double error, v, df = (double)n - 1;
	bool known = n && isfinite(e[0].variance);

	if (!n)
		return r;
	solve(&f);
	r.value = f.mean;
	if (n < 2)
		return r;
	error = sqrt(f.squares / (df * f.weights));
	r.low = f.mean - error * gsl_cdf_tdist_Pinv((1 + level) / 2, df);
	r.high = f.mean + error * gsl_cdf_tdist_Pinv((1 + level) / 2, df);
	r.p = error > 0 ? 2 * gsl_cdf_tdist_Q(fabs(f.mean) / error, df) : f.mean == 0 ? 1 : 0;
	r.spread = error * sqrt((double)n);
	if (known) {
		v = typical(e, n);
		r.tau = sqrt(f.tau2);
		r.share = f.tau2 / (f.tau2 + v);
	}
	return r;
}

/* The furthest from the mean, by its own and the nodes' variance. */
static size_t furthest(const struct fit *f)
{
	size_t most = 0;
	double far = -1;

	for (size_t i = 0; i < f->n; i++) {
		double d = f->e[i].value - f->mean, t = d * d / (variance_of(&f->e[i]) + f->tau2);

		if (t > far) {
			far = t;
			most = i;
		}
	}
	return most;
}

/* Puts the furthest of the first @n of @left last, and tests it against the others. */
static struct stats_stranger test(struct stats_effect *left, size_t *number, size_t n)
{
	struct fit f = { .e = left, .n = n };
	struct stats_effect e;
	struct stats_stranger s;
	size_t at, own;

	solve(&f);
	at = furthest(&f);
	e = left[at];
	own = number[at];
	left[at] = left[n - 1];
	number[at] = number[n - 1];
	left[n - 1] = e;
	number[n - 1] = own;
	f.n = n - 1;
	solve(&f);
	s.node = own;
	s.others = f.mean;
	s.t = (e.value - f.mean) / sqrt(variance_of(&e) + f.tau2 + 1 / f.weights);
	s.p = fmin(1, 2 * (double)n * gsl_cdf_tdist_Q(fabs(s.t), (double)n - 2));
	return s;
}

long stats_strangers(const struct stats_effect *e, size_t n, double alpha,
		     struct stats_stranger *found)
{
	struct stats_effect *left = malloc((n + 1) * sizeof(*left));
	size_t *number = malloc((n + 1) * sizeof(*number)), most = n / 5 ? n / 5 : 1, calm = 0;
	long strangers = 0;

	if (!left || !number) {
		free(left);
		free(number);
		return -ENOMEM;
	}
	if (n)
		memcpy(left, e, n * sizeof(*left));
	for (size_t i = 0; i < n; i++)
		number[i] = i;
	for (size_t i = 0; i < most && n - i >= STATS_STRANGERS_LEAST && calm < CALM; i++) {
		found[i] = test(left, number, n - i);
		calm = found[i].p < alpha ? 0 : calm + 1;
		/* One that hides behind others makes those strangers, too. */
		if (!calm)
			strangers = (long)i + 1;
	}
	free(left);
	free(number);
	return strangers;
}

double stats_nodes_needed(double spread, double share, double alpha, double power)
{
	double shift = log1p(share);

	if (!isfinite(spread) || !(shift > 0))
		return NAN;
	for (double n = 2; n < MOST; n++)
		/* The shifted t, for the non-central one: it asks for a node more at most. */
		if (shift >= spread / sqrt(n) *
				     (gsl_cdf_tdist_Qinv(alpha / 2, n - 1) +
				      gsl_cdf_tdist_Pinv(power, n - 1)))
			return n;
	return HUGE_VAL;
}
