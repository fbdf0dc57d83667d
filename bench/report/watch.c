// SPDX-License-Identifier: GPL-2.0-or-later
/* The report of a recorded watch: what was counted while it ran, instead of what trials cost. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/report/gnuplot.h"
#include "bench/report/report.h"

#define WATCH_PICTURES 3

/* What the page and the terminal tell. */
struct watch_report {
	const json_t *watch; /* the whole watch, from summary.json; NULL where it was killed */
	double seconds;
	long long switches, lazy, saved;
	const char *source;
	bool estimated;
};

static const char *const class_names[][2] = {
	{ "borrow", "user to kernel thread" }, { "pass", "kernel thread to kernel thread" },
	{ "back", "back to the same mm" },     { "on", "on to another mm" },
	{ "thread", "thread to thread" },      { "real", "real" },
};

#define CLASSES (sizeof(class_names) / sizeof(*class_names))

static long long whole(const json_t *o, const char *key)
{
	return (long long)json_integer_value(json_object_get(o, key));
}

bool report_is_watch(const struct result_set *set)
{
	const json_t *t;
	size_t i;

	json_array_foreach (set->trials, i, t) {
		const char *scenario = json_string_value(json_object_get(t, "scenario"));

		if (!scenario || strcmp(scenario, "watch"))
			return false;
	}
	return json_array_size(set->trials) > 0;
}

/* The sum of a counter over the intervals; with @name NULL their length in ns. */
static double intervals_sum(const struct result_set *set, const char *name)
{
	double sum = 0;
	const json_t *t;
	size_t i;

	json_array_foreach (set->trials, i, t) {
		const json_t *v =
			name ? json_object_get(
				       json_object_get(json_object_get(t, "counters"), name),
				       "value")
			     : json_object_get(t, "elapsed_ns");

		sum += json_is_number(v) ? json_number_value(v) : 0;
	}
	return sum;
}

static void report_fill(struct watch_report *r, const struct result_set *set, const json_t *summary)
{
	const json_t *first = json_array_get(set->trials, 0);
	const char *source = json_string_value(json_object_get(
		json_object_get(json_object_get(first, "counters"), "context-switches"), "source"));
	char name[40];

	*r = (struct watch_report){
		.watch = json_object_get(summary, "watch"),
		.seconds = intervals_sum(set, NULL) * 1e-9,
		.switches = (long long)intervals_sum(set, "context-switches"),
		.saved = (long long)intervals_sum(set, "cr3-loads-saved"),
		.source = source ? source : "?",
		.estimated = !json_is_true(json_object_get(first, "verified")),
	};
	for (size_t i = 0; i < CLASSES; i++) {
		if (!strcmp(class_names[i][0], "thread") || !strcmp(class_names[i][0], "real"))
			continue;
		snprintf(name, sizeof(name), "switches-%s", class_names[i][0]);
		r->lazy += (long long)intervals_sum(set, name);
	}
}

static double share(const struct watch_report *r)
{
	return r->switches ? 100.0 * (double)r->lazy / (double)r->switches : 0;
}

/* Does the table that the watch wrote down hold more than its header? */
static bool table_has_lines(const struct result_set *set, const char *name)
{
	char path[4096];
	char *line = NULL;
	bool found = false;
	size_t room = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s.tsv", set->dir, name);
	file = fopen(path, "re");
	while (file && !found && getline(&line, &room, file) > 0)
		found = line[0] != '#' && line[0] != '\n';
	free(line);
	if (file)
		fclose(file);
	return found;
}

static void pictures_fill(struct picture *p, const struct watch_report *r)
{
	const json_t *top = json_array_get(json_object_get(r->watch, "borrowers"), 0);
	const char *who = json_string_value(json_object_get(top, "name"));

	p[0] = (struct picture){
		.name = "watch-rates",
		.caption = "Switches per second by what they do with the loaded address space, "
			   "stacked; blue are the lazy ones. The black line: CR3 loads that "
			   "borrowing saved.",
	};
	snprintf(p[0].title, sizeof(p[0].title), "%.1f %% of %lld switches were lazy", share(r),
		 r->switches);
	p[1] = (struct picture){
		.name = "watch-heat",
		.caption = "The darker, the more CR3 loads were saved on that CPU at that time.",
	};
	snprintf(p[1].title, sizeof(p[1].title), "%lld CR3 loads saved in %.1f s", r->saved,
		 r->seconds);
	p[2] = (struct picture){
		.name = "watch-top",
		.caption = "How often each kernel thread was switched to, by what came next: its "
			   "lender's task (two loads saved), another mm (nothing saved), or "
			   "another kernel thread.",
	};
	snprintf(p[2].title, sizeof(p[2].title), "%s borrows most, %lld times",
		 who ? who : "Nobody", whole(top, "borrow") + whole(top, "pass"));
}

