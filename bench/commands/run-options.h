/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options that `run' and `ab' share. */
#ifndef BENCH_COMMANDS_RUN_OPTIONS_H
#define BENCH_COMMANDS_RUN_OPTIONS_H

#include "bench/harness/run.h"

/* As getopt_long(3) values; -o besides. */
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

#endif
