// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <gsl/gsl_randist.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/harness/plan.h"

static struct plan_item *plan_push(struct plan *p, const struct scenario *s)
{
	struct plan_item *more = reallocarray(p->items, p->n + 1, sizeof(*more));

	if (!more)
		return NULL;
	p->items = more;
	more += p->n++;
	memset(more, 0, sizeof(*more));
	more->scenario = s;
	scenario_params_default(s, more->params);
	return more;
}

/* Where the first list of values, "value/value...", begins in @spec; NULL if it holds none. */
static const char *list_find(const char *spec)
{
	for (const char *at = strchr(spec, '='); at; at = strchr(at + 1, '='))
		if (at[1 + strcspn(at + 1, "/,")] == '/')
			return at + 1;
	return NULL;
}

/* An item with each value of the list that begins at @value. */
static int plan_add_each(struct plan *p, const char *spec, const char *value, struct error *e)
{
	const char *end = value + strcspn(value, ",");
	int rc = 0, head = (int)(value - spec);

	while (!rc && value <= end) {
		int len = (int)strcspn(value, "/,");
		char *one;

		if (asprintf(&one, "%.*s%.*s%s", head, spec, len, value, end) < 0)
			return error_set(e, ENOMEM, "out of memory");
		rc = plan_add(p, one, e);
		free(one);
		value += len + 1;
	}
	return rc;
}

int plan_add(struct plan *p, const char *spec, struct error *e)
{
	const char *list = list_find(spec);
	char *copy, *rest, *pair, *save = NULL;
	const struct scenario *s;
	struct plan_item *item;
	int rc = 0;

	if (list)
		return plan_add_each(p, spec, list, e);
	copy = strdup(spec);
	if (!copy)
		return error_set(e, ENOMEM, "out of memory");
	rest = strchr(copy, ':');
	if (rest)
		*rest++ = '\0';
	s = scenario_find(copy);
	if (!s) {
		rc = error_set(e, EINVAL, "no scenario '%s': `activemm list' shows them", copy);
		goto done;
	}
	item = plan_push(p, s);
	if (!item) {
		rc = error_set(e, ENOMEM, "out of memory");
		goto done;
	}
	for (pair = rest ? strtok_r(rest, ",", &save) : NULL; pair && !rc;
	     pair = strtok_r(NULL, ",", &save)) {
		char *value = strchr(pair, '=');

		if (!value) {
			rc = error_set(e, EINVAL, "%s: '%s' is not of the form key=value", s->name,
				       pair);
			break;
		}
		*value++ = '\0';
		item->handover_given |= !strcmp(pair, "handover");
		rc = scenario_param_set(s, item->params, pair, value, e);
	}
	if (rest && !*rest && !rc)
		rc = error_set(e, EINVAL, "%s: nothing follows the ':'", s->name);
done:
	free(copy);
	return rc;
}

/* What is drawn over the working set, the first @QUICK_CURVES of it by a quick run too; %s: the sizes. */
static const char *const curves[] = {
	"thread:pages=%s",
	"process:pages=%s",
	"kworker:pages=%s",
	"kthread:mode=lazy/isolated/flush,pages=%s",
	"base:kind=touch/yield,pages=%s",
	"base:kind=aio,sides=1,pages=%s",
	/*
	 * Six mms keep the TLB. Twelve flush it at every load, each mm always in the same slot, which is what makes this
	 * difference steady: among seven to eleven the slots go round.
	 */
	"ring:n=6/12,pages=%s",
	"base:sides=12,pages=%s",
	"stopper:pages=%s",
	"interposed:pages=%s",
	"stale:mm=own/other,pages=%s",
};
#define QUICK_CURVES 7

