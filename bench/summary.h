/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From trials to figures: what summary.json holds and the terminal shows. */
#ifndef BENCH_SUMMARY_H
#define BENCH_SUMMARY_H

#include <stdio.h>

#include "lib/result.h"

/* summary.json of @set (results/schema/summary.schema.json). New reference, NULL with @e filled. */
json_t *summary_make(const struct result_set *set, struct error *e);

/* The terminal summary, at most 100 columns, the answer first. */
void summary_print(const json_t *summary, const struct result_set *set, FILE *out);

/* Parameters for a table, "handover=pipe,pages=64": those with their usual values left out. */
void summary_params_text(const json_t *params, char *buf, size_t len);

/* Where the run's plan (machine.json's run.scenarios, or NULL) has the scenario first; the end of the list if it does not. */
size_t summary_plan_rank(const json_t *plan, const char *scenario);

/* The answer alone: what a lazy switch costs, what a real one, what active_mm saves. */
void summary_print_headline(const json_t *summary, FILE *out);

#endif
