// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/ab-pairs.h"
#include "bench/summary.h"
#include "lib/stats.h"

#define RESAMPLES 4000
#define SEED	  1999 /* fixed: the same sets give the same verdicts */
#define LEVEL	  0.95
#define PAIRS_MIN 6 /* fewer cannot reach a p below 0.05 */
#define EXACT_MAX 50
#define TRIAL_MAX 10000000 /* a number beyond is a damaged line's */

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

double pairs_signed_rank(const double *d, size_t n)
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
	if (m <= EXACT_MAX && !(ties > 0))
		return fmin(1, 2 * rank_sum_cdf(m, fmin(plus, 2 * mean - plus)));
	var = mean * (2 * (double)m + 1) / 6 - ties / 48;
	if (var <= 0)
		return 1;
	return fmin(1, 2 * gsl_cdf_ugaussian_Q(fmax(0, fabs(plus - mean) - 0.5) / sqrt(var)));
}

/* The valid trials of one side, by their numbers; NaN where there is none. */
static double *side_times(const struct result_set *set, const json_t *like, size_t n)
{
	double *v = malloc(n * sizeof(*v));
	const json_t *t;
	size_t i;

	for (i = 0; v && i < n; i++)
		v[i] = NAN;
	json_array_foreach (set->trials, i, t) {
		json_int_t number = json_integer_value(json_object_get(t, "trial"));

		if (v && number >= 0 && (size_t)number < n &&
		    json_is_true(json_object_get(t, "valid")) &&
		    json_is_number(json_object_get(t, "ns_per_round_trip")) &&
		    json_equal(json_object_get(t, "scenario"), json_object_get(like, "scenario")) &&
		    json_equal(json_object_get(t, "params"), json_object_get(like, "params")))
			v[number] = json_number_value(json_object_get(t, "ns_per_round_trip"));
	}
	return v;
}

static size_t numbers(const struct result_set *set)
{
	const json_t *t;
	size_t i, n = 0;

	json_array_foreach (set->trials, i, t) {
		json_int_t number = json_integer_value(json_object_get(t, "trial"));

		if (number >= 0 && number < TRIAL_MAX && (size_t)number >= n)
			n = (size_t)number + 1;
	}
	return n;
}

static json_t *interval_json(struct interval v)
{
	json_t *o = json_object();

	if (isfinite(v.median))
		json_object_set_new(o, "median", json_real(v.median));
	if (isfinite(v.low)) {
		json_object_set_new(o, "low", json_real(v.low));
		json_object_set_new(o, "high", json_real(v.high));
	}
	return o;
}

static json_t *row_make(const struct result_set *a, const struct result_set *b, const json_t *like,
			size_t n)
{
	double *x = side_times(a, like, n), *y = side_times(b, like, n), p;
	double *percent = malloc((n + 1) * sizeof(*percent)), *ns = malloc((n + 1) * sizeof(*ns));
	json_t *o = NULL;
	size_t m = 0;

	if (x && y && percent && ns) {
		for (size_t i = 0; i < n; i++) {
			if (!isfinite(x[i]) || !isfinite(y[i]) || !(x[i] > 0))
				continue;
			percent[m] = 100 * (y[i] / x[i] - 1);
			ns[m] = y[i] - x[i];
			x[m] = x[i]; /* m <= i */
			y[m++] = y[i];
		}
		o = json_pack("{s:O, s:O, s:I}", "scenario", json_object_get(like, "scenario"),
			      "params", json_object_get(like, "params"), "pairs", (json_int_t)m);
		json_object_set_new(o, "a_ns", interval_json(stats_median(x, m, LEVEL, 0, SEED)));
		json_object_set_new(o, "b_ns", interval_json(stats_median(y, m, LEVEL, 0, SEED)));
		json_object_set_new(o, "difference_ns",
				    interval_json(stats_median(ns, m, LEVEL, RESAMPLES, SEED)));
		json_object_set_new(
			o, "difference_percent",
			interval_json(stats_median(percent, m, LEVEL, RESAMPLES, SEED)));
		p = pairs_signed_rank(ns, m);
		if (isfinite(p))
			json_object_set_new(o, "p", json_real(p));
	}
	free(ns);
	free(percent);
	free(y);
	free(x);
	return o;
}

