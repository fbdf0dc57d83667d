// SPDX-License-Identifier: GPL-2.0-or-later
/* What `run' and `ab' share before the first trial: options, signals, the plan and its record. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>

#include "bench/commands.h"
#include "bench/run.h"
#include "lib/isolate.h"

int run_option(int option, const char *value, struct run_options *o)
{
	long v;
	int rc;

	switch (option) {
	case RUN_OPT_CPU:
		return option_number("--cpu", value, 0, 1 << 20, &o->cpu);
	case RUN_OPT_TRIALS:
		return option_number("--trials", value, 1, 1000000, &o->trials);
	case RUN_OPT_ITERATIONS:
		return option_number("--iterations", value, 1, 100000000, &o->iterations);
	case RUN_OPT_TIME:
		return option_number("--time", value, 1, 1000000, &o->seconds);
	case RUN_OPT_SEED:
		rc = option_number("--seed", value, 0, 2147483647, &v);
		if (!rc)
			o->seed = (unsigned long)v;
		return rc;
	case RUN_OPT_QUICK:
		o->quick = true;
		return 0;
	case 'o':
		o->dir = value;
		return 0;
	default:
		return -ENOENT;
	}
}

int run_default_dir(char *buf, size_t len, const char *command, struct error *e)
{
	time_t now = time(NULL);
	char date[32];
	struct tm tm;

	if (mkdir("results", 0777) && errno != EEXIST)
		return error_set(e, errno,
				 "cannot make results/ here: %s: name another place with -o DIR",
				 strerror(errno));
	strftime(date, sizeof(date), "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
	snprintf(buf, len, "results/%s-%s", command, date);
	return 0;
}

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
	/* Partners whose parent was killed come to this process to be reaped. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
}

static bool told(const json_t *skipped, const char *what, const char *why)
{
	const json_t *one;
	size_t i;

	json_array_foreach (skipped, i, one)
		if (!strcmp(json_string_value(json_object_get(one, "what")), what) &&
		    !strcmp(json_string_value(json_object_get(one, "why")), why))
			return true;
	return false;
}

int run_possible(const struct bench *b, struct plan *p, json_t *machine, struct error *e)
{
	json_t *skipped = json_array();
	unsigned int kept = 0;
	struct error why = { 0 };

	for (unsigned int i = 0; i < p->n; i++) {
		struct plan_item *item = &p->items[i];
		struct trial_order order = { .scenario = item->scenario, .params = item->params };
		struct trial t;

		trial_describe(b, &order, &t);
		if (!item->scenario->possible || !item->scenario->possible(&t, &why)) {
			p->items[kept++] = *item;
			continue;
		}
		/* A scenario that cannot run with any of its parameters is told of once. */
		if (told(skipped, item->scenario->name, why.text))
			continue;
		fprintf(stderr, "activemm: skipped %s: %s\n", item->scenario->name, why.text);
		json_array_append_new(skipped, json_pack("{s:s, s:s}", "what", item->scenario->name,
							 "why", why.text));
	}
	p->n = kept;
	json_object_set_new(machine, "skipped", skipped);
	return kept ? 0 : error_set(e, EINVAL, "nothing can run here: %s", why.text);
}

json_t *run_plan_json(const struct plan *p, const struct run_options *o)
{
	json_t *list = json_array();
	char spec[384];

	for (unsigned int i = 0; i < p->n; i++) {
		plan_spec(&p->items[i], spec, sizeof(spec));
		json_array_append_new(list, json_pack("{s:s, s:I}", "spec", spec, "iterations",
						      (json_int_t)p->items[i].iterations));
	}
	return json_pack("{s:o, s:I, s:I, s:I, s:b}", "scenarios", list, "trials",
			 (json_int_t)o->trials, "seconds", (json_int_t)o->seconds, "seed",
			 (json_int_t)o->seed, "quick", o->quick);
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
