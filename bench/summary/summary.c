// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/summary/group.h"
#include "bench/summary/labels.h"
#include "bench/summary/words.h"
#include "bench/summary/summary.h"
#include "lib/base/member.h"
#include "lib/stats/stats.h"

static json_t *medians(const struct group *g, double (*what)(const json_t *, const char *),
		       const json_t *names, double *v)
{
	json_t *o = json_object();
	const char *name;
	json_t *ignored;

	json_object_foreach ((json_t *)names, name, ignored) {
		size_t n = group_values(g, what, name, v);

		(void)ignored;
		member_set(o, name, n ? summary_real(stats_percentile(v, n, 50)) : json_null());
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
			member_share(one, "unit", json_object_get(f, "unit"));
		} else {
			one = member_pack("{s:O?}", "unavailable",
					  json_object_get(f, "unavailable"));
		}
		member_set(o, name, one);
	}
	if (json_object_size(o))
		return o;
	json_decref(o);
	return NULL;
}

/* Unverified trials count the switches of their own tasks only. */
static bool own_switches(const struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (json_is_false(json_object_get(g->trials[i], "verified")) &&
		    isfinite(value_counter(g->trials[i], "context-switches")))
			return true;
	return false;
}

static json_t *group_json(const struct group *g)
{
	static const char *const points[] = { "p50", "p90", "p99", "p99.9", "max" };
	double *v = malloc(g->n * sizeof(*v));
	json_t *o = json_object(), *names = json_object(), *violations = json_array(), *one;
	size_t valid = 0, k;

	if (!v)
		return NULL;
	for (size_t i = 0; i < g->n; i++) {
		valid += json_is_true(json_object_get(g->trials[i], "valid"));
		json_array_foreach (json_object_get(g->trials[i], "violations"), k, one)
			if (json_is_string(json_object_get(one, "text")) &&
			    json_array_size(violations) < 5)
				member_append(violations,
					      json_incref(json_object_get(one, "text")));
	}
	member_set(o, "scenario", member_string(g->scenario));
	member_share(o, "params", (json_t *)g->params);
	member_set(o, "trials", json_integer((json_int_t)g->n));
	member_set(o, "valid", json_integer((json_int_t)valid));
	member_set(o, "invalid", json_integer((json_int_t)(g->n - valid)));
	member_set(o, "ns", group_figure(g, value_ns, "ns_per_round_trip"));
	if (own_switches(g))
		member_set(o, "own_switches", json_true());
	member_set(o, "counters",
		   medians(g, value_counter, json_object_get(g->trials[0], "counters"), v));
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
		member_set(names, points[i], json_null());
	member_set(o, "latency", medians(g, value_latency, names, v));
	one = figures_json(g);
	if (one)
		member_set(o, "figures", one);
	if (json_object_get(g->trials[0], "claim"))
		member_share(o, "claim", json_object_get(g->trials[0], "claim"));
	member_set(o, "violations", violations);
	json_decref(names);
	free(v);
	return o;
}

static bool param_is(const json_t *params, const char *key, const char *text)
{
	const char *s = json_string_value(json_object_get(params, key));

	return s && !strcmp(s, text);
}

