// SPDX-License-Identifier: GPL-2.0-or-later
/* The terminal summary: the answer, a line per scenario, what was found, missing or invalid; no more than a screenful or two. */
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "bench/summary/private.h"
#include "bench/summary/words.h"
#include "bench/summary/summary.h"
#include "lib/base/member.h"

#define LINES 42 /* of the summary; what follows it are where the set and the report are */

void summary_wrapped(FILE *out, int at, int indent, const char *text)
{
	while (*text == ' ') {
		fputc(' ', out);
		text++;
		at++;
	}
	while (*text) {
		size_t word = strcspn(text, " ");

		if (at + (int)word > SUMMARY_COLUMNS && at > indent) {
			fprintf(out, "\n%*s", indent, "");
			at = indent;
		}
		fprintf(out, "%.*s", (int)word, text);
		at += (int)word;
		text += word;
		while (*text == ' ')
			text++;
		if (*text && at + 1 + (int)strcspn(text, " ") <= SUMMARY_COLUMNS)
			fputc(' ', out);
		if (*text)
			at++;
	}
	fputc('\n', out);
}

/* What the headline's round trips are, and what else they pay for. */
static void print_basis(const json_t *h, FILE *out)
{
	char text[640];

	snprintf(text, sizeof(text),
		 "(There and back: %.64s against %.64s. The saving is %.200s.%s)",
		 member_text(h, "lazy"), member_text(h, "real"),
		 *member_text(h, "basis") ? member_text(h, "basis") : "-",
		 json_is_false(json_object_get(h, "same_work"))
			 ? " The lazy round trip also pays for AIO and the workqueue; the module's "
			   "kthread scenario makes both with the same work."
			 : "");
	summary_wrapped(out, 0, 0, text);
}

void summary_print_headline(const json_t *summary, FILE *out)
{
	const json_t *h = json_object_get(summary, "headline"),
		     *why = json_object_get(h, "unavailable"),
		     *saved = json_object_get(h, "saving_ns");
	char lazy[FIGURE_TEXT], real[FIGURE_TEXT], saving[FIGURE_TEXT], text[900], loads[80] = "",
										   percent[32] = "";
	double n = member_number(h, "saving_cr3_loads"),
	       misses = member_number(h, "saving_dtlb_load_misses"),
	       share = member_number(h, "saving_percent");

	if (json_is_false(json_object_get(summary, "times_meaningful"))) {
		summary_wrapped(
			out, 0, 0,
			"Times mean nothing under software emulation and are not shown: only "
			"counts are.");
		return;
	}
	if (json_is_string(why)) {
		snprintf(text, sizeof(text), "No answer to \"what does active_mm save\": %.400s.",
			 json_string_value(why));
		summary_wrapped(out, 0, 0, text);
		return;
	}
	figure_text(json_object_get(h, "lazy_ns"), lazy, sizeof(lazy));
	figure_text(json_object_get(h, "real_ns"), real, sizeof(real));
	figure_told_text(saved, saving, sizeof(saving));
	if (isfinite(misses))
		snprintf(loads, sizeof(loads), "%.2f CR3 loads and %.1f dTLB misses", n, misses);
	else if (isfinite(n))
		snprintf(loads, sizeof(loads), "%.2f CR3 loads", n);
	/* One share fits only one speed. */
	if (isfinite(share) && !figure_two_speeds(saved))
		snprintf(percent, sizeof(percent), " (%.1f %%)", share);
	if (figure_told(saved))
		snprintf(text, sizeof(text),
			 "A lazy switch costs %s, a real one %s; active_mm saves %s per round "
			 "trip%s%s%s.",
			 lazy, real, saving, percent,
			 !*loads	    ? ""
			 : isfinite(misses) ? ", "
					    : " and ",
			 loads);
	else
		snprintf(text, sizeof(text),
			 "A lazy switch costs %s, a real one %s; what time active_mm saves per "
			 "round "
			 "trip %s%s%s.",
			 lazy, real, saving, *loads ? ", but it saves " : "", loads);
	summary_wrapped(out, 0, 0, text);
	print_basis(h, out);
}

void summary_print_head(const json_t *summary, const struct result_set *set, FILE *out)
{
	const json_t *m = set->machine;
	const char *model = member_text(json_object_get(m, "cpu"), "model"),
		   *release = member_text(json_object_get(m, "kernel"), "release");
	char unverified[200];

	fprintf(out, "\n");
	if (summary_unverified(summary, unverified, sizeof(unverified)))
		summary_wrapped(out, 0, 0, unverified);
	summary_print_headline(summary, out);
	fprintf(out, "%.48s, Linux %.40s\n", *model ? model : "unknown CPU",
		*release ? release : "unknown");
}

static void count_text(const json_t *row, const char *name, char *buf, size_t len)
{
	double v = member_number(json_object_get(row, "counters"), name);

	if (isfinite(v))
		snprintf(buf, len, "%.2f%s", v,
			 !strcmp(name, "context-switches") && row_own_switches(row) ? "*" : "");
	else
		snprintf(buf, len, "-");
}