static void draw(struct picture *p, const struct watch_report *r, const struct result_set *set,
		 const char *dir)
{
	char subject[160];
	const struct picture_place place = { "report",
					     "watch",
					     dir,
					     set->dir,
					     ".tsv",
					     subject,
					     r->estimated ? "estimated, without BPF" : "" };

	report_subject(set, subject, sizeof(subject));
	for (int i = 0; i < WATCH_PICTURES; i++) {
		p[i].has_data = table_has_lines(set, p[i].name);
		if (!p[i].has_data)
			p[i].why = "the watch was ended before it wrote that down";
	}
	pictures_draw(p, WATCH_PICTURES, &place);
}

/* "Watched 3.0 s by BPF: 20310 switches, 61.2 % of them lazy; 8122 CR3 loads saved." */
static void sentence(const struct watch_report *r, FILE *f)
{
	const json_t *worth = json_object_get(r->watch, "worth_ns");
	const json_t *loads = json_object_get(json_object_get(r->watch, "counts"), "cr3_loads");

	fprintf(f, "Watched %.1f s by %s: %lld switches, %.1f %% of them lazy; ", r->seconds,
		r->source, r->switches, share(r));
	if (json_is_integer(json_object_get(loads, "kept")))
		fprintf(f, "%lld CR3 loads were done (%lld flushing) and ",
			whole(loads, "kept") + whole(loads, "flushing"), whole(loads, "flushing"));
	fprintf(f, "%lld saved by borrowing", r->saved);
	if (worth)
		fprintf(f, ", worth %.3f ms with the costs of %s",
			json_number_value(json_object_get(worth, "median")) * 1e-6,
			json_string_value(json_object_get(worth, "from")));
	fprintf(f, ".");
}

/* What a watch in turns knows of each class: from and to. */
static void bounds(const struct watch_report *r, const char *name, double *low, double *high)
{
	const json_t *sampling = json_object_get(r->watch, "sampling");
	const json_t *one = json_object_get(json_object_get(sampling, "intervals"), name);

	*low = one ? json_number_value(json_object_get(one, "low")) : NAN;
	*high = json_is_number(json_object_get(one, "high"))
			? json_number_value(json_object_get(one, "high"))
			: NAN;
}

static void sampling(FILE *f, const struct watch_report *r)
{
	const json_t *sampling = json_object_get(r->watch, "sampling");
	double low, high;

	if (!sampling)
		return;
	fprintf(f,
		"<p>Counted in %lld windows of %.0f ms on average at random times, %.1f %% of the "
		"time; what "
		"is here is "
		"extrapolated to the %lld switches of the kernel's own "
		"count.</p>\n<table><tr><th>switches"
		"<th>from<th>to (95 %%)</tr>\n",
		whole(sampling, "windows"),
		1e3 * json_number_value(json_object_get(sampling, "window_s")),
		100 * json_number_value(json_object_get(sampling, "open_share")),
		whole(sampling, "switches"));
	for (size_t i = 0; i < CLASSES; i++) {
		bounds(r, class_names[i][0], &low, &high);
		fprintf(f, "<tr><td>%s<td class=\"n\">%.0f<td class=\"n\">%.0f</tr>\n",
			class_names[i][1], low, high);
	}
	fputs("</table>\n", f);
}

static void number_cell(FILE *f, const json_t *row, const char *key)
{
	fprintf(f, "<td class=\"n\">%lld</td>", whole(row, key));
}

