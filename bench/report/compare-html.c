// SPDX-License-Identifier: GPL-2.0-or-later
/* A comparison's page: what changed, what differs around it, the pictures, the table. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report/compare.h"

/* What the terminal prints, each line between two tags: one wording. Returns the number of lines. */
static size_t lines(FILE *f, void (*print)(const json_t *all, FILE *out), const json_t *all,
		    const char *open, const char *close)
{
	char *text = NULL, *line, *next;
	size_t len = 0, n = 0;
	FILE *m = open_memstream(&text, &len);

	if (!m)
		return 0;
	print(all, m);
	fclose(m);
	for (line = text; *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = '\0';
		html_element(f, open, line, close);
		n++;
	}
	free(text);
	return n;
}

/* A string stands for itself. */
static char *record_text(const json_t *v)
{
	if (json_is_string(v))
		return strdup(json_string_value(v));
	return v ? json_dumps(v, JSON_ENCODE_ANY | JSON_COMPACT) : strdup("-");
}

/* @v, which differs from @like: of a long one first what begins to. */
static void record_cell(FILE *f, const json_t *v, const json_t *like)
{
	char *s = record_text(v), *t = record_text(like), *summary = NULL;
	size_t at = s && t ? compare_differ_at(s, t, 120) : 0;

	if (s && strlen(s) > 120 &&
	    asprintf(&summary, "%s%.60s...", at ? "..." : "", s + at) >= 0) {
		html_element(f, "<td><details><summary>", summary, "</summary>");
		html_element(f, "", s, "</details></td>");
		free(summary);
	} else {
		html_element(f, "<td>", s ? s : "-", "</td>");
	}
	free(s);
	free(t);
}

/* The difference called @what in @pair's list, or NULL. */
static const json_t *difference(const json_t *pair, const char *what)
{
	const json_t *v;
	size_t i;

	json_array_foreach (json_object_get(pair, "machine"), i, v)
		if (!strcmp(member_text(v, "what"), what))
			return v;
	return NULL;
}

/* Is the difference @what of pair number @p shown already, with an earlier pair? */
static bool shown(const json_t *all, size_t p, const char *what)
{
	for (size_t i = 0; i < p; i++)
		if (difference(json_array_get(all, i), what))
			return true;
	return false;
}

static void machines(FILE *f, const struct comparison *c)
{
	const json_t *pair, *other, *v;
	size_t p, q, i, n = 0;

	fputs("<h2>What differs between the machines</h2>\n", f);
	json_array_foreach (c->all, p, pair)
		json_array_foreach (json_object_get(pair, "machine"), i, v)
			n += !shown(c->all, p, member_text(v, "what"));
	if (!n) {
		fputs("<p>Nothing that was recorded.</p>\n", f);
		return;
	}
	fprintf(f,
		"<details%s><summary>%zu things</summary>\n<div class=\"wide\"><table><tr><th>what",
		n <= 20 ? " open" : "", n);
	html_element(f, "<th>", member_text(json_array_get(c->all, 0), "base_name"), "");
	json_array_foreach (c->all, p, pair)
		html_element(f, "<th>", member_text(pair, "other_name"), "");
	fputs("</tr>\n", f);
	json_array_foreach (c->all, p, pair)
		json_array_foreach (json_object_get(pair, "machine"), i, v) {
			const char *what = member_text(v, "what");

			if (shown(c->all, p, what))
				continue;
			html_element(f, "<tr><td>", what, "</td>");
			record_cell(f, json_object_get(v, "base"), json_object_get(v, "other"));
			json_array_foreach (c->all, q, other) {
				const json_t *d = difference(other, what);

				if (d)
					record_cell(f, json_object_get(d, "other"),
						    json_object_get(d, "base"));
				else
					fputs("<td class=\"small\">as the base</td>", f);
			}
			fputs("</tr>\n", f);
		}
	fputs("</table></div></details>\n", f);
}

/* "1200.1 [1198.0, 1203.4]", or "-". */
static void figure(FILE *f, const char *class, const double v[3], const char *fmt)
{
	fprintf(f, "<td class=\"n%s\">", class);
	if (isfinite(v[0]))
		fprintf(f, fmt, v[0]);
	else
		fputs("-", f);
	if (isfinite(v[0]) && isfinite(v[1]) && isfinite(v[2])) {
		fputs(" [", f);
		fprintf(f, fmt, v[1]);
		fputs(", ", f);
		fprintf(f, fmt, v[2]);
		fputs("]", f);
	}
	fputs("</td>", f);
}

