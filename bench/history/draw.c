// SPDX-License-Identifier: GPL-2.0-or-later
/* Trends as a picture of small panels, and the page around it. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "bench/history/history.h"
#include "bench/report/data.h"

#define POINTS \
	1000 /* of a panel: of more, medians of neighbours would be one upon the other anyway */
#define NAME 24

static int folder_make(const char *dir, struct error *e)
{
	char *data;
	int rc = 0;

	if (asprintf(&data, "%s/data", dir) < 0)
		return error_set(e, ENOMEM, "out of memory");
	if ((mkdir(dir, 0777) && errno != EEXIST) || (mkdir(data, 0777) && errno != EEXIST))
		rc = error_set(e, errno, "cannot make %.300s: %s", data, strerror(errno));
	free(data);
	return rc;
}

/* What stands below a point: text that neither a data file nor an argument takes for its own. */
static void name_of(const struct history_view *v, const struct history_step *s, char buf[NAME])
{
	time_t t = s->ended;
	struct tm tm;

	if (v->q.by_time) {
		gmtime_r(&t, &tm);
		strftime(buf, NAME, "%Y-%m-%d", &tm);
	} else {
		snprintf(buf, NAME, "%.*s", NAME - 1, s->kernel ? s->kernel->release : "?");
	}
	for (char *c = buf; *c; c++)
		*c = *c == '"' || *c == '|' || *c == '\\' || (unsigned char)*c < ' ' ? '?' : *c;
}

static void panel(FILE *f, const struct history_view *v, const struct history_line *line,
		  size_t *longest, size_t *most)
{
	size_t skip = (line->nsteps + POINTS - 1) / POINTS;
	bool times = !line->machine->emulated, changed = false;
	size_t shown = 0;

	for (size_t i = 0; i < line->nsteps; i++) {
		const struct history_step *s = &line->steps[i];
		const struct history_value *value = times ? &s->ns : &s->count[LOADS];
		char name[NAME];

		changed |= s->changed;
		if (i % (skip ? skip : 1))
			continue;
		name_of(v, s, name);
		fprintf(f, "%zu \"%s\"", shown++, name);
		data_interval(f, value->median, value->low, value->high);
		fprintf(f, " %d\n", changed);
		changed = false;
		*longest = strlen(name) > *longest ? strlen(name) : *longest;
	}
	*most = shown > *most ? shown : *most;
}

static int data_write(const struct history_view *v, const struct history_lines *lines,
		      struct picture *p, const char *dir, struct error *e)
{
	const struct data d = { .dir = dir, .e = e };
	size_t longest = 1, most = 1;
	char names[1200] = "";
	FILE *f = data_open(&d, p->name);

	if (!f)
		return e->code ? -e->code : -EIO;
	for (size_t i = 0; i < lines->n; i++) {
		const struct history_line *line = &lines->list[i];
		char label[HISTORY_LABEL];
		size_t used = strlen(names);

		if (i)
			fputs("\n\n", f);
		panel(f, v, line, &longest, &most);
		view_label(line->series, label);
		snprintf(names + used, sizeof(names) - used, "|%.40s%s%.40s%s", label,
			 lines->n > 1 ? ", " : "", lines->n > 1 ? line->machine->name : "",
			 line->machine->emulated ? " (CR3 loads)" : "");
	}
	picture_argument(p, "%zu|%zu|%zu%s", most, longest, lines->n, names);
	p->has_data = true;
	return data_close(&d, f, p->name);
}

static void body(FILE *f, const struct html_page *page)
{
	html_pictures(f, page);
	html_element(f, "<h2>The same in words</h2>\n<pre>", page->context, "</pre>\n");
}

int history_draw(const struct history_view *v, const struct history_lines *lines, size_t left_out,
		 const char *heading, const char *text, const char *dir, struct error *e)
{
	struct picture p = {
		.name = "history",
		.caption =
			"Each panel is a scenario with its parameters on one machine; points are "
			"medians, bars their 95 % interval or, of several sets, their extremes. A "
			"red line is a change. Axes differ, and those of times do not begin at 0."
	};
	char data[4096], subject[160];
	const struct picture_place place = { "history", "history", dir, data, ".dat", subject, "" };
	struct html_page page = { .heading = heading,
				  .subject = subject,
				  .dir = dir,
				  .file = "history.html",
				  .pictures = &p,
				  .npictures = 1,
				  .body = body,
				  .context = text };
	int rc = folder_make(dir, e);

	snprintf(data, sizeof(data), "%.4000s/data", dir);
	snprintf(subject, sizeof(subject), "%.120s",
		 lines->n == 1 ? lines->list[0].machine->name : "all machines");
	snprintf(p.title, sizeof(p.title), "%s", heading);
	if (left_out)
		snprintf(p.note, sizeof(p.note), "%zu more with changes are not drawn.", left_out);
	if (!rc && lines->n)
		rc = data_write(v, lines, &p, dir, e);
	else
		p.why = "there is nothing to draw";
	if (rc)
		return rc;
	pictures_draw(&p, 1, &place);
	return html_page(&page, e);
}
