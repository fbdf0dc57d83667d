/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the short summary and the whole one share. */
#ifndef BENCH_SUMMARY_PRIVATE_H
#define BENCH_SUMMARY_PRIVATE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/results/set.h"

#define SUMMARY_COLUMNS 100
#define SUMMARY_TIME	30 /* columns of a figure with its interval */

/* Prints @text from column @at on, broken at blanks, later lines indented by @indent. */
void summary_wrapped(FILE *out, int at, int indent, const char *text);

/* The answer, and of which machine it is. */
void summary_print_head(const json_t *summary, const struct result_set *set, FILE *out);

struct summary_columns {
	int name; /* width of the scenario's name; 0: it stands above its rows */
	int params;
	bool times; /* mean something */
};

void summary_print_columns(const struct summary_columns *at, FILE *out);
void summary_print_row(const struct summary_columns *at, const json_t *row, FILE *out);

/* The longest parameters of the rows, but at most @most. */
int summary_params_width(const json_t *rows, int most);

/* What a * after a number of switches means, where there is one. */
void summary_print_own_switches(const json_t *summary, FILE *out);

/* Net costs, the TLB's refill, scaling: @all of them or those that say most. */
void summary_print_findings(const json_t *summary, bool all, FILE *out);

#endif