/* One flush of more and more CPUs' TLBs; one other CPU is there already. */
static int plan_add_cpus(struct plan *p, bool quick, long others, struct error *e)
{
	char spec[128];
	int rc = 0;

	for (long k = quick ? others : 2; k > 1 && k <= others && !rc;
	     k = k < others && 2 * k > others ? others : 2 * k) {
		snprintf(spec, sizeof(spec), "shootdown:state=active,op=madvise/munmap,cpus=%ld",
			 k);
		rc = plan_add(p, spec, e);
		/* Only who frees page tables asks the lazy. */
		snprintf(spec, sizeof(spec), "shootdown:state=lazy,op=munmap,cpus=%ld", k);
		if (!rc && !quick)
			rc = plan_add(p, spec, e);
	}
	if (others < 2 || quick || rc)
		return rc;
	snprintf(spec, sizeof(spec), "shootdown:op=madvise/munmap,cpus=%ld,lazy=%ld",
		 others - others / 2, others / 2);
	return plan_add(p, spec, e);
}

/* Flushes by as many CPUs at once, one alone first: the curve of one operation, the ends of the others. */
static int plan_add_flush(struct plan *p, bool quick, long cpus, struct error *e)
{
	const char *ops = quick ? "madvise" : "madvise/mprotect/munmap";
	char spec[128];
	int rc;

	snprintf(spec, sizeof(spec), "flush:n=1,op=%s", ops);
	rc = plan_add(p, spec, e);
	for (long n = 2; n < cpus && !rc && !quick; n *= 2) {
		snprintf(spec, sizeof(spec), "flush:n=%ld,mm=shared/own", n);
		rc = plan_add(p, spec, e);
	}
	snprintf(spec, sizeof(spec), "flush:n=%ld,mm=shared/own,op=%s", cpus > 1 ? cpus : 2, ops);
	return rc ? rc : plan_add(p, spec, e);
}

/* Beyond one CPU: shootdowns, contention on 1, 2, 4, ... all CPUs, flushes, the zombie mm. */
static int plan_add_remote(struct plan *p, bool quick, struct error *e)
{
	long cpus = cpu_allowed_count();
	char spec[128];
	int rc = plan_add(p, "shootdown:state=active/lazy/absent,op=mprotect/madvise/munmap", e);

	if (!rc && !quick)
		rc = plan_add(p, "shootdown:state=active/lazy/absent,op=mprotect/munmap,pages=64",
			      e);
	if (!rc)
		rc = plan_add(p, "shootdown:state=left,op=mprotect/munmap", e);
	if (!rc)
		rc = plan_add_cpus(p, quick, cpus - 1, e);
	for (long n = 1; n <= cpus && !rc; n = n < cpus && 2 * n > cpus ? cpus : 2 * n) {
		snprintf(spec, sizeof(spec), "refcount:n=%ld,mm=shared/private,via=%s", n,
			 quick ? "kworker" : "idle/kworker");
		rc = plan_add(p, spec, e);
	}
	if (!rc && !quick) {
		snprintf(spec, sizeof(spec), "refcount:n=%ld,via=kworker,place=package/spread",
			 cpus > 1 ? (cpus + 1) / 2 : 1);
		rc = plan_add(p, spec, e);
	}
	if (!rc)
		rc = plan_add_flush(p, quick, cpus, e);
	return rc ? rc : plan_add(p, "exit:borrow=lazy/none", e);
}

