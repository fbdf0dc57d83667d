// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>

#include "bench/export/members.h"
#include "lib/base/member.h"
#include "lib/base/text.h"

static void figure(double v, FILE *out)
{
	fputc(',', out);
	if (isfinite(v))
		fprintf(out, "%.9g", v);
}

static void header(const json_t *params, const json_t *counters, FILE *out)
{
	const char *key;
	json_t *ignored;

	fputs("kernel,cpu_model,scenario", out);
	json_object_foreach ((json_t *)params, key, ignored) {
		fputc(',', out);
		text_csv(key, out);
	}
	fputs(",trial,attempt,end,valid,verified,iterations,ns_per_round_trip,p50_ns,p90_ns,p99_ns,"
	      "max_ns",
	      out);
	json_object_foreach ((json_t *)counters, key, ignored) {
		fputc(',', out);
		text_csv(key, out);
	}
	fputs("\r\n", out);
}

static void trial(const struct export *x, const json_t *t, const json_t *params,
		  const json_t *counters, FILE *out)
{
	static const char *const points[] = { "p50", "p90", "p99", "max" };
	const json_t *mine = json_object_get(t, "params"), *latency = json_object_get(t, "latency");
	const char *key;
	json_t *ignored;
	char buf[32];

	text_csv(export_kernel(x), out);
	fputc(',', out);
	text_csv(export_cpu(x), out);
	fputc(',', out);
	text_csv(member_text(t, "scenario"), out);
	json_object_foreach ((json_t *)params, key, ignored) {
		fputc(',', out);
		if (json_object_get(mine, key))
			text_csv(export_param(json_object_get(mine, key), buf, sizeof(buf)), out);
	}
	figure(member_number(t, "trial"), out);
	figure(member_number(t, "attempt"), out);
	fprintf(out, ",%s,%s,%s", member_text(t, "end"),
		json_is_true(json_object_get(t, "valid")) ? "true" : "false",
		json_is_true(json_object_get(t, "verified")) ? "true" : "false");
	figure(member_number(t, "iterations"), out);
	figure(member_number(t, "ns_per_round_trip"), out);
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
		figure(member_number(latency, points[i]), out);
	json_object_foreach ((json_t *)counters, key, ignored)
		figure(export_counter(t, key), out);
	fputs("\r\n", out);
}

void export_csv(const struct export *x, FILE *out)
{
	json_t *params = export_params(x), *counters = export_counters(x), *t;
	size_t i;

	header(params, counters, out);
	json_array_foreach (x->set->trials, i, t)
		trial(x, t, params, counters, out);
	json_decref(params);
	json_decref(counters);
}
