// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/commands.h"
#include "bench/run.h"
#include "bench/summary.h"
#include "lib/isolate.h"

#define TRIALS_QUICK 5
#define TRIALS	     12

static const char help[] =
	"usage: activemm run [SCENARIO[:key=value,...]]... [OPTIONS]\n\n"
	"Measures the scenarios (the whole suite when none is named) and writes a result set.\n\n"
	"  --cpu N          measure on CPU N (default: the quietest allowed one)\n"
	"  --trials N       trials of each scenario and parameter set (default 15, --quick 5)\n"
	"  --iterations N   round trips of a trial (default: as many as take 0.1 s, --quick 0.02 "
	"s)\n"
	"  --time SECONDS   rounds of trials until SECONDS have passed, at least three\n"
	"  --seed N         seed of every random order (default: the time)\n"
	"  --quick          fewer and shorter trials\n"
	"  --isolate        move interrupts and tasks off the CPU meanwhile (root), and back\n"
	"  --resume         go on with the result set that -o names\n"
	"  -o, --output DIR the result set (default: results/run-DATE-TIME)\n\n"
	"Exit status: 0 all trials valid or repeated until valid, 1 the run failed or a trial "
	"stayed invalid,\n"
	"2 wrong usage, 128+N stopped by signal N (finished trials are kept).\n";

enum { OPT_RESUME = RUN_OPT_OWN, OPT_ISOLATE };

