// SPDX-License-Identifier: GPL-2.0-or-later
/* A comparison as text and as Markdown; CSV is in compare-csv.c. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/private.h"
#include "lib/base/member.h"
#include "lib/stats/stats.h"

#define SHOWN 60 /* bytes of a machine's record */

static bool verdict_is(const json_t *row, const char *verdict)
{
	return !strcmp(member_text(row, "verdict"), verdict);
}

/* "cr3-loads per switch" where a row is not about the usual quantity. */
static const char *quantity(const json_t *row)
{
	const char *q = member_text(row, "quantity");

	return strcmp(q, "ns-per-round-trip") ? q : "";
}

const char *compare_escape(const char *s, bool markdown, char *buf, size_t len)
{
	size_t n = 0;

	if (!markdown)
		return s;
	for (; *s && n + 2 < len; s++) {
		if (strchr("|<\\`*[", *s))
			buf[n++] = '\\';
		buf[n++] = *s;
	}
	buf[n] = '\0';
	return buf;
}

static const char *cell_text(const json_t *o, const char *key, bool markdown, char *buf, size_t len)
{
	return compare_escape(member_text(o, key), markdown, buf, len);
}

static void interval(const json_t *row, const char *mid, const char *low, const char *high,
		     const char *fmt, char *buf, size_t len)
{
	char one[3][32];
	const double v[3] = { member_number(row, mid), member_number(row, low),
			      member_number(row, high) };

	snprintf(buf, len, "-");
	if (!isfinite(v[0]))
		return;
	for (int i = 0; i < 3; i++)
		snprintf(one[i], sizeof(one[i]), fmt, v[i]);
	if (isfinite(v[1]))
		snprintf(buf, len, "%s [%s, %s]", one[0], one[1], one[2]);
	else
		snprintf(buf, len, "%s", one[0]);
}

/* Times need no fractions of a nanosecond; counts per switch do. */
static const char *format(const json_t *row, bool sign)
{
	return !strncmp(member_text(row, "quantity"), "ns-", 3) ? (sign ? "%+.1f" : "%.1f")
	       : sign						? "%+.3f"
								: "%.3f";
}

/* Every line of facts, each beginning with @bullet: what comes before the times. */
static void facts_print(const json_t *all, FILE *out, const char *bullet)
{
	bool many = json_array_size(all) > 1, same = true;
	const json_t *pair, *v;
	char where[700];
	size_t p, i;

	json_array_foreach (all, p, pair)
		json_array_foreach (json_object_get(pair, "counts"), i, v) {
			fprintf(out, "%sCOUNT %s %s: %s per round trip: %.2f, was %.2f%s%s%s\n",
				bullet, member_text(v, "scenario"), member_text(v, "params"),
				member_text(v, "count"), member_number(v, "other"),
				member_number(v, "base"), many ? " in " : "",
				many ? member_text(pair, "other_name") : "",
				compare_count_where(v, where, sizeof(where)));
			same = false;
		}
	if (same)
		fprintf(out,
			"%sCounts: the same switches, CR3 loads, flushes and TLB IPIs per round "
			"trip.\n",
			bullet);
	json_array_foreach (all, p, pair) {
		json_array_foreach (json_object_get(pair, "counters_lost"), i, v)
			fprintf(out, "%sLOST %s: counted only in %s (%lld of %lld rows): %.200s\n",
				bullet, member_text(v, "counter"),
				member_text(pair, !strcmp(member_text(v, "only_in"), "base")
							  ? "base_name"
							  : "other_name"),
				(long long)json_integer_value(json_object_get(v, "rows")),
				(long long)json_integer_value(json_object_get(v, "of")),
				member_text(v, "why"));
		json_array_foreach (json_object_get(pair, "counters_scaled"), i, v) {
			bool base = !strcmp(member_text(v, "scaled_in"), "base");

			/* What concerns the base alone is said once. */
			if (!base || !p)
				fprintf(out,
					"%sSCALED %s: estimated in %s, which counted it in %.0f %% "
					"of the time at least, beside others' events\n",
					bullet, member_text(v, "counter"),
					member_text(pair, base ? "base_name" : "other_name"),
					100 * member_number(v, "share"));
		}
		json_array_foreach (json_object_get(pair, "missing"), i, v)
			fprintf(out, "%sMISSING %s %s: only in the %s set%s%s\n", bullet,
				member_text(v, "scenario"), member_text(v, "params"),
				member_text(v, "only_in"), many ? ", compared with " : "",
				many ? member_text(pair, "other_name") : "");
	}
}

