// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <gsl/gsl_randist.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/plan.h"

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

int plan_add(struct plan *p, const char *spec, struct error *e)
{
	char *copy = strdup(spec), *rest, *pair, *save = NULL;
	const struct scenario *s;
	struct plan_item *item;
	int rc = 0;

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

int plan_add_suite(struct plan *p, bool quick, struct error *e)
{
	static const char *const curves[] = { "thread:", "process:", "kworker:",
					      "kthread:mode=lazy,", "kthread:mode=isolated," };
	static const char *const modes[] = { "isolated", "leave", "reload", "flush" };
	static const int quick_pages[] = { 64, 512, 4096, 0 },
			 full_pages[] = { 1, 8, 64, 512, 1024, 2048, 4096, 0 };
	const int *pages = quick ? quick_pages : full_pages;
	char spec[128];
	int rc = 0;

	scenario_foreach (s)
		if (strcmp(s->name, "ring") && !rc)
			rc = plan_add(p, s->name, e);
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes) && !rc; i++) {
		snprintf(spec, sizeof(spec), "kthread:mode=%s", modes[i]);
		rc = plan_add(p, spec, e);
	}
	for (int n = 2; n <= 16 && !rc; n++) {
		snprintf(spec, sizeof(spec), "ring:n=%d", n);
		rc = plan_add(p, spec, e);
	}
	for (size_t c = 0; c < sizeof(curves) / sizeof(*curves) && !rc; c++)
		for (int i = 0; pages[i] && !rc; i++) {
			snprintf(spec, sizeof(spec), "%spages=%d", curves[c], pages[i]);
			rc = plan_add(p, spec, e);
		}
	return rc;
}

void plan_spec(const struct plan_item *item, char *buf, size_t len)
{
	char params[256];

	scenario_params_text(item->scenario, item->params, true, params, sizeof(params));
	snprintf(buf, len, "%s:%s", item->scenario->name, params);
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
