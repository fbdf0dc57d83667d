// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the lines of a history change. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/history/history.h"
#include "lib/results/tolerance.h"
#include "lib/stats/changes.h"

#define SHOWN 12 /* panels of a picture */

struct search {
	const struct history_view *v;
	struct history_changes *c;
	struct error *e;
};

static int change_add(struct history_changes *c, const struct history_change *change)
{
	struct history_change *more = reallocarray(c->list, c->n + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	c->list = more;
	c->list[c->n++] = *change;
	return 0;
}

/* The change from step @s - 1 to step @s of @line. */
static struct history_change change_at(const struct history_line *line, size_t s, int quantity)
{
	const struct history_step *a = &line->steps[s - 1], *b = &line->steps[s];

	return (struct history_change){ .machine = line->machine,
					.series = line->series,
					.kernel = { a->kernel, b->kernel },
					.ended = { a->ended, b->ended },
					.quantity = quantity,
					.p = NAN };
}

/*
 * Counts do not drift: they changed where neighbours' medians are further apart than two sound trials may be, and no trial of one
 * side reaches the other's.
 */
static int counts_change(struct search *s, struct history_line *line, bool *any)
{
	for (int q = 0; q < HISTORY_COUNTS; q++) {
		size_t last = SIZE_MAX;

		for (size_t i = 0; i < line->nsteps; i++) {
			const struct history_value *y = &line->steps[i].count[q], *x;
			struct history_change change;

			/* What lacks the counter says nothing of it. */
			if (!isfinite(y->median))
				continue;
			x = last == SIZE_MAX ? NULL : &line->steps[last].count[q];
			last = i;
			if (!x ||
			    fabs(x->median - y->median) <=
				    VERIFY_VISITED +
					    VERIFY_TOLERANCE * fmax(x->median, y->median) ||
			    (x->low <= y->high && y->low <= x->high))
				continue;
			change = change_at(line, i, q);
			/* The step before may lack it. */
			for (size_t k = i; k-- > 0;)
				if (&line->steps[k].count[q] == x) {
					change.kernel[0] = line->steps[k].kernel;
					change.ended[0] = line->steps[k].ended;
				}
			change.value[0] = x->median;
			change.value[1] = y->median;
			line->steps[i].changed = *any = true;
			if (change_add(s->c, &change))
				return -ENOMEM;
		}
	}
	return 0;
}

static int times_change(struct search *s, struct history_line *line, bool *any)
{
	double *v = malloc((line->npoints + 1) * sizeof(*v));
	bool *cut = calloc(line->npoints + 1, sizeof(*cut));
	size_t *step = calloc(line->npoints + 1, sizeof(*step));
	const struct stats_changes_options o = { s->c->alpha, s->v->q.seed, cut };
	struct stats_change *found = NULL;
	size_t n = 0;
	ssize_t changes = -ENOMEM;

	if (!v || !cut || !step)
		goto done;
	for (size_t i = 0; i < line->nsteps; i++)
		for (size_t k = 0; k < line->steps[i].sets; k++) {
			double ns = line->points[line->steps[i].from + k].ns.median;

			if (!isfinite(ns))
				continue;
			cut[n] = n && step[n - 1] != i;
			step[n] = i;
			v[n++] = ns;
		}
	s->c->few += !stats_changes_possible(n, s->c->alpha);
	changes = stats_changes(v, n, &o, &found);
	for (ssize_t i = 0; i < changes; i++) {
		struct history_change change = change_at(line, step[found[i].at], QUANTITY_NS);
		size_t before = step[found[i].at - 1];

		if (fabs(found[i].after / found[i].before - 1) < s->v->q.share)
			continue;
		change.kernel[0] = line->steps[before].kernel;
		change.ended[0] = line->steps[before].ended;
		change.value[0] = found[i].before;
		change.value[1] = found[i].after;
		change.p = found[i].p;
		line->steps[step[found[i].at]].changed = *any = true;
		if (change_add(s->c, &change))
			changes = -ENOMEM;
	}
done:
	free(found);
	free(step);
	free(cut);
	free(v);
	return changes < 0 ? (int)changes : 0;
}

static int line_search(struct history_line *line, void *context)
{
	struct search *s = context;
	bool any = false;
	int rc = counts_change(s, line, &any);

	if (!rc && !line->machine->emulated)
		rc = times_change(s, line, &any);
	if (!rc && any && s->c->shown.n < SHOWN) {
		struct history_lines *shown = &s->c->shown;
		struct history_line *more = reallocarray(shown->list, shown->n + 1, sizeof(*more));

		if (!more)
			return error_set(s->e, ENOMEM, "out of memory");
		shown->list = more;
		shown->list[shown->n++] = *line;
		line->points = NULL;
		line->steps = NULL;
	} else {
		s->c->left_out += any;
	}
	return rc ? error_set(s->e, ENOMEM, "out of memory") : 0;
}

static int by_place(const void *a, const void *b)
{
	const struct history_change *x = a, *y = b;

	if (x->machine->id != y->machine->id)
		return x->machine->id < y->machine->id ? -1 : 1;
	for (int i = 1; i >= 0; i--) {
		if (x->kernel[i]->rank != y->kernel[i]->rank)
			return x->kernel[i]->rank < y->kernel[i]->rank ? -1 : 1;
		if (x->ended[i] != y->ended[i])
			return x->ended[i] < y->ended[i] ? -1 : 1;
	}
	if (x->series != y->series)
		return x->series < y->series ? -1 : 1;
	return x->quantity - y->quantity;
}

int changes_find(const struct history_view *v, struct history_changes *c, struct error *e)
{
	struct search s = { v, c, e };
	int rc = 0;

	*c = (struct history_changes){ 0 };
	for (size_t i = 0; i < v->names.nseries && !rc; i++) {
		size_t n = 0;

		if (v->wanted[i])
			rc = history_timed(v->h, v->names.series[i].id, v->machine, &n, e);
		c->lines += n;
	}
	/* Bonferroni: all lines together raise a false alarm as seldom as one would. */
	c->alpha = v->q.alpha / (double)(c->lines ? c->lines : 1);
	if (!rc)
		rc = view_lines(v, line_search, &s, e);
	if (c->n)
		qsort(c->list, c->n, sizeof(*c->list), by_place);
	if (rc)
		changes_free(c);
	return rc;
}

void changes_free(struct history_changes *c)
{
	lines_free(&c->shown);
	free(c->list);
	c->list = NULL;
	c->n = 0;
}
