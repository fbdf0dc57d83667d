// SPDX-License-Identifier: GPL-2.0-or-later
/* What a page of the working set costs a switch: slopes of paired differences over the working set. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/summary/group.h"
#include "lib/base/member.h"

/* A curve's points: the difference at one working set in one round. */
struct point {
	json_int_t trial;
	double pages, ns;
};

struct curve {
	struct point *v;
	size_t n, sizes;
	json_t *pages;
};

static void curve_add(struct curve *c, json_int_t pages, const struct group *x,
		      const struct group *y)
{
	struct round_value *d;
	size_t n = terms_rounds((const struct term[]){ { x, 1 }, { y, -1 } }, 2, &d);
	struct point *more = n ? reallocarray(c->v, c->n + n, sizeof(*more)) : NULL;

	if (more) {
		c->v = more;
		c->sizes++;
		member_append(c->pages, json_integer(pages));
		for (size_t i = 0; i < n; i++)
			more[c->n++] = (struct point){ d[i].trial, (double)pages, d[i].value };
	}
	free(d);
}

/* By trial, then by pages: every round has the same order. */
static int by_trial(const void *a, const void *b)
{
	const struct point *x = a, *y = b;

	if (x->trial != y->trial)
		return x->trial > y->trial ? 1 : -1;
	return (x->pages > y->pages) - (x->pages < y->pages);
}

/* Over the rounds that have all sizes. */
static struct interval curve_slope(struct curve *c)
{
	double *x = malloc((c->sizes + 1) * sizeof(*x)), *y = malloc((c->n + 1) * sizeof(*y));
	struct interval r = { .median = NAN, .low = NAN, .high = NAN, .mad = NAN };
	size_t rounds = 0, end;

	if (x && y && c->n) {
		qsort(c->v, c->n, sizeof(*c->v), by_trial);
		for (size_t i = 0; i < c->n; i = end) {
			for (end = i; end < c->n && c->v[end].trial == c->v[i].trial;)
				end++;
			if (end - i != c->sizes)
				continue;
			for (size_t k = 0; k < c->sizes; k++) {
				x[k] = c->v[i + k].pages;
				y[rounds * c->sizes + k] = c->v[i + k].ns;
			}
			rounds++;
		}
		r = stats_slope(x, c->sizes, y, rounds, LEVEL, RESAMPLES, SEED);
	}
	free(x);
	free(y);
	return r;
}

typedef const struct group *(*partner)(const struct groups *g, const struct group *x,
				       json_int_t pages);

static const struct group *base_partner(const struct groups *g, const struct group *x,
					json_int_t pages)
{
	bool ignored;

	return net_base(g, x, pages, &ignored);
}

static json_t *without_pages(const struct group *x)
{
	json_t *p = json_copy((json_t *)x->params);

	json_object_del(p, "pages");
	return p;
}

static double flushes(const struct group *x)
{
	return group_median(x, value_counter, "cr3-flushes");
}

/* The slope of @x minus its partner over the working set; NULL with fewer than two sizes of it. */
static json_t *curve_json(const struct groups *g, const struct group *x, partner find,
			  const json_t *machine, const char *what)
{
	bool huge = !strcmp(json_string_value(json_object_get(x->params, "pagesize")), "2m");
	struct curve c = { .pages = json_array() };
	const struct group *none = net_at(g, x, 0), *other = find(g, x, -1);
	json_t *o = NULL, *like = without_pages(x), *minus;
	const char *why;
	json_int_t most = dtlb_range(machine, huge, &why);
	struct interval ns;
	double more;

	if (none && find(g, none, 0))
		curve_add(&c, 0, none, find(g, none, 0));
	for (size_t i = 0; i < g->n; i++) {
		const struct group *at = &g->list[i], *there = find(g, at, -1);
		json_int_t pages = json_integer_value(json_object_get(at->params, "pages"));

		if (!strcmp(at->scenario, x->scenario) && params_match(at->params, like) &&
		    pages > 0 && pages <= most && there)
			curve_add(&c, pages, at, there);
	}
	if (c.sizes >= 2 && other) {
		ns = curve_slope(&c);
		minus = without_pages(other);
		more = flushes(x) - flushes(other);
		o = member_pack("{s:s, s:s, s:o, s:{s:s, s:o}, s:O, s:o, s:o, s:o}", "what", what,
				"scenario", x->scenario, "params", json_incref(like), "minus",
				"scenario", other->scenario, "params", minus, "pages", c.pages,
				"ns_per_page", summary_interval(&ns), "percent",
				summary_real(100 * (ns.high - ns.low) / 2 / fabs(ns.median)),
				"flushes", summary_real(more));
	}
	json_decref(like);
	json_decref(c.pages);
	free(c.v);
	return o;
}

