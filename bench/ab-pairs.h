/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two result sets measured in turns, pair by pair: trials of one number stood side by side. */
#ifndef BENCH_AB_PAIRS_H
#define BENCH_AB_PAIRS_H

#include <stdio.h>

#include "lib/result.h"

/*
 * Two-sided p of Wilcoxon's signed-rank test that the differences @d are symmetric about 0; zeros are left out, ties share
 * ranks. Exact up to 50 differences without ties, else by the normal approximation with continuity and tie
 * corrections (Hollander & Wolfe, Nonparametric Statistical Methods, 3.1). NaN without a difference that is not 0.
 */
double pairs_signed_rank(const double *d, size_t n);

/*
 * paired.json (results/schema/paired.schema.json): for each scenario and parameter set that both have, the paired difference
 * b - a of the trials that are valid on both sides. New reference, NULL with @e filled.
 */
json_t *pairs_make(const struct result_set *a, const struct result_set *b, struct error *e);

/* The same as a table. */
void pairs_print(const json_t *paired, FILE *out);

#endif
