/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two result sets measured in turns, pair by pair: trials of one number stood side by side. */
#ifndef BENCH_COMPARE_PAIRS_H
#define BENCH_COMPARE_PAIRS_H

#include <stdio.h>

#include "lib/results/set.h"

/*
 * paired.json (results/schema/paired.schema.json): for each scenario and parameter set that both have, the paired difference
 * b - a of the trials that are valid on both sides. New reference, NULL with @e filled.
 */
json_t *pairs_make(const struct result_set *a, const struct result_set *b, struct error *e);

/* The same as a table. */
void pairs_print(const json_t *paired, FILE *out);

#endif