/* Is @x the first group of its curve, not counting the working set? */
static bool curve_first(const struct groups *g, const struct group *x)
{
	json_t *like = without_pages(x);
	bool first = true;

	for (const struct group *y = g->list; y < x && first; y++)
		first = strcmp(y->scenario, x->scenario) ||
			json_integer_value(json_object_get(y->params, "pages")) == 0 ||
			!params_match(y->params, like);
	json_decref(like);
	return first;
}

/* Which curve tells best what a flush costs: the module's, rings (no other CPU), then what else flushes. */
static int rank(const json_t *c)
{
	static const char *const names[] = { "kthread", "ring", "stale", "process" };
	const char *name = json_string_value(json_object_get(c, "scenario"));

	for (int i = 0; i < 4; i++)
		if (!strcmp(name, names[i]))
			return i;
	return 4;
}

static const json_t *curve_best(const json_t *curves)
{
	const json_t *best = NULL, *c;
	size_t i;

	json_array_foreach (curves, i, c) {
		const char *size = json_string_value(
			json_object_get(json_object_get(c, "params"), "pagesize"));

		if (strcmp(json_string_value(json_object_get(c, "what")), "switch") &&
		    !strcmp(size, "4k") && json_number_value(json_object_get(c, "flushes")) > 0.5 &&
		    !json_is_null(json_object_get(json_object_get(c, "ns_per_page"), "median")) &&
		    (!best || rank(c) < rank(best)))
			best = c;
	}
	return best;
}

json_t *summary_refill(const struct groups *g, const json_t *machine)
{
	json_t *o = json_object(), *curves = json_array();
	const json_t *best;
	const char *why;

	for (size_t i = 0; i < g->n; i++) {
		const struct group *x = &g->list[i];
		json_t *c;

		if (!json_is_string(json_object_get(x->params, "pagesize")) ||
		    !json_integer_value(json_object_get(x->params, "pages")) || !curve_first(g, x))
			continue;
		c = curve_json(g, x, net_unflushed, machine, "change of mm");
		if (c)
			member_append(curves, c);
		c = curve_json(g, x, base_partner, machine, "switch");
		if (c)
			member_append(curves, c);
	}
	best = curve_best(curves);
	member_set(o, "curves", curves);
	member_set(o, "knees", dtlb_json(machine));
	member_set(o, "largest", json_integer(dtlb_range(machine, false, &why)));
	member_set(o, "why_largest", member_string(why));
	if (!best) {
		member_set(o, "unavailable",
			   member_string(
				   "no curve of it flushes against one that does not: activemm run "
				   "ring:n=6/12,pages=0/64/512"));
		return o;
	}
	member_share(o, "ns_per_page", json_object_get(best, "ns_per_page"));
	member_share(o, "percent", json_object_get(best, "percent"));
	member_share(o, "of", json_object_get(best, "scenario"));
	member_share(o, "params", json_object_get(best, "params"));
	member_share(o, "minus", json_object_get(best, "minus"));
	return o;
}
