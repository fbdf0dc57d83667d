// SPDX-License-Identifier: GPL-2.0-or-later
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "bench/commands/commands.h"
#include "bench/export/export.h"
#include "bench/report/report.h"

static const char help[] =
	"usage: activemm export DIR --openmetrics | --csv | --influx | --gobench | --ktap\n\n"
	"A result set in another tool's format, on standard output.\n\n"
	"  --openmetrics  medians, intervals and counts as OpenMetrics text (Prometheus)\n"
	"  --csv          a line per trial, every counter a column (RFC 4180)\n"
	"  --influx       a point per trial (InfluxDB's line protocol)\n"
	"  --gobench      a line per valid trial (Go's benchmark format: benchstat)\n"
	"  --ktap         a test per scenario and parameters: was its claim kept? (KTAP version "
	"1)\n";

static void ktap(const struct export *x, FILE *out)
{
	export_ktap(x, out);
}

static const struct option options[] = {
	{ "openmetrics", no_argument, NULL, 0 },
	{ "csv", no_argument, NULL, 1 },
	{ "influx", no_argument, NULL, 2 },
	{ "gobench", no_argument, NULL, 3 },
	{ "ktap", no_argument, NULL, 4 },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static void (*const formats[])(const struct export *x, FILE *out) = {
	export_openmetrics, export_csv, export_influx, export_gobench, ktap,
};

int cmd_export(int argc, char **argv)
{
	struct result_set set;
	struct error e = { 0 };
	struct export x = { .set = &set };
	json_t *summary;
	int c, format = -1;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return EXIT_DONE;
		}
		if (c == '?')
			return complain(
				EXIT_USAGE,
				"export: option '%s' is unknown: see `activemm export --help'",
				argv[optind - 1]);
		if (format >= 0)
			return complain(EXIT_USAGE, "export: name one format");
		format = c;
	}
	if (optind != argc - 1 || format < 0)
		return complain(EXIT_USAGE, "export: name one result set and one format: see "
					    "`activemm export --help'");
	if (result_read(&set, argv[optind], &e))
		return complain(EXIT_FAILED, "%s", e.text);
	if (set.notice[0])
		complain(0, "%s", set.notice);
	if (report_is_watch(&set)) {
		result_free(&set);
		return complain(EXIT_FAILED,
				"%s is a recorded watch: it has no trials to export; "
				"`activemm watch --textfile' writes its figures",
				argv[optind]);
	}
	summary = summary_make(&set, &e);
	x.summary = summary;
	if (summary)
		formats[format](&x, stdout);
	json_decref(summary);
	result_free(&set);
	return summary ? EXIT_DONE : complain(EXIT_FAILED, "%s", e.text);
}