void summary_print_row(const struct summary_columns *at, const json_t *row, FILE *out)
{
	char params[128], ns[FIGURE_TEXT] = "", valid[32], s[16], l[16], f[16];

	params_words(member_text(row, "scenario"), json_object_get(row, "params"), params,
		     sizeof(params));
	if (at->times)
		figure_text(json_object_get(row, "ns"), ns, sizeof(ns));
	snprintf(valid, sizeof(valid), "%lld/%lld",
		 (long long)json_integer_value(json_object_get(row, "valid")),
		 (long long)json_integer_value(json_object_get(row, "trials")));
	count_text(row, "context-switches", s, sizeof(s));
	count_text(row, "cr3-loads", l, sizeof(l));
	count_text(row, "cr3-flushes", f, sizeof(f));
	fprintf(out, "%-*.*s%s%-*.*s %7.7s  %-*.*s %6.6s %6.6s %6.6s\n", at->name, at->name,
		at->name ? member_text(row, "scenario") : "", at->name ? " " : "  ", at->params,
		at->params, params, valid, at->times ? SUMMARY_TIME : 0, SUMMARY_TIME, ns, s, l, f);
}

void summary_print_columns(const struct summary_columns *at, FILE *out)
{
	fprintf(out, "%-*.*s%s%-*s %7s  %-*.*s %6s %6s %6s\n", at->name, at->name,
		at->name ? "scenario" : "", at->name ? " " : "  ", at->params, "parameters",
		"valid", at->times ? SUMMARY_TIME : 0, SUMMARY_TIME,
		at->times ? "per round trip, 95 % interval" : "", "switch", "CR3", "flush");
}

void summary_print_own_switches(const json_t *summary, FILE *out)
{
	if (summary_own_switches(summary))
		summary_wrapped(out, 0, 2, SUMMARY_OWN_SWITCHES);
}

int summary_params_width(const json_t *rows, int most)
{
	size_t i, width = 10;
	char params[128];
	json_t *r;

	json_array_foreach (rows, i, r) {
		params_words(member_text(r, "scenario"), json_object_get(r, "params"), params,
			     sizeof(params));
		if (strlen(params) > width)
			width = strlen(params);
	}
	return width < (size_t)most ? (int)width : most;
}

/* A line per scenario, in the order in which the set first has them. */
static void print_usual(const json_t *summary, const struct result_set *set, FILE *out)
{
	json_t *rows = json_array(), *seen = json_object();
	struct summary_columns at = {
		.name = 10,
		.times = !json_is_false(json_object_get(summary, "times_meaningful")),
	};
	const json_t *r;
	size_t i;

	json_array_foreach (json_object_get(summary, "results"), i, r) {
		const char *name = member_text(r, "scenario");

		if (json_object_get(seen, name))
			continue;
		member_set(seen, name, json_true());
		json_array_append(rows, (json_t *)row_usual(summary, set->machine, name));
	}
	at.params = summary_params_width(rows, 28);
	fprintf(out, "\n");
	summary_print_columns(&at, out);
	json_array_foreach (rows, i, r)
		summary_print_row(&at, r, out);
	summary_print_own_switches(summary, out);
	json_decref(rows);
	json_decref(seen);
}

/*
 * The lines that may have to be cut where there is no room for all: "LABEL: text". @what: what it is about, to be named in any case;
 * or "".
 */
static void note(json_t *notes, const char *label, const char *what, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static void note(json_t *notes, const char *label, const char *what, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) >= 0)
		member_append(notes, member_pack("{s:s, s:s, s:s+}", "label", label, "what", what,
						 "text", label, text));
	va_end(ap);
	free(text);
}

struct reasons {
	json_t *notes;
	const char *label;
};

static void note_reason(void *context, const char *what, const char *why)
{
	const struct reasons *r = context;

	note(r->notes, r->label, what, ": %s: %s.", what, why);
}

static void note_reasons(json_t *notes, const char *label, const json_t *list)
{
	struct reasons r = { notes, label };

	reasons_each(list, note_reason, &r);
}

/* The counters that the machine lacks, and the scenarios that could not run. */
static void note_unavailable(json_t *notes, const json_t *summary, const json_t *machine)
{
	json_t *counters = json_array(), *skipped = json_array();
	const json_t *one;
	size_t i;

	json_array_foreach (json_object_get(summary, "unavailable"), i, one)
		json_array_append(json_object_get(json_object_get(machine, "counters"),
						  member_text(one, "what"))
					  ? counters
					  : skipped,
				  (json_t *)one);
	note_reasons(notes, "Skipped", skipped);
	note_reasons(notes, "Not counted", counters);
	json_decref(counters);
	json_decref(skipped);
}

