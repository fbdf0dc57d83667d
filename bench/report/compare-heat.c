// SPDX-License-Identifier: GPL-2.0-or-later
/* A comparison's heat map: a row per scenario and parameters, a column per set. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report/compare.h"

#define ROWS	60 /* more cannot be read */
#define COLUMNS 24

/* What changes are counted up to for the colours: beyond it a number tells more. */
#define SCALE_LEAST 2
#define SCALE_MOST  25

/* Columns up to which a cell has room for what a count was. */
#define COLUMNS_WIDE 6

struct line {
	const json_t *row;
	const char *count; /* NULL: its time */
	size_t at; /* in the table */
	double largest; /* significant change of any set, absolute */
};

struct cell {
	bool known, coloured;
	double value; /* the colour's */
	char text[40];
};

struct tally {
	size_t known, up, down;
};

static struct cell cell_of(const struct comparison *c, const struct line *line, size_t set)
{
	const json_t *own = compare_row_like(json_array_get(c->all, set - 1), line->row);
	struct compared_point now = compared_point(c, line->row, set, line->count),
			      was = compared_point(c, line->row, 0, line->count);
	double ratio = member_number(own, "ratio");
	const char *verdict = member_text(own, "verdict");
	struct cell cell = { .text = "-" };

	cell.coloured = now.mark != MARK_LIKE;
	if (line->count) {
		cell.known = isfinite(now.median) && isfinite(was.median);
		cell.coloured &= cell.known;
		cell.value = now.median - was.median;
		if (cell.coloured && c->n - 1 <= COLUMNS_WIDE)
			snprintf(cell.text, sizeof(cell.text), "%.2f → %.2f", was.median,
				 now.median);
		else if (cell.known)
			snprintf(cell.text, sizeof(cell.text), "%.2f", now.median);
		return cell;
	}
	cell.known = cell.coloured || !strcmp(verdict, "same") || !strcmp(verdict, "noisy") ||
		     !strcmp(verdict, "differ");
	cell.value = isfinite(ratio) ? 100 * (ratio - 1) : 0;
	if (cell.coloured && isfinite(ratio))
		snprintf(cell.text, sizeof(cell.text), fabs(cell.value) < 100 ? "%+.1f" : "%+.0f",
			 cell.value);
	else if (cell.known)
		snprintf(cell.text, sizeof(cell.text), "%.20s", verdict);
	return cell;
}

static int by_change(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->largest != y->largest)
		return x->largest < y->largest ? 1 : -1;
	return x->at < y->at ? -1 : 1;
}

static void line_tell(struct line *line, const struct comparison *c, struct tally *tally)
{
	for (size_t set = 1; set < c->n; set++) {
		struct cell cell = cell_of(c, line, set);

		if (cell.known)
			line->largest = fmax(line->largest, cell.coloured ? fabs(cell.value) : 0);
		tally->known += cell.known;
		tally->up += cell.coloured && cell.value > 0;
		tally->down += cell.coloured && cell.value < 0;
	}
}

/*
 * Every line that has something to show, or NULL; all in the table's order, or the largest changes first if too many. Of counts those that
 * changed; CR3 loads where none did.
 */
static struct line *lines_make(const struct comparison *c, bool times, size_t *n, size_t *left_out,
			       struct tally *tally)
{
	const json_t *rows = json_object_get(json_array_get(c->all, 0), "times"), *row, *value;
	bool changed = compared_counts_changed(c);
	struct line *lines = NULL, *more;
	size_t i, room = 0;
	const char *count;

	*n = *left_out = 0;
	json_array_foreach (rows, i, row) {
		json_t *counts = json_object_get(row, "base_counts");

		room += 1 + json_object_size(counts);
		more = reallocarray(lines, room, sizeof(*lines));
		if (!more) {
			free(lines);
			return NULL;
		}
		lines = more;
		if (times) {
			lines[*n] = (struct line){ row, NULL, i, -1 };
			line_tell(&lines[*n], c, tally);
			*n += lines[*n].largest >= 0;
			continue;
		}
		json_object_foreach (counts, count, value) {
			lines[*n] = (struct line){ row, count, i, -1 };
			line_tell(&lines[*n], c, tally);
			*n += lines[*n].largest >= 0 && (changed ? compared_changed(c, row, count)
								 : !strcmp(count, COMPARED_USUAL));
		}
	}
	if (*n > ROWS) {
		qsort(lines, *n, sizeof(*lines), by_change);
		*left_out = *n - ROWS;
		*n = ROWS;
	}
	return lines ? lines : calloc(1, sizeof(*lines));
}

