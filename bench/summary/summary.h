/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From trials to figures: what summary.json holds and the terminal shows. */
#ifndef BENCH_SUMMARY_SUMMARY_H
#define BENCH_SUMMARY_SUMMARY_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/results/set.h"

/* summary.json of @set (results/schema/summary.schema.json). New reference, NULL with @e filled. */
json_t *summary_make(const struct result_set *set, struct error *e);

/* Is it one of trials that were not all verified? Then says so in @buf, in a sentence. */
bool summary_unverified(const json_t *summary, char *buf, size_t len);

/* The terminal summary, at most 100 columns and about 40 lines, the answer first; and the whole of it. */
void summary_print(const json_t *summary, const struct result_set *set, FILE *out);
void summary_print_all(const json_t *summary, const struct result_set *set, FILE *out);

/* The answer alone: what a lazy switch costs, what a real one, what active_mm saves. */
void summary_print_headline(const json_t *summary, FILE *out);

#endif
