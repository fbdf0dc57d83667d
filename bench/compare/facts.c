// SPDX-License-Identifier: GPL-2.0-or-later
/* What each set's groups tell by themselves: drift, autocorrelation, warm-up. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/private.h"
#include "bench/summary/labels.h"
#include "lib/stats/stats.h"
#include "lib/base/member.h"

#define SEED  1999 /* fixed: the same sets give the same verdicts */
#define ALPHA 0.05

/* It comes from a file and goes to a terminal. */
static void clean(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || (unsigned char)*s > '~')
			*s = '?';
}

static int by_plan(const void *a, const void *b, void *plan)
{
	static const char *const keys[] = { "n", "pages" };
	const struct facts *x = a, *y = b;
	size_t p = summary_plan_rank(plan, x->group->scenario),
	       q = summary_plan_rank(plan, y->group->scenario);

	if (p == q)
		p = (size_t)(strcmp(x->group->scenario, y->group->scenario) + 0x8000), q = 0x8000;
	for (int i = 0; i < 2 && p == q; i++) {
		p = (size_t)json_integer_value(json_object_get(x->group->parsed, keys[i]));
		q = (size_t)json_integer_value(json_object_get(y->group->parsed, keys[i]));
	}
	if (p == q) { /* what asks for something, after the same without it */
		p = params_ask(x->group->parsed, NULL);
		q = params_ask(y->group->parsed, NULL);
	}
	return p != q ? (p > q) - (p < q) : strcmp(x->group->params, y->group->params);
}

/* Each session by its median; how its trials vary. */
static int facts_sessions(struct facts *f, const struct scan_group *g, size_t sessions,
			  const unsigned int *node)
{
	const size_t *ends = g->ends ? g->ends : &g->ns.n;
	double *logs = malloc((g->ns.n + 1) * sizeof(*logs));
	size_t n = g->ends ? sessions : 1, from = 0;

	f->sessions = malloc(n * sizeof(*f->sessions));
	f->node = node ? calloc(n, sizeof(*f->node)) : NULL;
	for (size_t i = 0; i < n && logs && f->sessions; from = ends[i++])
		if (ends[i] > from) {
			if (f->node)
				f->node[f->nsessions] = node[i];
			f->sessions[f->nsessions++] =
				log(stats_percentile(g->ns.v + from, ends[i] - from, 50));
		}
	for (size_t i = 0; i < g->ns.n && logs; i++)
		logs[i] = log(g->ns.v[i]);
	if (logs)
		stats_sessions_split(logs, ends, n, &f->between, &f->within);
	free(logs);
	return logs && f->sessions && (f->node || !node) ? 0 : -ENOMEM;
}

static int facts_make(struct facts *f, const struct scan_group *g, size_t sessions,
		      const unsigned int *node)
{
	bool one = sessions <= 1; /* only a session has a course */

	f->group = g;
	f->sets = sessions > 1 ? sessions : 1;
	snprintf(f->scenario, sizeof(f->scenario), "%s", g->scenario);
	clean(f->scenario);
	summary_params_text(g->parsed, f->params, sizeof(f->params));
	clean(f->params);
	f->drift_holm = f->lag1_holm = f->warmup_holm = NAN;
	f->sorted = malloc((g->ns.n + 1) * sizeof(*f->sorted));
	if (!f->sorted)
		return -ENOMEM;
	if (g->ns.n)
		memcpy(f->sorted, g->ns.v, g->ns.n * sizeof(*f->sorted));
	stats_sort(f->sorted, g->ns.n);
	f->order = stats_order(g->ns.v, one ? g->ns.n : 0);
	f->warmup = stats_warmup(g->ns.v, one ? g->ns.n : 0, SEED);
	f->batches_p = f->batches_share = NAN;
	if (g->start)
		f->batches_share = stats_percentile(g->start->first, g->start->trials, 50) - 1;
	return facts_sessions(f, g, sessions, node);
}

int side_make(struct side *s, struct scan_set *sets, size_t n, size_t i)
{
	const struct scan_set *set = &sets[i];
	int rc = 0;

	s->set = &sets[i];
	s->name = compare_name(sets, n, i);
	s->facts = calloc(set->n + 1, sizeof(*s->facts));
	if (!s->name || !s->facts)
		return -ENOMEM;
	for (size_t k = 0; k < set->n && !rc; k++)
		rc = facts_make(&s->facts[k], &set->groups[k], set->sessions, set->node);
	if (!rc && set->n)
		qsort_r(s->facts, set->n, sizeof(*s->facts), by_plan,
			json_object_get(json_object_get(set->machine, "run"), "scenarios"));
	return rc;
}