/* @s from @at on, as far as there is room. */
static void differing_print(const char *s, size_t at, FILE *out)
{
	fprintf(out, "%s%.*s", at ? "..." : "", SHOWN, s + (strlen(s) > at ? at : 0));
}

static void machine_print(const json_t *pair, FILE *out, const char *bullet)
{
	const json_t *v;
	size_t i;

	json_array_foreach (json_object_get(pair, "machine"), i, v) {
		const size_t flags = JSON_ENCODE_ANY | JSON_COMPACT | JSON_ENSURE_ASCII;
		char *x = json_dumps(json_object_get(v, "base"), flags);
		char *y = json_dumps(json_object_get(v, "other"), flags);
		char *what = json_dumps(json_object_get(v, "what"), flags);
		size_t at = compare_differ_at(x ? x : "-", y ? y : "-", SHOWN);

		fprintf(out, "%s%.*s: ", bullet, what ? (int)strlen(what) - 2 : 0,
			what ? what + 1 : "");
		differing_print(x ? x : "-", at, out);
		fputs(" -> ", out);
		differing_print(y ? y : "-", at, out);
		fputc('\n', out);
		free(x);
		free(y);
		free(what);
	}
}

static void notes_print(const json_t *all, FILE *out, const char *bullet)
{
	const json_t *pair, *row, *v;
	bool many = json_array_size(all) > 1;
	size_t p, i, k;

	json_array_foreach (all, p, pair)
		json_array_foreach (json_object_get(pair, "times"), i, row)
			json_array_foreach (json_object_get(row, "notes"), k, v) {
				const char *note = json_string_value(v);

				/* What concerns the base alone is said once. */
				if (p && !strncmp(note, "base", 4))
					continue;
				if (many && !strncmp(note, "other", 5))
					fprintf(out, "%sNOTE %s %s: %s%s\n", bullet,
						member_text(row, "scenario"),
						member_text(row, "params"),
						member_text(pair, "other_name"), note + 5);
				else
					fprintf(out, "%sNOTE %s %s: %s\n", bullet,
						member_text(row, "scenario"),
						member_text(row, "params"), note);
			}
}

bool compare_times_shown(const json_t *pair)
{
	return !json_object_get(pair, "times_refused") ||
	       json_is_true(json_object_get(pair, "forced"));
}

/* Says why a pair has no times, or that it has them by force. */
static void refused_print(const json_t *all, FILE *out, const char *bullet)
{
	const json_t *pair;
	size_t p;

	json_array_foreach (all, p, pair) {
		const char *refused = member_text(pair, "times_refused");
		char name[80] = "";

		if (json_array_size(all) > 1)
			snprintf(name, sizeof(name), "%.70s: ", member_text(pair, "other_name"));
		if (json_is_true(json_object_get(pair, "forced")))
			fprintf(out, "%sFORCED: %s%s.\n", bullet, name, refused);
		else if (*refused)
			fprintf(out, "%s%sTimes are not compared: %s (--force does).\n", bullet,
				name, refused);
	}
}

