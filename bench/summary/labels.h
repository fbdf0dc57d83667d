/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a scenario and its parameters are called in tables, and which comes first. */
#ifndef BENCH_SUMMARY_LABELS_H
#define BENCH_SUMMARY_LABELS_H

#include <jansson.h>
#include <stddef.h>

/* Parameters for a table, "handover=pipe,pages=64": those with their usual values left out. */
void summary_params_text(const json_t *params, char *buf, size_t len);

/* Where the run's plan (machine.json's run.scenarios, or NULL) has the scenario first; the end of the list if it does not. */
size_t summary_plan_rank(const json_t *plan, const char *scenario);

#endif