int plan_add_suite(struct plan *p, bool quick, struct error *e)
{
	static const char *const swept[] = { "ring",	 "base",  "shootdown",
					     "refcount", "flush", "exit" };
	static const char *const sizes[] = { "64/256/512/1024/4096", "8/64/128,pagesize=2m" },
				 *const quick_sizes[] = { "64/512" };
	static const char *const asking[] = { "process:ibpb=on", "process:l1d=on",
					      "kworker:membarrier=private" };
	const char *const *list = quick ? quick_sizes : sizes;
	size_t n = quick ? 1 : 2, ncurves = quick ? QUICK_CURVES : sizeof(curves) / sizeof(*curves);
	char spec[128];
	int rc = 0;

	scenario_foreach (s) {
		bool once = true;

		for (size_t i = 0; i < sizeof(swept) / sizeof(*swept); i++)
			once &= strcmp(s->name, swept[i]) != 0;
		if (once && !rc)
			rc = plan_add(p, s->name, e);
	}
	if (!rc)
		rc = plan_add(p, "stale:mm=other", e);
	if (!rc)
		rc = plan_add(p, "kthread:mode=isolated/leave/reload/flush", e);
	/* What a task may ask for; --quick has time for the first. */
	for (size_t i = 0; i < (quick ? 1 : sizeof(asking) / sizeof(*asking)) && !rc; i++)
		rc = plan_add(p, asking[i], e);
	for (int i = 2; i <= 16 && !rc; i++) {
		snprintf(spec, sizeof(spec), "ring:n=%d", i);
		rc = plan_add(p, spec, e);
	}
	if (!rc)
		rc = plan_add(p, "base:kind=touch/yield", e);
	if (!rc)
		rc = plan_add(p, "base:kind=aio,sides=1", e);
	if (!rc)
		rc = plan_add(p, "base:sides=12", e);
	for (size_t c = 0; c < ncurves && !rc; c++)
		for (size_t i = 0; i < n && !rc; i++) {
			snprintf(spec, sizeof(spec), curves[c], list[i]);
			rc = plan_add(p, spec, e);
		}
	return rc ? rc : plan_add_remote(p, quick, e);
}

static bool plan_has(const struct plan *p, const struct scenario *s, const long *params)
{
	for (unsigned int i = 0; i < p->n; i++)
		if (p->items[i].scenario == s &&
		    !memcmp(p->items[i].params, params, sizeof(p->items[i].params)))
			return true;
	return false;
}

/* Do both touch the same pages after each switch? */
static bool same_pages(const struct plan_item *x, const struct plan_item *y)
{
	static const char *const keys[] = { "pages", "pagesize" };

	for (int i = 0; i < 2; i++) {
		int of_x = scenario_param(x->scenario, keys[i]);
		int of_y = scenario_param(y->scenario, keys[i]);

		if (of_x < 0 || of_y < 0 || x->params[of_x] != y->params[of_y])
			return false;
	}
	return true;
}

int plan_hand_over(struct plan *p, unsigned int i, enum handover_kind to, struct error *e)
{
	const struct scenario *base = scenario_find("base");
	int kind = base ? scenario_param(base, "kind") : -1;
	struct plan_item *item = &p->items[i];

	item->params[scenario_param(item->scenario, "handover")] = to;
	for (unsigned int k = 0, n = p->n; k < n && kind >= 0; k++) {
		struct plan_item with = p->items[k], *more;

		if (with.scenario != base || !same_pages(&with, &p->items[i]) ||
		    strcmp(base->params[kind].choices[with.params[kind]], "yield"))
			continue;
		scenario_param_set(base, with.params, "kind", handover_choices[to], NULL);
		if (plan_has(p, base, with.params))
			continue;
		more = plan_push(p, base);
		if (!more)
			return error_set(e, ENOMEM, "out of memory");
		*more = with;
	}
	return 0;
}

void plan_spec(const struct plan_item *item, char *buf, size_t len)
{
	char params[256];

	scenario_params_text(item->scenario, item->params, true, params, sizeof(params));
	snprintf(buf, len, "%s:%s", item->scenario->name, params);
}

unsigned int plan_rank(const struct plan_item *item)
{
	int pages = scenario_param(item->scenario, "pagesize") < 0
			    ? -1
			    : scenario_param(item->scenario, "pages");

	if (pages >= 0 && item->params[pages])
		return 2;
	for (int i = 0; item->scenario->params[i].key; i++)
		if (item->params[i] != item->scenario->params[i].def &&
		    strcmp(item->scenario->params[i].key, "handover") != 0)
			return 1;
	return 0;
}

void plan_shuffle(const struct plan *p, gsl_rng *rng, unsigned int *order)
{
	for (unsigned int i = 0; i < p->n; i++)
		order[i] = i;
	gsl_ran_shuffle(rng, order, p->n, sizeof(*order));
}

void plan_free(struct plan *p)
{
	free(p->items);
	*p = (struct plan){ 0 };
}