static void pair_table(const json_t *pair, FILE *out)
{
	const json_t *v;
	size_t i;

	fprintf(out, "\n%-8s %-26s %8s  %-25s %-21s %8s  %s\n", "scenario", "parameters", "base",
		"difference (ns)", "ratio", "p (Holm)", "verdict");
	json_array_foreach (json_object_get(pair, "times"), i, v) {
		char ratio[128], difference[128], base[32] = "-", params[64];

		if (verdict_is(v, "missing") || verdict_is(v, "not compared"))
			continue;
		if (isfinite(member_number(v, "base_median")))
			snprintf(base, sizeof(base), format(v, false),
				 member_number(v, "base_median"));
		snprintf(params, sizeof(params), "%.60s",
			 *quantity(v) ? quantity(v) : member_text(v, "params"));
		interval(v, "difference", "difference_low", "difference_high", format(v, true),
			 difference, sizeof(difference));
		interval(v, "ratio", "low", "high", "%.3f", ratio, sizeof(ratio));
		fprintf(out, "%-8.8s %-26.26s %8s  %-25s %-21s ", member_text(v, "scenario"),
			params, base, difference, ratio);
		if (isfinite(member_number(v, "p_holm")))
			fprintf(out, "%8.2g  %s\n", member_number(v, "p_holm"),
				member_text(v, "says"));
		else
			fprintf(out, "%8s  %s\n", "-", member_text(v, "says"));
	}
}

/* One column of a table of many sets: "1.030 [1.027, 1.033] slower". */
static void cell(const json_t *row, char *buf, size_t len)
{
	char ratio[128];

	interval(row, "ratio", "low", "high", "%.3f", ratio, sizeof(ratio));
	if (isfinite(member_number(row, "ratio")))
		snprintf(buf, len, "%s %s", ratio, member_text(row, "verdict"));
	else
		snprintf(buf, len, "%s", member_text(row, "verdict"));
}

const json_t *compare_row_like(const json_t *pair, const json_t *row)
{
	const json_t *v;
	size_t i;

	json_array_foreach (json_object_get(pair, "times"), i, v)
		if (!strcmp(member_text(v, "quantity"), member_text(row, "quantity")) &&
		    !strcmp(member_text(v, "scenario"), member_text(row, "scenario")) &&
		    json_equal(json_object_get(v, "parameters"),
			       json_object_get(row, "parameters")))
			return v;
	return NULL;
}

static double base_median(const json_t *all, const json_t *row)
{
	const json_t *pair;
	double v = NAN;
	size_t p;

	json_array_foreach (all, p, pair)
		if (!isfinite(v))
			v = member_number(compare_row_like(pair, row), "base_median");
	return v;
}

static void many_table(const json_t *all, FILE *out, bool markdown)
{
	const json_t *first = json_array_get(all, 0), *pair, *row;
	const char *head = markdown ? "| %s | %s | %s |" : "\n%-8s %-22s %10s";
	char text[512];
	size_t p, i;

	fprintf(out, head, "scenario", "parameters",
		cell_text(first, "base_name", markdown, text, sizeof(text)));
	json_array_foreach (all, p, pair)
		fprintf(out, markdown ? " %s |" : "  %-28.28s",
			cell_text(pair, "other_name", markdown, text, sizeof(text)));
	fprintf(out, "\n");
	if (markdown) {
		fprintf(out, "|---|---|---:|");
		json_array_foreach (all, p, pair)
			fprintf(out, "---|");
		fprintf(out, "\n");
	}
	json_array_foreach (json_object_get(first, "times"), i, row) {
		double median = base_median(all, row);
		char base[32] = "-", one[192];

		if (isfinite(median))
			snprintf(base, sizeof(base), format(row, false), median);
		fprintf(out, markdown ? "| %s | %s | %s |" : "%-8.8s %-22.22s %10s",
			member_text(row, "scenario"),
			*quantity(row) ? quantity(row) : member_text(row, "params"), base);
		json_array_foreach (all, p, pair) {
			const json_t *v = compare_row_like(pair, row);

			cell(v, one, sizeof(one));
			fprintf(out, markdown ? " %s |" : "  %-28s", one);
		}
		fprintf(out, "\n");
	}
}