static void note_invalid(json_t *notes, const json_t *summary)
{
	json_int_t n = 0, most = 0,
		   total = json_integer_value(
			   json_object_get(json_object_get(summary, "trials"), "total"));
	const json_t *r, *worst = NULL;
	char params[128], what[64];
	size_t i;

	json_array_foreach (json_object_get(summary, "results"), i, r) {
		json_int_t here = json_integer_value(json_object_get(r, "invalid"));

		n += here;
		if (here > most) {
			most = here;
			worst = r;
		}
	}
	if (!n)
		return;
	params_words(member_text(worst, "scenario"), json_object_get(worst, "params"), params,
		     sizeof(params));
	r = json_array_get(json_object_get(worst, "violations"), 0);
	snprintf(what, sizeof(what), "%lld of %lld trials", (long long)n, (long long)total);
	note(notes, "Invalid", what, ": %s, kept out of the figures; most, %lld, of %s%s%s: %s.",
	     what, (long long)most, member_text(worst, "scenario"), *params ? " " : "", params,
	     json_is_string(r) ? json_string_value(r) : "?");
}

static void note_speeds(json_t *notes, const json_t *summary)
{
	const json_t *results = json_object_get(summary, "results"), *r;
	char what[64];
	size_t i, n = 0;

	json_array_foreach (results, i, r)
		n += figure_two_speeds(json_object_get(r, "ns"));
	if (!n || json_is_false(json_object_get(summary, "times_meaningful")))
		return;
	snprintf(what, sizeof(what), "%zu of %zu rows", n, json_array_size(results));
	note(notes, "Two speeds", what,
	     ": the trials of %s fall into two groups. Something changes this machine's speed: its "
	     "hypervisor, its frequency, or a neighbour.",
	     what);
}

/* What is left of @text in one line, cut between words. */
static void print_cut(FILE *out, const char *text)
{
	int room = SUMMARY_COLUMNS - 4;

	if (strlen(text) <= SUMMARY_COLUMNS) {
		fprintf(out, "%s\n", text);
		return;
	}
	while (room > 0 && text[room] != ' ')
		room--;
	fprintf(out, "%.*s ...\n", room ? room : SUMMARY_COLUMNS - 4, text);
}

static int lines_of(const char *text)
{
	int lines = 0;

	for (; (text = strchr(text, '\n')); text++)
		lines++;
	return lines;
}

/* A line per label: the names of what its notes are about, or how many there are. */
static void print_names(const json_t *notes, FILE *out)
{
	json_t *names = json_object(), *list, *one;
	const char *label;
	size_t i;

	json_array_foreach (notes, i, one) {
		const char *key = member_text(one, "label");

		if (!json_object_get(names, key))
			member_set(names, key, json_array());
		json_array_append(json_object_get(names, key), json_object_get(one, "what"));
	}
	json_object_foreach (names, label, list) {
		size_t n = json_array_size(list), len = 0;
		char *text = NULL;
		FILE *f = open_memstream(&text, &len);

		if (!f)
			continue;
		fprintf(f, "%s:", label);
		json_array_foreach (list, i, one)
			if (*json_string_value(one))
				fprintf(f, "%s%s", i ? ", " : " ", json_string_value(one));
			else if (!i)
				fprintf(f, " %zu", n);
		fputs(" (why: --all, or the report).", f);
		fclose(f);
		summary_wrapped(out, 0, 2, text);
		free(text);
	}
	json_decref(names);
}

/* In full where there is room; else a line each; else only what they are about. */
static void print_notes(const json_t *notes, int room, FILE *out)
{
	char *text = NULL;
	size_t len = 0, i;
	json_t *one;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return;
	json_array_foreach (notes, i, one)
		summary_wrapped(f, 0, 2, member_text(one, "text"));
	fclose(f);
	if (lines_of(text) <= room) {
		fputs(text, out);
	} else if ((int)json_array_size(notes) <= room) {
		json_array_foreach (notes, i, one)
			print_cut(out, member_text(one, "text"));
	} else {
		print_names(notes, out);
	}
	free(text);
}

static void print_short(const json_t *summary, const struct result_set *set, FILE *out)
{
	summary_print_head(summary, set, out);
	print_usual(summary, set, out);
	summary_print_findings(summary, false, out);
}

void summary_print(const json_t *summary, const struct result_set *set, FILE *out)
{
	json_t *notes = json_array(), *one;
	char *text = NULL;
	size_t len = 0, i;
	int lines;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return;
	print_short(summary, set, f);
	fclose(f);
	fputs(text, out);
	lines = lines_of(text);
	free(text);
	note_reasons(notes, "Found", json_object_get(summary, "findings"));
	note_unavailable(notes, summary, set->machine);
	note_reasons(notes, "Scaled up", json_object_get(summary, "scaled"));
	note_invalid(notes, summary);
	note_speeds(notes, summary);
	json_array_foreach (json_object_get(set->machine, "warnings"), i, one)
		note(notes, "Warning", "", ": %s.",
		     json_string_value(one) ? json_string_value(one) : "?");
	if (json_array_size(notes))
		fprintf(out, "\n");
	print_notes(notes, LINES - lines - 1, out);
	json_decref(notes);
}
