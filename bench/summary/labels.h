/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a scenario and its parameters are called in tables, and which comes first. */
#ifndef BENCH_SUMMARY_LABELS_H
#define BENCH_SUMMARY_LABELS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* What tasks may ask the kernel for at a switch: "membarrier", "ibpb", "l1d". */
#define PARAM_ASKS 3
extern const char *const param_asks[PARAM_ASKS];

/* Does @params ask for any that @beyond (or NULL) does not? Takes them out. */
bool params_ask(const json_t *params, const json_t *beyond);
void params_unask(json_t *params);

/* Parameters for a table, "handover=pipe,pages=64": those with their usual values left out. */
void summary_params_text(const json_t *params, char *buf, size_t len);

/* Where the run's plan (machine.json's run.scenarios, or NULL) has the scenario first; the end of the list if it does not. */
size_t summary_plan_rank(const json_t *plan, const char *scenario);

#endif
