// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/node-rows.h"
#include "bench/summary/labels.h"
#include "lib/results/tolerance.h"
#include "lib/stats/stats.h"
#include "lib/base/member.h"

#define CHANCE 0.01 /* of a varying count, to be told as changed although it is not */

/* A group of a recorded watch has no claim and no costs: its counters are rates that vary, and are tested like times. */
static bool is_watch(const struct scan_group *g)
{
	return !strcmp(g->scenario, "watch");
}

double compare_middle(const struct scan_values *v)
{
	/* Their order in time is not needed. */
	stats_sort(v->v, v->n);
	return stats_sorted_median(v->v, v->n);
}

const char *const compare_counts[COMPARE_COUNTS] = {
	"cr3-loads",	    "cr3-flushes",	     "context-switches",
	"tlb-ipis",	    "remote-tlb-shootdowns", "remote-tlb-shootdowns-left",
	"remote-cr3-loads", "tlb-interrupts-all",    "tlb-interrupts-lazy",
};

/* Of other CPUs than the measured one. */
bool count_is_remote(const char *count)
{
	return !strncmp(count, "remote-", 7) || !strncmp(count, "tlb-interrupts-", 15);
}

/* How far apart two trials may be that are sound to verify: one that misses a little, and one with as much too many, or visitors. */
static double sound_difference(const struct scan_group *a, const struct scan_group *b, double count,
			       bool remote)
{
	double n = fmin(a->counted, b->counted),
	       slack = n > 0 ? verify_slack(n, count) / n : VERIFY_TOLERANCE * fmax(count, 1);

	return slack + fmax(slack, remote ? VERIFY_VISITED_REMOTE : VERIFY_VISITED);
}

/* How far apart the sides may be because their own trials are: nothing for exact counts, much for what kernel threads add. */
static double chance_difference(const struct scan_values *v, const struct scan_values *w)
{
	double n = (double)v->n, m = (double)w->n, df = n + m - 2;

	if (df < 1)
		return 0;
	return gsl_cdf_tdist_Pinv(1 - CHANCE / 2, fmax(df, 2)) *
	       sqrt((gsl_stats_tss(v->v, 1, v->n) + gsl_stats_tss(w->v, 1, w->n)) / df *
		    (1 / n + 1 / m));
}

bool count_differs(const struct facts *f, const struct facts *g, const char *count,
		   const struct scan_values *v, const struct scan_values *w)
{
	bool remote = count_is_remote(count);
	double x = compare_middle(v), y = compare_middle(w);

	if (!isfinite(x) || !isfinite(y) ||
	    fabs(x - y) <= sound_difference(f->group, g->group, fmax(x, y), remote))
		return false;
	if (fabs(x - y) <= chance_difference(v, w))
		return false;
	/* What some trials of both have is no difference of kernels: a ring's flushes vary so. */
	return fmax(v->v[0] - w->v[w->n - 1], w->v[0] - v->v[v->n - 1]) >
	       (remote ? VERIFY_VISITED_REMOTE : 0);
}

/* Counts per round trip that changed. */
static json_t *count_differences(const struct side *a, const struct side *b)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->set->n; i++) {
		const struct facts *f = &a->facts[i], *g = facts_like(b, f);

		if (!g || is_watch(f->group))
			continue;
		for (size_t c = 0; c < COMPARE_COUNTS; c++) {
			const struct scan_values *v = scan_counter(a->set, f->group,
								   compare_counts[c]),
						 *w = scan_counter(b->set, g->group,
								   compare_counts[c]);

			if (count_differs(f, g, compare_counts[c], v, w))
				member_append(list,
					      member_pack("{s:s, s:s, s:s, s:f, s:f}", "scenario",
							  f->scenario, "params", f->params, "count",
							  compare_counts[c], "base",
							  compare_middle(v), "other",
							  compare_middle(w)));
		}
	}
	return list;
}