static void sentences_print(const json_t *all, FILE *out, bool markdown)
{
	const json_t *pair;
	char text[700], escaped[1400];
	size_t p;

	json_array_foreach (all, p, pair) {
		compare_sentence(pair, text, sizeof(text));
		fprintf(out, "%s\n", compare_escape(text, markdown, escaped, sizeof(escaped)));
	}
}

void compare_print_facts(const json_t *all, FILE *out)
{
	facts_print(all, out, "");
}

void compare_print_sentences(const json_t *all, FILE *out)
{
	sentences_print(all, out, false);
}

void compare_print_notes(const json_t *all, FILE *out)
{
	notes_print(all, out, "");
}

void compare_print_refused(const json_t *all, FILE *out)
{
	refused_print(all, out, "");
}

/* The median over a pair's rows of one of their figures; NaN without. */
static double rows_median(const json_t *pair, const char *key)
{
	const json_t *times = json_object_get(pair, "times"), *row;
	double *v = malloc((json_array_size(times) + 1) * sizeof(*v)), middle = NAN;
	size_t i, n = 0;

	json_array_foreach (times, i, row)
		if (v && isfinite(member_number(row, key)))
			v[n++] = member_number(row, key);
	if (n)
		middle = stats_percentile(v, n, 50);
	free(v);
	return middle;
}

/* How sessions vary, against how trials do within one: the first is what more trials do not mend. */
static void spread_print(const json_t *all, FILE *out, const char *bullet)
{
	static const char *const sides[][4] = {
		{ "base_between", "base_within", "base_name", "base_sets" },
		{ "other_between", "other_within", "other_name", "other_sets" },
	};
	const json_t *pair;
	size_t p;

	json_array_foreach (all, p, pair)
		for (int i = p ? 1 : 0; i < 2 && compare_times_shown(pair); i++) {
			double between = rows_median(pair, sides[i][0]),
			       within = rows_median(pair, sides[i][1]);

			if (isfinite(between))
				fprintf(out,
					"%s%s: %zu sessions; standard deviation between sessions "
					"%.1f %%, within one %.1f %% (median over rows)\n",
					bullet, member_text(pair, sides[i][2]),
					json_array_size(json_object_get(pair, sides[i][3])),
					100 * between, 100 * within);
		}
}

/* Is there a row of which more sessions would tell whether it changed? Pairs in turns want trials instead. */
static bool any_untold(const json_t *all)
{
	const json_t *pair, *row;
	size_t p, i;

	json_array_foreach (all, p, pair)
		json_array_foreach (json_object_get(pair, "times"), i, row)
			if (!json_is_true(json_object_get(pair, "in_turns")) && !*quantity(row) &&
			    (verdict_is(row, "noisy") || verdict_is(row, "differ")))
				return true;
	return false;
}

void compare_print(const json_t *all, FILE *out)
{
	const json_t *pair;
	bool any = false;
	size_t p;

	sentences_print(all, out, false);
	facts_print(all, out, "");
	json_array_foreach (all, p, pair) {
		fprintf(out, "Base %s (%s), compared with it %s (%s)\n",
			member_text(pair, "base_name"), member_text(pair, "base"),
			member_text(pair, "other_name"), member_text(pair, "other"));
		machine_print(pair, out, "  ");
		any |= compare_times_shown(pair);
	}
	compare_print_nodes(all, out);
	refused_print(all, out, "");
	if (!any) {
		compare_print_instructions(all, out, false);
		compare_print_boots(all, out, false);
		return;
	}
	spread_print(all, out, "");
	if (json_array_size(all) == 1)
		pair_table(json_array_get(all, 0), out);
	else
		many_table(all, out, false);
	compare_print_pooled(all, out, false);
	compare_print_instructions(all, out, false);
	compare_print_boots(all, out, false);
	notes_print(all, out, "");
	if (any_untold(all))
		fputs("How many sessions, trials and seconds would tell: `activemm plan', with "
		      "these sets.\n",
		      out);
}