/* "process", of counts "process: CR3 loads". */
#define LINE_LABEL (PANEL_LABEL + 32)
static void line_label(const struct line *line, char buf[LINE_LABEL])
{
	char label[PANEL_LABEL];

	compared_label(line->row, NULL, label);
	snprintf(buf, LINE_LABEL, "%s%s%.29s", label, line->count ? ": " : "",
		 line->count ? compared_count_noun(line->count) : "");
}

/* The blocks: names of rows, names of columns, coloured cells, grey ones. Returns the largest coloured value. */
static double heat_write(FILE *f, const struct comparison *c, const struct line *lines, size_t n,
			 size_t columns, bool times)
{
	char label[LINE_LABEL], name[SET_LABEL];
	double most = 0;

	fprintf(f, "# Rows: place, name\n");
	for (size_t i = 0; i < n; i++) {
		line_label(&lines[i], label);
		fprintf(f, "%zu \"%s\"\n", i, label);
	}
	fprintf(f, "\n\n# Columns: place, name\n");
	for (size_t set = 1; set <= columns; set++) {
		compared_name(c, set, name);
		fprintf(f, "%zu \"%s\"\n", set - 1, name);
	}
	for (int coloured = 1; coloured >= 0; coloured--) {
		fprintf(f, "\n\n# %s: column, row, %s, text\n-9 -9 0 \"\"\n",
			coloured ? "Changed" : "Not changed or not known",
			times ? "change in %" : "change of the count per round trip");
		for (size_t i = 0; i < n; i++)
			for (size_t set = 1; set <= columns; set++) {
				struct cell cell = cell_of(c, &lines[i], set);

				if (cell.coloured != coloured)
					continue;
				fprintf(f, "%zu %zu %.6g \"%s\"\n", set - 1, i,
					isfinite(cell.value) ? cell.value : 0, cell.text);
				if (coloured)
					most = fmax(most, fabs(cell.value));
			}
	}
	return most;
}

int picture_compare_heat(const struct data *d, const struct comparison *c, struct picture *p)
{
	bool times = compared_times(c);
	size_t n, left_out, columns = c->n - 1 < COLUMNS ? c->n - 1 : COLUMNS, longest = 0;
	char base[SET_LABEL], label[LINE_LABEL];
	struct tally tally = { 0 };
	struct line *lines;
	double most;
	FILE *f = data_open(d, p->name);

	if (!f)
		return -EIO;
	lines = lines_make(c, times, &n, &left_out, &tally);
	if (!lines) {
		data_close(d, f, p->name);
		return error_set(d->e, ENOMEM, "out of memory");
	}
	compared_name(c, 0, base);
	most = heat_write(f, c, lines, n, columns, times);
	for (size_t i = 0; i < n; i++) {
		line_label(&lines[i], label);
		longest = strlen(label) > longest ? strlen(label) : longest;
	}
	most = fmin(fmax(most, SCALE_LEAST), SCALE_MOST);
	snprintf(p->argument, sizeof(p->argument), "%s|%zu|%zu|%zu|%zu|%g|%s",
		 times ? "%" : "counts", n, longest, columns, compared_longest(c, 1), most, base);
	p->has_data = n > 0;
	if (!tally.up && !tally.down)
		snprintf(p->title, sizeof(p->title),
			 times ? "No figure changed significantly against %s"
			       : "All counts per round trip are the same as in %s",
			 base);
	else
		snprintf(p->title, sizeof(p->title),
			 times ? "%zu of %zu figures changed significantly against %s: %zu up, %zu "
				 "down"
			       : "%zu of %zu counts changed against %s: %zu up, %zu down",
			 tally.up + tally.down, tally.known, base, tally.up, tally.down);
	if (left_out || columns < c->n - 1)
		snprintf(p->note, sizeof(p->note),
			 "%s%zu rows and %zu sets have no room here and are in the table.",
			 left_out ? "The largest changes are first. " : "", left_out,
			 c->n - 1 - columns);
	free(lines);
	return data_close(d, f, p->name);
}