static double number(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

/* Holm's step-down over the rows: p_holm of a row is the largest p_(i) * (m - i) up to it. */
static void rows_correct(json_t *rows)
{
	json_t *r, *q;
	size_t i, k, j, m = 0;

	json_array_foreach (rows, i, r)
		m += isfinite(number(r, "p"));
	json_array_foreach (rows, i, r) {
		double p = number(r, "p"), worst = 0;

		json_array_foreach (rows, k, q) {
			double other = number(q, "p");
			size_t below = 0;
			json_t *z;

			if (!isfinite(p) || !(other <= p))
				continue;
			json_array_foreach (rows, j, z)
				below += number(z, "p") < other;
			worst = fmax(worst, other * (double)(m - below));
		}
		if (isfinite(p))
			json_object_set_new(r, "p_holm", json_real(fmin(1, worst)));
	}
}

static void row_judge(json_t *r)
{
	const json_t *d = json_object_get(r, "difference_percent");
	double low = number(d, "low"), high = number(d, "high");
	char verdict[64];

	if (number(r, "pairs") < PAIRS_MIN)
		snprintf(verdict, sizeof(verdict), "too few pairs to tell");
	else if (number(r, "p_holm") < 1 - LEVEL)
		snprintf(verdict, sizeof(verdict), "B is %s",
			 number(d, "median") > 0 ? "slower" : "faster");
	else
		snprintf(verdict, sizeof(verdict), "no difference above %.1f %%",
			 ceil(10 * fmax(fabs(low), fabs(high))) / 10);
	json_object_set_new(r, "verdict", json_string(verdict));
}

json_t *pairs_make(const struct result_set *a, const struct result_set *b, struct error *e)
{
	json_t *summary = summary_make(a, e), *rows = json_array(), *r;
	size_t i, na = numbers(a), nb = numbers(b), n = na < nb ? na : nb;

	if (!summary || !rows) {
		json_decref(summary);
		json_decref(rows);
		return NULL;
	}
	json_array_foreach (json_object_get(summary, "results"), i, r)
		json_array_append_new(rows, row_make(a, b, r, n));
	json_decref(summary);
	rows_correct(rows);
	json_array_foreach (rows, i, r)
		row_judge(r);
	return json_pack("{s:i, s:s, s:s, s:o}", "schema", RESULT_SCHEMA, "a", a->dir, "b", b->dir,
			 "rows", rows);
}

/* "+12.3 [1.2, 23.4]" */
static void interval_text(const json_t *v, char *buf, size_t len)
{
	if (isfinite(number(v, "low")))
		snprintf(buf, len, "%+.2f [%.2f, %.2f]", number(v, "median"), number(v, "low"),
			 number(v, "high"));
	else if (isfinite(number(v, "median")))
		snprintf(buf, len, "%+.2f", number(v, "median"));
	else
		snprintf(buf, len, "-");
}

void pairs_print(const json_t *paired, FILE *out)
{
	const json_t *r;
	size_t i;

	fprintf(out,
		"B against A, pair by pair: median of the paired differences, 95 %% interval\n"
		"%-10s %-22s %5s %9s  %-24s %9s  %s\n",
		"scenario", "parameters", "pairs", "A ns", "B - A, %", "p (Holm)", "verdict");
	json_array_foreach (json_object_get(paired, "rows"), i, r) {
		char params[96], percent[64];

		summary_params_text(json_object_get(r, "params"), params, sizeof(params));
		interval_text(json_object_get(r, "difference_percent"), percent, sizeof(percent));
		fprintf(out, "%-10.10s %-22.22s %5.0f %9.1f  %-24s %9.2g  %s\n",
			json_string_value(json_object_get(r, "scenario")), params,
			number(r, "pairs"), number(json_object_get(r, "a_ns"), "median"), percent,
			number(r, "p_holm"), json_string_value(json_object_get(r, "verdict")));
	}
}
