// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/record.h"
#include "bench/run.h"
#include "bench/verify.h"

#define LOOK_ROUND_TRIPS 400
#define TARGET_NS_QUICK	 20e6 /* timed part of a trial; the counted part takes about as long again */
#define TARGET_NS	 100e6
#define ITERATIONS_MAX	 20000000

char *run_key(const char *scenario, const json_t *params, json_int_t trial)
{
	char *text = json_dumps(params, JSON_COMPACT | JSON_SORT_KEYS), *key = NULL;

	if (text && asprintf(&key, "%s %s %lld", scenario, text, (long long)trial) < 0)
		key = NULL;
	free(text);
	return key;
}

/* Nanoseconds per round trip, all batches alike. */
static double look_ns(const struct bench *b, const struct trial_outcome *out)
{
	double ns = 0, n = 0;

	for (unsigned int i = 0; i < out->nbatches; i++) {
		ns += clock_ns(&b->clock, out->batches[i].stop - out->batches[i].start);
		n += (double)out->batches[i].n;
	}
	return n > 0 && ns > n ? ns / n : 1;
}

static double per_round_trip(const struct counter_value *v, const struct trial_outcome *out)
{
	return v->available && out->counted ? (double)v->value / (double)out->counted : 0;
}

/* 0, or -EOPNOTSUPP where the counts show that this kernel does it in another way. */
static int look_supported(const struct bench *b, const struct trial_order *order,
			  const struct trial_outcome *out, struct error *e)
{
	struct seen seen = {
		.switches = per_round_trip(&out->counters[COUNTER_CONTEXT_SWITCHES], out),
		.loads = per_round_trip(&out->counters[COUNTER_CR3_LOADS], out),
		.flushes = per_round_trip(&out->counters[COUNTER_CR3_FLUSHES], out),
		.tlb_ipis = per_round_trip(&out->counters[COUNTER_TLB_IPIS], out),
		.shootdowns = per_round_trip(&out->counters[COUNTER_TLB_SHOOTDOWNS], out),
		.remote_loads = per_round_trip(&out->remote[COUNTER_CR3_LOADS], out),
		.remote_tlb_ipis = per_round_trip(&out->remote[COUNTER_TLB_IPIS], out),
		.remote_shootdowns = per_round_trip(&out->remote[COUNTER_TLB_SHOOTDOWNS], out),
	};
	struct trial t;

	if (!order->scenario->supported || !out->counted)
		return 0;
	trial_describe(b, order, &t);
	return order->scenario->supported(&t, &seen, e);
}

/* One short trial of @item. Sets *@holds to whether its number of switches is the claim's. */
static int look_once(const struct bench *b, struct plan_item *item, const struct run_options *o,
		     bool *holds, struct error *e)
{
	struct trial_order order = { .scenario = item->scenario,
				     .params = item->params,
				     .iterations = LOOK_ROUND_TRIPS,
				     .seed = o->seed };
	struct trial_outcome out;
	json_t *violations, *v;
	size_t i;
	int rc = trial_run(b, &order, &out, e);

	if (rc)
		return rc;
	if (out.error.code) {
		rc = error_set(e, out.error.code, "%s: %s", item->scenario->name, out.error.text);
		trial_outcome_free(&out);
		return rc;
	}
	item->expected_ns = look_ns(b, &out);
	rc = look_supported(b, &order, &out, e);
	if (rc) {
		trial_outcome_free(&out);
		return rc;
	}
	violations = verify_trial(b, &out);
	*holds = true;
	json_array_foreach (violations, i, v) {
		const char *what = json_string_value(json_object_get(v, "what"));

		if (!strcmp(what, "context-switches") || !strcmp(what, "own-switches"))
			*holds = false;
	}
	json_decref(violations);
	trial_outcome_free(&out);
	return 0;
}

static int look_at(const struct bench *b, struct plan_item *item, const struct run_options *o,
		   struct error *e)
{
	int handover = scenario_param(item->scenario, "handover");
	double target = o->quick ? TARGET_NS_QUICK : TARGET_NS;
	bool holds = true;
	int rc = look_once(b, item, o, &holds, e);

	/* A kernel may give a yielding task the CPU back; a stray task may just have passed by, so look three times. */
	for (int again = 0; again < 2 && !rc && !holds && handover >= 0 && !item->handover_given;
	     again++)
		rc = look_once(b, item, o, &holds, e);
	if (!rc && !holds && handover >= 0 && !item->handover_given &&
	    item->params[handover] == HANDOVER_YIELD) {
		item->params[handover] = HANDOVER_EVENTFD;
		rc = look_once(b, item, o, &holds, e);
	}
	if (o->iterations)
		item->iterations = (uint64_t)o->iterations;
	else if (!item->iterations)
		item->iterations = (uint64_t)(target / item->expected_ns) + 200;
	if (item->iterations > ITERATIONS_MAX)
		item->iterations = ITERATIONS_MAX;
	return rc;
}

static bool look_huge(const struct plan_item *item)
{
	int size = scenario_param(item->scenario, "pagesize");

	return size >= 0 && item->params[size];
}

/* Tells of what cannot be measured here, and why: once for all of a kind. */
static void look_skip(const struct plan_item *item, int rc, json_t *skipped,
		      const struct error *why)
{
	char what[384];
	json_t *told;
	size_t i;

	if (rc == -ENOMEM)
		snprintf(what, sizeof(what), "working sets of %ld huge pages",
			 item->params[scenario_param(item->scenario, "pages")]);
	else
		plan_spec(item, what, sizeof(what));
	json_array_foreach (skipped, i, told)
		if (!strcmp(json_string_value(json_object_get(told, "what")), what) ||
		    !strcmp(json_string_value(json_object_get(told, "why")), why->text))
			return;
	fprintf(stderr, "activemm: skipped %s: %s\n", what, why->text);
	json_array_append_new(skipped, json_pack("{s:s, s:s}", "what", what, "why", why->text));
}

