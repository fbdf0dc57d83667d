// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report.h"
#include "bench/summary.h"
#include "lib/member.h"

static const char head[] =
	"<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	"<meta name=\"viewport\" content=\"width=device-width\">\n"
	"<link rel=\"icon\" href=\"data:,\">\n<title>activemm-bench</title>\n<style>\n"
	"body{font:16px/1.5 'DejaVu Sans',sans-serif;color:#222;max-width:62em;margin:2em "
	"auto;padding:0 1em}\n"
	"h1{font-size:1.5em}h2{font-size:1.15em;margin-top:2em}\n"
	".answer{font-size:1.15em;border-left:.3em solid #009e73;padding:.3em 0 .3em "
	"1em;white-space:pre-line}\n"
	".warn{border-left:.3em solid #b00020;padding:.3em 0 .3em 1em;font-weight:bold}\n"
	".wide{overflow-x:auto}figure{margin:1.5em 0}figure "
	"svg{width:100%;height:auto}figcaption,.small{color:#555;font-size:.9em}\n"
	"table{border-collapse:collapse;font-size:.85em}td,th{padding:.2em .7em;border-bottom:1px "
	"solid #ddd;text-align:left}\n"
	"td.n{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}pre{font-size:."
	"8em;overflow:auto}"
	"\ntd.up{background:#fddbc7}td.down{background:#d1e5f0}\n"
	"</style></head><body>\n";

/* Text with what HTML means something by escaped. */
void html_text(FILE *f, const char *s)
{
	for (; *s; s++) {
		switch (*s) {
		case '<':
			fputs("&lt;", f);
			break;
		case '>':
			fputs("&gt;", f);
			break;
		case '&':
			fputs("&amp;", f);
			break;
		case '"':
			fputs("&quot;", f);
			break;
		default:
			fputc(*s, f);
		}
	}
}

void html_element(FILE *f, const char *open, const char *s, const char *close)
{
	fputs(open, f);
	html_text(f, s);
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
	html_element(f, "<p class=\"answer\">", buf, "</p>\n");
	free(buf);
}

/* Puts NAME.svg into the page, from its <svg> element on. */
static void picture(FILE *f, const struct picture *p, const char *dir)
{
	char *path, *line = NULL;
	bool begun = false;
	size_t cap = 0;
	FILE *svg;

	html_element(f, "<h2>", p->title, "</h2>\n");
	if (!p->drawn) {
		html_element(f, "<p class=\"small\">Not drawn: ", p->why ? p->why : "?", ".</p>\n");
		return;
	}
	if (asprintf(&path, "%s/%s.svg", dir, p->name) < 0)
		return;
	svg = fopen(path, "re");
	free(path);
	fputs("<figure>\n", f);
	while (svg && getline(&line, &cap, svg) > 0) {
		begun |= !strncmp(line, "<svg", 4);
		if (begun)
			fputs(line, f);
	}
	html_element(f, "<figcaption>", p->caption, *p->note ? " " : "");
	html_element(f, "", p->note, "</figcaption></figure>\n");
	free(line);
	if (svg)
		fclose(svg);
}

static void cell(FILE *f, const json_t *o, const char *key, const char *fmt)
{
	const json_t *v = json_object_get(o, key);

	fputs("<td class=\"n\">", f);
	if (json_is_number(v))
		fprintf(f, fmt, json_number_value(v));
	else
		fputs("-", f);
	fputs("</td>", f);
}

static void table(FILE *f, const json_t *summary)
{
	bool times = !json_is_false(json_object_get(summary, "times_meaningful"));
	const json_t *r;
	size_t i;

	fputs("<h2>All results</h2>\n<div "
	      "class=\"wide\"><table><tr><th>scenario<th>parameters<th>valid",
	      f);
	if (times)
		fputs("<th>ns per round trip<th>low<th>high<th>p50<th>p99<th>p99.9", f);
	fputs("<th>switches<th>CR3 loads<th>flushing</tr>\n", f);
	json_array_foreach (json_object_get(summary, "results"), i, r) {
		const json_t *ns = json_object_get(r, "ns"), *c = json_object_get(r, "counters"),
			     *l = json_object_get(r, "latency");
		char *params = json_dumps(json_object_get(r, "params"),
					  JSON_COMPACT | JSON_SORT_KEYS);

		html_element(f, "<tr><td>", member_text(r, "scenario"), "</td>");
		html_element(f, "<td>", params ? params : "", "</td>");
		fprintf(f, "<td class=\"n\">%lld/%lld</td>",
			(long long)json_integer_value(json_object_get(r, "valid")),
			(long long)json_integer_value(json_object_get(r, "trials")));
		free(params);
		if (times) {
			cell(f, ns, "median", "%.1f");
			cell(f, ns, "low", "%.1f");
			cell(f, ns, "high", "%.1f");
			cell(f, l, "p50", "%.0f");
			cell(f, l, "p99", "%.0f");
			cell(f, l, "p99.9", "%.0f");
		}
		cell(f, c, "context-switches", "%.3f");
		cell(f, c, "cr3-loads", "%.3f");
		cell(f, c, "cr3-flushes", "%.3f");
		fputs("</tr>\n", f);
	}
	fputs("</table></div>\n<p class=\"small\">Intervals: 95 %, bootstrap of the median over "
	      "trials. Counts: per round trip, by the "
	      "kernel's own events on the measured CPU, in batches apart from the timed "
	      "ones.</p>\n",
	      f);
}