static const struct option options[] = {
	RUN_OPTIONS,
	{ "resume", no_argument, NULL, OPT_RESUME },
	{ "isolate", no_argument, NULL, OPT_ISOLATE },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* Returns -1 to go on, or the exit status. */
static int options_parse(int argc, char **argv, struct run_options *o)
{
	int c, rc = 0;

	opterr = 0;
	optind = 1;
	while (!rc && (c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (c) {
		case OPT_RESUME:
			o->resume = true;
			break;
		case OPT_ISOLATE:
			o->isolate = true;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_DONE;
		default:
			rc = run_option(c, optarg, o);
			if (rc != -ENOENT)
				break;
			return complain(EXIT_USAGE,
					"run: option '%s' is unknown or lacks its value: see "
					"`activemm run --help'",
					argv[optind - 1]);
		}
	}
	if (rc)
		return EXIT_USAGE;
	if (o->resume && !o->dir)
		return complain(EXIT_USAGE,
				"run: --resume needs the result set to go on with: -o DIR");
	if (o->resume && optind < argc)
		return complain(EXIT_USAGE,
				"run: --resume goes on with the set's own scenarios: name none");
	return -1;
}

/* The plan and the options that a set was begun with, from its machine.json. */
static int plan_restore(struct plan *p, struct run_options *o, const json_t *machine,
			struct error *e)
{
	const json_t *run = json_object_get(machine, "run"),
		     *list = json_object_get(run, "scenarios"), *one;
	size_t i;
	int rc = 0;

	if (!json_is_array(list) || !json_array_size(list))
		return error_set(e, EINVAL,
				 "%s holds no plan to go on with: its run ended before the first "
				 "trial, start it again",
				 o->dir);
	json_array_foreach (list, i, one) {
		const char *spec = json_string_value(json_object_get(one, "spec"));
		json_int_t iterations = json_integer_value(json_object_get(one, "iterations"));

		rc = spec && iterations > 0
			     ? plan_add(p, spec, e)
			     : error_set(e, EINVAL, "%s/machine.json: the plan is damaged", o->dir);
		if (rc)
			return rc;
		p->items[i].iterations = (uint64_t)iterations;
		p->items[i].handover_given = true;
	}
	if (!o->trials)
		o->trials = json_integer_value(json_object_get(run, "trials"));
	if (!o->seconds)
		o->seconds = json_integer_value(json_object_get(run, "seconds"));
	o->seed = (unsigned long)json_integer_value(json_object_get(run, "seed"));
	o->quick = json_is_true(json_object_get(run, "quick"));
	return o->trials > 0 ? 0
			     : error_set(e, EINVAL, "%s/machine.json: the plan is damaged", o->dir);
}

/* Trials of @set that need not be done again: valid ones, and those given up. */
static json_t *trials_done(const struct result_set *set)
{
	json_t *done = json_object(), *t;
	size_t i;

	json_array_foreach (set->trials, i, t) {
		const char *scenario = json_string_value(json_object_get(t, "scenario"));
		char *key;

		if (!json_is_true(json_object_get(t, "valid")) &&
		    json_integer_value(json_object_get(t, "attempt")) < RUN_ATTEMPTS)
			continue;
		key = run_key(scenario ? scenario : "", json_object_get(t, "params"),
			      json_integer_value(json_object_get(t, "trial")));
		if (key)
			json_object_set_new(done, key, json_true());
		free(key);
	}
	return done;
}

/* A set must come from one machine and one boot. */
static int same_machine(const json_t *old, const json_t *new, const char *dir, struct error *e)
{
	static const char *const parts[] = { "kernel", "cpu" };
	static const char *const keys[] = { "version", "model" };

	for (int i = 0; i < 2; i++)
		if (!json_equal(json_object_get(json_object_get(old, parts[i]), keys[i]),
				json_object_get(json_object_get(new, parts[i]), keys[i])))
			return error_set(e, EINVAL,
					 "%s was measured on another %s: start a new set", dir,
					 parts[i]);
	return 0;
}

static int finish(const struct run_options *o, const struct run_tally *tally, struct error *e)
{
	struct result_set set;
	json_t *summary;
	int rc = result_read(&set, o->dir, e);

	if (rc)
		return rc;
	summary = summary_make(&set, e);
	rc = summary ? result_write_json(o->dir, "summary.json", summary, e) : -ENOMEM;
	if (!rc) {
		summary_print(summary, &set, stdout);
		printf("\nResult set: %s (%u trials now, %u of them invalid and repeated)\n",
		       o->dir, tally->trials, tally->invalid);
	}
	json_decref(summary);
	result_free(&set);
	return rc;
}

static int isolate(struct isolation **iso, const struct bench *b, json_t *machine, struct error *e)
{
	char left[256];
	int rc = isolate_begin(iso, b->cpu.cpu, left, sizeof(left), e);

	if (rc)
		return rc;
	fprintf(stderr, "CPU %d is isolated for the run; what could not be moved: %s\n", b->cpu.cpu,
		left);
	json_object_set_new(machine, "isolate",
			    json_pack("{s:i, s:s}", "cpu", b->cpu.cpu, "left", left));
	return 0;
}

/* Everything behind the options. Returns 0, -EINTR or -errno; *@usage: it is the user's arguments that are wrong. */
static int run(struct run_options *o, char **specs, int nspecs, struct run_tally *tally,
	       bool *usage, struct error *e)
{
	struct cpu_topology *topo = NULL;
	struct result_writer *w = NULL;
	struct result_set old = { 0 };
	json_t *machine = NULL, *done = NULL;
	struct plan plan = { 0 };
	struct bench b = { 0 };
	struct isolation *iso = NULL;
	struct error back = { 0 };
	int rc = 0;

	for (int i = 0; i < nspecs && !rc; i++)
		rc = plan_add(&plan, specs[i], e);
	if (!rc && !nspecs && !o->resume)
		rc = plan_add_suite(&plan, o->quick, e);
	*usage = rc == -EINVAL;
	if (!rc && o->resume)
		rc = result_read(&old, o->dir, e);
	if (!rc && o->resume)
		rc = plan_restore(&plan, o, old.machine, e);
	if (rc)
		goto done;
	if (old.notice[0])
		fprintf(stderr, "activemm: %s\n", old.notice);
	if (o->resume && o->cpu < 0)
		o->cpu = json_integer_value(
			json_object_get(json_object_get(old.machine, "choice"), "cpu"));
	rc = cpu_topology_load(&topo, e);
	if (!rc)
		rc = bench_open(&b, topo, (int)o->cpu, e);
	if (rc) {
		*usage = rc == -EINVAL && o->cpu >= 0;
		goto done;
	}
	if (b.cpu.helper >= 0)
		cpu_pin(b.cpu.helper,
			NULL); /* a driver that stays where it is costs exactness, not the run */
	machine = bench_machine(&b, topo);
	if (o->isolate)
		rc = isolate(&iso, &b, machine, e);
	if (!rc && o->resume)
		rc = same_machine(old.machine, machine, o->dir, e);
	if (!rc)
		rc = run_possible(&b, &plan, machine, e);
	if (!rc)
		rc = result_create(&w, o->dir, machine, o->resume, e);
	if (rc)
		goto done;
	fprintf(stderr, "CPU %d (%s), %s\n", b.cpu.cpu, b.cpu.why,
		b.count ? "claims verified by the kernel's events"
			: "UNVERIFIED: the kernel's events are out of reach");
	rc = run_look(&b, &plan, o, json_object_get(machine, "skipped"), e);
	if (rc)
		goto done;
	json_object_set_new(machine, "run", run_plan_json(&plan, o));
	rc = result_write_json(o->dir, "machine.json", machine, e);
	if (rc)
		goto done;
	done = old.trials ? trials_done(&old) : json_object();
	rc = run_rounds(&b, &plan, o, w, done, tally, e);
done:
	result_close(w);
	if (isolate_end(iso, &back))
		complain(0, "%s", back.text);
	bench_close(&b);
	cpu_topology_free(topo);
	plan_free(&plan);
	json_decref(machine);
	json_decref(done);
	if (old.dir)
		result_free(&old);
	return rc;
}

int cmd_run(int argc, char **argv)
{
	struct run_options o = { .cpu = -1, .seed = (unsigned long)time(NULL) & 0x7fffffff };
	struct run_tally tally = { 0 };
	struct error e = { 0 };
	bool usage = false;
	char dir[64];
	int rc, status = options_parse(argc, argv, &o);

	if (status >= 0)
		return status;
	if (!o.resume && !o.trials)
		o.trials = o.seconds ? 1000000 : o.quick ? TRIALS_QUICK : TRIALS;
	if (!o.dir) {
		if (run_default_dir(dir, sizeof(dir), "run", &e))
			return complain(EXIT_FAILED, "%s", e.text);
		o.dir = dir;
	}
	run_catch_signals();
	if (run_recover(&e))
		return complain(EXIT_FAILED, "%s", e.text);
	rc = run(&o, argv + optind, argc - optind, &tally, &usage, &e);
	if (rc && rc != -EINTR)
		return complain(usage ? EXIT_USAGE : EXIT_FAILED, "%s", e.text);
	if (!tally.trials && rc == -EINTR)
		return 128 + trial_stop;
	if (finish(&o, &tally, &e))
		return complain(EXIT_FAILED, "%s", e.text);
	if (rc == -EINTR) {
		complain(0, "stopped by signal %d: go on with `activemm run --resume -o %s'",
			 trial_stop, o.dir);
		return 128 + trial_stop;
	}
	if (tally.given_up)
		return complain(EXIT_FAILED,
				"%u trials stayed invalid after %d attempts: the summary says why",
				tally.given_up, RUN_ATTEMPTS);
	return EXIT_DONE;
}