static void median(FILE *f, const struct comparison *c, const json_t *row, size_t set)
{
	const struct compared_point p = compared_point(c, row, set, NULL);
	bool interval = p.low < p.median || p.high > p.median;

	figure(f, "", (const double[]){ p.median, interval ? p.low : NAN, interval ? p.high : NAN },
	       strncmp(member_text(row, "quantity"), "ns-", 3) ? "%.3f" : "%.1f");
}

static void row_write(FILE *f, const struct comparison *c, const json_t *row)
{
	const char *quantity = member_text(row, "quantity");

	html_element(f, "<tr><td>", member_text(row, "scenario"), "</td>");
	html_element(f, "<td>",
		     strcmp(quantity, "ns-per-round-trip") ? quantity : member_text(row, "params"),
		     "</td>");
	median(f, c, row, 0);
	for (size_t set = 1; set < c->n; set++) {
		const json_t *own = compare_row_like(json_array_get(c->all, set - 1), row);
		enum compared_mark mark = compared_point(c, row, set, NULL).mark;
		const char *class = mark == MARK_MORE ? " up" : mark == MARK_LESS ? " down" : "";

		median(f, c, row, set);
		figure(f, class,
		       (const double[]){ member_number(own, "ratio"), member_number(own, "low"),
					 member_number(own, "high") },
		       "%.3f");
		html_element(f, "<td>", member_text(own, "says"), "</td>");
	}
	fputs("</tr>\n", f);
}

static void row_count(FILE *f, const struct comparison *c, const json_t *row, const char *count)
{
	html_element(f, "<tr><td>", member_text(row, "scenario"), "</td>");
	html_element(f, "<td>", member_text(row, "params"), "</td>");
	html_element(f, "<td>", compared_count_noun(count), "</td>");
	for (size_t set = 0; set < c->n; set++) {
		const struct compared_point p = compared_point(c, row, set, count);

		figure(f,
		       p.mark == MARK_MORE   ? " up"
		       : p.mark == MARK_LESS ? " down"
					     : "",
		       (const double[]){ p.median, NAN, NAN }, "%.2f");
	}
	fputs("</tr>\n", f);
}

/* CR3 loads and every count that changed, where times are refused. */
static void row_counts(FILE *f, const struct comparison *c, const json_t *row)
{
	json_t *value;
	const char *count;

	json_object_foreach (json_object_get(row, "base_counts"), count, value)
		if (!strcmp(count, COMPARED_USUAL) || compared_changed(c, row, count))
			row_count(f, c, row, count);
}

static void table(FILE *f, const struct comparison *c)
{
	const json_t *pair, *row;
	bool times = compared_times(c);
	size_t p, i;

	html_element(f, "<h2>",
		     times ? "Every figure, median [95 % interval]"
			   : "Counts per round trip: CR3 loads, and what changed",
		     "</h2>\n<div class=\"wide\"><table><tr><th>scenario<th>parameters");
	if (!times)
		fputs("<th>count", f);
	html_element(f, "<th>", member_text(json_array_get(c->all, 0), "base_name"), "");
	json_array_foreach (c->all, p, pair)
		html_element(f, "<th>", member_text(pair, "other_name"),
			     times ? "<th>ratio<th>verdict" : "");
	fputs("</tr>\n", f);
	json_array_foreach (json_object_get(json_array_get(c->all, 0), "times"), i, row) {
		if (times)
			row_write(f, c, row);
		else if (!strcmp(member_text(row, "quantity"), "ns-per-round-trip"))
			row_counts(f, c, row);
	}
	fputs("</table></div>\n", f);
	if (times) {
		html_element(f, "<p class=\"small\">", compare_method(c->all), "");
		fputs(" Of a recorded watch: rates per switch. Verdicts at 5 %.</p>\n", f);
	}
}

