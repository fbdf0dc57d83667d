// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/pairs.h"
#include "bench/compare/private.h"
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

static const char *const speed_names[SPEED_KINDS + 1] = { SPEED_NAMES, SPEED_OF };

/* What is known of one side's trials, by their numbers; NaN where there is no valid one. */
struct side_trials {
	double *ns,
		*speed[SPEED_KINDS +
		       1]; /* speed: of the work beside them, then of their round trips by the same mean */
};

static void trials_free(struct side_trials *s)
{
	free(s->ns);
	for (int k = 0; k <= SPEED_KINDS; k++)
		free(s->speed[k]);
}

static bool is_like(const json_t *t, const json_t *like)
{
	return json_is_true(json_object_get(t, "valid")) &&
	       json_is_number(json_object_get(t, "ns_per_round_trip")) &&
	       json_equal(json_object_get(t, "scenario"), json_object_get(like, "scenario")) &&
	       json_equal(json_object_get(t, "params"), json_object_get(like, "params"));
}

/* False without memory; free it in either case. */
static bool trials_make(struct side_trials *s, const struct result_set *set, const json_t *like,
			size_t n)
{
	const json_t *t;
	bool room = true;
	size_t i;

	s->ns = malloc(n * sizeof(double));
	for (int k = 0; k <= SPEED_KINDS; k++) {
		s->speed[k] = malloc(n * sizeof(double));
		room &= s->speed[k] != NULL;
	}
	if (!room || !s->ns)
		return false;
	for (i = 0; i < n; i++)
		s->ns[i] = NAN;
	json_array_foreach (set->trials, i, t) {
		json_int_t number = json_integer_value(json_object_get(t, "trial"));

		if (number < 0 || (size_t)number >= n || !is_like(t, like))
			continue;
		s->ns[number] = member_number(t, "ns_per_round_trip");
		for (int k = 0; k <= SPEED_KINDS; k++)
			s->speed[k][number] = member_number(json_object_get(t, "speed_ns"),
							    speed_names[k]);
	}
	return true;
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

/*
 * Puts B's @m times at the speed that the machine had beside A's into @y, if the pairs' differences in speed, logarithms in @speed,
 * explain theirs. The share of their variance; 0: none, and nothing is changed.
 */
static double pairs_adjust(const double *x, double *y, double *const speed[SPEED_KINDS + 1],
			   size_t m)
{
	static const double none[SPEED_KINDS];
	double *measured = calloc(m + 1, sizeof(*measured)), *value = calloc(m + 1, sizeof(*value)),
	       explained = 0;
	struct speed_slopes s;
	bool believed;

	if (measured && value && !speed_slopes(speed[SPEED_KINDS], speed, &m, 1, &s, &believed) &&
	    believed) {
		for (size_t i = 0; i < m; i++) {
			measured[i] = log(y[i] / x[i]);
			value[i] = speed[SPEED_KINDS][i] - speed_part(&s, i, none);
		}
		/* What makes pairs scatter no less explains nothing. */
		explained = stats_explained(measured, value, &m, 1);
		for (size_t i = 0; i < m && explained > 0; i++)
			y[i] = x[i] * exp(value[i]);
	}
	free(measured);
	free(value);
	return explained;
}

/* Medians of the paired differences. */
static void put_differences(json_t *o, const double *x, const double *y, size_t m, double *room,
			    bool raw)
{
	for (size_t i = 0; i < m; i++)
		room[i] = 100 * (y[i] / x[i] - 1);
	member_set(o, raw ? "raw_difference_percent" : "difference_percent",
		   interval_json(stats_median(room, m, LEVEL, RESAMPLES, SEED)));
	if (raw)
		return;
	for (size_t i = 0; i < m; i++)
		room[i] = y[i] - x[i];
	member_set(o, "difference_ns",
		   interval_json(stats_median(room, m, LEVEL, RESAMPLES, SEED)));
}

static void row_fill(json_t *o, struct side_trials *a, struct side_trials *b, size_t n,
		     double *room)
{
	double *x = a->ns, *y = b->ns, explained, p;
	size_t m = 0;

	for (size_t i = 0; i < n; i++) {
		if (!isfinite(x[i]) || !isfinite(y[i]) || !(x[i] > 0))
			continue;
		for (int k = 0; k <= SPEED_KINDS; k++)
			a->speed[k][m] = log(b->speed[k][i] / a->speed[k][i]); /* m <= i */
		x[m] = x[i];
		y[m++] = y[i];
	}
	member_set(o, "pairs", json_integer((json_int_t)m));
	member_set(o, "a_ns", interval_json(stats_median(x, m, LEVEL, 0, SEED)));
	member_set(o, "b_ns", interval_json(stats_median(y, m, LEVEL, 0, SEED)));
	put_differences(o, x, y, m, room, true);
	explained = pairs_adjust(x, y, a->speed, m);
	if (explained > 0)
		member_set(o, "speed_explains", member_real(explained));
	else
		json_object_del(o, "raw_difference_percent");
	put_differences(o, x, y, m, room, false);
	p = stats_signed_rank(room, m);
	if (isfinite(p))
		member_set(o, "p", member_real(p));
}

static json_t *row_make(const struct result_set *a, const struct result_set *b, const json_t *like,
			size_t n)
{
	struct side_trials x = { 0 }, y = { 0 };
	double *room = malloc((n + 1) * sizeof(*room));
	json_t *o = NULL;

	if (trials_make(&x, a, like, n) && trials_make(&y, b, like, n) && room) {
		o = member_pack("{s:O, s:O}", "scenario", json_object_get(like, "scenario"),
				"params", json_object_get(like, "params"));
		row_fill(o, &x, &y, n, room);
	}
	free(room);
	trials_free(&x);
	trials_free(&y);
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
		if (!json_object_get(r, "speed_explains"))
			continue;
		interval_text(json_object_get(r, "raw_difference_percent"), percent,
			      sizeof(percent));
		fprintf(out,
			"%-11sadjusted by the machine's speed, which explains %.0f %% of the "
			"differences' variance; as measured %s\n",
			"", 100 * member_number(r, "speed_explains"), percent);
	}
}
