// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/commands/commands.h"
#include "bench/commands/run-options.h"
#include "bench/export/export.h"
#include "bench/summary/summary.h"
#include "lib/isolate/isolate.h"
#include "lib/base/member.h"
#include "lib/machine/record.h"

#define TRIALS_QUICK  FIT_TRIALS_LEAST
#define TRIALS	      12
#define SECONDS_QUICK 50 /* for all but the report, which a minute has to hold too */
#define SECONDS	      840
#define LOOK_SHARE    0.4 /* of them, at most */

/* Under software emulation counts are exact, times mean nothing, and everything is slow: for a look at each row and the rounds. */
#define TRIALS_EMULATED	    2
#define ITERATIONS_EMULATED 200
#define SECONDS_EMULATED    200

static const char help[] =
	"usage: activemm run [SCENARIO[:key=value,...]]... [OPTIONS]\n\n"
	"Measures the scenarios (the whole suite when none is named) and writes a result set.\n\n"
	"  --cpu N          measure on CPU N (default: the quietest allowed one)\n"
	"  --trials N       trials of each scenario and parameter set (default 12, --quick 6)\n"
	"  --iterations N   round trips of a trial (default: as many as take 0.1 s, --quick 0.02 "
	"s)\n"
	"  --trial-time SECONDS  as many as take that instead, of each scenario\n"
	"  --time SECONDS   rounds of trials until SECONDS have passed, at least three\n"
	"  --seed N         seed of every random order (default: the time)\n"
	"  --quick          fewer and shorter trials\n"
	"  --isolate        move interrupts and tasks off the CPU meanwhile (root), and back\n"
	"  --ktap           print KTAP instead of the summary: a test per row, was its claim "
	"kept?\n"
	"  --resume         go on with the result set that -o names\n"
	"  -o, --output DIR the result set (default: results/run-DATE-TIME)\n\n"
	"Exit status: 0 all trials valid or repeated until valid, 1 the run failed or a trial "
	"stayed invalid,\n"
	"2 wrong usage, 128+N stopped by signal N (finished trials are kept).\n";

enum { OPT_RESUME = RUN_OPT_OWN, OPT_ISOLATE, OPT_KTAP, OPT_TRIAL_TIME };

static const struct option options[] = {
	RUN_OPTIONS,
	{ "resume", no_argument, NULL, OPT_RESUME },
	{ "isolate", no_argument, NULL, OPT_ISOLATE },
	{ "ktap", no_argument, NULL, OPT_KTAP },
	{ "trial-time", required_argument, NULL, OPT_TRIAL_TIME },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static int trial_time(const char *text, double *seconds)
{
	char *end;

	*seconds = strtod(text, &end);
	if (end != text && !*end && *seconds >= 0.001 && *seconds <= 100)
		return 0;
	complain(0, "--trial-time %s: it must be a number of seconds from 0.001 to 100", text);
	return -EINVAL;
}

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
		case OPT_KTAP:
			o->ktap = true;
			break;
		case OPT_TRIAL_TIME:
			rc = trial_time(optarg, &o->trial_s);
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
		p->items[i].row.iterations = (uint64_t)iterations;
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
			member_set(done, key, json_true());
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
		if (o->ktap)
			export_ktap(&(struct export){ &set, summary }, stdout);
		else
			summary_print(summary, &set, stdout);
	}
	if (!rc && !o->ktap)
		printf("\nResult set: %s (%u trials now, %u of them invalid and repeated)\n",
		       o->dir, tally->trials, tally->invalid);
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
	member_set(machine, "isolate",
		   member_pack("{s:i, s:o}", "cpu", b->cpu.cpu, "left", member_string(left)));
	return 0;
}

/* The plan, from the user's specs or the whole suite, or from the set that is gone on with. */
static int plan_make(struct plan *p, struct run_options *o, char **specs, int nspecs,
		     struct result_set *old, bool *usage, struct error *e)
{
	int rc = 0;

	for (int i = 0; i < nspecs && !rc; i++)
		rc = plan_add(p, specs[i], e);
	for (unsigned int i = 0; i < p->n; i++)
		p->items[i].named = true;
	if (!rc && !nspecs && !o->resume)
		rc = plan_add_suite(p, o->quick, e);
	*usage = rc == -EINVAL;
	if (!rc && o->resume)
		rc = result_read(old, o->dir, e);
	if (!rc && o->resume)
		rc = plan_restore(p, o, old->machine, e);
	return rc;
}

/* When all is to be over: at a time of its own where the user says how much is to be done, or goes on with what was fitted once. */
static double end_of(const struct run_options *o, double began)
{
	if (o->seconds)
		return HUGE_VAL;
	if (o->resume || (o->trials_given && (o->iterations || o->trial_s)))
		return HUGE_VAL;
	if (o->quick)
		return began + (machine_emulated() ? SECONDS_EMULATED : SECONDS_QUICK);
	return began + SECONDS;
}

/* Looks, fits and does the rounds. 0, -EINTR or -errno. */
static int measure(const struct bench *b, struct plan *plan, struct run_options *o,
		   struct run_set *set, const json_t *done, double began, struct run_tally *tally,
		   struct error *e)
{
	double end = end_of(o, began), now = clock_monotonic_s();
	char verified[480];
	int rc = run_look(b, plan, o, set, isfinite(end) ? now + LOOK_SHARE * (end - now) : end, e);

