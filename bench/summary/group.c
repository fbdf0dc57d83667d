// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/summary/group.h"
#include "bench/summary/labels.h"
#include "lib/base/member.h"
#include "lib/stats/speeds.h"

json_t *summary_real(double v)
{
	return isfinite(v) ? member_real(v) : json_null();
}

json_t *summary_interval(const struct interval *i)
{
	json_t *o = json_object();

	member_set(o, "median", summary_real(i->median));
	member_set(o, "low", summary_real(i->low));
	member_set(o, "high", summary_real(i->high));
	member_set(o, "mad", summary_real(i->mad));
	member_set(o, "n", json_integer((json_int_t)i->n));
	return o;
}

static int group_add(struct groups *g, json_t *index, const json_t *trial)
{
	const char *scenario = json_string_value(json_object_get(trial, "scenario"));
	const json_t *params = json_object_get(trial, "params"), *at;
	char *text = json_dumps(params, JSON_COMPACT | JSON_SORT_KEYS), *key = NULL;
	struct group *one;
	const json_t **more;

	if (!text || asprintf(&key, "%s %s", scenario, text) < 0) {
		free(text);
		return -ENOMEM;
	}
	free(text);
	at = json_object_get(index, key);
	if (!at) {
		one = reallocarray(g->list, g->n + 1, sizeof(*one));
		if (!one || member_set(index, key, json_integer((json_int_t)g->n))) {
			free(key);
			return -ENOMEM;
		}
		g->list = one;
		g->list[g->n++] = (struct group){ .scenario = scenario, .params = params };
		at = json_object_get(index, key);
	}
	free(key);
	one = &g->list[json_integer_value(at)];
	/* Grow by doubling: sets may hold a million trials. */
	if ((one->n & (one->n - 1)) == 0) {
		more = reallocarray(one->trials, one->n ? 2 * one->n : 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		one->trials = more;
	}
	one->trials[one->n++] = trial;
	return 0;
}

/* Where the plan has exactly these parameters; the end of the list if it does not. */
static size_t plan_place(const json_t *plan, const struct group *g)
{
	size_t i, n = json_array_size(plan), len = 0;
	char *spec = NULL;
	FILE *f = open_memstream(&spec, &len);
	const char *key;
	json_t *v;

	if (!f)
		return n;
	fputs(g->scenario, f);
	json_object_foreach ((json_t *)g->params, key, v) {
		fprintf(f, "%c%s=", ftell(f) == (long)strlen(g->scenario) ? ':' : ',', key);
		if (json_is_string(v))
			fputs(json_string_value(v), f);
		else
			fprintf(f, "%lld", (long long)json_integer_value(v));
	}
	fclose(f);
	for (i = 0; i < n && strcmp(spec, member_text(json_array_get(plan, i), "spec")); i++)
		;
	free(spec);
	return i;
}

static int by_plan(const void *a, const void *b, void *plan)
{
	static const char *const keys[] = { "n", "pages" };
	const struct group *x = a, *y = b;
	size_t p = summary_plan_rank(plan, x->scenario), q = summary_plan_rank(plan, y->scenario);

	for (int i = 0; i < 2 && p == q; i++) {
		p = (size_t)json_integer_value(json_object_get(x->params, keys[i]));
		q = (size_t)json_integer_value(json_object_get(y->params, keys[i]));
	}
	if (p == q) {
		p = x->place;
		q = y->place;
	}
	return (p > q) - (p < q);
}

void groups_free(struct groups *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->list[i].trials);
	free(g->list);
}

bool trial_usable(const json_t *t)
{
	return json_is_true(json_object_get(t, "valid")) &&
	       json_is_number(json_object_get(t, "ns_per_round_trip"));
}

/* @what of every valid trial into @v (room for g->n); returns how many. */
size_t group_values(const struct group *g, double (*what)(const json_t *t, const char *name),
		    const char *name, double *v)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		double x = trial_usable(g->trials[i]) ? what(g->trials[i], name) : NAN;

		if (isfinite(x))
			v[n++] = x;
	}
	return n;
}

double value_ns(const json_t *t, const char *name)
{
	return member_number(t, name);
}

double value_latency(const json_t *t, const char *name)
{
	return value_ns(json_object_get(t, "latency"), name);
}

double value_counter(const json_t *t, const char *name)
{
	return value_ns(json_object_get(json_object_get(t, "counters"), name), "per_round_trip");
}

double value_figure(const json_t *t, const char *name)
{
	return value_ns(json_object_get(json_object_get(t, "figures"), name), "value");
}

static int by_trial(const void *a, const void *b)
{
	const struct round_value *x = a, *y = b;

	return (x->trial > y->trial) - (x->trial < y->trial);
}

/* The usable trials by number, a number once. malloc'ed. */
static struct round_value *group_rounds(const struct group *g, size_t *n)
{
	struct round_value *v = malloc((g->n + 1) * sizeof(*v));
	size_t all = 0;

	*n = 0;
	for (size_t i = 0; i < g->n && v; i++)
		if (trial_usable(g->trials[i]))
			v[all++] = (struct round_value){
				json_integer_value(json_object_get(g->trials[i], "trial")),
				value_ns(g->trials[i], "ns_per_round_trip")
			};
	if (all)
		qsort(v, all, sizeof(*v), by_trial);
	for (size_t i = 0; i < all; i++)
		if (!*n || v[*n - 1].trial != v[i].trial)
			v[(*n)++] = v[i];
	return v;
}