/* One of the watch's lists; @keys are its columns. */
static void list(FILE *f, const struct watch_report *r, const char *name, const char *heading,
		 const char *const keys[][2], size_t n)
{
	const json_t *rows = json_object_get(r->watch, name), *row;
	size_t i;

	if (!json_array_size(rows))
		return;
	html_element(f, "<h2>", heading, "</h2>\n<div class=\"wide\"><table><tr><th>name<th>pid");
	for (size_t k = 0; k < n; k++)
		html_element(f, "<th>", keys[k][1], "");
	fputs("</tr>\n", f);
	json_array_foreach (rows, i, row) {
		const char *who = json_string_value(json_object_get(row, "name"));

		html_element(f, "<tr><td>", who ? who : "?", "</td>");
		if (json_is_integer(json_object_get(row, "pid")))
			number_cell(f, row, "pid");
		else
			fputs("<td></td>", f);
		for (size_t k = 0; k < n; k++)
			number_cell(f, row, keys[k][0]);
		fputs("</tr>\n", f);
	}
	fputs("</table></div>\n", f);
}

static void body(FILE *f, const struct html_page *page)
{
	static const char *const borrower[][2] = {
		{ "borrow", "from user tasks" },      { "pass", "from kernel threads" },
		{ "back", "back to the same mm" },    { "on", "on to another mm" },
		{ "loads_saved", "CR3 loads saved" },
	};
	static const char *const process[][2] = {
		{ "borrow", "lent" },
		{ "back", "back" },
		{ "thread", "thread to thread" },
		{ "real", "real switches to it" },
		{ "loads_kept", "CR3 loads kept" },
		{ "loads_flushing", "flushing" },
		{ "loads_saved", "saved" },
	};
	const struct watch_report *r = page->context;
	char *text = NULL;
	size_t length;
	FILE *memory = open_memstream(&text, &length);

	if (memory) {
		sentence(r, memory);
		fclose(memory);
		html_element(f, "<p class=\"answer\">", text, "</p>\n");
		free(text);
	}
	if (r->estimated)
		fputs("<p class=\"warn\">Without BPF: switches and CR3 loads were counted, classes "
		      "and loads saved are estimates.</p>\n",
		      f);
	sampling(f, r);
	html_pictures(f, page);
	list(f, r, "borrowers", "Who borrows", borrower, sizeof(borrower) / sizeof(*borrower));
	list(f, r, "processes", "Whose address spaces", process,
	     sizeof(process) / sizeof(*process));
}

static void terminal(const struct watch_report *r, const struct result_set *set, FILE *out)
{
	char subject[160], name[40];

	report_subject(set, subject, sizeof(subject));
	fprintf(out, "\n");
	sentence(r, out);
	fprintf(out, "\n%s\n\n", subject);
	for (size_t i = 0; i < CLASSES; i++) {
		double n, low, high;

		snprintf(name, sizeof(name), "switches-%s", class_names[i][0]);
		n = intervals_sum(set, name);
		fprintf(out, "  %-32s %12.0f  %5.1f %%", class_names[i][1], n,
			r->switches ? 100 * n / (double)r->switches : 0);
		bounds(r, class_names[i][0], &low, &high);
		if (isfinite(low) && isfinite(high))
			fprintf(out, "  in all %.0f to %.0f (95 %%)", low, high);
		fputc('\n', out);
	}
}

int report_watch(const struct result_set *set, const char *dir, struct error *e)
{
	const struct html_machine machine = { NULL, set->machine };
	struct picture pictures[WATCH_PICTURES];
	char subject[160];
	struct html_page page = {
		.heading = "How many CR3 loads active_mm saved on a running system",
		.subject = subject,
		.dir = dir,
		.file = "report.html",
		.machines = &machine,
		.nmachines = 1,
		.pictures = pictures,
		.npictures = WATCH_PICTURES,
		.body = body,
	};
	struct watch_report report;
	json_t *summary;
	char *path;
	int rc;

	if (asprintf(&path, "%s/summary.json", set->dir) < 0)
		return error_set(e, ENOMEM, "out of memory");
	summary = json_load_file(path, 0, NULL);
	free(path);
	rc = mkdir(dir, 0777) && errno != EEXIST
		     ? error_set(e, errno, "cannot make %s: %s", dir, strerror(errno))
		     : 0;
	if (!rc) {
		report_fill(&report, set, summary);
		pictures_fill(pictures, &report);
		draw(pictures, &report, set, dir);
		page.context = &report;
		report_subject(set, subject, sizeof(subject));
		rc = html_page(&page, e);
	}
	if (!rc) {
		terminal(&report, set, stdout);
		printf("\nReport: %s/report.html\n", dir);
	}
	json_decref(summary);
	return rc;
}
