/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What several formats want of a set. */
#ifndef BENCH_EXPORT_MEMBERS_H
#define BENCH_EXPORT_MEMBERS_H

#include "bench/export/export.h"

/* A text of the machine's record, "" without: the kernel's release, the CPU's model, the suite's version. */
const char *export_kernel(const struct export *x);
const char *export_cpu(const struct export *x);
const char *export_version(const struct export *x);

/* A parameter's value as text, in @buf where it is a number. */
const char *export_param(const json_t *value, char *buf, size_t len);

/* A trial's counter per round trip; NaN where it was not counted. */
double export_counter(const json_t *trial, const char *name);

/* Names of the counters that some trial of the set counted, in their order of appearance, as keys. New reference, NULL out of memory. */
json_t *export_counters(const struct export *x);

/* The same of the parameters' keys. */
json_t *export_params(const struct export *x);

#endif