int run_look(const struct bench *b, struct plan *plan, const struct run_options *o, json_t *skipped,
	     struct error *e)
{
	unsigned int kept = 0;
	struct error why;
	int rc = 0;

	for (unsigned int i = 0; i < plan->n && !rc; i++) {
		struct plan_item *item = &plan->items[i];
		int handover = scenario_param(item->scenario, "handover");

		rc = look_at(b, item, o, e);
		if (rc == -EOPNOTSUPP || (rc == -ENOMEM && look_huge(item))) {
			look_skip(item, rc, skipped, e);
			rc = 0;
		} else if (!rc) {
			plan->items[kept++] = *item;
			/* At the end of the plan, so they are looked at in their turn. */
			if (handover >= 0 && !item->handover_given &&
			    item->params[handover] == HANDOVER_EVENTFD)
				rc = plan_add_fallback_base(plan, e);
		}
	}
	if (!rc)
		plan->n = kept;
	if (rc || kept)
		return rc;
	why = *e;
	return error_set(e, EINVAL, "nothing can run here: %.400s", why.text);
}

struct progress {
	bool terminal;
	unsigned int done, total;
	double began, line_at;
};

static void progress_show(struct progress *p, const struct plan_item *item, unsigned int round,
			  const struct run_options *o)
{
	double elapsed = clock_monotonic_s() - p->began, left;
	char params[128];

	p->done++;
	if (!p->terminal)
		return;
	left = p->done > 1 ? elapsed / (p->done - 1) * (p->total - p->done + 1) : 0;
	if (o->seconds)
		left = (double)o->seconds - elapsed;
	scenario_params_text(item->scenario, item->params, false, params, sizeof(params));
	fprintf(stderr, "\r\033[K[%u/%u] %s %.40s, trial %u, %d:%02d left", p->done, p->total,
		item->scenario->name, params, round + 1, (int)left / 60, (int)left % 60);
	fflush(stderr);
}

static void progress_round(struct progress *p, unsigned int round, const struct run_options *o,
			   const struct run_tally *t)
{
	if (p->terminal)
		return;
	fprintf(stderr, "round %u/%ld: %u trials done, %u repeated, %.0f s\n", round + 1, o->trials,
		t->trials - t->invalid, t->invalid, clock_monotonic_s() - p->began);
}

int run_trial(const struct bench *b, const struct plan_item *item, unsigned int round,
	      const struct run_options *o, struct result_writer *w, struct run_tally *tally,
	      struct error *e)
{
	bool valid = false;
	int rc = 0;

	for (unsigned int attempt = 1; attempt <= RUN_ATTEMPTS && !valid && !rc; attempt++) {
		struct record_place place = { .trial = round, .attempt = attempt };
		struct trial_order order = {
			.scenario = item->scenario,
			.params = item->params,
			.iterations = item->iterations,
			.seed = o->seed + 1000003ul * round + attempt,
			.expected_ns = item->expected_ns,
		};
		struct trial_outcome out;
		json_t *violations, *line;

		/* What disturbed the last attempt may last a while: 0.1 s, 0.4 s, ... 2.5 s. */
		if (attempt > 1)
			usleep(100000 * (attempt - 1) * (attempt - 1));
		rc = trial_run(b, &order, &out, e);
		if (rc)
			return rc;
		violations = verify_trial(b, &out);
		valid = json_array_size(violations) == 0;
		line = record_trial(b, &order, &out, &place, violations);
		rc = line ? result_append(w, line, e) : error_set(e, ENOMEM, "out of memory");
		json_decref(line);
		trial_outcome_free(&out);
		tally->trials++;
		tally->invalid += !valid;
	}
	tally->given_up += !valid;
	return rc;
}

int run_rounds(const struct bench *b, const struct plan *plan, const struct run_options *o,
	       struct result_writer *w, const json_t *done, struct run_tally *tally,
	       struct error *e)
{
	struct progress p = { .terminal = isatty(STDERR_FILENO),
			      .total = plan->n * (unsigned int)o->trials,
			      .began = clock_monotonic_s() };
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	unsigned int *order = malloc(plan->n * sizeof(*order) + 1);
	int rc = rng && order ? 0 : error_set(e, ENOMEM, "out of memory");

	if (!rc)
		gsl_rng_set(rng, o->seed);
	for (unsigned int round = 0; round < (unsigned int)o->trials && !rc; round++) {
		if (o->seconds && round >= 3 && clock_monotonic_s() - p.began > (double)o->seconds)
			break;
		plan_shuffle(plan, rng, order);
		for (unsigned int i = 0; i < plan->n && !rc; i++) {
			const struct plan_item *item = &plan->items[order[i]];
			json_t *params = record_params(item->scenario, item->params);
			char *key = run_key(item->scenario->name, params, round);

			progress_show(&p, item, round, o);
			if (!key || !json_object_get(done, key))
				rc = run_trial(b, item, round, o, w, tally, e);
			free(key);
			json_decref(params);
		}
		if (!rc)
			progress_round(&p, round, o, tally);
	}
	if (p.terminal)
		fprintf(stderr, "\r\033[K");
	free(order);
	gsl_rng_free(rng);
	return rc;
}
