// SPDX-License-Identifier: GPL-2.0-or-later
/* Before the first round: a short trial of everything, as far as the time for it goes. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "bench/harness/run.h"
#include "bench/harness/verify.h"
#include "lib/machine/record.h"

#define LOOK_ROUND_TRIPS 400
#define LOOK_YIELDS \
	1000 /* where the scheduler may give a yielding task the CPU back, now and then */
#define LOOK_FEWER   40 /* where the others do not end in time */
#define LOOK_LIMIT_S 5 /* for each of them */
#define LOOK_TASK_S \
	0.2 /* and for each task that waits for the same CPU: the scheduler's debts last so much longer */
#define LOOK_EMULATED  8 /* times that under emulation, whose host may be busy */
#define DISTURBED_MOST 2 /* looks that somebody disturbed: the rounds will tell */

struct look {
	const struct bench *b;
	const struct run_options *o;
	struct run_set *set;
	bool emulated;
	bool misses_turns; /* an item was found whose tasks do not alternate */
	double end; /* clock_monotonic_s(): each item is looked at but once from here on */
};

/* Fills in how long a round trip of @item takes, and a trial beside them. */
static void look_times(const struct bench *b, const struct trial_outcome *out,
		       struct plan_item *item)
{
	double timed = 0, counted = 0, ntimed = 0, ncounted = 0, inside;

	for (unsigned int i = 0; i < out->nbatches; i++) {
		const struct batch *x = &out->batches[i];
		double ns = clock_ns(&b->clock, x->stop - x->start);

		if (x->kind == BATCH_COUNTED || x->kind == BATCH_PMU) {
			counted += ns;
			ncounted += (double)x->n;
		} else {
			timed += ns;
			ntimed += (double)x->n;
		}
	}
	item->row.expected_ns = ntimed > 0 && timed + counted > ntimed + ncounted
					? (timed + counted) / (ntimed + ncounted)
					: 1;
	timed = ntimed > 0 ? timed / ntimed : 0;
	counted = ncounted > 0 ? counted / ncounted : 0;
	/* A tenth is sampled, a fiftieth warms up before each part: batches_plan(). */
	item->row.per_ns = 1.14 * timed + 1.02 * counted * (b->pmu ? 2 : 1);
	inside = item->row.per_ns * 1e-9 * (double)out->timed;
	item->row.overhead_s = out->wall_s > inside ? out->wall_s - inside : 0;
}

/* The seconds that a look at @item may take. */
static double look_limit(const struct look *l, const struct plan_item *item)
{
	int n = scenario_param(item->scenario, "n");
	long tasks = n >= 0 ? item->params[n] : 1;

	return (l->emulated ? LOOK_EMULATED : 1) *
	       (LOOK_LIMIT_S + LOOK_TASK_S * (double)(tasks / (l->b->ncpus ? l->b->ncpus : 1)));
}

/* One short trial of @item, shorter where it does not end. 0 with @out to be freed, or -errno: it cannot run. */
static int look_trial(const struct look *l, struct plan_item *item, bool may_yield,
		      struct trial_outcome *out, struct error *e)
{
	const struct finding *found = findings_of(&l->set->findings, item);
	uint64_t wanted = may_yield ? LOOK_YIELDS : LOOK_ROUND_TRIPS,
		 least = l->o->iterations && l->o->iterations < LOOK_FEWER
				 ? (uint64_t)l->o->iterations
				 : LOOK_FEWER;
	struct trial_order order = { .scenario = item->scenario,
				     .params = item->params,
				     .iterations = l->o->iterations && (uint64_t)l->o->iterations <
									       wanted
							   ? (uint64_t)l->o->iterations
							   : wanted,
				     .seed = l->o->seed,
				     .limit_s = look_limit(l, item),
				     .claim = found ? &found->claim : NULL };
	int rc;

	for (;;) {
		rc = trial_run(l->b, &order, out, e);
		if (rc)
			return rc;
		if (!out->timed_out || order.iterations == least)
			break;
		order.iterations = least;
		trial_outcome_free(out);
	}
	if (out->error.code) {
		rc = error_set(e, out->error.code, "%s", out->error.text);
		trial_outcome_free(out);
		return rc;
	}
	look_times(l->b, out, item);
	return 0;
}

bool run_may_yield(const struct plan_item *item)
{
	int handover = scenario_param(item->scenario, "handover");

	return handover >= 0 && !item->handover_given && item->params[handover] == HANDOVER_YIELD;
}

bool run_misses_turns(const struct trial_outcome *out, const json_t *violations)
{
	json_t *v;
	size_t i;

	json_array_foreach ((json_t *)violations, i, v) {
		const char *what = json_string_value(json_object_get(v, "what"));

		if (what && (!strcmp(what, "context-switches") || !strcmp(what, "own-switches")))
			return finding_quiet(out);
	}
	return false;
}