static void invalid(FILE *f, const json_t *summary)
{
	const json_t *r, *v;
	size_t i, k;
	bool any = false;

	json_array_foreach (json_object_get(summary, "results"), i, r) {
		if (json_integer_value(json_object_get(r, "invalid")) == 0)
			continue;
		if (!any)
			fputs("<h2>Invalid trials, kept out of the figures</h2>\n<ul>\n", f);
		any = true;
		json_array_foreach (json_object_get(r, "violations"), k, v) {
			if (!json_is_string(v))
				continue;
			html_element(f, "<li>", member_text(r, "scenario"), ": ");
			html_element(f, "", json_string_value(v), "</li>\n");
		}
	}
	if (any)
		fputs("</ul>\n", f);
}

static void unavailable(FILE *f, const json_t *summary)
{
	const json_t *list = json_object_get(summary, "unavailable"), *u;
	size_t i;

	if (!json_array_size(list))
		return;
	fputs("<h2>Not available here</h2>\n<ul>\n", f);
	json_array_foreach (list, i, u) {
		html_element(f, "<li>", member_text(u, "what"), ": ");
		html_element(f, "", member_text(u, "why"), "</li>\n");
	}
	fputs("</ul>\n", f);
}

/* Everything about the set's measurements, between the subject and the machine. */
static void measurements(FILE *f, const struct html_page *page)
{
	const json_t *summary = page->context;

	if (!json_is_true(json_object_get(summary, "verified")))
		fputs("<p class=\"warn\">UNVERIFIED: the kernel's events were out of reach, "
		      "nothing proves what these figures measured.</p>\n",
		      f);
	answer(f, summary);
	html_pictures(f, page);
	table(f, summary);
	invalid(f, summary);
	unavailable(f, summary);
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

void html_pictures(FILE *f, const struct html_page *page)
{
	for (int i = 0; i < page->npictures; i++)
		picture(f, &page->pictures[i], page->dir);
}

static void machine_record(FILE *f, const struct html_machine *m)
{
	char *text = json_dumps(m->record, JSON_INDENT(2));

	fputs("<details><summary>What was recorded of machine, kernel and run", f);
	if (m->name)
		html_element(f, ": ", m->name, "");
	fputs("</summary>\n", f);
	html_element(f, "<pre>", text ? text : "", "</pre></details>\n");
	free(text);
}

int html_page(const struct html_page *page, struct error *e)
{
	char *path;
	FILE *f;
	int bad;

	if (asprintf(&path, "%s/%s", page->dir, page->file) < 0)
		return error_set(e, ENOMEM, "out of memory");
	f = fopen(path, "we");
	if (!f) {
		bad = error_set(e, errno, "cannot write %s: %s", path, strerror(errno));
		free(path);
		return bad;
	}
	fputs(head, f);
	html_element(f, "<h1>", page->heading, "</h1>\n");
	html_element(f, "<p>", page->subject, "</p>\n");
	page->body(f, page);
	fputs(page->nmachines == 1 ? "<h2>Machine</h2>\n" : "<h2>Machines</h2>\n", f);
	for (size_t i = 0; i < page->nmachines; i++)
		machine_record(f, &page->machines[i]);
	fputs("</body></html>\n", f);
	bad = ferror(f);
	bad |= fclose(f);
	bad = bad ? error_set(e, errno ? errno : EIO, "cannot write %s: %s", path, strerror(errno))
		  : 0;
	free(path);
	return bad;
}