	if (!rc) {
		run_verified_text(plan, verified, sizeof(verified));
		fprintf(stderr, "%s\n", verified);
	}
	if (!rc)
		rc = run_fit(b, plan, o, set, end, true, e);
	if (rc)
		return rc;
	member_set(set->machine, "run", run_plan_json(plan, o));
	rc = result_write_json(o->dir, "machine.json", set->machine, e);
	if (o->seconds)
		end = clock_monotonic_s() + (double)o->seconds;
	return rc ? rc : run_rounds(b, plan, o, set, done, end, tally, e);
}

/* What had come back to the isolated CPU by the end of the run is a warning of its record. */
static void isolation_check(const struct isolation *iso, const struct run_set *set)
{
	char *text = iso && set->w ? isolate_returned(iso) : NULL;
	struct error e = { 0 };

	if (text) {
		complain(0, "%s", text);
		member_append(json_object_get(set->machine, "warnings"), member_string(text));
		if (result_write_json(set->dir, "machine.json", set->machine, &e))
			complain(0, "%s", e.text);
	}
	free(text);
}

/* A session goes on from where it began; over a boot's end it is none, which its readers must know. */
static void session_resume(json_t *now, const json_t *old)
{
	json_t *began = member_copy(json_object_get(old, "session"));
	const json_t *session = json_object_get(now, "session");

	if (!began)
		return;
	if (!json_equal(json_object_get(began, "boot_id"), json_object_get(session, "boot_id")))
		member_set(began, "boot_ended", json_true());
	member_set(now, "session", began);
}

/* Everything behind the options. Returns 0, -EINTR or -errno; *@usage: it is the user's arguments that are wrong. */
static int run(struct run_options *o, char **specs, int nspecs, struct run_tally *tally,
	       unsigned int *refused, bool *usage, struct error *e)
{
	double began = clock_monotonic_s();
	struct run_set set = { .dir = o->dir };
	struct cpu_topology *topo = NULL;
	struct result_set old = { 0 };
	json_t *done = NULL;
	struct plan plan = { 0 };
	struct bench b = { 0 };
	struct isolation *iso = NULL;
	struct error back = { 0 };
	int rc = plan_make(&plan, o, specs, nspecs, &old, usage, e);

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
	set.machine = bench_machine(&b, topo);
	rc = set.machine ? 0 : error_set(e, ENOMEM, "out of memory");
	if (!rc && o->isolate)
		rc = isolate(&iso, &b, set.machine, e);
	if (!rc && o->resume)
		rc = same_machine(old.machine, set.machine, o->dir, e);
	if (!rc && o->resume)
		session_resume(set.machine, old.machine);
	if (!rc)
		rc = run_possible(&b, &plan, &set, e);
	if (!rc && o->resume)
		rc = run_restore(&b, &plan, old.machine, &set, e);
	if (!rc)
		rc = result_create(&set.w, o->dir, set.machine, o->resume, e);
	if (rc)
		goto done;
	fprintf(stderr, "CPU %d (%s)\n", b.cpu.cpu, b.cpu.why);
	done = old.trials ? trials_done(&old) : json_object();
	rc = measure(&b, &plan, o, &set, done, began, tally, e);
done:
	*refused = set.refused;
	isolation_check(iso, &set);
	result_close(set.w);
	pace_free(&set.pace);
	if (isolate_end(iso, &back))
		complain(0, "%s", back.text);
	bench_close(&b);
	cpu_topology_free(topo);
	plan_free(&plan);
	findings_free(&set.findings);
	json_decref(set.machine);
	json_decref(done);
	if (old.dir)
		result_free(&old);
	return rc;
}

static void defaults_set(struct run_options *o)
{
	bool emulated = machine_emulated() && !o->seconds;

	if (o->resume)
		return;
	if (!o->trials)
		o->trials = o->seconds ? 1000000
			    : emulated ? TRIALS_EMULATED
			    : o->quick ? TRIALS_QUICK
				       : TRIALS;
	if (emulated)
		o->trials_least = 1; /* an exact count tells by itself */
	if (emulated && !o->iterations && o->trial_s <= 0)
		o->iterations = ITERATIONS_EMULATED;
}

int cmd_run(int argc, char **argv)
{
	struct run_options o = { .cpu = -1, .seed = (unsigned long)time(NULL) & 0x7fffffff };
	struct run_tally tally = { 0 };
	struct error e = { 0 };
	unsigned int refused = 0;
	bool usage = false;
	char dir[64];
	int rc, status = options_parse(argc, argv, &o);

	if (status >= 0)
		return status;
	defaults_set(&o);
	if (!o.dir) {
		if (run_default_dir(dir, sizeof(dir), "run", &e))
			return complain(EXIT_FAILED, "%s", e.text);
		o.dir = dir;
	}
	run_catch_signals();
	if (run_recover(&e))
		return complain(EXIT_FAILED, "%s", e.text);
	rc = run(&o, argv + optind, argc - optind, &tally, &refused, &usage, &e);
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
		return complain(
			EXIT_FAILED,
			"%u trials stayed invalid after up to %d attempts: the summary says "
			"why",
			tally.given_up, RUN_ATTEMPTS);
	if (tally.trials && tally.trials == tally.invalid)
		return complain(EXIT_FAILED, "no trial was valid: the summary says why");
	if (refused)
		return complain(EXIT_FAILED,
				"%u of what you named could not run: the summary says why",
				refused);
	return EXIT_DONE;
}
