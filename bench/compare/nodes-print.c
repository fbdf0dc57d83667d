// SPDX-License-Identifier: GPL-2.0-or-later
/* What nodes say, on a terminal and in Markdown. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/private.h"
#include "lib/base/member.h"

#define NAMED 8 /* nodes, and facts of one */
#define TOLD  12 /* nodes that answer differently, a line each */

const char *compare_count_where(const json_t *count, char *buf, size_t len)
{
	long long n = json_integer_value(json_object_get(count, "nodes")),
		  of = json_integer_value(json_object_get(count, "of"));

	*buf = '\0';
	if (n && n == of)
		snprintf(buf, len, " on all %lld nodes", n);
	else if (n)
		snprintf(buf, len, " on %lld of %lld nodes (%s)", n, of,
			 member_text(count, "where"));
	return buf;
}

static bool has_nodes(const json_t *all)
{
	return json_object_get(json_array_get(all, 0), "nodes");
}

static void left_out(const json_t *list, FILE *out)
{
	const json_t *o;
	size_t i, n = json_array_size(list);

	if (!n)
		return;
	fputs("Left out, for they have only one of the kernels:", out);
	json_array_foreach (list, i, o)
		if (i < NAMED)
			fprintf(out, "%s %s (%s)", i ? "," : "", member_text(o, "node"),
				member_text(o, "kernel"));
	if (n > NAMED)
		fprintf(out, " and %zu more nodes", n - NAMED);
	fputs(".\n", out);
}

static void models(const json_t *pair, bool many, FILE *out)
{
	const json_t *nodes = json_object_get(pair, "nodes"), *o;
	size_t i;

	fprintf(out, "Nodes%s%s: %lld with both kernels (", many ? " of " : "",
		many ? member_text(pair, "other_name") : "",
		(long long)json_integer_value(json_object_get(nodes, "n")));
	json_array_foreach (json_object_get(nodes, "models"), i, o)
		fprintf(out, "%s%lld %s", i ? ", " : "",
			(long long)json_integer_value(json_object_get(o, "nodes")),
			member_text(o, "model"));
	fputs(").\n", out);
}

/* What is different in a node that answers differently. */
static void fact(const json_t *o, size_t i, FILE *out)
{
	const size_t flags = JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII;
	char *x = json_dumps(json_object_get(o, "node"), flags),
	     *y = json_dumps(json_object_get(o, "others"), flags);

	fprintf(out, "%s %s %.60s (%lld of %lld others: %.60s)", i ? ";" : "",
		member_text(o, "what"), x ? x : "-",
		(long long)json_integer_value(json_object_get(o, "n")),
		(long long)json_integer_value(json_object_get(o, "of")), y ? y : "-");
	free(x);
	free(y);
}

static void stranger(const json_t *o, const char *other, FILE *out)
{
	const json_t *rows = json_object_get(o, "rows"), *facts = json_object_get(o, "differs"), *v;
	size_t i;

	fprintf(out, "NODE %s (%s) answers differently%s%s: ", member_text(o, "node"),
		member_text(o, "model"), *other ? " with " : "", other);
	json_array_foreach (rows, i, v)
		if (i < NAMED)
			fprintf(out, "%s%s%s%s %.3f, the others %.3f (p %.2g)", i ? "; " : "",
				member_text(v, "scenario"), *member_text(v, "params") ? " " : "",
				member_text(v, "params"), member_number(v, "ratio"),
				member_number(v, "others"), member_number(v, "p"));
	if (json_array_size(rows) > NAMED)
		fprintf(out, "; and %zu more rows", json_array_size(rows) - NAMED);
	fputs(json_array_size(facts) ? ". Different in it:"
				     : ". Its machine's record is like the others'",
	      out);
	json_array_foreach (facts, i, v)
		if (i < NAMED)
			fact(v, i, out);
	if (json_array_size(facts) > NAMED)
		fprintf(out, "; and %zu more", json_array_size(facts) - NAMED);
	fputs(".\n", out);
}

