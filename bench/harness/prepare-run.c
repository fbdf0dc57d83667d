// SPDX-License-Identifier: GPL-2.0-or-later
/* What `run' and `ab' share before the first trial: signals, the plan and its record, what a killed run left. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "bench/harness/record.h"
#include "bench/harness/run.h"
#include "lib/base/member.h"
#include "lib/isolate/isolate.h"

static void on_signal(int number)
{
	trial_stop = number;
}

void run_catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };

	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	/* A write beyond ulimit -f fails, and is told. */
	signal(SIGXFSZ, SIG_IGN);
	/* Partners whose parent was killed come to this process to be reaped. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static bool huge(const struct plan_item *item)
{
	int size = scenario_param(item->scenario, "pagesize");

	return size >= 0 && item->params[size];
}

/* Was the like told of already: the same thing, or the same reason for the same scenario? */
static bool told(const json_t *skipped, const char *what, const char *why, bool *same_reason)
{
	size_t i;
	json_t *one;

	*same_reason = false;
	json_array_foreach ((json_t *)skipped, i, one) {
		if (!strcmp(member_text(one, "what"), what))
			return true;
		*same_reason |= !strcmp(member_text(one, "why"), why);
	}
	return false;
}

/* The record has every one; on the way only the first of a reason is told, the summary has them all. */
static void skip(struct run_set *set, const char *what, const char *why)
{
	json_t *skipped = json_object_get(set->machine, "skipped");
	bool same_reason;

	if (told(skipped, what, why, &same_reason))
		return;
	if (!same_reason)
		fprintf(stderr, "activemm: skipped %s: %s\n", what, why);
	member_append(skipped, member_pack("{s:s, s:s}", "what", what, "why", why));
}

void run_skip(struct run_set *set, const struct plan_item *item, int code, const char *why)
{
	char what[384];

	if (code == ENOMEM && huge(item))
		snprintf(what, sizeof(what), "working sets of %ld huge pages",
			 item->params[scenario_param(item->scenario, "pages")]);
	else
		plan_spec(item, what, sizeof(what));
	set->refused += item->named;
	skip(set, what, why);
}

/* A parameter that says more than the scenario needs: that alone may be what cannot be had. */
static bool has_later(const struct plan_item *item)
{
	const struct param *p = item->scenario->params;

	for (int i = 0; p[i].key; i++)
		if (p[i].later && item->params[i] != p[i].def)
			return true;
	return false;
}

int run_possible(const struct bench *b, struct plan *p, struct run_set *set, struct error *e)
{
	unsigned int kept = 0;
	struct error why = { 0 };
	char what[384];

	member_set(set->machine, "skipped", json_array());
	member_set(set->machine, "findings", json_array());
	for (unsigned int i = 0; i < p->n; i++) {
		struct plan_item *item = &p->items[i];
		struct trial_order order = { .scenario = item->scenario, .params = item->params };
		struct trial t;

		trial_describe(b, &order, &t);
		if (!scenario_possible(&t, &why)) {
			p->items[kept++] = *item;
			continue;
		}
		set->refused += item->named;
		/* A scenario that cannot run with any of its parameters is told of once. */
		if (has_later(item))
			plan_spec(item, what, sizeof(what));
		else
			snprintf(what, sizeof(what), "%s", item->scenario->name);
		skip(set, what, why.text);
	}
	p->n = kept;
	return kept ? 0 : error_set(e, EINVAL, "nothing can run here: %.400s", why.text);
}

/* What an earlier part of the run left out: out of @p, and into @set's record again, but what could not run this time either. */
static void skipped_restore(const json_t *old, struct plan *p, json_t *skipped)
{
	bool same_reason;
	const json_t *one;
	size_t i;

	json_array_foreach ((json_t *)old, i, one) {
		const char *what = member_text(one, "what");
		unsigned int kept = 0;
		char spec[384];

		if (!told(skipped, what, "", &same_reason))
			member_append(skipped, member_copy(one));
		for (unsigned int k = 0; k < p->n; k++) {
			plan_spec(&p->items[k], spec, sizeof(spec));
			if (strcmp(spec, what) != 0)
				p->items[kept++] = p->items[k];
		}
		p->n = kept;
	}
}

int run_restore(const struct bench *b, struct plan *p, const json_t *old, struct run_set *set,
		struct error *e)
{
	skipped_restore(json_object_get(old, "skipped"), p,
			json_object_get(set->machine, "skipped"));
	if (!p->n)
		return error_set(e, EINVAL, "%s: each of its rows was left out, start a new set",
				 set->dir);
	return findings_restore(&set->findings, b, json_object_get(old, "findings"),
				json_object_get(set->machine, "findings"), e);
}

int run_found(const struct bench *b, const struct plan_item *item,
	      const struct finding_notes *notes, const struct claim *claim, struct run_set *set,
	      struct error *e)
{
	struct trial_order order = { .scenario = item->scenario, .params = item->params };
	json_t *list = json_object_get(set->machine, "findings"), *one;
	struct finding found;
	struct trial t;
	bool told = false;
	size_t i;

	trial_describe(b, &order, &t);
	if (!finding_decide(notes, &t, claim, &found))
		return 0;
	json_array_foreach (list, i, one)
		told |= !strcmp(json_string_value(json_object_get(one, "text")), found.text);
	if (!found.times)
		return error_set(e, EOPNOTSUPP, "%s", found.text);
	if (findings_add(&set->findings, &found, list))
		return error_set(e, ENOMEM, "out of memory");
	if (!told)
		fprintf(stderr, "activemm: found with %s: %s\n", item->scenario->name, found.text);
	return 0;
}

json_t *run_plan_json(const struct plan *p, const struct run_options *o)
{
	json_t *list = json_array(), *defaults = json_object();
	long values[PARAMS_MAX];
	char spec[384];

	for (unsigned int i = 0; i < p->n; i++) {
		plan_spec(&p->items[i], spec, sizeof(spec));
		member_append(list, member_pack("{s:s, s:I}", "spec", spec, "iterations",
						(json_int_t)p->items[i].row.iterations));
		scenario_params_default(p->items[i].scenario, values);
		member_set(defaults, p->items[i].scenario->name,
			   record_params(p->items[i].scenario, values));
	}
	return member_pack("{s:o, s:o, s:I, s:I, s:I, s:b}", "scenarios", list, "defaults",
			   defaults, "trials", (json_int_t)o->trials, "seconds",
			   (json_int_t)o->seconds, "seed", (json_int_t)o->seed, "quick", o->quick);
}

int run_recover(struct error *e)
{
	int cpu = -1, rc = isolate_recover(&cpu, e);

	if (rc == 1)
		fprintf(stderr,
			"activemm: put back what a run that was killed had moved off CPU %d\n",
			cpu);
	return rc < 0 ? rc : 0;
}