const char *compare_method(const json_t *all)
{
	bool sessions = false, trials = false, nodes = false;
	const json_t *pair, *row;
	size_t p, i;

	json_array_foreach (all, p, pair)
		json_array_foreach (json_object_get(pair, "times"), i, row) {
			const char *method = member_text(row, "method");

			trials |= !strcmp(method, "Mann-Whitney");
			sessions |= *method && strcmp(method, "Mann-Whitney") != 0;
			nodes |= !strcmp(method, "nodes");
		}
	if (nodes)
		return "Means over nodes of their sessions' medians in ns per round trip; ratios "
		       "taken within each node and pooled over nodes (random effects: "
		       "Paule-Mandel; intervals of 95 % and p of Hartung, Knapp, Sidik and "
		       "Jonkman, corrected by Holm).";
	if (sessions)
		return trials ? "Rows with two sessions a side or more: means over sessions' "
				"medians, in "
				"ns per round trip, and p by Student's t or by permutations of the "
				"sessions; the others: medians over trials, bootstrap and "
				"Mann-Whitney. "
				"Intervals of 95 %, p corrected (Holm)."
			      : "Means over sessions' medians in ns per round trip; ratios with 95 "
				"% "
				"intervals; p by Student's t or by permutations of the sessions, "
				"corrected "
				"(Holm).";
	return "Medians over trials in ns per round trip; ratios with 95 % bootstrap intervals; p "
	       "by "
	       "Mann-Whitney, corrected (Holm).";
}

static void markdown_nodes(const json_t *all, FILE *out)
{
	char *text = NULL, *line, *rest, escaped[2000];
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return;
	compare_print_nodes(all, f);
	if (!fclose(f))
		for (line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
			fprintf(out, "- %s\n",
				compare_escape(line, true, escaped, sizeof(escaped)));
	free(text);
}

void compare_print_markdown(const json_t *all, FILE *out)
{
	const json_t *pair, *row;
	char text[2][512];
	size_t p, i;

	sentences_print(all, out, true);
	fprintf(out, "\n");
	facts_print(all, out, "- ");
	json_array_foreach (all, p, pair) {
		fprintf(out, "- Base %s, compared with it %s\n",
			cell_text(pair, "base_name", true, text[0], sizeof(text[0])),
			cell_text(pair, "other_name", true, text[1], sizeof(text[1])));
		machine_print(pair, out, "  - ");
	}
	markdown_nodes(all, out);
	refused_print(all, out, "- ");
	spread_print(all, out, "- ");
	notes_print(all, out, "- ");
	compare_print_instructions(all, out, true);
	compare_print_boots(all, out, true);
	fprintf(out, "\n%s\n\n", compare_method(all));
	if (json_array_size(all) > 1) {
		many_table(all, out, true);
		compare_print_pooled(all, out, true);
		return;
	}
	pair = json_array_get(all, 0);
	fprintf(out,
		"| scenario | parameters | %s | difference | ratio | p | verdict |\n"
		"|---|---|---:|---|---|---:|---|\n",
		cell_text(pair, "base_name", true, text[0], sizeof(text[0])));
	json_array_foreach (json_object_get(pair, "times"), i, row) {
		char ratio[128], difference[128], base[32] = "-", holm[32] = "-";

		if (isfinite(member_number(row, "base_median")))
			snprintf(base, sizeof(base), format(row, false),
				 member_number(row, "base_median"));
		if (isfinite(member_number(row, "p_holm")))
			snprintf(holm, sizeof(holm), "%.2g", member_number(row, "p_holm"));
		interval(row, "difference", "difference_low", "difference_high", format(row, true),
			 difference, sizeof(difference));
		interval(row, "ratio", "low", "high", "%.3f", ratio, sizeof(ratio));
		fprintf(out, "| %s | %s | %s | %s | %s | %s | %s |\n", member_text(row, "scenario"),
			*quantity(row) ? quantity(row) : member_text(row, "params"), base,
			difference, ratio, holm, member_text(row, "says"));
	}
	compare_print_pooled(all, out, true);
}
