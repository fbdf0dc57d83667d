// SPDX-License-Identifier: GPL-2.0-or-later
/* https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/ */
#include <math.h>
#include <string.h>
#include <time.h>

#include "bench/export/members.h"
#include "lib/base/member.h"

/* A tag's key or value: comma, space and '=' are escaped; line breaks cannot be, and readers differ on backslashes. */
static void tag_text(const char *s, FILE *out)
{
	for (; *s; s++) {
		if (*s == '\n' || *s == '\r') {
			fputc('_', out);
			continue;
		}
		if (strchr(", =", *s))
			fputc('\\', out);
		fputc(*s == '\\' ? '/' : *s, out);
	}
}

/* An empty tag value is no point at all. */
static void tag(const char *key, const char *value, FILE *out)
{
	if (!*value || !*key)
		return;
	fputc(',', out);
	tag_text(key, out);
	fputc('=', out);
	tag_text(value, out);
}

static void field(const char *key, double v, FILE *out)
{
	if (!isfinite(v))
		return;
	fputc(',', out);
	tag_text(key, out);
	fprintf(out, "=%.9g", v);
}

static void trial(const struct export *x, const json_t *t, const json_t *counters, FILE *out)
{
	const char *key;
	struct tm tm = { 0 };
	json_t *value;
	char buf[32];

	fputs("activemm", out);
	tag("scenario", member_text(t, "scenario"), out);
	tag("kernel", export_kernel(x), out);
	tag("cpu_model", export_cpu(x), out);
	json_object_foreach (json_object_get(t, "params"), key, value)
		tag(key, export_param(value, buf, sizeof(buf)), out);
	fprintf(out, " valid=%s,verified=%s",
		json_is_true(json_object_get(t, "valid")) ? "true" : "false",
		json_is_true(json_object_get(t, "verified")) ? "true" : "false");
	field("trial", member_number(t, "trial"), out);
	field("attempt", member_number(t, "attempt"), out);
	field("ns_per_round_trip", member_number(t, "ns_per_round_trip"), out);
	json_object_foreach ((json_t *)counters, key, value)
		field(key, export_counter(t, key), out);
	/* The record knows the second: attempt and trial below it keep the points of one series apart. */
	if (strptime(member_text(t, "end"), "%Y-%m-%dT%H:%M:%SZ", &tm))
		fprintf(out, " %lld%03d%06d", (long long)timegm(&tm),
			(int)member_number(t, "attempt") % 1000,
			(int)member_number(t, "trial") % 1000000);
	fputc('\n', out);
}

void export_influx(const struct export *x, FILE *out)
{
	json_t *counters = export_counters(x), *t;
	size_t i;

	json_array_foreach (x->set->trials, i, t)
		trial(x, t, counters, out);
	json_decref(counters);
}
