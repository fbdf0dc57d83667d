// SPDX-License-Identifier: GPL-2.0-or-later
/* A table for Apache Otava: time, attributes, and metrics without gaps. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/history/history.h"
#include "lib/base/text.h"

#define COLUMNS (1 + HISTORY_COUNTS) /* of a series */

struct csv {
	const struct history_view *v;
	struct history_set *sets; /* in order of time */
	size_t n;
	size_t *order; /* of the sets, by id */
	double *values; /* by column and set */
	size_t columns;
	const struct history_series **series; /* every COLUMNS columns */
	bool *seen; /* sets that have any of the series */
	struct error *e;
};

static int by_id(const void *a, const void *b, void *sets)
{
	const struct history_set *s = sets;
	int64_t x = s[*(const size_t *)a].id, y = s[*(const size_t *)b].id;

	return x < y ? -1 : x > y;
}

/* Where in the order of time the set stands; SIZE_MAX: it was added meanwhile. */
static size_t place(const struct csv *c, int64_t set)
{
	size_t low = 0, high = c->n;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (c->sets[c->order[middle]].id < set)
			low = middle + 1;
		else
			high = middle;
	}
	return low < c->n && c->sets[c->order[low]].id == set ? c->order[low] : SIZE_MAX;
}

static int line_fill(struct history_line *line, void *context)
{
	struct csv *c = context;
	double *values = reallocarray(c->values, (c->columns + COLUMNS) * (c->n + 1),
				      sizeof(*values));
	const struct history_series **series;

	if (values)
		c->values = values;
	series = reallocarray(c->series, c->columns / COLUMNS + 1, sizeof(*series));
	if (series)
		c->series = series;
	if (!values || !series)
		return error_set(c->e, ENOMEM, "out of memory");
	series[c->columns / COLUMNS] = line->series;
	values += c->columns * c->n;
	for (size_t i = 0; i < COLUMNS * c->n; i++)
		values[i] = NAN;
	for (size_t i = 0; i < line->npoints; i++) {
		const struct history_point *p = &line->points[i];
		size_t at = place(c, p->set);

		if (at == SIZE_MAX)
			continue;
		c->seen[at] = true;
		if (!line->machine->emulated)
			values[at] = p->ns.median;
		for (size_t q = 0; q < HISTORY_COUNTS; q++)
			values[(q + 1) * c->n + at] = p->count[q].median;
	}
	c->columns += COLUMNS;
	return 0;
}

/* Has every set of the table a value in the column? *@any: has one. */
static bool whole(const struct csv *c, size_t column, bool *any)
{
	bool all = true;

	*any = false;
	for (size_t i = 0; i < c->n; i++)
		if (c->seen[i]) {
			bool is = isfinite(c->values[column * c->n + i]);

			all &= is;
			*any |= is;
		}
	return all && *any;
}

static void table(const struct csv *c, FILE *out, size_t *left_out)
{
	bool *use = calloc(c->columns + 1, sizeof(*use)), any;

	if (!use)
		return;
	fputs("time,kernel,set", out);
	for (size_t k = 0; k < c->columns; k++) {
		char label[HISTORY_LABEL], name[HISTORY_LABEL + 32];
		size_t q = k % COLUMNS;

		use[k] = whole(c, k, &any);
		*left_out += any && !use[k];
		if (!use[k])
			continue;
		view_label(c->series[k / COLUMNS], label);
		snprintf(name, sizeof(name), "%s %s", label, q ? history_counters[q - 1] : "ns");
		fputc(',', out);
		text_csv(name, out);
	}
	fputs("\r\n", out);
	for (size_t i = 0; i < c->n; i++) {
		const struct history_kernel *kernel = history_kernel(&c->v->names,
								     c->sets[i].kernel);
		time_t t = c->sets[i].ended;
		char when[40];
		struct tm tm;

		if (!c->seen[i])
			continue;
		gmtime_r(&t, &tm);
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S +0000", &tm);
		fprintf(out, "%s,", when);
		text_csv(kernel ? kernel->release : "", out);
		fputc(',', out);
		text_csv(c->sets[i].dir, out);
		for (size_t k = 0; k < c->columns; k++)
			if (use[k])
				fprintf(out, ",%.10g", c->values[k * c->n + i]);
		fputs("\r\n", out);
	}
	free(use);
}

/* Series of two machines make no one table. */
static int one_machine(const struct history_view *v, struct error *e)
{
	if (v->machine || v->names.nmachines < 2)
		return 0;
	return error_set(e, EINVAL,
			 "history: export --csv is of one machine, and here are %zu: name one with "
			 "--machine "
			 "(`activemm history list' has their names)",
			 v->names.nmachines);
}

int history_csv(const struct history_view *v, FILE *out, size_t *left_out, struct error *e)
{
	struct csv c = { .v = v, .e = e };
	int rc = one_machine(v, e);

	*left_out = 0;
	if (!rc)
		rc = history_sets(v->h, v->machine, &c.sets, &c.n, e);
	if (rc)
		return rc;
	c.order = calloc(c.n + 1, sizeof(*c.order));
	c.seen = calloc(c.n + 1, sizeof(*c.seen));
	if (!c.order || !c.seen) {
		rc = error_set(e, ENOMEM, "out of memory");
	} else {
		for (size_t i = 0; i < c.n; i++)
			c.order[i] = i;
		qsort_r(c.order, c.n, sizeof(*c.order), by_id, c.sets);
		rc = view_lines(v, line_fill, &c, e);
	}
	if (!rc)
		table(&c, out, left_out);
	history_sets_free(c.sets, c.n);
	free(c.order);
	free(c.seen);
	free(c.values);
	free(c.series);
	return rc;
}
