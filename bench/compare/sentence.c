// SPDX-License-Identifier: GPL-2.0-or-later
/* A comparison in a sentence: what changed, by how much, how sure, over how many sessions. */
#include <math.h>
#include <string.h>

#include "bench/compare/private.h"
#include "lib/base/member.h"

/* What the rows of one verdict have in common: how many, and the one that is furthest from 1. */
struct rows {
	size_t n;
	const json_t *most;
};

static double off(const json_t *row)
{
	return fabs(log(member_number(row, "ratio")));
}

static struct rows rows_of(const json_t *pair, const char *verdict)
{
	struct rows r = { 0 };
	const json_t *v;
	size_t i;

	json_array_foreach (json_object_get(pair, "times"), i, v) {
		if (strcmp(member_text(v, "verdict"), verdict) != 0)
			continue;
		r.n++;
		if (!r.most || off(v) > off(r.most))
			r.most = v;
	}
	return r;
}

static void add(char *text, size_t len, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void add(char *text, size_t len, const char *fmt, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, fmt);
	vsnprintf(text + used, len - used, fmt, args);
	va_end(args);
}

/* "3 of 12 rows slower (most: process pages=64, by 4.2 % [3.1, 5.3], p 0.002)" */
static void add_rows(char *text, size_t len, const struct rows *r, size_t of, const char *what)
{
	double sign = strcmp(what, "faster") ? 1 : -1;
	double one = sign * 100 * (member_number(r->most, "ratio") - 1),
	       a = sign * 100 * (member_number(r->most, "low") - 1),
	       b = sign * 100 * (member_number(r->most, "high") - 1);

	add(text, len, "%zu of %zu rows %s (%s%s%s%s, by %.1f %% [%.1f, %.1f], p %.2g)", r->n, of,
	    what, r->n > 1 ? "most: " : "", member_text(r->most, "scenario"),
	    *member_text(r->most, "params") ? " " : "", member_text(r->most, "params"), one,
	    fmin(a, b), fmax(a, b), member_number(r->most, "p_holm"));
}

/* How much a count changed, as a part of what it is; one that is small by itself says less. */
static double change(const json_t *count)
{
	double x = member_number(count, "base"), y = member_number(count, "other");

	return fabs(y - x) / (1 + fmax(x, y));
}

/* The count that changed most, and how many others did. */
static void add_counts(char *text, size_t len, const json_t *pair)
{
	const json_t *counts = json_object_get(pair, "counts"), *v = NULL, *one;
	size_t n = json_array_size(counts), i;

	if (!n)
		return;
	json_array_foreach (counts, i, one)
		if (!v || change(one) > change(v))
			v = one;
	add(text, len, "%s of %s%s%s changed from %.2f to %.2f per round trip",
	    member_text(v, "count"), member_text(v, "scenario"),
	    *member_text(v, "params") ? " " : "", member_text(v, "params"),
	    member_number(v, "base"), member_number(v, "other"));
	if (n > 1)
		add(text, len, ", and %zu more count%s", n - 1, n > 2 ? "s" : "");
	add(text, len, "; ");
}

/* What sessions of one kernel differed by here, where that is known. */
static void add_known(char *text, size_t len, const json_t *known)
{
	if (known)
		add(text, len,
		    ": sessions of one kernel varied by %.1f %% on this machine (standard "
		    "deviation, median over rows, up to %lld sets in the history)",
		    100 * member_number(known, "between"),
		    (long long)json_integer_value(json_object_get(known, "sets")));
}

/* " on 40 nodes of 2 CPU models" */
static const char *nodes_count(const json_t *pair, char *buf, size_t len)
{
	const json_t *nodes = json_object_get(pair, "nodes");
	long long n = json_integer_value(json_object_get(nodes, "n"));
	size_t models = json_array_size(json_object_get(nodes, "models"));

	*buf = '\0';
	if (n)
		snprintf(buf, len, " on %lld node%s of %zu CPU model%s", n, n > 1 ? "s" : "",
			 models, models > 1 ? "s" : "");
	return buf;
}

void compare_sentence(const json_t *pair, char *text, size_t len)
{
	struct rows slower = rows_of(pair, "slower"), faster = rows_of(pair, "faster"),
		    differ = rows_of(pair, "differ"), same = rows_of(pair, "same"),
		    noisy = rows_of(pair, "noisy");
	size_t all = slower.n + faster.n + differ.n + same.n + noisy.n,
	       x = json_array_size(json_object_get(pair, "base_sets")),
	       y = json_array_size(json_object_get(pair, "other_sets"));

	char instructions[256], nodes[64];

	snprintf(text, len, "%s against %s: ", member_text(pair, "other_name"),
		 member_text(pair, "base_name"));
	add_counts(text, len, pair);
	instructions_sentence(pair, instructions, sizeof(instructions));
	add(text, len, "%s", instructions);
	if (!compare_times_shown(pair) || !all) {
		add(text, len, "%stimes are not compared.",
		    json_array_size(json_object_get(pair, "counts")) ? "" : "no count changed; ");
		return;
	}
	if (slower.n)
		add_rows(text, len, &slower, all, "slower");
	if (faster.n) {
		add(text, len, slower.n ? ", " : "");
		add_rows(text, len, &faster, all, "faster");
	}
	if (differ.n && x == 1 && y == 1) {
		add(text, len,
		    "these two runs differ (in %zu of %zu rows); whether the kernels do, one "
		    "session a side cannot tell",
		    differ.n, all);
		add_known(text, len, json_object_get(pair, "known_spread"));
	} else if (differ.n) {
		add(text, len,
		    "%s%zu of %zu rows differ where one side has but one session, which cannot "
		    "tell whether the kernels do",
		    slower.n || faster.n ? ", " : "", differ.n, all);
	}
	if (!slower.n && !faster.n && !differ.n)
		add(text, len, "no row is known to differ (%zu of %zu are the same within 2 %%)",
		    same.n, all);
	if (x > 1 || y > 1)
		add(text, len, "; %zu sessions against %zu%s", y, x,
		    nodes_count(pair, nodes, sizeof(nodes)));
	else if (json_is_true(json_object_get(pair, "in_turns")))
		add(text, len, "; in turns");
	else if (!differ.n)
		add(text, len, "; one session a side");
	add(text, len, ".");
}
