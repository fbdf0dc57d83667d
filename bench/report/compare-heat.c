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

struct line {
	const json_t *row;
	size_t at; /* in the table */
	double largest; /* significant change of any set, absolute */
};

struct cell {
	bool known, coloured;
	double value; /* the colour's */
	char text[24];
};

struct tally {
	size_t known, up, down;
};

static struct cell cell_of(const struct comparison *c, const json_t *row, size_t set, bool times)
{
	const json_t *own = compare_row_like(json_array_get(c->all, set - 1), row);
	struct compared_point now = compared_point(c, row, set, times),
			      was = compared_point(c, row, 0, times);
	double ratio = member_number(own, "ratio");
	const char *verdict = member_text(own, "verdict");
	struct cell cell = { .text = "-" };

	if (!times) {
		cell.known = isfinite(now.median) && isfinite(was.median);
		cell.coloured = cell.known && now.mark != MARK_LIKE;
		cell.value = now.median - was.median;
		if (cell.known)
			snprintf(cell.text, sizeof(cell.text), "%.2f", now.median);
		return cell;
	}
	cell.coloured = now.mark != MARK_LIKE;
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

/* Every row of the table that has something to show, or NULL; all in its order, or the largest changes first if too many. */
static struct line *lines_make(const struct comparison *c, bool times, size_t *n, size_t *left_out,
			       struct tally *tally)
{
	const json_t *rows = json_object_get(json_array_get(c->all, 0), "times"), *row;
	struct line *lines = calloc(json_array_size(rows) + 1, sizeof(*lines));
	size_t i;

	*n = *left_out = 0;
	json_array_foreach (rows, i, row) {
		struct line line = { row, i, -1 };

		for (size_t set = 1; set < c->n && lines; set++) {
			struct cell cell = cell_of(c, row, set, times);

			if (cell.known)
				line.largest = fmax(line.largest,
						    cell.coloured ? fabs(cell.value) : 0);
			tally->known += cell.known;
			tally->up += cell.coloured && cell.value > 0;
			tally->down += cell.coloured && cell.value < 0;
		}
		if (lines && line.largest >= 0)
			lines[(*n)++] = line;
	}
	if (*n > ROWS) {
		qsort(lines, *n, sizeof(*lines), by_change);
		*left_out = *n - ROWS;
		*n = ROWS;
	}
	return lines;
}

/* The blocks: names of rows, names of columns, coloured cells, grey ones. Returns the largest coloured value. */
static double heat_write(FILE *f, const struct comparison *c, const struct line *lines, size_t n,
			 size_t columns, bool times)
{
	char text[PANEL_LABEL];
	double most = 0;

	fprintf(f, "# Rows: place, name\n");
	for (size_t i = 0; i < n; i++) {
		compared_label(lines[i].row, NULL, text);
		fprintf(f, "%zu \"%s\"\n", i, text);
	}
	fprintf(f, "\n\n# Columns: place, name\n");
	for (size_t set = 1; set <= columns; set++) {
		compared_name(c, set, text);
		fprintf(f, "%zu \"%s\"\n", set - 1, text);
	}
	for (int coloured = 1; coloured >= 0; coloured--) {
		fprintf(f, "\n\n# %s: column, row, %s, text\n-9 -9 0 \"\"\n",
			coloured ? "Changed" : "Not changed or not known",
			times ? "change in %" : "change of CR3 loads per round trip");
		for (size_t i = 0; i < n; i++)
			for (size_t set = 1; set <= columns; set++) {
				struct cell cell = cell_of(c, lines[i].row, set, times);

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
	char base[SET_LABEL], label[PANEL_LABEL];
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
		compared_label(lines[i].row, NULL, label);
		longest = strlen(label) > longest ? strlen(label) : longest;
	}
	most = fmin(fmax(most, SCALE_LEAST), SCALE_MOST);
	snprintf(p->argument, sizeof(p->argument), "%s|%zu|%zu|%zu|%zu|%g|%s",
		 times ? "%" : "loads", n, longest, columns, compared_longest(c, 1), most, base);
	p->has_data = n > 0;
	if (!tally.up && !tally.down)
		snprintf(p->title, sizeof(p->title),
			 times ? "No figure changed significantly against %s"
			       : "CR3 loads per round trip are the same as in %s",
			 base);
	else
		snprintf(p->title, sizeof(p->title),
			 times ? "%zu of %zu figures changed significantly against %s: %zu up, %zu "
				 "down"
			       : "%zu of %zu counts of CR3 loads changed against %s: %zu up, %zu "
				 "down",
			 tally.up + tally.down, tally.known, base, tally.up, tally.down);
	if (left_out || columns < c->n - 1)
		snprintf(p->note, sizeof(p->note),
			 "%s%zu rows and %zu sets have no room here and are in the table.",
			 left_out ? "The largest changes are first. " : "", left_out,
			 c->n - 1 - columns);
	free(lines);
	return data_close(d, f, p->name);
}
