// SPDX-License-Identifier: GPL-2.0-or-later
/* What every page is made of: head, pictures, machines. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report/gnuplot.h"
#include "bench/report/report.h"

/* A file that lies with the gnuplot programs, into the page; without it the page is plainer. */
static void inlined(FILE *f, const char *open, const char *name, const char *close)
{
	char *text = plots_read(name);

	if (text)
		fprintf(f, "%s%s%s", open, text, close);
	free(text);
}

static void head(FILE *f, const char *heading)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	      "<meta name=\"viewport\" content=\"width=device-width\">\n"
	      "<link rel=\"icon\" href=\"data:,\">\n",
	      f);
	html_element(f, "<title>", heading, ": activemm-bench</title>\n");
	inlined(f, "<style>\n", "page/page.css", "</style>");
	fputs("</head><body>\n", f);
}

/* The body with its sections numbered, and before it what leads to them. */
static void sections(FILE *f, char *body)
{
	static const char mark[] = "<h2>";
	const size_t len = sizeof(mark) - 1;
	unsigned int n = 0;
	char *at, *end;

	fputs("<nav aria-label=\"contents\"><ol>\n", f);
	for (at = body; (at = strstr(at, mark)); at += len) {
		end = strstr(at, "</h2>");
		fprintf(f, "<li><a href=\"#s%u\">%.*s</a></li>\n", ++n,
			end ? (int)(end - at - (ptrdiff_t)len) : 0, at + len);
	}
	fputs("</ol></nav>\n", f);
	for (n = 1; (end = strstr(body, mark)); n++) {
		fprintf(f, "%.*s<h2 id=\"s%u\">", (int)(end - body), body, n);
		body = end + len;
	}
	fputs(body, f);
}

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

/* The body first into memory: what leads to its sections stands before them. */
static bool contents(FILE *f, const struct html_page *page)
{
	char *text = NULL;
	size_t len;
	FILE *m = open_memstream(&text, &len);

	if (!m)
		return false;
	page->body(m, page);
	if (page->nmachines)
		fputs(page->nmachines == 1 ? "<h2>Machine</h2>\n" : "<h2>Machines</h2>\n", m);
	for (size_t i = 0; i < page->nmachines; i++)
		machine_record(m, &page->machines[i]);
	if (fclose(m)) {
		free(text);
		return false;
	}
	sections(f, text);
	free(text);
	return true;
}

int html_page(const struct html_page *page, struct error *e)
{
	char *path;
	FILE *f;
	bool whole;
	int bad;

	if (asprintf(&path, "%s/%s", page->dir, page->file) < 0)
		return error_set(e, ENOMEM, "out of memory");
	f = fopen(path, "we");
	if (!f) {
		bad = error_set(e, errno, "cannot write %s: %s", path, strerror(errno));
		free(path);
		return bad;
	}
	head(f, page->heading);
	html_element(f, "<h1>", page->heading, "</h1>\n");
	html_element(f, "<p>", page->subject, "</p>\n");
	whole = contents(f, page);
	inlined(f, "<script>\n", "page/page.js", "</script>\n");
	fputs("</body></html>\n", f);
	bad = !whole || ferror(f);
	bad |= fclose(f);
	bad = bad ? error_set(e, errno ? errno : EIO, "cannot write %s: %s", path, strerror(errno))
		  : 0;
	free(path);
	return bad;
}