void side_free(struct side *s)
{
	for (size_t i = 0; s->facts && i < s->set->n; i++) {
		free(s->facts[i].sorted);
		free(s->facts[i].sessions);
		free(s->facts[i].node);
		node_counts_free(&s->facts[i]);
	}
	free(s->facts);
	free(s->name);
	free(s->boot);
}

const struct facts *facts_like(const struct side *s, const struct facts *f)
{
	for (size_t i = 0; i < s->set->n; i++)
		if (!strcmp(s->facts[i].group->params, f->group->params) &&
		    !strcmp(s->facts[i].group->scenario, f->group->scenario))
			return &s->facts[i];
	return NULL;
}

enum { DRIFT, LAG1, WARMUP, TESTS };

int sides_order(struct side *sides, size_t n)
{
	size_t m = 0, at;
	unsigned int above[TRIAL_BATCHES_MOST / 2], below[TRIAL_BATCHES_MOST / 2];
	double *p, *holm;
	int rc = 0;

	for (size_t i = 0; i < n; i++)
		m += sides[i].set->n;
	p = malloc((m + 1) * sizeof(*p));
	holm = malloc((m + 1) * sizeof(*holm));
	if (!p || !holm)
		rc = -ENOMEM;
	for (int test = 0; test < TESTS && !rc; test++) {
		at = 0;
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < sides[i].set->n; k++) {
				const struct facts *f = &sides[i].facts[k];

				p[at++] = test == DRIFT	 ? f->order.drift_p
					  : test == LAG1 ? f->order.lag1_p
							 : f->warmup.p;
			}
		rc = stats_holm(p, holm, m);
		at = 0;
		for (size_t i = 0; i < n; i++)
			for (size_t k = 0; k < sides[i].set->n && !rc; k++, at++) {
				struct facts *f = &sides[i].facts[k];

				*(test == DRIFT	 ? &f->drift_holm
				  : test == LAG1 ? &f->lag1_holm
						 : &f->warmup_holm) = holm[at];
			}
	}
	/* A sequence of tests per group: its level is shared out instead. */
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < sides[i].set->n; k++) {
			struct facts *f = &sides[i].facts[k];

			if (!f->group->start)
				continue;
			scan_start_count(f->group->start, above, below);
			f->batches = stats_warmup_batches(above, below, TRIAL_BATCHES_MOST / 2,
							  ALPHA / (double)m, &f->batches_p);
		}
	free(p);
	free(holm);
	return rc;
}

static void note(json_t *list, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void note(json_t *list, const char *fmt, ...)
{
	char text[200];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	member_append(list, member_string(text));
}

json_t *facts_notes(const struct facts *f, const char *which)
{
	json_t *list = json_array();

	if (f->drift_holm < ALPHA)
		note(list, "%s drifts: its last third of trials lies %+.1f %% against the first",
		     which, 100 * f->order.drift_share);
	if (f->lag1_holm < ALPHA)
		note(list,
		     "%s: trials resemble the one before (autocorrelation %.2f): p is %s than it "
		     "seems",
		     which, f->order.lag1, f->order.lag1 > 0 ? "larger" : "smaller");
	if (f->warmup_holm < ALPHA)
		note(list, "%s warms up: its first %zu trials lie %+.1f %% against the rest", which,
		     f->warmup.values, 100 * f->warmup.share);
	if (f->batches)
		note(list,
		     "%s warms up: the first %zu batches of its trials differ (the first by %+.1f "
		     "%%)",
		     which, f->batches, 100 * f->batches_share);
	return list;
}

static void put(json_t *o, const char *key, double v)
{
	member_set(o, key, isfinite(v) ? member_real(v) : json_null());
}

json_t *facts_json(const struct facts *f)
{
	json_t *o = json_object();

	put(o, "drift", f->order.drift);
	put(o, "drift_share", f->order.drift_share);
	put(o, "drift_p", f->order.drift_p);
	put(o, "drift_p_holm", f->drift_holm);
	put(o, "autocorrelation", f->order.lag1);
	put(o, "autocorrelation_p", f->order.lag1_p);
	put(o, "autocorrelation_p_holm", f->lag1_holm);
	member_set(o, "warmup_trials", json_integer((json_int_t)f->warmup.values));
	put(o, "warmup_p", f->warmup.p);
	put(o, "warmup_p_holm", f->warmup_holm);
	member_set(o, "warmup_batches", json_integer((json_int_t)f->batches));
	put(o, "warmup_batches_p", f->batches_p);
	put(o, "warmup_batches_share", f->batches_share);
	return o;
}
