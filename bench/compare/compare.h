/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What changed between result sets. */
#ifndef BENCH_COMPARE_COMPARE_H
#define BENCH_COMPARE_COMPARE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "bench/compare/nodes.h"

struct compare_options {
	bool force; /* compare times although they should not be */
	bool one_session; /* judge kernels by one session a side, although it cannot tell */
	double share; /* a difference below it does not matter: 0.02 */
	const json_t *
		spreads; /* how sessions of this machine varied, as bench/history has it; NULL: not known */
	const struct compare_nodes *nodes; /* by compare_sides(); NULL: none */
};

/* What tells sets apart: options' values, NULL where they are not given. */
struct compare_by {
	/* "kernel" (release, build, command line, CPU model), "set" (each by itself), "folder" (the one that they are in) or a member of
	 * machine.json as "cpu.model"; NULL: by kernel, and each by itself where all have the same */
	const char *sides;
	const char *base; /* a kernel's release or a set's folder; NULL: the first set's side */
	const char *
		nodes; /* "machine" (NULL), "folder", a member of machine.json, or "none": machines are not told apart */
};

/*
 * Joins those of the *@n sets, which need not be read yet, that are sessions of one kernel (scan_set_join()) and puts the base's side first;
 * *@n gets the number of sides, what is left of @sets is empty. Where two nodes or more have the base and another kernel,
 * a kernel is the same on every CPU model, @nodes is filled, and machines with but one kernel are left out. -EINVAL with @e; free all sets and @nodes then, too.
 */
int compare_sides(struct scan_set *sets, size_t *n, const struct compare_by *by,
		  struct compare_nodes *nodes, struct error *e);

/* Takes out of a machine record what the comparison of many sets does not ask for. */
void compare_trim(json_t *machine);

/*
 * Compares every set with the first: an array with one object per further set, what every output is made from. Verdicts:
 *  slower, faster (watch: more, fewer)  significant at 5 % after Holm's correction over all rows of all sets, by sessions where
 *           both sides have two or more (lib/stats/sessions.h)
 *  differ   the same of one session's trials: the runs differ, which does not tell whether the kernels do
 *  same     not so, and the 95 % interval of the ratio lies within options->share
 *  noisy    neither; trials_needed a side would find options->share in nine of ten tries
 *  missing, no trials, not compared
 * Counters' values in @sets get sorted. New reference; NULL with @e filled.
 */
json_t *compare_sets(struct scan_set *sets, size_t n, const struct compare_options *options,
		     struct error *e);

/* Why times of the two must not be compared, or NULL. */
const char *compare_refused(const struct scan_set *a, const struct scan_set *b);

/* How the machine records differ: an array of {"what", "base", "other"}, what explains most first. New reference. */
json_t *compare_machines(const json_t *a, const json_t *b);

/* Where texts of two records that are shown to @most bytes begin to differ, a little before it: 0 where both are short enough. */
size_t compare_differ_at(const char *a, const char *b, size_t most);

/* A set's name: its kernel's release where no other set has that, else its folder. New string. */
char *compare_name(const struct scan_set *sets, size_t n, size_t i);

/* What changed, by how much, how sure: one sentence on @pair. */
void compare_sentence(const json_t *pair, char *text, size_t len);

/* What of @all is a regression of more than @percent: one line in @text, or false. Rules in activemm(1). */
bool compare_fails(const json_t *all, double percent, char *text, size_t len);

/* What the gate could not see: one line in @text, or false. */
bool compare_blind(const json_t *all, char *text, size_t len);

/* The row of @pair about the same group and quantity as @row, or NULL: rows of a watch may be fewer in one pair. */
const json_t *compare_row_like(const json_t *pair, const json_t *row);

/* Are @pair's times to be seen: not refused, or forced? */
bool compare_times_shown(const json_t *pair);

/* A line each: what is to be said of a side; counts that changed, counters that only one set has, what is missing; notes on times; whose times are refused. */
void compare_print_sentences(const json_t *all, FILE *out);
void compare_print_facts(const json_t *all, FILE *out);
void compare_print_notes(const json_t *all, FILE *out);
void compare_print_refused(const json_t *all, FILE *out);

/* How @all's figures came to be, in a sentence or two. */
const char *compare_method(const json_t *all);

/*
 * Boots of one kernel with other parameters as one table: {"columns": [heading], "boots": [{"boot": parameters, "cells": [{"median",
 * "low", "high" (ns per round trip), "cr3_loads", "cr3_flushes"}]}], "times": bool}, the base first; a cell's members may be missing.
 * New reference, NULL where the sides are anything else. Its title; a cell's time and counts as text, "-" without; the table.
 */
json_t *compare_boots(const json_t *all);
const char *compare_boots_title(const json_t *table);
void compare_boot_cell(const json_t *cell, bool times, char *ns, char *counts, size_t len);
void compare_print_boots(const json_t *all, FILE *out, bool markdown);

/*
 * Where both sets of a pair ran on an emulated clock that goes by instructions, the pair has "instructions": [{"scenario", "params",
 * "parameters", "base", "other": {"median", "low", "high" (of the trials), "user", "kernel" (null without such counters)}, "ratio",
 * "changed"}]. The row of another @pair like @row, or NULL; the table's title; a cell: "412 + 6318 (+5.1 %)".
 */
const json_t *instructions_like(const json_t *pair, const json_t *row);
const char *instructions_title(void);
void instructions_cell(const json_t *row, bool base, char *buf, size_t len);
void compare_print_instructions(const json_t *all, FILE *out, bool markdown);

void compare_print(const json_t *all, FILE *out);
void compare_print_csv(const json_t *all, FILE *out);
void compare_print_markdown(const json_t *all, FILE *out);

#endif
