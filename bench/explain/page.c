// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A story as a page on which one steps through the switches: who runs, which mm is loaded, mm_users, mm_count. The table of all steps is
 * there without script as well; plots/explain/steps.js, which is put into the page, draws one step at a time from the story's JSON.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/explain/explain.h"
#include "bench/report/gnuplot.h"
#include "bench/report/report.h"

struct telling_page {
	const struct story *story;
	char *script; /* NULL: not to be had */
	char *data; /* the story as JSON */
};

static void mm_cell(FILE *f, const struct story *story, int mm)
{
	html_element(f, "<td>", mm == STORY_NO_MM ? "-" : story->mms[mm].name, "</td>");
}

static void task_cells(FILE *f, const struct story *story, const struct story_task *task)
{
	char pid[24];

	snprintf(pid, sizeof(pid), " %u", task->pid);
	html_element(f, "<td>", story_name(task), pid);
	fputs("</td>", f);
	mm_cell(f, story, task->mm);
	mm_cell(f, story, task->active_mm);
	if (task->mm_count < 0)
		fputs("<td class=\"n\">-</td><td class=\"n\">-</td>", f);
	else
		fprintf(f, "<td class=\"n\">%d</td><td class=\"n\">%d</td>", task->mm_users,
			task->mm_count);
}

static void steps_table(FILE *f, const struct story *story)
{
	fputs("<div class=\"wide\"><table id=\"steps\"><thead><tr><th>us</th><th>CPU</th>"
	      "<th>leaves</th><th>mm</th><th>active_mm</th><th>mm_users</th><th>mm_count</th>"
	      "<th>comes</th><th>mm</th><th>active_mm</th><th>mm_users</th><th>mm_count</th>"
	      "<th>what it is, and CR3</th></tr></thead><tbody>\n",
	      f);
	for (unsigned int i = 0; i < story->nsteps; i++) {
		const struct story_step *step = &story->steps[i];

		fprintf(f, "<tr><td class=\"n\">%.2f</td><td class=\"n\">%d</td>", step->us,
			step->cpu);
		task_cells(f, story, &step->prev);
		if (step->is_switch)
			task_cells(f, story, &step->next);
		else
			fputs("<td></td><td></td><td></td><td></td><td></td>", f);
		html_element(f, "<td>", step->what, "</td></tr>\n");
	}
	fputs("</tbody></table></div>\n", f);
}

static void body(FILE *f, const struct html_page *page)
{
	const struct telling_page *p = page->context;

	html_element(f, "<p class=\"answer\">", p->story->conclusion, "</p>\n");
	if (p->story->missing[0])
		html_element(f, "<p class=\"small\">", p->story->missing, "</p>\n");
	html_pictures(f, page);
	fputs("<h2>Step by step</h2>\n<div id=\"stage\"></div>\n", f);
	steps_table(f, p->story);
	fputs("<p class=\"small\">Of the task that leaves: what the switch finds. Of the one that "
	      "comes: "
	      "what it leaves with in its turn. A task whose mm is \"-\" has none and borrows "
	      "its active_mm; mm_count is one higher meanwhile.</p>\n",
	      f);
	if (!p->script || !p->data)
		return;
	fprintf(f,
		"<script type=\"application/json\" id=\"story\">%s</script>\n<script>%s</script>\n",
		p->data, p->script);
}

/* JSON that may stand in a <script>: no '<' is left in it. */
static char *script_safe(char *json)
{
	char *safe = NULL;
	size_t len;
	FILE *m = json ? open_memstream(&safe, &len) : NULL;

	for (const char *c = json; m && *c; c++)
		fputs(*c == '<' ? "\\u003c" : (char[]){ *c, '\0' }, m);
	if (m && fclose(m)) {
		free(safe);
		safe = NULL;
	}
	free(json);
	return safe;
}

int story_page(const struct story *story, const char *dir, const char *subject,
	       const struct picture *timeline, const json_t *machine, struct error *error)
{
	json_t *json = story_json(story);
	struct telling_page p = {
		.story = story,
		.script = plots_read("explain/steps.js"),
		.data = script_safe(json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(9))),
	};
	const struct html_machine machines[] = { { .record = machine } };
	char heading[400];
	struct html_page page = {
		.dir = dir,
		.file = "explain.html",
		.heading = heading,
		.subject = subject,
		.pictures = timeline,
		.npictures = 1,
		.machines = machines,
		.nmachines = 1,
		.body = body,
		.context = &p,
	};
	int rc;

	snprintf(heading, sizeof(heading), "%s%s%s, switch by switch", story->scenario->name,
		 story->params[0] ? ":" : "", story->params);
	rc = html_page(&page, error);
	json_decref(json);
	free(p.script);
	free(p.data);
	return rc;
}
