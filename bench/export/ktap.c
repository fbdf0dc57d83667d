// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/export/members.h"
#include "bench/summary/group.h"
#include "lib/base/member.h"

/* One line, and no '#', which would begin a directive. */
static void text(const char *s, FILE *out)
{
	for (; *s; s++)
		fputc(*s == '#' ? '/' : (unsigned char)*s < ' ' ? ' ' : *s, out);
}

static void name(const struct group *g, FILE *out)
{
	const char *key, *before = ":";
	json_t *value;
	char buf[32];

	text(g->scenario, out);
	json_object_foreach ((json_t *)g->params, key, value) {
		fputs(before, out);
		text(key, out);
		fputc('=', out);
		text(export_param(value, buf, sizeof(buf)), out);
		before = ",";
	}
}

/* Of the trials' numbers, how many there are and how many have no valid attempt; the last such trial in *@bad. */
static void outcomes(const struct group *g, size_t *all, size_t *broken, const json_t **bad)
{
	json_t *kept = json_object();
	const char *key;
	json_t *value;
	char number[32];

	for (size_t i = 0; i < g->n; i++) {
		bool valid = json_is_true(json_object_get(g->trials[i], "valid"));

		export_param(json_object_get(g->trials[i], "trial"), number, sizeof(number));
		if (valid || !json_object_get(kept, number))
			member_set(kept, number, json_boolean(valid));
		if (!valid)
			*bad = g->trials[i];
	}
	*all = json_object_size(kept);
	*broken = 0;
	json_object_foreach (kept, key, value)
		*broken += !json_is_true(value);
	json_decref(kept);
}

static void diagnostics(const struct export *x, const struct group *g, size_t all, size_t broken,
			const json_t *bad, FILE *out)
{
	struct interval ns = group_interval(g, value_ns, "ns_per_round_trip");
	const json_t *why;
	size_t i;

	if (isfinite(ns.median) && !json_is_false(json_object_get(x->summary, "times_meaningful")))
		fprintf(out, "# %.1f ns per round trip [%.1f, %.1f], %zu trials\n", ns.median,
			ns.low, ns.high, ns.n);
	if (!broken)
		return;
	fprintf(out, "# %zu of %zu trials stayed invalid\n", broken, all);
	json_array_foreach (json_object_get(bad, "violations"), i, why) {
		fputs("# ", out);
		text(member_text(why, "text"), out);
		fputc('\n', out);
	}
}

static unsigned int test(const struct export *x, const struct group *g, unsigned int number,
			 FILE *out)
{
	const json_t *bad = NULL;
	size_t all, broken, verified = 0;

	outcomes(g, &all, &broken, &bad);
	for (size_t i = 0; i < g->n; i++)
		verified += json_is_true(json_object_get(g->trials[i], "verified"));
	diagnostics(x, g, all, broken, bad, out);
	fprintf(out, "%s %u - ", broken ? "not ok" : "ok", number);
	name(g, out);
	if (!broken && verified < g->n)
		fputs(" # SKIP not verified: the kernel's events are out of reach", out);
	fputc('\n', out);
	return broken != 0;
}

unsigned int export_ktap(const struct export *x, FILE *out)
{
	const json_t *skipped = json_object_get(x->set->machine, "skipped"), *one;
	unsigned int failed = 0, number = 0;
	struct groups g = { 0 };
	size_t i;

	if (groups_make(&g, x->set, NULL)) {
		fputs("KTAP version 1\nBail out! out of memory\n", out);
		return 1;
	}
	fprintf(out, "KTAP version 1\n1..%zu\n", g.n + json_array_size(skipped));
	fputs("# activemm ", out);
	text(export_version(x), out);
	fputs(", Linux ", out);
	text(export_kernel(x), out);
	fputs(", ", out);
	text(export_cpu(x), out);
	fputc('\n', out);
	for (i = 0; i < g.n; i++)
		failed += test(x, &g.list[i], ++number, out);
	json_array_foreach (skipped, i, one) {
		fprintf(out, "ok %u - ", ++number);
		text(member_text(one, "what"), out);
		fputs(" # SKIP ", out);
		text(member_text(one, "why"), out);
		fputc('\n', out);
	}
	groups_free(&g);
	return failed;
}
