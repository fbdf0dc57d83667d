/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The commands of activemm. Each takes its own arguments (argv[0] is its name) and returns the exit status. */
#ifndef BENCH_COMMANDS_COMMANDS_H
#define BENCH_COMMANDS_COMMANDS_H

#include <jansson.h>

#include "lib/base/error.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_REGRESSION = 3 };

int cmd_list(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_export(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_compare(int argc, char **argv);
int cmd_ab(int argc, char **argv);
int cmd_plan(int argc, char **argv);
int cmd_history(int argc, char **argv);
int cmd_watch(int argc, char **argv);

/*
 * Reads an option's whole number in [@min, @max]. 0, or -EINVAL after a complaint that names the range.
 */
int option_number(const char *option, const char *text, long min, long max, long *value);

/*
 * history_spreads() of @db, or where that is NULL of the usual file, without which and without SQLite *@spreads is NULL. New reference.
 * 0, or -errno where @db is named and cannot be read.
 */
int spreads_known(const char *db, const json_t *machine, json_t **spreads, struct error *e);

#endif