/* Scenarios and parameter sets that only one of the two has. */
static void only_in(json_t *list, const struct side *has, const struct side *lacks,
		    const char *which)
{
	for (size_t i = 0; i < has->set->n; i++)
		if (!facts_like(lacks, &has->facts[i]))
			member_append(list, member_pack("{s:s, s:s, s:s}", "scenario",
							has->facts[i].scenario, "params",
							has->facts[i].params, "only_in", which));
}

/* Why @set has no figures of the counter, as its machine record says. */
static const char *why_lost(const struct scan_set *set, const char *name)
{
	const char *why = json_string_value(json_object_get(
		json_object_get(json_object_get(set->machine, "counters"), name), "unavailable"));

	return why ? why : "its trials do not have it";
}

/* Counters that groups in both sets have figures of in one set only. */
static void counted_in(json_t *list, const struct side *has, const struct side *lacks,
		       const char *which)
{
	for (size_t c = 0; c < has->set->counters; c++) {
		const char *name = has->set->counter[c];
		json_int_t lost = 0, had = 0;

		/* What is not counted here is not counted there; said once. */
		if (count_is_remote(name))
			continue;

		for (size_t i = 0; i < has->set->n; i++) {
			const struct facts *f = &has->facts[i], *g = facts_like(lacks, f);

			if (!g || !g->group->ns.n || !scan_counter(has->set, f->group, name)->n)
				continue;
			had++;
			lost += !scan_counter(lacks->set, g->group, name)->n;
		}
		if (lost)
			member_append(list, member_pack("{s:s, s:s, s:I, s:I, s:s}", "counter",
							name, "only_in", which, "rows", lost, "of",
							had, "why", why_lost(lacks->set, name)));
	}
}

/* Counters that a set counted in a part of the time only. */
static void scaled_in(json_t *list, const struct scan_set *set, const char *which)
{
	for (size_t c = 0; c < set->counters; c++)
		if (scan_share(set, set->counter[c]) < 1)
			member_append(list, member_pack("{s:s, s:s, s:f}", "counter",
							set->counter[c], "scaled_in", which,
							"share", scan_share(set, set->counter[c])));
}