/* Boots of one kernel with other parameters, a row each. */
static void boots(FILE *f, const struct comparison *c)
{
	json_t *table = compare_boots(c->all), *row, *v;
	bool times = json_is_true(json_object_get(table, "times"));
	char ns[96], counts[96];
	size_t i, k;

	if (!table)
		return;
	html_element(f, "<h2>Boots</h2>\n<p>", compare_boots_title(table),
		     "</p>\n<div class=\"wide\"><table><tr><th>boot");
	json_array_foreach (json_object_get(table, "columns"), i, v)
		html_element(f, "<th>", json_string_value(v), "");
	fputs("</tr>\n", f);
	json_array_foreach (json_object_get(table, "boots"), i, row) {
		html_element(f, "<tr><td>", member_text(row, "boot"), "</td>");
		json_array_foreach (json_object_get(row, "cells"), k, v) {
			compare_boot_cell(v, times, ns, counts, sizeof(ns));
			html_element(f, "<td class=\"n\">", times ? ns : counts, "");
			if (times && strcmp(counts, "-") != 0)
				html_element(f, "<br>", counts, "");
			fputs("</td>", f);
		}
		fputs("</tr>\n", f);
	}
	fputs("</table></div>\n", f);
	json_decref(table);
}

static void instructions(FILE *f, const struct comparison *c)
{
	const json_t *first = json_array_get(c->all, 0), *pair, *row;
	char cell[96];
	size_t i, p;

	if (!json_object_get(first, "instructions"))
		return;
	html_element(f, "<h2>Instructions</h2>\n<p>", instructions_title(),
		     "</p>\n<div class=\"wide\"><table><tr><th>scenario<th>parameters");
	html_element(f, "<th>", member_text(first, "base_name"), "");
	json_array_foreach (c->all, p, pair)
		html_element(f, "<th>", member_text(pair, "other_name"), "");
	fputs("</tr>\n", f);
	json_array_foreach (json_object_get(first, "instructions"), i, row) {
		html_element(f, "<tr><td>", member_text(row, "scenario"), "</td>");
		html_element(f, "<td>", member_text(row, "params"), "</td>");
		instructions_cell(row, true, cell, sizeof(cell));
		html_element(f, "<td class=\"n\">", cell, "</td>");
		json_array_foreach (c->all, p, pair) {
			instructions_cell(instructions_like(pair, row), false, cell, sizeof(cell));
			html_element(f, "<td class=\"n\">", cell, "</td>");
		}
		fputs("</tr>\n", f);
	}
	fputs("</table></div>\n", f);
}

static void pooled_lines(const json_t *all, FILE *out)
{
	compare_print_pooled(all, out, false);
}

/* Machines as blocks: how many, which answer differently, and what they say together. */
static void nodes(FILE *f, const struct comparison *c)
{
	if (!json_object_get(json_array_get(c->all, 0), "nodes"))
		return;
	fputs("<h2>Nodes</h2>\n", f);
	lines(f, compare_print_nodes, c->all, "<p>", "</p>\n");
	fputs("<div class=\"wide\"><pre>", f);
	lines(f, pooled_lines, c->all, "", "\n");
	fputs("</pre></div>\n", f);
}

static void body(FILE *f, const struct html_page *page)
{
	const struct comparison *c = page->context;

	lines(f, compare_print_refused, c->all, "<p class=\"warn\">", "</p>\n");
	lines(f, compare_print_sentences, c->all, "<p>", "</p>\n");
	fputs("<h2>Counts</h2>\n<ul>\n", f);
	lines(f, compare_print_facts, c->all, "<li>", "</li>\n");
	fputs("</ul>\n", f);
	instructions(f, c);
	boots(f, c);
	machines(f, c);
	nodes(f, c);
	html_pictures(f, page);
	table(f, c);
	fputs("<ul class=\"small\">\n", f);
	lines(f, compare_print_notes, c->all, "<li>", "</li>\n");
	fputs("</ul>\n", f);
}

int compare_html(const struct comparison *c, const struct picture *p, const char *subject,
		 struct error *e)
{
	struct html_machine *machines = calloc(c->n, sizeof(*machines));
	struct html_page page = {
		.heading = "What changed between result sets",
		.subject = subject,
		.dir = c->dir,
		.file = "compare.html",
		.machines = machines,
		.nmachines = c->n,
		.pictures = p,
		.npictures = COMPARE_PICTURES,
		.body = body,
		.context = c,
	};
	int rc;

	if (!machines)
		return error_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < c->n; i++) {
		const json_t *pair = json_array_get(c->all, i ? i - 1 : 0);

		machines[i] = (struct html_machine){
			member_text(pair, i ? "other_name" : "base_name"), c->sets[i].machine
		};
	}
	rc = html_page(&page, e);
	free(machines);
	return rc;
}
