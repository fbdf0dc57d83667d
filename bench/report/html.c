// SPDX-License-Identifier: GPL-2.0-or-later
/* A run's page: the answer, a row per scenario, the pictures, every row, what was found, missing or invalid. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report/report.h"
#include "bench/summary/words.h"
#include "bench/summary/summary.h"
#include "lib/base/member.h"

/* The terminal's "us" as the page writes it. */
static void html_figure(FILE *f, const char *open, const char *text, const char *close)
{
	fputs(open, f);
	for (; *text; text++) {
		if (!strncmp(text, " us", 3) && !isalpha((unsigned char)text[3])) {
			fputs(" µs", f);
			text += 2;
		} else {
			char one[2] = { *text, '\0' };

			html_text(f, one);
		}
	}
	fputs(close, f);
}

/* The terminal's headline serves here too: one wording. */
static void answer(FILE *f, const json_t *summary)
{
	char *buf = NULL;
	size_t len = 0;
	FILE *m = open_memstream(&buf, &len);

	if (!m)
		return;
	summary_print_headline(summary, m);
	fclose(m);
	for (char *p = buf; *p; p++) /* its line breaks are the terminal's, its sentences stay */
		if (*p == '\n' && p[1] && p[1] != '(')
			*p = ' ';
	html_figure(f, "<p class=\"answer\">", buf, "</p>\n");
	free(buf);
}

static void cell_text(FILE *f, const char *text)
{
	html_figure(f, "<td class=\"n\">", text, "</td>");
}

static void cell_ns(FILE *f, double ns)
{
	char text[FIGURE_TEXT];

	figure_value(ns, text, sizeof(text));
	cell_text(f, text);
}

static void cell_count(FILE *f, const json_t *row, const char *name)
{
	double v = member_number(json_object_get(row, "counters"), name);
	char text[40] = "-";

	if (isfinite(v))
		snprintf(text, sizeof(text), "%.3f%s", v,
			 !strcmp(name, "context-switches") && row_own_switches(row) ? " *" : "");
	cell_text(f, text);
}

/* Both speeds with their trials, or the median and its interval: two cells. */
static void cells_time(FILE *f, const json_t *ns)
{
	const json_t *speeds = json_object_get(ns, "speeds"), *one;
	double low = member_number(ns, "low"), high = member_number(ns, "high");
	char text[2 * FIGURE_TEXT] = "", value[FIGURE_TEXT];
	size_t i;

	if (figure_two_speeds(ns)) {
		figure_text(ns, text, sizeof(text));
		cell_text(f, text);
		text[0] = '\0';
		json_array_foreach (speeds, i, one) {
			size_t used = strlen(text);

			figure_text(one, value, sizeof(value));
			snprintf(text + used, sizeof(text) - used, "%s%s in %lld trials",
				 i ? "; " : "", value,
				 (long long)json_integer_value(json_object_get(one, "n")));
		}
		cell_text(f, text);
		return;
	}
	cell_ns(f, member_number(ns, "median"));
	if (isfinite(low) && isfinite(high)) {
		figure_value(low, text, sizeof(text));
		figure_value(high, value, sizeof(value));
		snprintf(text + strlen(text), sizeof(text) - strlen(text), " to %s", value);
	}
	cell_text(f, *text ? text : "-");
}

/* As `activemm run' takes it. */
static void html_spec(FILE *f, const json_t *row)
{
	const char *key, *sep = ":";
	json_t *v;

	html_text(f, member_text(row, "scenario"));
	json_object_foreach (json_object_get(row, "params"), key, v) {
		html_element(f, sep, key, "=");
		if (json_is_string(v))
			html_text(f, json_string_value(v));
		else
			fprintf(f, "%lld", (long long)json_integer_value(v));
		sep = ",";
	}
}

static void row_write(FILE *f, const json_t *row, bool named, bool times)
{
	const json_t *l = json_object_get(row, "latency");
	char params[200];

	params_words(member_text(row, "scenario"), json_object_get(row, "params"), params,
		     sizeof(params));
	fputs("<tr title=\"", f);
	html_spec(f, row);
	fputs("\">", f);
	if (named)
		html_element(f, "<td>", member_text(row, "scenario"), "</td>");
	html_figure(f, "<td>", *params ? params : "-", "</td>");
	fprintf(f, "<td class=\"n\">%lld/%lld</td>",
		(long long)json_integer_value(json_object_get(row, "valid")),
		(long long)json_integer_value(json_object_get(row, "trials")));
	if (times) {
		cells_time(f, json_object_get(row, "ns"));
		cell_ns(f, member_number(l, "p50"));
		cell_ns(f, member_number(l, "p99"));
		cell_ns(f, member_number(l, "p99.9"));
	}
	cell_count(f, row, "context-switches");
	cell_count(f, row, "cr3-loads");
	cell_count(f, row, "cr3-flushes");
	fputs("</tr>\n", f);
}

