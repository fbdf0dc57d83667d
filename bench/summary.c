// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/summary-group.h"
#include "bench/summary.h"
#include "lib/stats.h"

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
				    n ? summary_real(stats_percentile(v, n, 50)) : json_null());
	}
	return o;
}

/* What the scenario itself found out, by name; NULL if nothing. A figure that no trial has keeps its reason. */
static json_t *figures_json(const struct group *g)
{
	const json_t *figures = json_object_get(g->trials[g->n - 1], "figures");
	json_t *o = json_object(), *one, *f;
	const char *name;

	json_object_foreach ((json_t *)figures, name, f) {
		struct interval i = group_interval(g, value_figure, name);

		if (i.n) {
			one = summary_interval(&i);
			json_object_set(one, "unit", json_object_get(f, "unit"));
		} else {
			one = json_pack("{s:O?}", "unavailable", json_object_get(f, "unavailable"));
		}
		json_object_set_new(o, name, one);
	}
	if (json_object_size(o))
		return o;
	json_decref(o);
	return NULL;
}

static json_t *group_json(const struct group *g)
{
	static const char *const points[] = { "p50", "p90", "p99", "p99.9", "max" };
	double *v = malloc(g->n * sizeof(*v));
	json_t *o = json_object(), *names = json_object(), *violations = json_array(), *one;
	struct interval ns;
	size_t valid = 0, k;

	if (!v)
		return NULL;
	for (size_t i = 0; i < g->n; i++) {
		valid += json_is_true(json_object_get(g->trials[i], "valid"));
		json_array_foreach (json_object_get(g->trials[i], "violations"), k, one)
			if (json_is_string(json_object_get(one, "text")) &&
			    json_array_size(violations) < 5)
				json_array_append(violations, json_object_get(one, "text"));
	}
	ns = group_interval(g, value_ns, "ns_per_round_trip");
	json_object_set_new(o, "scenario", json_string(g->scenario));
	json_object_set(o, "params", (json_t *)g->params);
	json_object_set_new(o, "trials", json_integer((json_int_t)g->n));
	json_object_set_new(o, "valid", json_integer((json_int_t)valid));
	json_object_set_new(o, "invalid", json_integer((json_int_t)(g->n - valid)));
	json_object_set_new(o, "ns", summary_interval(&ns));
	json_object_set_new(
		o, "counters",
		medians(g, value_counter, json_object_get(g->trials[0], "counters"), v));
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
		json_object_set_new(names, points[i], json_null());
	json_object_set_new(o, "latency", medians(g, value_latency, names, v));
	one = figures_json(g);
	if (one)
		json_object_set_new(o, "figures", one);
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
	l = group_interval(lazy, value_ns, "ns_per_round_trip");
	r = group_interval(real, value_ns, "ns_per_round_trip");
	s = group_difference(real, base);
	if (!isfinite(l.median) || !isfinite(r.median) || !isfinite(s.median))
		return json_pack("{s:s}", "unavailable",
				 "one of kworker, process and thread has no valid trial");
	o = json_object();
	json_object_set_new(o, "lazy_ns", summary_interval(&l));
	json_object_set_new(o, "real_ns", summary_interval(&r));
	json_object_set_new(o, "saving_ns", summary_interval(&s));
	json_object_set_new(o, "saving_percent",
			    summary_real(100 * s.median / (l.median + s.median)));
	json_object_set_new(o, "saving_cr3_loads",
			    summary_real(group_median(real, value_counter, "cr3-loads") -
					 group_median(lazy, value_counter, "cr3-loads")));
	/* Against the same work: what the change of mm adds, not what AIO or the workqueue miss. */
	json_object_set_new(o, "saving_dtlb_load_misses",
			    summary_real(group_median(real, value_counter, "dtlb-load-misses") -
					 group_median(base, value_counter, "dtlb-load-misses")));
	json_object_set_new(o, "lazy", json_string(lazy->scenario));
	json_object_set_new(o, "real", json_string(real->scenario));
	json_object_set_new(o, "basis", json_string(basis));
	json_object_set_new(o, "same_work", json_boolean(base == lazy));
	return o;
}

/* Interrupts per second on the measured CPU over all trials, the most frequent first: [[name, rate], ...]. */
static json_t *interrupts_json(const struct result_set *set)
{
	json_t *sums = json_object(), *list = json_array(), *t, *line, *count;
	double seconds = 0;
	const char *name;
	size_t i, k;

	json_array_foreach (set->trials, i, t) {
		const json_t *irq = json_object_get(t, "interrupts");
		double rate = value_ns(irq, "per_second"), total = value_ns(irq, "total");

		if (rate > 0)
			seconds += total / rate;
		json_array_foreach (json_object_get(irq, "lines"), k, line) {
			const char *what = json_string_value(json_array_get(line, 0));
			double old = value_ns(sums, what ? what : "");

			if (what)
				json_object_set_new(
					sums, what,
					json_real((isfinite(old) ? old : 0) +
						  json_number_value(json_array_get(line, 1))));
		}
	}
	json_object_foreach (sums, name, count) {
		double rate = json_number_value(count) / seconds;
		size_t at = json_array_size(list);

		while (at > 0 &&
		       json_real_value(json_array_get(json_array_get(list, at - 1), 1)) < rate)
			at--;
		if (seconds > 0 && rate >= 1)
			json_array_insert_new(list, at, json_pack("[s, f]", name, rate));
	}
	json_decref(sums);
	return list;
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
	json_t *o, *results, *t;
	size_t i, valid = 0;
	bool verified = true;

	if (groups_make(&g, set, e))
		return NULL;
	o = json_object();
	results = json_array();
	json_array_foreach (set->trials, i, t) {
		valid += json_is_true(json_object_get(t, "valid"));
		verified &= json_is_true(json_object_get(t, "verified"));
	}
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
	json_object_set_new(o, "net", summary_net(&g));
	json_object_set_new(o, "tlb_refill", summary_refill(&g, set->machine));
	json_object_set_new(o, "decomposition", summary_decomposition(&g, set->machine));
	json_object_set_new(o, "scaling", summary_scaling(&g));
	json_object_set_new(o, "interrupts", interrupts_json(set));
	json_object_set_new(o, "unavailable", unavailable_json(set->machine));
	groups_free(&g);
	return o;
}
