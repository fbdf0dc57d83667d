// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/summary.h"
#include "lib/stats.h"

#define LEVEL	  0.95
#define RESAMPLES 2000
#define SEED	  1999 /* fixed: the same trials give the same figures */

/* Trials of one scenario and parameter set. */
struct group {
	const char *scenario;
	const json_t *params;
	const json_t **trials;
	size_t n;
};

struct groups {
	struct group *list;
	size_t n;
};

static json_t *real_or_null(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static json_t *interval_json(const struct interval *i)
{
	json_t *o = json_object();

	json_object_set_new(o, "median", real_or_null(i->median));
	json_object_set_new(o, "low", real_or_null(i->low));
	json_object_set_new(o, "high", real_or_null(i->high));
	json_object_set_new(o, "mad", real_or_null(i->mad));
	json_object_set_new(o, "n", json_integer((json_int_t)i->n));
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
		if (!one || json_object_set_new(index, key, json_integer((json_int_t)g->n))) {
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

/* Where the run's plan has the scenario first; the end of the list if it does not. */
static size_t plan_rank(const json_t *plan, const char *scenario)
{
	size_t i, len = strlen(scenario);
	const json_t *one;

	json_array_foreach (plan, i, one) {
		const char *spec = json_string_value(json_object_get(one, "spec"));

		if (spec && !strncmp(spec, scenario, len) && (spec[len] == ':' || !spec[len]))
			break;
	}
	return i;
}

static int by_plan(const void *a, const void *b, void *plan)
{
	static const char *const keys[] = { "n", "pages" };
	const struct group *x = a, *y = b;
	size_t p = plan_rank(plan, x->scenario), q = plan_rank(plan, y->scenario);

	for (int i = 0; i < 2 && p == q; i++) {
		p = (size_t)json_integer_value(json_object_get(x->params, keys[i]));
		q = (size_t)json_integer_value(json_object_get(y->params, keys[i]));
	}
	return (p > q) - (p < q);
}

static void groups_free(struct groups *g)
{
	for (size_t i = 0; i < g->n; i++)
		free(g->list[i].trials);
	free(g->list);
}

static bool usable(const json_t *t)
{
	return json_is_true(json_object_get(t, "valid")) &&
	       json_is_number(json_object_get(t, "ns_per_round_trip"));
}

/* @what of every valid trial into @v (room for g->n); returns how many. */
static size_t group_values(const struct group *g, double (*what)(const json_t *t, const char *name),
			   const char *name, double *v)
{
	size_t n = 0;

	for (size_t i = 0; i < g->n; i++) {
		double x = usable(g->trials[i]) ? what(g->trials[i], name) : NAN;

		if (isfinite(x))
			v[n++] = x;
	}
	return n;
}

static double value_ns(const json_t *t, const char *name)
{
	const json_t *v = json_object_get(t, name);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

static double value_latency(const json_t *t, const char *name)
{
	return value_ns(json_object_get(t, "latency"), name);
}

static double value_counter(const json_t *t, const char *name)
{
	return value_ns(json_object_get(json_object_get(t, "counters"), name), "per_round_trip");
}

static json_t *medians(const struct group *g, double (*what)(const json_t *, const char *),
		       const json_t *names, double *v)
{
	json_t *o = json_object();
	const char *name;
	json_t *ignored;

	json_object_foreach ((json_t *)names, name, ignored) {
		size_t n = group_values(g, what, name, v);

		(void)ignored;
		json_object_set_new(o, name,
				    n ? real_or_null(stats_percentile(v, n, 50)) : json_null());
	}
	return o;
}

static json_t *group_json(const struct group *g)
{
	static const char *const points[] = { "p50", "p90", "p99", "p99.9", "max" };
	double *v = malloc(g->n * sizeof(*v));
	json_t *o = json_object(), *names = json_object(), *violations = json_array(), *one;
	struct interval ns;
	size_t n, valid = 0, k;

	if (!v)
		return NULL;
	for (size_t i = 0; i < g->n; i++) {
		valid += json_is_true(json_object_get(g->trials[i], "valid"));
		json_array_foreach (json_object_get(g->trials[i], "violations"), k, one)
			if (json_is_string(json_object_get(one, "text")) &&
			    json_array_size(violations) < 5)
				json_array_append(violations, json_object_get(one, "text"));
	}
	n = group_values(g, value_ns, "ns_per_round_trip", v);
	ns = stats_median(v, n, LEVEL, RESAMPLES, SEED);
	json_object_set_new(o, "scenario", json_string(g->scenario));
	json_object_set(o, "params", (json_t *)g->params);
	json_object_set_new(o, "trials", json_integer((json_int_t)g->n));
	json_object_set_new(o, "valid", json_integer((json_int_t)valid));
	json_object_set_new(o, "invalid", json_integer((json_int_t)(g->n - valid)));
	json_object_set_new(o, "ns", interval_json(&ns));
	json_object_set_new(
		o, "counters",
		medians(g, value_counter, json_object_get(g->trials[0], "counters"), v));
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
		json_object_set_new(names, points[i], json_null());
	json_object_set_new(o, "latency", medians(g, value_latency, names, v));
	if (json_object_get(g->trials[0], "claim"))
		json_object_set(o, "claim", json_object_get(g->trials[0], "claim"));
	json_object_set_new(o, "violations", violations);
	json_decref(names);
	free(v);
	return o;
}

static bool param_is(const json_t *params, const char *key, const char *text)
{
	const char *s = json_string_value(json_object_get(params, key));

	return s && !strcmp(s, text);
}

/* The group of @scenario without a working set, with @key=@value where given, most trials first. */
static const struct group *group_find(const struct groups *g, const char *scenario, const char *key,
				      const char *value)
{
	const struct group *best = NULL;

	for (size_t i = 0; i < g->n; i++) {
		const struct group *x = &g->list[i];

		if (strcmp(x->scenario, scenario) ||
		    json_integer_value(json_object_get(x->params, "pages")) ||
		    (key && !param_is(x->params, key, value)))
			continue;
		if (!best || x->n > best->n)
			best = x;
	}
	return best;
}

/* Paired by round: valid trials of both with the same number. */
static struct interval difference(const struct group *a, const struct group *b)
{
	struct interval r = { .median = NAN, .low = NAN, .high = NAN };
	double *x = malloc((a->n + 1) * sizeof(*x)), *y = malloc((a->n + 1) * sizeof(*y));
	json_t *by_round = json_object();
	char key[32];
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++) {
		snprintf(key, sizeof(key), "%lld",
			 (long long)json_integer_value(json_object_get(b->trials[i], "trial")));
		if (usable(b->trials[i]))
			json_object_set(by_round, key,
					json_object_get(b->trials[i], "ns_per_round_trip"));
	}
	for (size_t i = 0; i < a->n && x && y; i++) {
		json_t *other;

		snprintf(key, sizeof(key), "%lld",
			 (long long)json_integer_value(json_object_get(a->trials[i], "trial")));
		other = json_object_get(by_round, key);
		if (!usable(a->trials[i]) || !other)
			continue;
		x[n] = json_number_value(json_object_get(a->trials[i], "ns_per_round_trip"));
		y[n++] = json_number_value(other);
	}
	if (n)
		r = stats_paired(x, y, n, LEVEL, RESAMPLES, SEED);
	json_decref(by_round);
	free(x);
	free(y);
	return r;
}

static double group_median(const struct group *g, double (*what)(const json_t *, const char *),
			   const char *name)
{
	double *v = malloc((g->n + 1) * sizeof(*v)), r = NAN;
	size_t n = v ? group_values(g, what, name, v) : 0;

	if (n)
		r = stats_percentile(v, n, 50);
	free(v);
	return r;
}

static struct interval group_interval(const struct group *g)
{
	double *v = malloc((g->n + 1) * sizeof(*v));
	struct interval r = stats_median(v,
					 v ? group_values(g, value_ns, "ns_per_round_trip", v) : 0,
					 LEVEL, RESAMPLES, SEED);

	free(v);
	return r;
}

static json_t *headline_json(const struct groups *g)
{
	const struct group *lazy = group_find(g, "kthread", "mode", "lazy"),
			   *real = group_find(g, "kthread", "mode", "isolated");
	const struct group *base = lazy;
	const char *basis = "the same kernel thread isolated minus borrowing, paired by round";
	struct interval l, r, s;
	json_t *o;

	if (!lazy || !real || !isfinite(group_median(lazy, value_ns, "ns_per_round_trip")) ||
	    !isfinite(group_median(real, value_ns, "ns_per_round_trip"))) {
		lazy = group_find(g, "kworker", NULL, NULL);
		real = group_find(g, "process", NULL, NULL);
		base = group_find(g, "thread", NULL, NULL);
		basis = "process minus thread, paired by round: what a change of mm adds to the "
			"same hand-over";
	}
	if (!lazy || !real || !base)
		return json_pack(
			"{s:s}", "unavailable",
			"the set lacks one of kworker, process and thread without a working set");
	l = group_interval(lazy);
	r = group_interval(real);
	s = difference(real, base);
	if (!isfinite(l.median) || !isfinite(r.median) || !isfinite(s.median))
		return json_pack("{s:s}", "unavailable",
				 "one of kworker, process and thread has no valid trial");
	o = json_object();
	json_object_set_new(o, "lazy_ns", interval_json(&l));
	json_object_set_new(o, "real_ns", interval_json(&r));
	json_object_set_new(o, "saving_ns", interval_json(&s));
	json_object_set_new(o, "saving_percent",
			    real_or_null(100 * s.median / (l.median + s.median)));
	json_object_set_new(o, "saving_cr3_loads",
			    real_or_null(group_median(real, value_counter, "cr3-loads") -
					 group_median(lazy, value_counter, "cr3-loads")));
	/* Against the same work: what the change of mm adds, not what AIO or the workqueue miss. */
	json_object_set_new(o, "saving_dtlb_load_misses",
			    real_or_null(group_median(real, value_counter, "dtlb-load-misses") -
					 group_median(base, value_counter, "dtlb-load-misses")));
	json_object_set_new(o, "lazy", json_string(lazy->scenario));
	json_object_set_new(o, "real", json_string(real->scenario));
	json_object_set_new(o, "basis", json_string(basis));
	json_object_set_new(o, "same_work", json_boolean(base == lazy));
	return o;
}

/* What was missing: counters and scenarios, with reason and remedy, as the machine record holds them. */
static json_t *unavailable_json(const json_t *machine)
{
	json_t *list = json_array(), *counters = json_object_get(machine, "counters"),
	       *skipped = json_object_get(machine, "skipped");
	json_t *v;
	const char *name;
	size_t i;

	json_object_foreach (counters, name, v)
		if (json_is_string(json_object_get(v, "unavailable")))
			json_array_append_new(list, json_pack("{s:s, s:O}", "what", name, "why",
							      json_object_get(v, "unavailable")));
	json_array_foreach (skipped, i, v)
		if (json_is_string(json_object_get(v, "what")) &&
		    json_is_string(json_object_get(v, "why")))
			json_array_append(list, v);
	return list;
}

json_t *summary_make(const struct result_set *set, struct error *e)
{
	struct groups g = { 0 };
	json_t *index = json_object(), *o = json_object(), *results = json_array(), *t;
	size_t i, valid = 0;
	bool verified = true;
	int rc = 0;

	json_array_foreach (set->trials, i, t) {
		if (!rc)
			rc = group_add(&g, index, t);
		valid += json_is_true(json_object_get(t, "valid"));
		verified &= json_is_true(json_object_get(t, "verified"));
	}
	json_decref(index);
	if (rc) {
		groups_free(&g);
		json_decref(o);
		json_decref(results);
		error_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	if (g.n)
		qsort_r(g.list, g.n, sizeof(*g.list), by_plan,
			json_object_get(json_object_get(set->machine, "run"), "scenarios"));
	for (i = 0; i < g.n; i++)
		json_array_append_new(results, group_json(&g.list[i]));
	i = json_array_size(set->trials);
	json_object_set_new(o, "schema", json_integer(RESULT_SCHEMA));
	json_object_set_new(o, "verified", json_boolean(verified && i));
	json_object_set_new(
		o, "times_meaningful",
		json_boolean(!json_is_false(json_object_get(set->machine, "times_meaningful"))));
	json_object_set_new(o, "trials",
			    json_pack("{s:I, s:I, s:I}", "total", (json_int_t)i, "valid",
				      (json_int_t)valid, "invalid", (json_int_t)(i - valid)));
	json_object_set_new(o, "headline", headline_json(&g));
	json_object_set_new(o, "results", results);
	json_object_set_new(o, "unavailable", unavailable_json(set->machine));
	groups_free(&g);
	return o;
}
