// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "bench/export/members.h"
#include "lib/base/member.h"

/* A name or unit is one word, and '-' before digits at a name's end would read as GOMAXPROCS; '/' divides. */
static void word(const char *s, FILE *out)
{
	for (; *s; s++)
		fputc(isspace((unsigned char)*s) || *s == '/' ? '_' : *s, out);
}

/* The value of a configuration line: the rest of the line. */
static void config(const char *key, const char *value, FILE *out)
{
	if (!*value)
		return;
	fprintf(out, "%s: ", key);
	for (; *value; value++)
		fputc(*value == '\n' || *value == '\r' ? ' ' : *value, out);
	fputc('\n', out);
}

static void trial(const json_t *t, const json_t *counters, FILE *out)
{
	const char *key, *scenario = member_text(t, "scenario");
	double ns = member_number(t, "ns_per_round_trip"), n = member_number(t, "iterations");
	json_t *value;
	char buf[32];

	if (!json_is_true(json_object_get(t, "valid")) || !isfinite(ns) || !(n >= 1) || !*scenario)
		return;
	/* "Benchmark" must be followed by what is no lower-case letter. */
	fprintf(out, "Benchmark%c", toupper((unsigned char)*scenario));
	word(scenario + 1, out);
	json_object_foreach (json_object_get(t, "params"), key, value) {
		fputc('/', out);
		word(key, out);
		fputc('=', out);
		word(export_param(value, buf, sizeof(buf)), out);
	}
	fprintf(out, " %.0f %.9g ns/op", n, ns);
	json_object_foreach ((json_t *)counters, key, value) {
		double v = export_counter(t, key);

		if (!isfinite(v))
			continue;
		fprintf(out, " %.9g ", v);
		word(key, out);
		fputs("/op", out);
	}
	fputc('\n', out);
}

void export_gobench(const struct export *x, FILE *out)
{
	json_t *counters = export_counters(x), *t, *ignored;
	const char *key;
	size_t i;

	config("goos", "linux", out);
	config("pkg", "activemm-bench", out);
	config("cpu", export_cpu(x), out);
	config("kernel", export_kernel(x), out);
	json_object_foreach (counters, key, ignored) {
		fputs("Unit ", out);
		word(key, out);
		fputs("/op better=lower\n", out);
	}
	json_array_foreach (x->set->trials, i, t)
		trial(t, counters, out);
	json_decref(counters);
}
