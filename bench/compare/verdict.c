// SPDX-License-Identifier: GPL-2.0-or-later
/* From two samples to a verdict. */
#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/node-rows.h"
#include "lib/base/member.h"

#define RESAMPLES 4000
#define SEED	  1999 /* fixed: the same sets give the same verdicts */
#define ALPHA	  0.05
#define POWER	  0.9

/* How far off 1 the ratio may be, as a share; NaN without an interval. */
static double bound(const struct row *r)
{
	const struct stats_difference *d = &r->difference;

	if (isfinite(d->ratio_low))
		return fmax(d->ratio_high - 1, 1 / d->ratio_low - 1);
	/* Zeros have no ratio; they may still be the same. */
	return d->low == 0 && d->high == 0 ? 0 : NAN;
}

/*
 * Trials a side that would tell @share: enough for the test to find it (at the level that Holm leaves it in the worst case), and
 * enough to bring the interval, which narrows with the root of their number, within it.
 */
static double needed(const struct row *r, double share, size_t tests)
{
	const struct stats_difference *d = &r->difference;
	double have = (double)(r->nx < r->ny ? r->nx : r->ny),
	       half = (d->ratio_high - d->ratio_low) / 2,
	       n = fmax(stats_trials_needed(r->x, r->nx, r->y, r->ny, share, ALPHA / (double)tests,
					    POWER),
			ceil(have * half * half / (share * share)));

	/* Enough already, but the difference itself is about @share: as many again. */
	return n > have ? n : isnan(n) ? NAN : 2 * have;
}

/* Do sessions tell, and not trials? */
static bool by_sessions(const struct row *r)
{
	return isfinite(r->sessions.ratio);
}

static void judge(struct row *r, const struct table *t, size_t tests)
{
	double pairs = (double)r->nx * (double)r->ny, value = r->difference.value;
	bool more = by_sessions(r) ? value > 0 : r->test.u > pairs / 2 && value > 0,
	     less = by_sessions(r) ? value < 0 : r->test.u < pairs / 2 && value < 0;

	r->needed = NAN;
	if (!r->b)
		r->verdict = "missing";
	else if (r->refused)
		r->verdict = "not compared";
	else if (!isfinite(r->test.p))
		r->verdict = r->pooled && r->pooled->n ? "noisy" : "no trials";
	/* Ranks and medians must agree on the direction. */
	else if (r->holm < ALPHA && (more || less) && !by_sessions(r) && !r->counts &&
		 !t->one_session && !r->turns)
		r->verdict = "differ";
	else if (r->holm < ALPHA && (more || less))
		r->verdict = r->counts ? (more ? "more" : "fewer") : more ? "slower" : "faster";
	else if (bound(r) <= t->share)
		r->verdict = "same";
	else {
		r->verdict = "noisy";
		r->needed = r->pooled	     ? stats_nodes_needed(r->pooled->all.spread, t->share,
								  ALPHA / (double)tests, POWER)
			    : by_sessions(r) ? stats_sessions_needed(r->sessions.spread, t->share,
								     ALPHA / (double)tests, POWER)
					     : needed(r, t->share, tests);
	}
}

/* One side's middle with its interval, from its sessions and the spread that both sides share. */
static struct interval side_interval(const double *sessions, size_t n, double spread, double df)
{
	double mean = gsl_stats_mean(sessions, 1, n),
	       half = spread / sqrt((double)n) * gsl_cdf_tdist_Pinv(0.975, df);

	return (struct interval){ .median = exp(mean),
				  .low = exp(mean - half),
				  .high = exp(mean + half),
				  .mad = NAN,
				  .n = n };
}

/* Where both sides have sessions enough, these are compared. @tests: so many share the level. False where they have not. */
static bool test_sessions(struct row *r, size_t tests)
{
	const struct facts *a = r->a, *b = r->b;
	struct stats_sessions *s = &r->sessions;
	double df = (double)a->nsessions + (double)b->nsessions - 2;

	const struct adjusted *at = &r->adjusted;

	*s = stats_sessions(a->sessions, a->nsessions, b->sessions, b->nsessions, 0.95,
			    ALPHA / (double)tests);
	if (!by_sessions(r))
		return false;
	r->raw = *s;
	if (at->x) {
		*s = stats_sessions(at->x, at->nx, at->y, at->ny, 0.95, ALPHA / (double)tests);
		stats_sessions_widen(s, at->nx, at->ny, at->variance, 0.95);
	}
	r->mx = side_interval(at->x ? at->x : a->sessions, a->nsessions, s->spread, df);
	r->my = side_interval(at->y ? at->y : b->sessions, b->nsessions, s->spread, df);
	r->test.p = s->p;
	r->difference = (struct stats_difference){ .ratio = s->ratio,
						   .ratio_low = s->low,
						   .ratio_high = s->high,
						   .value = r->my.median - r->mx.median,
						   .low = r->mx.median * (s->low - 1),
						   .high = r->mx.median * (s->high - 1) };
	return true;
}

/* The mean over nodes of one side, with its interval. */
static struct interval nodes_interval(const struct node_row *n, bool other)
{
	double sum = 0, squares = 0, half = NAN, mean, k = (double)n->n;