/* Looks at @item until it holds, or is known to do something else by design, or is too disturbed to tell. */
static int look_at(struct look *l, struct plan_item *item, struct error *e)
{
	unsigned int disturbed = 0, missed = 0;
	struct finding_notes notes = { 0 };
	struct trial_outcome out;

	for (;;) {
		struct trial_order order = { .scenario = item->scenario, .params = item->params };
		bool may_yield = run_may_yield(item);
		int rc = look_trial(l, item, may_yield, &out, e);
		bool holds, noted, misses;
		struct trial t;
		struct verdict verdict;

		if (rc)
			return rc;
		verify_trial(&verdict, l->b, &out);
		item->unverified = !verdict.verified;
		snprintf(item->why_unverified, sizeof(item->why_unverified), "%.319s",
			 verdict.verified ? "" : verdict.unverified);
		holds = !verdict.violations;
		trial_describe(l->b, &order, &t);
		noted = !holds && finding_note(&notes, l->b, &t, &out, verdict.list);
		misses = may_yield && run_misses_turns(&out, verdict.list);
		disturbed += !holds && !noted && !misses;
		missed += misses;
		json_decref(verdict.list);
		if (noted && !may_yield && finding_ready(&notes))
			rc = run_found(l->b, item, &notes, &out.claim, l->set, e);
		trial_outcome_free(&out);
		/* A kernel may give a yielding task the CPU back. */
		l->misses_turns = missed == TURNS_MISSED;
		if (rc || holds || l->misses_turns || clock_monotonic_s() > l->end ||
		    finding_ready(&notes))
			return rc;
		if (disturbed == DISTURBED_MOST)
			return 0;
	}
}

/* Takes the times of the last of @kept items that is like @item: for want of time to look. False where there is none. */
static bool look_guess(const struct plan *plan, unsigned int kept, struct plan_item *item)
{
	for (unsigned int i = kept; i-- > 0;) {
		if (plan->items[i].scenario != item->scenario)
			continue;
		item->row = plan->items[i].row;
		return true;
	}
	return false;
}

/* One hand-over for a set: all that are left to the default take the other one, and are still to be looked at, with their bases. */
static int yield_no_more(const struct bench *b, struct plan *plan, struct error *e)
{
	unsigned int before = plan->n;
	int rc = 0;

	for (unsigned int i = 0; i < before && !rc; i++)
		if (run_may_yield(&plan->items[i])) {
			rc = plan_hand_over(plan, i, handover_fallback(b->realtime), e);
			plan->items[i].row = (struct fit_row){ 0 };
		}
	for (unsigned int i = before; i < plan->n; i++)
		plan->items[i].row = (struct fit_row){ 0 };
	return rc;
}

int run_look(const struct bench *b, struct plan *plan, const struct run_options *o,
	     struct run_set *set, double until, struct error *e)
{
	double now = clock_monotonic_s();
	struct look l = { .b = b,
			  .o = o,
			  .set = set,
			  .emulated = machine_emulated(),
			  .end = now + (until - now) / 2 };
	struct error why = { 0 };
	unsigned int kept = 0;
	int rc = 0;

	/*
	 * In emulation: the lab's sets are compared across kernels, and some would take the other hand-over, since they give yielding tasks
	 * equal time and not turns (bench/scenarios/README.md). And under a quota yielding tasks would use up their slice while one of them
	 * waits for events to be opened.
	 */
	if (l.emulated || trial_slice_s(b) > 0)
		rc = yield_no_more(b, plan, e);
	for (unsigned int i = 0; i < plan->n && !rc; i++) {
		struct plan_item *item = &plan->items[i];

		/* Before the hand-over changed. */
		if (item->row.expected_ns > 0) {
			plan->items[kept++] = *item;
			continue;
		}
		rc = clock_monotonic_s() > until && look_guess(plan, kept, item)
			     ? 0
			     : look_at(&l, item, e);
		if (rc == -EINTR)
			break;
		if (rc) {
			why = *e;
			run_skip(set, item, -rc, e->text);
			rc = 0;
			continue;
		}
		if (l.misses_turns) {
			memmove(&plan->items[kept], item, (plan->n - i) * sizeof(*item));
			plan->n -= i - kept;
			rc = yield_no_more(b, plan, e);
			l.misses_turns = false;
			kept = 0;
			i = UINT_MAX; /* goes on at 0 */
			continue;
		}
		plan->items[kept++] = *item;
	}
	if (!rc)
		plan->n = kept;
	if (rc || kept)
		return rc;
	return error_set(e, EINVAL, "nothing can run here: %.400s", why.text);
}
