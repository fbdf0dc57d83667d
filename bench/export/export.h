/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A result set in the formats of other tools, a file each. They read a set and its summary and write to a stream; texts of the set
 * (names, kernels, reasons) are any UTF-8 and are escaped as the format wants.
 */
#ifndef BENCH_EXPORT_EXPORT_H
#define BENCH_EXPORT_EXPORT_H

#include <stdio.h>

#include "bench/summary/summary.h"
#include "lib/results/set.h"

/* What to write: the set as result_read() gives it, and its summary_make(). */
struct export
{
	const struct result_set *set;
	const json_t *summary;
};

/*
 * OpenMetrics text (https://prometheus.io/docs/specs/om/open_metrics_spec/): medians and their intervals in seconds, counts per round trip,
 * trials valid and invalid, labelled by scenario and parameters. Ends with "# EOF".
 */
void export_openmetrics(const struct export *x, FILE *out);

/* RFC 4180, a line per trial: place, parameters, validity, times, and every counter per round trip that any trial has. */
void export_csv(const struct export *x, FILE *out);

/* InfluxDB's line protocol, a point per trial at the time of its end, parameters as tags. */
void export_influx(const struct export *x, FILE *out);

/*
 * The Go benchmark format (golang.org/design/14313-benchmark-format), which benchstat reads: a line per valid trial; each counter is a unit
 * of its own.
 */
void export_gobench(const struct export *x, FILE *out);

/*
 * KTAP version 1 (Documentation/dev-tools/ktap.rst): a test per scenario and parameters: ok where every trial has kept its claim or was
 * repeated until it did; SKIP where nothing proves it, or it cannot run here; times as diagnostics. Returns how many are not ok.
 */
unsigned int export_ktap(const struct export *x, FILE *out);

#endif