	for (size_t i = 0; i < n->n; i++)
		sum += other ? n->cells[i].y : n->cells[i].x;
	mean = sum / k;
	for (size_t i = 0; i < n->n; i++) {
		double d = (other ? n->cells[i].y : n->cells[i].x) - mean;

		squares += d * d;
	}
	if (n->n > 1)
		half = sqrt(squares / (k - 1) / k) * gsl_cdf_tdist_Pinv(0.975, k - 1);
	return (struct interval){ .median = exp(mean),
				  .low = exp(mean - half),
				  .high = exp(mean + half),
				  .mad = NAN,
				  .n = n->n };
}

/* Where several nodes have both sides, their differences are pooled. False where not. */
static bool test_nodes(struct row *r, const struct table *t, size_t tests, int *rc)
{
	const struct stats_pooled *p;

	r->pooled = node_row_make(r, t->nodes, tests, rc);
	/* One node alone is judged by its sessions, or trials, if it is all that there is. */
	if (r->pooled && r->pooled->n == 1 && r->pooled->cells[0].nx == r->a->nsessions &&
	    r->pooled->cells[0].ny == r->b->nsessions) {
		node_row_free(r->pooled);
		r->pooled = NULL;
	}
	if (!r->pooled)
		return false;
	p = &r->pooled->all;
	r->mx = nodes_interval(r->pooled, false);
	r->my = nodes_interval(r->pooled, true);
	r->test.p = p->p;
	r->sessions = (struct stats_sessions){ exp(p->value), exp(p->low), exp(p->high),
					       p->p,	      p->spread,   "nodes" };
	r->difference = (struct stats_difference){ .ratio = r->sessions.ratio,
						   .ratio_low = r->sessions.low,
						   .ratio_high = r->sessions.high,
						   .value = r->mx.median * (r->sessions.ratio - 1),
						   .low = r->mx.median * (r->sessions.low - 1),
						   .high = r->mx.median * (r->sessions.high - 1) };
	return true;
}

static void test_trials(struct row *r)
{
	r->mx = stats_sorted_interval(r->x, r->nx, 0.95, RESAMPLES / 2, SEED);
	r->my = stats_sorted_interval(r->y, r->ny, 0.95, RESAMPLES / 2, SEED);
	r->test = stats_mann_whitney(r->x, r->nx, r->y, r->ny);
	r->difference = stats_difference(r->x, r->nx, r->y, r->ny, 0.95, RESAMPLES, SEED);
}

static bool is_compared(const struct row *r)
{
	return r->b && !r->refused;
}

int table_judge(struct table *t)
{
	double *p = malloc((t->n + 1) * sizeof(*p)), *holm = malloc((t->n + 1) * sizeof(*holm));
	size_t tests = 0;
	int rc = p && holm ? 0 : -ENOMEM;

	for (size_t i = 0; i < t->n; i++)
		tests += is_compared(&t->rows[i]) && t->rows[i].nx && t->rows[i].ny;
	for (size_t i = 0; i < t->n && !rc; i++) {
		struct row *r = &t->rows[i];

		r->test = (struct mann_whitney){ .u = NAN, .p = NAN };
		r->difference = stats_difference(NULL, 0, NULL, 0, 0.95, 0, 0);
		r->mx = r->my = (struct interval){ .median = NAN, .low = NAN, .high = NAN };
		r->sessions.ratio = NAN;
		if (is_compared(r) && !r->counts && !test_nodes(r, t, tests, &rc)) {
			rc = rc ? rc : adjust_row(r);
			if (!test_sessions(r, tests))
				test_trials(r);
		} else if (is_compared(r) && r->counts) {
			test_trials(r);
		}
		p[i] = r->test.p;
	}
	if (!rc)
		rc = stats_holm(p, holm, t->n);
	for (size_t i = 0; i < t->n && !rc; i++) {
		t->rows[i].holm = holm[i];
		judge(&t->rows[i], t, tests);
	}
	free(p);
	free(holm);
	return rc;
}

static void says(const struct row *r, double share, char *text, size_t len)
{
	if (!strcmp(r->verdict, "same"))
		snprintf(text, len, "no difference larger than %.2g %%", 100 * bound(r));
	else if (!strcmp(r->verdict, "noisy") && isfinite(r->needed) && r->needed < 1e6)
		snprintf(text, len, "too noisy to tell %g %% (%.0f %s would)", 100 * share,
			 r->needed,
			 r->pooled	  ? "nodes"
			 : by_sessions(r) ? "sessions a side"
					  : "trials");
	else if (!strcmp(r->verdict, "noisy"))
		snprintf(text, len, "too noisy to tell%s",
			 isnan(r->needed) ? ": too few trials" : "");
	else if (!strcmp(r->verdict, "no trials"))
		snprintf(text, len, "no valid trials");
	else if (!strcmp(r->verdict, "differ"))
		snprintf(text, len, "the runs differ");
	else
		snprintf(text, len, "%s", r->verdict);
}

static void put(json_t *o, const char *key, double v)
{
	if (isfinite(v))
		member_set(o, key, member_real(v));
}