size_t terms_rounds(const struct term *terms, size_t n, struct round_value **values)
{
	size_t rounds, others, kept, i, k;
	struct round_value *sum = group_rounds(terms[0].group, &rounds), *more;

	for (i = 0; i < rounds; i++)
		sum[i].value *= terms[0].weight;
	for (size_t t = 1; t < n; t++) {
		more = group_rounds(terms[t].group, &others);
		for (i = k = kept = 0; i < rounds && k < others;) {
			if (sum[i].trial == more[k].trial) {
				sum[kept] = sum[i++];
				sum[kept++].value += terms[t].weight * more[k++].value;
			} else if (sum[i].trial < more[k].trial) {
				i++;
			} else {
				k++;
			}
		}
		rounds = kept;
		free(more);
	}
	*values = sum;
	return rounds;
}

struct interval rounds_interval(const struct round_value *v, size_t n)
{
	struct interval r = { .median = NAN, .low = NAN, .high = NAN, .mad = NAN };
	double *x = malloc((n + 1) * sizeof(*x));

	for (size_t i = 0; i < n && x; i++)
		x[i] = v[i].value;
	if (x && n)
		r = stats_median(x, n, LEVEL, RESAMPLES, SEED);
	free(x);
	return r;
}

json_t *summary_figure(const double *v, size_t n)
{
	struct interval all = stats_median(v, n, LEVEL, RESAMPLES, SEED), part;
	double *sorted = malloc((n + 1) * sizeof(*sorted));
	json_t *o = summary_interval(&all), *speeds;
	size_t fast;

	if (!sorted)
		return o;
	memcpy(sorted, v, n * sizeof(*v));
	gsl_sort(sorted, 1, n);
	fast = stats_speeds(sorted, n);
	if (fast) {
		speeds = json_array();
		part = stats_median(sorted, fast, LEVEL, RESAMPLES, SEED);
		member_append(speeds, summary_interval(&part));
		part = stats_median(sorted + fast, n - fast, LEVEL, RESAMPLES, SEED);
		member_append(speeds, summary_interval(&part));
		member_set(o, "speeds", speeds);
	}
	free(sorted);
	return o;
}

json_t *terms_figure(const struct term *terms, size_t n)
{
	struct round_value *v;
	size_t rounds = terms_rounds(terms, n, &v);
	double *x = malloc((rounds + 1) * sizeof(*x));
	json_t *o;

	for (size_t i = 0; i < rounds && x; i++)
		x[i] = v[i].value;
	o = summary_figure(x, x ? rounds : 0);
	free(x);
	free(v);
	return o;
}

json_t *group_figure(const struct group *g, double (*what)(const json_t *t, const char *name),
		     const char *name)
{
	double *v = malloc((g->n + 1) * sizeof(*v));
	json_t *o = summary_figure(v, v ? group_values(g, what, name, v) : 0);

	free(v);
	return o;
}

struct interval terms_interval(const struct term *terms, size_t n)
{
	struct round_value *v;
	size_t rounds = terms_rounds(terms, n, &v);
	struct interval r = rounds_interval(v, rounds);

	free(v);
	return r;
}

struct interval group_difference(const struct group *a, const struct group *b)
{
	return terms_interval((const struct term[]){ { a, 1 }, { b, -1 } }, 2);
}

bool params_match(const json_t *params, const json_t *wanted)
{
	const char *key;
	json_t *v;

	json_object_foreach ((json_t *)wanted, key, v)
		if (!json_equal(json_object_get(params, key), v))
			return false;
	return true;
}

const struct group *group_like(const struct groups *g, const char *scenario, json_t *wanted)
{
	const struct group *found = NULL;

	for (size_t i = 0; i < g->n && !found; i++)
		if (!strcmp(g->list[i].scenario, scenario) &&
		    params_match(g->list[i].params, wanted) &&
		    !params_ask(g->list[i].params, wanted))
			found = &g->list[i];
	json_decref(wanted);
	return found;
}

int groups_make(struct groups *g, const struct result_set *set, struct error *e)
{
	json_t *index = json_object(), *t,
	       *plan = json_object_get(json_object_get(set->machine, "run"), "scenarios");
	size_t i;
	int rc = 0;

	*g = (struct groups){ 0 };
	json_array_foreach (set->trials, i, t)
		if (!rc)
			rc = group_add(g, index, t);
	json_decref(index);
	if (rc) {
		groups_free(g);
		return error_set(e, ENOMEM, "out of memory");
	}
	for (i = 0; i < g->n; i++)
		g->list[i].place = plan_place(plan, &g->list[i]);
	if (g->n)
		qsort_r(g->list, g->n, sizeof(*g->list), by_plan, plan);
	return 0;
}

double group_median(const struct group *g, double (*what)(const json_t *, const char *),
		    const char *name)
{
	double *v = malloc((g->n + 1) * sizeof(*v)), r = NAN;
	size_t n = v ? group_values(g, what, name, v) : 0;

	if (n)
		r = stats_percentile(v, n, 50);
	free(v);
	return r;
}

struct interval group_interval(const struct group *g,
			       double (*what)(const json_t *t, const char *name), const char *name)
{
	double *v = malloc((g->n + 1) * sizeof(*v));
	struct interval r = stats_median(v, v ? group_values(g, what, name, v) : 0, LEVEL,
					 RESAMPLES, SEED);

	free(v);
	return r;
}
