// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/pairs.h"
#include "bench/summary/summary.h"
#include "bench/summary/labels.h"
#include "lib/stats/stats.h"
#include "lib/stats/rank.h"
#include "lib/base/member.h"

#define RESAMPLES 4000
#define SEED	  1999 /* fixed: the same sets give the same verdicts */
#define LEVEL	  0.95
#define PAIRS_MIN 6 /* fewer cannot reach a p below 0.05 */
#define TRIAL_MAX 10000000 /* a number beyond is a damaged line's */

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
		member_set(o, "median", member_real(v.median));
	if (isfinite(v.low)) {
		member_set(o, "low", member_real(v.low));
		member_set(o, "high", member_real(v.high));
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
		o = member_pack("{s:O, s:O, s:I}", "scenario", json_object_get(like, "scenario"),
				"params", json_object_get(like, "params"), "pairs", (json_int_t)m);
		member_set(o, "a_ns", interval_json(stats_median(x, m, LEVEL, 0, SEED)));
		member_set(o, "b_ns", interval_json(stats_median(y, m, LEVEL, 0, SEED)));
		member_set(o, "difference_ns",
			   interval_json(stats_median(ns, m, LEVEL, RESAMPLES, SEED)));
		member_set(o, "difference_percent",
			   interval_json(stats_median(percent, m, LEVEL, RESAMPLES, SEED)));
		p = stats_signed_rank(ns, m);
		if (isfinite(p))
			member_set(o, "p", member_real(p));
	}
	free(ns);
	free(percent);
	free(y);
	free(x);
	return o;
}

/* Every row that has a p gets it corrected for their number. 0 or -ENOMEM. */
static int rows_correct(json_t *rows)
{
	size_t i, n = json_array_size(rows);
	double *p = calloc(2 * n + 1, sizeof(*p));
	json_t *r;
	int rc;

	if (!p)
		return -ENOMEM;
	json_array_foreach (rows, i, r)
		p[i] = member_number(r, "p");
	rc = stats_holm(p, p + n, n);
	json_array_foreach (rows, i, r)
		if (!rc && isfinite(p[n + i]))
			member_set(r, "p_holm", member_real(p[n + i]));
	free(p);
	return rc;
}

static void row_judge(json_t *r)
{
	const json_t *d = json_object_get(r, "difference_percent");
	double low = member_number(d, "low"), high = member_number(d, "high");
	char verdict[64];

	if (member_number(r, "pairs") < PAIRS_MIN)
		snprintf(verdict, sizeof(verdict), "too few pairs to tell");
	else if (member_number(r, "p_holm") < 1 - LEVEL)
		snprintf(verdict, sizeof(verdict), "B is %s",
			 member_number(d, "median") > 0 ? "slower" : "faster");
	else
		snprintf(verdict, sizeof(verdict), "no difference above %.1f %%",
			 ceil(10 * fmax(fabs(low), fabs(high))) / 10);
	member_set(r, "verdict", member_string(verdict));
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
		member_append(rows, row_make(a, b, r, n));
	json_decref(summary);
	if (rows_correct(rows)) {
		json_decref(rows);
		error_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	json_array_foreach (rows, i, r)
		row_judge(r);
	return member_pack("{s:i, s:o, s:o, s:o}", "schema", RESULT_SCHEMA, "a",
			   member_string(a->dir), "b", member_string(b->dir), "rows", rows);
}

/* "+12.3 [1.2, 23.4]" */
static void interval_text(const json_t *v, char *buf, size_t len)
{
	if (isfinite(member_number(v, "low")))
		snprintf(buf, len, "%+.2f [%.2f, %.2f]", member_number(v, "median"),
			 member_number(v, "low"), member_number(v, "high"));
	else if (isfinite(member_number(v, "median")))
		snprintf(buf, len, "%+.2f", member_number(v, "median"));
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
			member_number(r, "pairs"),
			member_number(json_object_get(r, "a_ns"), "median"), percent,
			member_number(r, "p_holm"),
			json_string_value(json_object_get(r, "verdict")));
	}
}