static json_t *medians(const struct facts *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->nsessions; i++)
		member_append(list, member_real(exp(f->sessions[i])));
	return list;
}

/* What was measured, where the verdict is on what it would have been at one speed. */
static json_t *adjusted_note(const struct row *r)
{
	return member_printf(
		"adjusted by the machine's speed, which explains %.0f %% of its trials' "
		"variance; as measured %.3f [%.3f, %.3f]",
		100 * r->adjusted.explained, r->raw.ratio, r->raw.low, r->raw.high);
}

/* How sessions vary, and what was tested. */
static void put_sessions(json_t *o, const struct row *r)
{
	member_set(o, "base_sessions", json_integer((json_int_t)r->a->nsessions));
	member_set(o, "other_sessions", json_integer(r->b ? (json_int_t)r->b->nsessions : 0));
	if (r->refused || r->counts || !r->b)
		return;
	member_set(o, "base_session_medians", medians(r->a));
	member_set(o, "other_session_medians", medians(r->b));
	put(o, "base_between", r->a->between);
	put(o, "base_within", r->a->within);
	put(o, "other_between", r->b->between);
	put(o, "other_within", r->b->within);
	if (isfinite(r->test.p))
		member_set(o, "method",
			   member_string(by_sessions(r) ? r->sessions.method : "Mann-Whitney"));
	if (by_sessions(r) && !strcmp(r->verdict, "noisy"))
		put(o, "sessions_needed", r->needed);
}

/* The counts that there are, by name. */
static json_t *counts_json(const double per[COMPARE_COUNTS])
{
	json_t *o = json_object();

	for (size_t c = 0; c < COMPARE_COUNTS; c++)
		put(o, compare_counts[c], per[c]);
	return o;
}

/* Sessions of one node, where it is the node that is judged. */
static double within_nodes(const struct node_row *n)
{
	double squares = 0, freedom = 0;

	for (size_t i = 0; i < n->nmodels; i++) {
		squares += n->models[i].variance * n->models[i].freedom;
		freedom += n->models[i].freedom;
	}
	return freedom > 0 ? sqrt(squares / freedom) : NAN;
}

static void put_nodes(json_t *o, const struct row *r, const struct compare_nodes *nodes)
{
	if (!r->pooled)
		return;
	json_object_del(o, "base_between");
	json_object_del(o, "other_between");
	put(o, "base_between", within_nodes(r->pooled));
	put(o, "other_between", within_nodes(r->pooled));
	if (json_object_get(o, "sessions_needed")) {
		json_object_del(o, "sessions_needed");
		put(o, "nodes_needed", r->needed);
	}
	member_set(o, "pooled", node_row_json(r->pooled, nodes));
}

json_t *row_json(const struct row *r, const struct table *t)
{
	const struct stats_difference *d = &r->difference;
	json_t *notes = facts_notes(r->a, "base"), *more, *o;
	char text[100];

	says(r, t->share, text, sizeof(text));
	o = member_pack("{s:s, s:s, s:O, s:s, s:I, s:I, s:s, s:o}", "scenario", r->a->scenario,
			"params", r->a->params, "parameters", r->a->group->parsed, "quantity",
			r->quantity, "base_trials", (json_int_t)r->nx, "other_trials",
			(json_int_t)r->ny, "verdict", r->verdict, "says", member_string(text));
	if (by_sessions(r)) {
		put(o, "base_median", r->mx.median);
		put(o, "other_median", r->my.median);
	} else if (!r->refused || r->counts) {
		put(o, "base_median", stats_sorted_median(r->x, r->nx));
		put(o, "other_median", stats_sorted_median(r->y, r->ny));
	}
	put_sessions(o, r);
	put_nodes(o, r, t->nodes);
	adjusted_json(o, r);
	put(o, "base_low", r->mx.low);
	put(o, "base_high", r->mx.high);
	put(o, "other_low", r->my.low);
	put(o, "other_high", r->my.high);
	member_set(o, "base_counts", counts_json(r->per[0]));
	member_set(o, "other_counts", counts_json(r->per[1]));
	put(o, "ratio", d->ratio);
	put(o, "low", d->ratio_low);
	put(o, "high", d->ratio_high);
	put(o, "difference", d->value);
	put(o, "difference_low", d->low);
	put(o, "difference_high", d->high);
	put(o, "p", r->test.p);
	put(o, "p_holm", r->holm);
	if (isfinite(r->test.p) && !by_sessions(r))
		member_set(o, "exact", json_boolean(r->test.exact));
	if (!by_sessions(r))
		put(o, "trials_needed", r->needed);
	member_set(o, "base_order", facts_json(r->a));
	if (r->b) {
		more = facts_notes(r->b, "other");
		json_array_extend(notes, more);
		json_decref(more);
		member_set(o, "other_order", facts_json(r->b));
	}
	if (r->refused || strncmp(r->quantity, "ns-", 3))
		json_array_clear(notes);
	if (by_sessions(r) && r->adjusted.x)
		member_append(notes, adjusted_note(r));
	member_set(o, "notes", notes);
	return o;
}