/* What nodes have differently whichever kernel they run. */
static void alike(const json_t *pair, FILE *out)
{
	const json_t *list = json_object_get(pair, "counts_of_nodes"), *o, *last = NULL;
	size_t i;

	json_array_foreach (list, i, o) {
		bool same = last &&
			    !strcmp(member_text(o, "scenario"), member_text(last, "scenario")) &&
			    !strcmp(member_text(o, "params"), member_text(last, "params")) &&
			    !strcmp(member_text(o, "count"), member_text(last, "count"));

		if (!same)
			fprintf(out,
				"%sNodes differ, and no kernel does: %s%s%s: %s per round trip: ",
				last ? ".\n" : "", member_text(o, "scenario"),
				*member_text(o, "params") ? " " : "", member_text(o, "params"),
				member_text(o, "count"));
		fprintf(out, "%s%.2f on %lld (%s)", same ? ", " : "", member_number(o, "base"),
			(long long)json_integer_value(json_object_get(o, "nodes")),
			member_text(o, "where"));
		last = o;
	}
	if (last)
		fputs(".\n", out);
}

void compare_print_nodes(const json_t *all, FILE *out)
{
	bool many = json_array_size(all) > 1;
	const json_t *pair, *list, *o;
	size_t p, i;

	if (!has_nodes(all))
		return;
	left_out(json_object_get(json_object_get(json_array_get(all, 0), "nodes"), "left_out"),
		 out);
	json_array_foreach (all, p, pair) {
		models(pair, many, out);
		alike(pair, out);
		list = json_object_get(json_object_get(pair, "nodes"), "strangers");
		json_array_foreach (list, i, o)
			if (i < TOLD)
				stranger(o, many ? member_text(pair, "other_name") : "", out);
		if (json_array_size(list) > TOLD)
			fprintf(out,
				"And %zu more nodes that answer differently: --json has them.\n",
				json_array_size(list) - TOLD);
	}
}

static void line(const json_t *row, const json_t *pooled, const char *name, const char *model,
		 FILE *out, bool markdown)
{
	char ratio[80] = "-", tau[24] = "-", share[24] = "-";

	if (isfinite(member_number(pooled, "low")))
		snprintf(ratio, sizeof(ratio), "%.3f [%.3f, %.3f]", member_number(pooled, "ratio"),
			 member_number(pooled, "low"), member_number(pooled, "high"));
	else if (isfinite(member_number(pooled, "ratio")))
		snprintf(ratio, sizeof(ratio), "%.3f", member_number(pooled, "ratio"));
	if (isfinite(member_number(pooled, "tau"))) {
		snprintf(tau, sizeof(tau), "%.1f %%", 100 * member_number(pooled, "tau"));
		snprintf(share, sizeof(share), "%.0f %%", 100 * member_number(pooled, "i2"));
	}
	fprintf(out,
		markdown ? "| %s | %s | %s | %s | %lld | %s | %s | %s |\n"
			 : "%-10.10s %-22.22s %-12.12s %-26.26s %5lld  %-21s %7s %6s\n",
		member_text(row, "scenario"), member_text(row, "params"), name, model,
		(long long)json_integer_value(json_object_get(pooled, "nodes")), ratio, tau, share);
}

static void rows_print(const json_t *pair, FILE *out, bool markdown)
{
	const json_t *row, *model;
	size_t i, k;

	json_array_foreach (json_object_get(pair, "times"), i, row) {
		const json_t *pooled = json_object_get(row, "pooled"),
			     *list = json_object_get(pooled, "models");
		const char *name = member_text(pair, "other_name");

		json_array_foreach (list, k, model)
			line(row, model, name, member_text(model, "model"), out, markdown);
		if (json_array_size(list) > 1)
			line(row, pooled, name, "all", out, markdown);
	}
}

void compare_print_pooled(const json_t *all, FILE *out, bool markdown)
{
	const json_t *pair, *row;
	bool any = false;
	size_t p, i;

	json_array_foreach (all, p, pair)
		json_array_foreach (json_object_get(pair, "times"), i, row)
			any |= json_object_get(row, "pooled") != NULL;
	if (!any)
		return;
	fprintf(out,
		"\nWithin each node, pooled over nodes by random effects (Paule-Mandel; 95 %% "
		"intervals of Hartung, Knapp, Sidik and Jonkman);\nbetween: standard deviation "
		"of nodes' ratios beside what their sessions make them vary, and its share.\n\n");
	fprintf(out,
		markdown ? "| %s | %s | %s | %s | %s | %s | %s | %s |\n"
			 : "%-10s %-22s %-12s %-26s %5s  %-21s %7s %6s\n",
		"scenario", "parameters", "kernel", "CPU model", "nodes", "ratio", "between", "I2");
	if (markdown)
		fputs("|---|---|---|---|---:|---|---:|---:|\n", out);
	json_array_foreach (all, p, pair)
		rows_print(pair, out, markdown);
}
