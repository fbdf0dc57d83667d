// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "bench/export/members.h"
#include "lib/base/member.h"

static void label(const char *key, const char *value, const char *before, FILE *out)
{
	fputs(before, out);
	for (const char *c = key; *c; c++)
		fputc(isalpha((unsigned char)*c) || (isdigit((unsigned char)*c) && c > key) ? *c
											    : '_',
		      out);
	fputs("=\"", out);
	for (; *value; value++) {
		if (*value == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (*value == '"' || *value == '\\')
			fputc('\\', out);
		fputc(*value, out);
	}
	fputc('"', out);
}

/* Name, scenario and parameters of a row, "{...": further labels may follow. */
static void series(const char *family, const json_t *row, FILE *out)
{
	const char *key;
	json_t *value;
	char buf[32];

	fprintf(out, "%s{", family);
	label("scenario", member_text(row, "scenario"), "", out);
	json_object_foreach (json_object_get(row, "params"), key, value)
		label(key, export_param(value, buf, sizeof(buf)), ",", out);
}

static void family(const char *name, const char *type, const char *unit, const char *help,
		   FILE *out)
{
	fprintf(out, "# TYPE %s %s\n", name, type);
	if (unit)
		fprintf(out, "# UNIT %s %s\n", name, unit);
	fprintf(out, "# HELP %s %s\n", name, help);
}

static void times(const json_t *rows, FILE *out)
{
	static const char *const stats[] = { "median", "low", "high" };
	json_t *row;
	size_t i;

	family("activemm_round_trip_seconds", "gauge", "seconds",
	       "Time of a round trip: median over trials and its 95 % interval.", out);
	json_array_foreach (rows, i, row)
		for (size_t k = 0; k < sizeof(stats) / sizeof(*stats); k++) {
			double ns = member_number(json_object_get(row, "ns"), stats[k]);

			if (!isfinite(ns))
				continue;
			series("activemm_round_trip_seconds", row, out);
			label("stat", stats[k], ",", out);
			fprintf(out, "} %.9g\n", ns * 1e-9);
		}
}

static void counts(const json_t *rows, FILE *out)
{
	const char *name;
	json_t *row, *value;
	size_t i;

	family("activemm_events_per_round_trip", "gauge", NULL,
	       "What the kernel's events counted per round trip, median over trials.", out);
	json_array_foreach (rows, i, row)
		json_object_foreach (json_object_get(row, "counters"), name, value) {
			if (!json_is_number(value))
				continue;
			series("activemm_events_per_round_trip", row, out);
			label("counter", name, ",", out);
			fprintf(out, "} %.9g\n", json_number_value(value));
		}
}

static void validity(const json_t *rows, FILE *out)
{
	static const char *const kinds[] = { "valid", "invalid" };
	json_t *row;
	size_t i;

	family("activemm_trials", "gauge", NULL, "Trials that kept or broke their claim.", out);
	json_array_foreach (rows, i, row)
		for (size_t k = 0; k < 2; k++) {
			series("activemm_trials", row, out);
			label("outcome", kinds[k], ",", out);
			fprintf(out, "} %.0f\n", fmax(member_number(row, kinds[k]), 0));
		}
}

void export_openmetrics(const struct export *x, FILE *out)
{
	const json_t *rows = json_object_get(x->summary, "results");

	/* A gauge, as the older text format, which many readers still speak, has no type info. */
	family("activemm_machine_info", "gauge", NULL, "Where the set was measured.", out);
	fputs("activemm_machine_info{", out);
	label("kernel", export_kernel(x), "", out);
	label("cpu_model", export_cpu(x), ",", out);
	label("suite_version", export_version(x), ",", out);
	fputs("} 1\n", out);
	family("activemm_verified", "gauge", NULL, "1 if the kernel's events proved every trial.",
	       out);
	fprintf(out, "activemm_verified %d\n",
		json_is_true(json_object_get(x->summary, "verified")));
	if (!json_is_false(json_object_get(x->summary, "times_meaningful")))
		times(rows, out);
	counts(rows, out);
	validity(rows, out);
	fputs("# EOF\n", out);
}