/* The group of @scenario without a working set that asks for nothing, with @key=@value where given, most trials first. */
static const struct group *group_find(const struct groups *g, const char *scenario, const char *key,
				      const char *value)
{
	const struct group *best = NULL;

	for (size_t i = 0; i < g->n; i++) {
		const struct group *x = &g->list[i];

		if (strcmp(x->scenario, scenario) ||
		    json_integer_value(json_object_get(x->params, "pages")) ||
		    params_ask(x->params, NULL) || (key && !param_is(x->params, key, value)))
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
	double saving, borrowed;
	json_t *o, *l, *r, *s;

	if (!lazy || !real || !isfinite(group_median(lazy, value_ns, "ns_per_round_trip")) ||
	    !isfinite(group_median(real, value_ns, "ns_per_round_trip"))) {
		lazy = group_find(g, "kworker", NULL, NULL);
		real = group_find(g, "process", NULL, NULL);
		base = group_find(g, "thread", NULL, NULL);
		basis = "process minus thread, paired by round: what a change of mm adds to the "
			"same hand-over";
	}
	if (!lazy || !real || !base)
		return member_pack(
			"{s:s}", "unavailable",
			"the set lacks one of kworker, process and thread without a working set");
	l = group_figure(lazy, value_ns, "ns_per_round_trip");
	r = group_figure(real, value_ns, "ns_per_round_trip");
	s = terms_figure((const struct term[]){ { real, 1 }, { base, -1 } }, 2);
	borrowed = member_number(l, "median");
	saving = member_number(s, "median");
	o = member_pack("{s:o, s:o, s:o}", "lazy_ns", l, "real_ns", r, "saving_ns", s);
	if (!isfinite(borrowed) || !isfinite(member_number(r, "median")) || !isfinite(saving)) {
		json_decref(o);
		return member_pack("{s:s}", "unavailable",
				   "one of kworker, process and thread has no valid trial");
	}
	member_set(o, "told", json_boolean(figure_told(s)));
	member_set(o, "saving_percent", summary_real(100 * saving / (borrowed + saving)));
	member_set(o, "saving_cr3_loads",
		   summary_real(group_median(real, value_counter, "cr3-loads") -
				group_median(lazy, value_counter, "cr3-loads")));
	/* Against the same work: what the change of mm adds, not what AIO or the workqueue miss. */
	member_set(o, "saving_dtlb_load_misses",
		   summary_real(group_median(real, value_counter, "dtlb-load-misses") -
				group_median(base, value_counter, "dtlb-load-misses")));
	member_set(o, "lazy", member_string(lazy->scenario));
	member_set(o, "real", member_string(real->scenario));
	member_set(o, "basis", member_string(basis));
	member_set(o, "same_work", json_boolean(base == lazy));
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
				member_set(sums, what,
					   member_real((isfinite(old) ? old : 0) +
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
			member_insert(list, at, member_pack("[s, f]", name, rate));
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
			member_append(list, member_pack("{s:s, s:O}", "what", name, "why",
							json_object_get(v, "unavailable")));
	json_array_foreach (skipped, i, v)
		if (json_is_string(json_object_get(v, "what")) &&
		    json_is_string(json_object_get(v, "why")))
			member_append(list, json_incref(v));
	return list;
}

/* The counters that a valid trial has scaled up: least part of the time in which one counted. */
static json_t *scaled_json(const json_t *trials)
{
	json_t *list = json_array(), *shares = json_object(), *t, *v;
	const char *name;
	double least = 1;
	char why[160];
	size_t i;

	json_array_foreach (trials, i, t)
		json_object_foreach (json_object_get(t, "counters"), name, v) {
			double share = member_number(v, "multiplexed");

			if (!json_is_true(json_object_get(t, "valid")) || !(share > 0 && share < 1))
				continue;
			member_set(shares, name,
				   json_real(fmin(share, json_object_get(shares, name)
								 ? member_number(shares, name)
								 : 1)));
			least = fmin(least, share);
		}
	snprintf(why, sizeof(why),
		 "an estimate: counted in %.0f %% of the time at least, for others' events (perf, "
		 "the NMI watchdog) use the PMU, too",
		 100 * least);
	json_object_foreach (shares, name, v)
		member_append(list,
			      member_pack("{s:s, s:O, s:s}", "what", name, "share", v, "why", why));
	json_decref(shares);
	return list;
}

/* What this kernel or hypervisor does by design in another way than a scenario claims: as the machine's record holds it. */
static json_t *findings_json(const json_t *machine)
{
	const json_t *findings = json_object_get(machine, "findings");

	return json_is_array(findings) ? json_deep_copy(findings) : json_array();
}

bool summary_unverified(const json_t *summary, char *buf, size_t len)
{
	const json_t *trials = json_object_get(summary, "trials");
	json_int_t verified = json_integer_value(json_object_get(trials, "verified")),
		   total = json_integer_value(json_object_get(trials, "total"));

	if (json_is_true(json_object_get(summary, "verified")))
		return false;
	if (verified)
		snprintf(buf, len,
			 "UNVERIFIED in part: the kernel's events were counted in %lld of %lld "
			 "trials; nothing proves what the others measured.",
			 (long long)verified, (long long)total);
	else
		snprintf(buf, len,
			 "UNVERIFIED: the kernel's events were out of reach, so nothing "
			 "proves what these figures measured.");
	return true;
}

json_t *summary_make(const struct result_set *set, struct error *e)
{
	struct groups g = { 0 };
	json_t *o, *results, *t;
	size_t i, valid = 0, verified = 0;

	if (groups_make(&g, set, e))
		return NULL;
	o = json_object();
	results = json_array();
	json_array_foreach (set->trials, i, t) {
		valid += json_is_true(json_object_get(t, "valid"));
		verified += json_is_true(json_object_get(t, "verified"));
	}
	for (i = 0; i < g.n; i++)
		member_append(results, group_json(&g.list[i]));
	i = json_array_size(set->trials);
	member_set(o, "schema", json_integer(RESULT_SCHEMA));
	member_set(o, "verified", json_boolean(i && verified == i));
	member_set(o, "times_meaningful",
		   json_boolean(!json_is_false(json_object_get(set->machine, "times_meaningful"))));
	member_set(o, "trials",
		   member_pack("{s:I, s:I, s:I, s:I}", "total", (json_int_t)i, "verified",
			       (json_int_t)verified, "valid", (json_int_t)valid, "invalid",
			       (json_int_t)(i - valid)));
	member_set(o, "headline", headline_json(&g));
	member_set(o, "results", results);
	member_set(o, "net", summary_net(&g));
	member_set(o, "tlb_refill", summary_refill(&g, set->machine));
	member_set(o, "decomposition", summary_decomposition(&g, set->machine));
	member_set(o, "scaling", summary_scaling(&g));
	member_set(o, "asked", summary_asked(&g));
	member_share(o, "mm_switch", json_object_get(set->machine, "mm_switch"));
	member_set(o, "interrupts", interrupts_json(set));
	member_set(o, "unavailable", unavailable_json(set->machine));
	member_set(o, "scaled", scaled_json(set->trials));
	member_set(o, "findings", findings_json(set->machine));
	groups_free(&g);
	if (members_failed(e)) {
		json_decref(o);
		return NULL;
	}
	return o;
}