static void table_begin(FILE *f, bool named, bool times)
{
	fprintf(f,
		"<div class=\"wide\"><table><tr>%s<th>parameters<th>valid%s"
		"<th>switches<th>CR3 loads<th>flushing</tr>\n",
		named ? "<th>scenario" : "",
		times ? "<th>per round trip<th>95 % interval<th>p50<th>p99<th>p99.9" : "");
}

/* A row per scenario, those that the terminal shows. */
static void usual(FILE *f, const json_t *summary, const json_t *machine, bool times)
{
	const json_t *results = json_object_get(summary, "results"), *r;
	json_t *seen = json_object();
	size_t i;

	if (json_array_size(results))
		table_begin(f, true, times);
	json_array_foreach (results, i, r) {
		const char *name = member_text(r, "scenario");

		if (json_object_get(seen, name))
			continue;
		member_set(seen, name, json_true());
		row_write(f, row_usual(summary, machine, name), true, times);
	}
	if (json_array_size(results))
		fputs("</table></div>\n", f);
	json_decref(seen);
}

/* A scenario's other figures, a row each parameter set that has some. */
static void figures(FILE *f, const json_t *row)
{
	const char *name, *sep = "";
	char value[FIGURE_TEXT], params[200];
	json_t *one;

	if (!json_object_size(json_object_get(row, "figures")))
		return;
	params_words(member_text(row, "scenario"), json_object_get(row, "params"), params,
		     sizeof(params));
	html_element(f, "<li>", params, ": ");
	json_object_foreach (json_object_get(row, "figures"), name, one) {
		const char *unit = member_text(one, "unit");
		double v = member_number(one, "median");

		if (!strcmp(unit, "ns"))
			figure_value(v, value, sizeof(value));
		else if (isfinite(v))
			snprintf(value, sizeof(value), "%.4g%s%s", v, *unit ? " " : "", unit);
		else
			snprintf(value, sizeof(value), "not available, %.120s",
				 member_text(one, "unavailable"));
		html_element(f, sep, name, " ");
		html_figure(f, "", value, "");
		sep = ", ";
	}
	fputs("</li>\n", f);
}

static void group_write(FILE *f, const json_t *results, const char *name, bool times)
{
	const json_t *r;
	size_t i, rows = 0, more = 0;

	json_array_foreach (results, i, r)
		if (!strcmp(member_text(r, "scenario"), name)) {
			rows++;
			more += json_object_size(json_object_get(r, "figures"));
		}
	html_element(f, "<details><summary><b>", name, "</b>");
	fprintf(f, ", %zu row%s</summary>\n", rows, rows == 1 ? "" : "s");
	table_begin(f, false, times);
	json_array_foreach (results, i, r)
		if (!strcmp(member_text(r, "scenario"), name))
			row_write(f, r, false, times);
	fputs("</table></div>\n", f);
	if (more)
		fputs("<p class=\"small\">What it found out beside:</p><ul class=\"small\">\n", f);
	json_array_foreach (results, i, r)
		if (!strcmp(member_text(r, "scenario"), name) && more)
			figures(f, r);
	fputs(more ? "</ul></details>\n" : "</details>\n", f);
}

static void table(FILE *f, const json_t *summary, bool times)
{
	const json_t *results = json_object_get(summary, "results"), *r;
	json_t *seen = json_object();
	size_t i;

	fputs("<h2>All results, by scenario</h2>\n", f);
	json_array_foreach (results, i, r) {
		const char *name = member_text(r, "scenario");

		if (!json_object_get(seen, name))
			group_write(f, results, name, times);
		member_set(seen, name, json_true());
	}
	json_decref(seen);
	fputs("<p class=\"small\">Intervals: 95 %, bootstrap of the median over trials. Two "
	      "speeds: the "
	      "trials fall into two groups, at least 8 % apart, as one normal distribution's would "
	      "in "
	      "1 of 100 cases. Counts: per round trip, by the kernel's own events on the measured "
	      "CPU, "
	      "in batches apart from the timed ones.</p>\n",
	      f);
}

static void own_switches(FILE *f, const json_t *summary)
{
	if (summary_own_switches(summary))
		fputs("<p class=\"small\">" SUMMARY_OWN_SWITCHES "</p>\n", f);
}

/* The mitigations of a real switch, and what tasks pay that asked for them. */
static void asked(FILE *f, const json_t *summary)
{
	const json_t *list = json_object_get(summary, "asked"), *r;
	char text[900];
	size_t i, n = 0;

	mm_switch_text(summary, text, sizeof(text));
	if (*text)
		html_figure(f, "<p>", text, "</p>\n");
	json_array_foreach (list, i, r) {
		if (!json_object_get(r, "adds_ns"))
			continue;
		if (!n++)
			fputs("<p>What tasks ask the kernel for adds to a round trip, against the "
			      "same one without it, paired by round:</p>\n<ul>\n",
			      f);
		asked_text(r, text, sizeof(text));
		html_figure(f, "<li>", text, "</li>\n");
	}
	if (n)
		fputs("</ul>\n", f);
}