static int row_add(struct table *t, const struct row *row)
{
	struct row *more;

	/* Grow by doubling. */
	if ((t->n & (t->n - 1)) == 0) {
		more = reallocarray(t->rows, t->n ? 2 * t->n : 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		t->rows = more;
	}
	t->rows[t->n++] = *row;
	return 0;
}

/* The rows of a recorded watch: each counter per switch. */
static int watch_rows(struct table *t, const struct row *like, const struct side *a,
		      const struct side *b)
{
	int rc = 0;

	for (size_t c = 0; c < a->set->counters && !rc; c++) {
		const struct scan_values *x = scan_counter(a->set, like->a->group,
							   a->set->counter[c]),
					 *y = scan_counter(b->set, like->b->group,
							   a->set->counter[c]);
		struct row row = { .pair = like->pair,
				   .a = like->a,
				   .b = like->b,
				   .quantity = a->set->counter[c],
				   .counts = true };

		if (!x->n || !y->n || !strcmp(row.quantity, "context-switches"))
			continue;
		memcpy(row.per, like->per, sizeof(row.per));
		stats_sort(x->v, x->n);
		stats_sort(y->v, y->n);
		row.x = x->v;
		row.nx = x->n;
		row.y = y->v;
		row.ny = y->n;
		rc = row_add(t, &row);
	}
	return rc;
}

/* Per round trip; what has none to count, or no round trips, has NaN. */
static void counts_fill(double per[COMPARE_COUNTS], const struct side *s, const struct facts *f)
{
	for (size_t c = 0; c < COMPARE_COUNTS; c++)
		per[c] = f && !is_watch(f->group)
				 ? compare_middle(scan_counter(s->set, f->group, compare_counts[c]))
				 : NAN;
}

/* Are these the two sides of one ab? */
static bool in_turns(const struct scan_set *a, const struct scan_set *b)
{
	const char *x = member_text(json_object_get(a->machine, "session"), "turns"),
		   *y = member_text(json_object_get(b->machine, "session"), "turns");

	return *x && !strcmp(x, y);
}

static int pair_rows(struct table *t, size_t pair, const struct side *a, const struct side *b,
		     bool times)
{
	bool turns = in_turns(a->set, b->set);
	int rc = 0;

	for (size_t i = 0; i < a->set->n && !rc; i++) {
		const struct facts *f = &a->facts[i], *g = facts_like(b, f);
		struct row row = {
			.pair = pair, .a = f, .b = g, .refused = !times, .turns = turns
		};

		row.quantity = is_watch(f->group) ? "ns-between-switches" : "ns-per-round-trip";
		row.counts = is_watch(f->group);
		counts_fill(row.per[0], a, f);
		counts_fill(row.per[1], b, g);
		if (g) {
			row.x = f->sorted;
			row.nx = f->group->ns.n;
			row.y = g->sorted;
			row.ny = g->group->ns.n;
		}
		rc = row_add(t, &row);
		if (!rc && g && is_watch(f->group))
			rc = watch_rows(t, &row, a, b);
	}
	return rc;
}

/* The folders of a side's sessions. */
static json_t *side_sets(const struct scan_set *set)
{
	json_t *list = json_array();

	for (size_t i = 0; i < set->sessions; i++)
		member_append(list, member_string(set->session[i]));
	if (!set->sessions)
		member_append(list, member_string(set->dir));
	return list;
}

/* What is known of how sessions of these rows vary: {"between", "sets"}, the median over rows; NULL: nothing. */
static json_t *known_spread(const struct table *t, size_t pair, const json_t *spreads)
{
	double *v = malloc((json_array_size(spreads) + 1) * sizeof(*v));
	const json_t *one;
	json_int_t sets = 0;
	json_t *o = NULL;
	size_t n = 0, i;

	json_array_foreach (spreads, i, one)
		for (size_t k = 0; k < t->n && v; k++) {
			const struct row *r = &t->rows[k];

			if (r->pair != pair || r->refused || !r->b || r->counts ||
			    strcmp(member_text(one, "scenario"), r->a->group->scenario) != 0 ||
			    !json_equal(json_object_get(one, "params"), r->a->group->parsed))
				continue;
			v[n++] = member_number(one, "between");
			if (json_integer_value(json_object_get(one, "sets")) > sets)
				sets = json_integer_value(json_object_get(one, "sets"));
			break;
		}
	if (n)
		o = member_pack("{s:f, s:I}", "between", stats_percentile(v, n, 50), "sets", sets);
	free(v);
	return o;
}

/* How the machines of the two differ: where nodes have both, within one of them. */
static json_t *pair_machines(const struct table *t, size_t pair, const struct side *a,
			     const struct side *b)
{
	json_t *x = NULL, *y = NULL, *list;

	if (t->nodes)
		nodes_machines(t->nodes, pair, &x, &y);
	list = compare_machines(x && y ? x : a->set->machine, x && y ? y : b->set->machine);
	json_decref(x);
	json_decref(y);
	return list;
}

static json_t *pair_json(const struct table *t, size_t pair, const struct side *a,
			 const struct side *b, const char *refused,
			 const struct compare_options *options)
{
	json_t *rows = json_array(), *missing = json_array(), *lost = json_array(),
	       *scaled = json_array(), *alike = t->nodes ? json_array() : NULL,
	       *instructions = instructions_compare(a, b), *known, *o;

	for (size_t i = 0; i < t->n; i++)
		if (t->rows[i].pair == pair)
			member_append(rows, row_json(&t->rows[i], t));
	only_in(missing, a, b, "base");
	only_in(missing, b, a, "other");
	counted_in(lost, a, b, "base");
	counted_in(lost, b, a, "other");
	scaled_in(scaled, a->set, "base");
	scaled_in(scaled, b->set, "other");
	o = member_pack(
		"{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "base",
		member_string(a->set->dir), "base_name", member_string(a->name), "other",
		member_string(b->set->dir), "other_name", member_string(b->name), "counts",
		alike ? node_counts_compare(a, b, t->nodes, alike) : count_differences(a, b),
		"counters_lost", lost, "counters_scaled", scaled, "missing", missing, "machine",
		pair_machines(t, pair, a, b), "times", rows, "forced", refused && options->force);
	if (o) {
		member_set(o, "base_sets", side_sets(a->set));
		member_set(o, "other_sets", side_sets(b->set));
		member_set(o, "in_turns", json_boolean(in_turns(a->set, b->set)));
		member_set(o, "base_verified", json_boolean(a->set->verified));
		member_set(o, "other_verified", json_boolean(b->set->verified));
	}
	if (o && alike) {
		member_set(o, "counts_of_nodes", alike);
		member_set(o, "nodes", nodes_json(t->nodes, pair, rows));
	}
	known = a->set->sessions > 1 || b->set->sessions > 1
			? NULL
			: known_spread(t, pair, options->spreads);
	if (o && known)
		member_set(o, "known_spread", known);
	if (o && a->boot) {
		member_set(o, "base_boot", boot_json(a));
		member_set(o, "other_boot", boot_json(b));
	}
	if (o && instructions)
		member_set(o, "instructions", instructions);
	else
		json_decref(instructions);
	if (o && refused)
		member_set(o, "times_refused", member_string(refused));
	return o;
}

/* Why times of the two sides must not be compared: within nodes the CPU is the same. NULL: they may. */
static const char *pair_refused(const struct table *t, size_t pair, const struct side *a,
				const struct side *b)
{
	const char *why = compare_refused(a->set, b->set);

	if (!t->nodes || (why && strcmp(why, COMPARE_OTHER_MODEL) != 0))
		return why;
	if (!nodes_share(t->nodes, pair))
		return why ? why : "no machine has both kernels";
	return a->set->verified != b->set->verified ? COMPARE_HALF_VERIFIED : NULL;
}

static int compare_all(struct table *t, struct side *sides, size_t n,
		       const struct compare_options *options, json_t *all)
{
	int rc = 0;

	for (size_t i = 1; i < n && !rc; i++)
		rc = pair_rows(t, i, &sides[0], &sides[i],
			       options->force || !pair_refused(t, i, &sides[0], &sides[i]));
	if (!rc)
		rc = table_judge(t);
	for (size_t i = 1; i < n && !rc; i++)
		rc = member_append(all,
				   pair_json(t, i, &sides[0], &sides[i],
					     pair_refused(t, i, &sides[0], &sides[i]), options))
			     ? -ENOMEM
			     : 0;
	return rc;
}

json_t *compare_sets(struct scan_set *sets, size_t n, const struct compare_options *options,
		     struct error *e)
{
	struct side *sides = calloc(n, sizeof(*sides));
	struct table t = { .share = options->share,
			   .one_session = options->one_session,
			   .nodes = options->nodes && options->nodes->n ? options->nodes : NULL };
	json_t *all = json_array();
	int rc = sides && all ? 0 : -ENOMEM;

	for (size_t i = 0; i < n && !rc; i++)
		rc = side_make(&sides[i], sets, n, i);
	for (size_t i = 0; i < n && !rc && t.nodes; i++)
		rc = node_counts_make(&sides[i], t.nodes->n);
	if (!rc)
		rc = boots_name(sides, n);
	if (!rc)
		rc = sides_order(sides, n);
	if (!rc)
		rc = compare_all(&t, sides, n, options, all);
	for (size_t i = 0; i < n && sides; i++)
		side_free(&sides[i]);
	free(sides);
	for (size_t i = 0; i < t.n; i++) {
		node_row_free(t.rows[i].pooled);
		adjusted_free(&t.rows[i]);
	}
	free(t.rows);
	if (rc)
		error_set(e, -rc, "compare: %s", strerror(-rc));
	else
		rc = members_failed(e);
	if (rc) {
		json_decref(all);
		return NULL;
	}
	return all;
}
