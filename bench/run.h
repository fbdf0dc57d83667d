/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run: the plan's items in random order, round after round, into a result set. */
#ifndef BENCH_RUN_H
#define BENCH_RUN_H

#include <stdbool.h>

#include "bench/plan.h"
#include "bench/setup.h"
#include "lib/result.h"

#define RUN_ATTEMPTS \
	6 /* an invalid trial is done again, so often in all, after ever longer pauses */

struct run_options {
	long cpu; /* -1: chosen */
	long trials; /* rounds; 0: the default */
	long iterations; /* round trips per trial; 0: as many as take the usual time */
	long seconds; /* of the whole run; 0: no limit, trials decide */
	unsigned long seed;
	bool quick;
	bool resume;
	bool isolate; /* move interrupts and tasks off the measured CPU for the run */
	const char *dir;
};

struct run_tally {
	unsigned int trials, invalid,
		given_up; /* attempts made; of them invalid; trials without a valid attempt */
};

/* The options that `run' and `ab' share, as getopt_long(3) values; -o besides. */
enum {
	RUN_OPT_CPU = 256,
	RUN_OPT_TRIALS,
	RUN_OPT_ITERATIONS,
	RUN_OPT_TIME,
	RUN_OPT_SEED,
	RUN_OPT_QUICK,
	RUN_OPT_OWN /* a command's own ones start here */
};

/* clang-format off */
#define RUN_OPTIONS \
	{ "cpu", required_argument, NULL, RUN_OPT_CPU }, \
	{ "trials", required_argument, NULL, RUN_OPT_TRIALS }, \
	{ "iterations", required_argument, NULL, RUN_OPT_ITERATIONS }, \
	{ "time", required_argument, NULL, RUN_OPT_TIME }, \
	{ "seed", required_argument, NULL, RUN_OPT_SEED }, \
	{ "quick", no_argument, NULL, RUN_OPT_QUICK }, \
	{ "output", required_argument, NULL, 'o' }
/* clang-format on */

/* Takes one of RUN_OPTIONS. 0, -ENOENT for another one, -EINVAL after a complaint. */
int run_option(int option, const char *value, struct run_options *o);

/* "results/COMMAND-DATE-TIME", whose parent is made. 0 or -errno. */
int run_default_dir(char *buf, size_t len, const char *command, struct error *e);

/* Puts back what a killed run with --isolate had moved, and says so. 0 or -errno. */
int run_recover(struct error *e);

/* SIGINT, SIGTERM and SIGHUP set trial_stop from here on; what trials leave behind is reaped here. */
void run_catch_signals(void);

/* Drops what cannot run here, says so, and keeps the reasons in @machine. -EINVAL if nothing is left. */
int run_possible(const struct bench *b, struct plan *p, json_t *machine, struct error *e);

/* The plan and the options for machine.json's "run". New reference. */
json_t *run_plan_json(const struct plan *p, const struct run_options *o);

/*
 * Looks at each item briefly: how long a round trip takes, whether the default hand-over holds here, and whether this
 * kernel does what is claimed at all: what it does not is dropped from the plan and told in @skipped ({"what", "why"}),
 * as are working sets whose huge pages are not to be had.
 */
int run_look(const struct bench *b, struct plan *plan, const struct run_options *o, json_t *skipped,
	     struct error *e);

/* Does the rounds. @done: keys of trials that the set holds already. 0, -EINTR when stopped, or -errno. */
int run_rounds(const struct bench *b, const struct plan *plan, const struct run_options *o,
	       struct result_writer *w, const json_t *done, struct run_tally *tally,
	       struct error *e);

/* One trial of @item as number @round, done again while invalid: its attempts go into @w. 0, -EINTR or -errno. */
int run_trial(const struct bench *b, const struct plan_item *item, unsigned int round,
	      const struct run_options *o, struct result_writer *w, struct run_tally *tally,
	      struct error *e);

/* The key of a trial in @done: "scenario {params} number". malloc'ed. */
char *run_key(const char *scenario, const json_t *params, json_int_t trial);

#endif