/* What follows from the rows: the TLB's refill, and how borrowing and flushing scale. */
static void follows(FILE *f, const json_t *summary)
{
	const json_t *list = json_object_get(summary, "scaling"), *r;
	char text[900], params[200];
	size_t i;

	refill_text(summary, text, sizeof(text));
	if (*text)
		html_figure(f, "<p>", text, "</p>\n");
	asked(f, summary);
	if (json_array_size(list))
		fputs("<p>Scaling: each CPU's pace against that of one alone.</p>\n<ul>\n", f);
	json_array_foreach (list, i, r) {
		const char *name = member_text(r, "scenario");

		params_words(name, json_object_get(r, "params"), params, sizeof(params));
		scaling_text(r, text, sizeof(text));
		html_element(f, "<li><code>", name, "</code>, ");
		html_element(f, "", params, ": ");
		html_element(f, "", text, "</li>\n");
	}
	if (json_array_size(list))
		fputs("</ul>\n", f);
}

static void invalid(FILE *f, const json_t *summary)
{
	const json_t *r, *v;
	char params[200];
	size_t i, k;
	bool any = false;

	json_array_foreach (json_object_get(summary, "results"), i, r) {
		json_int_t n = json_integer_value(json_object_get(r, "invalid"));

		if (!n)
			continue;
		if (!any)
			fputs("<h2>Invalid trials, kept out of the "
			      "figures</h2>\n<details><summary>By "
			      "row, with reasons</summary>\n<ul>\n",
			      f);
		any = true;
		params_words(member_text(r, "scenario"), json_object_get(r, "params"), params,
			     sizeof(params));
		html_element(f, "<li>", member_text(r, "scenario"), *params ? " " : "");
		html_text(f, params);
		fprintf(f, ": %lld<ul>", (long long)n);
		json_array_foreach (json_object_get(r, "violations"), k, v)
			if (json_is_string(v))
				html_element(f, "<li>", json_string_value(v), "</li>\n");
		fputs("</ul></li>\n", f);
	}
	if (any)
		fputs("</ul></details>\n", f);
}

static void reason_write(void *context, const char *what, const char *why)
{
	html_element(context, "<li>", what, ": ");
	html_element(context, "", why, "</li>\n");
}

static void reasons(FILE *f, const char *heading, const json_t *list)
{
	if (!json_array_size(list))
		return;
	html_element(f, "<h2>", heading, "</h2>\n<ul>\n");
	reasons_each(list, reason_write, f);
	fputs("</ul>\n", f);
}

static void warnings(FILE *f, const json_t *list)
{
	const json_t *one;
	size_t i;

	if (json_array_size(list))
		fputs("<h2>Warnings</h2>\n<ul>\n", f);
	json_array_foreach (list, i, one)
		if (json_is_string(one))
			html_element(f, "<li>", json_string_value(one), "</li>\n");
	if (json_array_size(list))
		fputs("</ul>\n", f);
}

/* Everything about the set's measurements, between the subject and the machine. */
static void measurements(FILE *f, const struct html_page *page)
{
	const json_t *summary = page->context, *machine = page->machines[0].record;
	bool times = !json_is_false(json_object_get(summary, "times_meaningful"));
	char unverified[200];

	if (summary_unverified(summary, unverified, sizeof(unverified)))
		fprintf(f, "<p class=\"warn\">%s</p>\n", unverified);
	answer(f, summary);
	usual(f, summary, machine, times);
	own_switches(f, summary);
	if (times)
		follows(f, summary);
	reasons(f, "What this kernel or hypervisor does in another way",
		json_object_get(summary, "findings"));
	html_pictures(f, page);
	table(f, summary, times);
	own_switches(f, summary);
	invalid(f, summary);
	reasons(f, "Scaled up", json_object_get(summary, "scaled"));
	reasons(f, "Not available here", json_object_get(summary, "unavailable"));
	warnings(f, json_object_get(machine, "warnings"));
}

int report_html(const struct picture *p, const json_t *summary, const struct result_set *set,
		const char *dir, struct error *e)
{
	const struct html_machine machine = { NULL, set->machine };
	char subject[160];
	const struct html_page page = {
		.heading = "What a context switch costs, and what active_mm saves",
		.subject = subject,
		.dir = dir,
		.file = "report.html",
		.machines = &machine,
		.nmachines = 1,
		.pictures = p,
		.npictures = PICTURES,
		.body = measurements,
		.context = summary,
	};

	report_subject(set, subject, sizeof(subject));
	return html_page(&page, e);
}
