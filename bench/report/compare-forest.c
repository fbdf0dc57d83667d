// SPDX-License-Identifier: GPL-2.0-or-later
/* What each machine says of the kernels, and what they say together: a forest plot, a panel for each of the rows that say most. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report/compare.h"
#include "lib/base/member.h"

#define PANELS 3
#define SINGLE \
	40 /* nodes that have a line of their own; of more the furthest have one below the others */
#define NAMED 16 /* of those */
#define LINE  15 /* pixels */
#define HEAD  20
#define BAND  280 /* of all nodes together where they are many */
#define LEAST 40 /* of one CPU model's */

struct panel {
	const json_t *pair, *row, *pooled;
	double score; /* how much it has to say */
};

struct forest {
	struct panel panel[PANELS];
	size_t n, left_out;
	bool many;
	double at; /* pixels from the top that are used */
};

/* Rows that changed first, those that changed most. */
static double score_of(const json_t *row)
{
	const char *verdict = member_text(row, "verdict");
	bool changed = !strcmp(verdict, "slower") || !strcmp(verdict, "faster");
	double far = fabs(log(member_number(row, "ratio")));

	return (changed ? 100 : 0) + (isfinite(far) ? far : 0);
}

static size_t strangers(const struct panel *p)
{
	return json_array_size(json_object_get(p->pooled, "strangers"));
}

static void panel_add(struct forest *f, const struct panel *p)
{
	size_t i = f->n < PANELS ? f->n++ : PANELS;

	f->left_out += i == PANELS;
	if (i == PANELS && p->score <= f->panel[PANELS - 1].score)
		return;
	if (i == PANELS)
		i--;
	for (; i && f->panel[i - 1].score < p->score; i--)
		f->panel[i] = f->panel[i - 1];
	f->panel[i] = *p;
}

static void panels_find(struct forest *f, const struct comparison *c)
{
	struct panel split = { 0 };
	const json_t *pair, *row;
	bool shown = false;
	size_t p, i;

	json_array_foreach (c->all, p, pair)
		json_array_foreach (json_object_get(pair, "times"), i, row) {
			const json_t *pooled = json_object_get(row, "pooled");
			const struct panel one = { pair, row, pooled, score_of(row) };

			if (!json_array_size(json_object_get(pooled, "each")))
				continue;
			panel_add(f, &one);
			if (strangers(&one) > strangers(&split))
				split = one;
		}
	/* What nodes disagree on is among them. */
	for (size_t k = 0; k < f->n; k++)
		shown |= strangers(&f->panel[k]) > 0;
	if (!shown && split.pair)
		f->panel[f->n - 1] = split;
	for (size_t k = 0; k < f->n; k++)
		f->many |= json_array_size(json_object_get(f->panel[k].pooled, "each")) > SINGLE;
}

static const json_t *of_model(const json_t *pooled, const char *model)
{
	const json_t *o;
	size_t i;

	json_array_foreach (json_object_get(pooled, "models"), i, o)
		if (!strcmp(member_text(o, "model"), model))
			return o;
	return NULL;
}

static const json_t *of_node(const json_t *list, const json_t *node)
{
	const json_t *o;
	size_t i;

	json_array_foreach (list, i, o)
		if (!strcmp(member_text(o, "node"), member_text(node, "node")) &&
		    !strcmp(member_text(o, "model"), member_text(node, "model")))
			return o;
	return NULL;
}

static int by_ratio(const void *a, const void *b)
{
	double x = member_number(*(json_t *const *)a, "ratio"),
	       y = member_number(*(json_t *const *)b, "ratio");

	return x < y ? -1 : x > y;
}

/* The nodes of a model in a row, the fastest first. Their number; free @list. */
static size_t nodes_of(const json_t *pooled, const char *model, const json_t ***list)
{
	const json_t *each = json_object_get(pooled, "each"), *o;
	size_t n = 0, i;

	*list = calloc(json_array_size(each) + 1, sizeof(**list));
	json_array_foreach (each, i, o)
		if (*list && !strcmp(member_text(o, "model"), model))
			(*list)[n++] = o;
	if (n)
		qsort(*list, n, sizeof(**list), by_ratio);
	return n;
}

/* y, ratio, low, high, 1 for one that answers differently, and whether it has a line of its own. */
static void node_write(FILE *out, double y, const json_t *node, const json_t *pooled, bool own)
{
	double ratio = member_number(node, "ratio"), low = member_number(node, "low"),
	       high = member_number(node, "high");

	if (isfinite(ratio))
		fprintf(out, "%.2f %.6g %.6g %.6g %d %d\n", y, ratio, isfinite(low) ? low : ratio,
			isfinite(high) ? high : ratio,
			of_node(json_object_get(pooled, "strangers"), node) != NULL, own);
}

/* A diamond as wide as the interval. */
static void diamond_write(FILE *out, double y, const json_t *pooled)
{
	double ratio = member_number(pooled, "ratio"), low = member_number(pooled, "low"),
	       high = member_number(pooled, "high");

	if (!isfinite(low))
		low = high = ratio;
	if (isfinite(ratio))
		fprintf(out, "%.6g %.2f\n%.6g %.2f\n%.6g %.2f\n%.6g %.2f\n%.6g %.2f\n\n", low, y,
			ratio, y - 5, high, y, ratio, y + 5, low, y);
}

static void figure_write(FILE *out, double y, const json_t *pooled)
{
	double ratio = member_number(pooled, "ratio"), low = member_number(pooled, "low"),
	       high = member_number(pooled, "high");

	if (isfinite(low))
		fprintf(out, "%.6g %.2f \"%.3f [%.3f, %.3f]\"\n", high, y, ratio, low, high);
	else if (isfinite(ratio))
		fprintf(out, "%.6g %.2f \"%.3f\"\n", ratio, y, ratio);
}

/* Where things stand, from the top: the same in all panels. */
struct place {
	const char *model; /* NULL: all */
	double from, to; /* its nodes, between */
	double pooled; /* its diamond */
};

struct layout {
	struct place *places;
	size_t n;
	const json_t **named; /* below, NAMED at most */
	size_t nnamed;
	double first; /* of them */
};

static void layout_free(struct layout *l)
{
	free(l->places);
	free(l->named);
}

static void place_add(struct forest *f, struct layout *l, const char *model, size_t n, size_t all)
{
	double height = f->many ? fmax(LEAST, BAND * (double)n / (double)all) : LINE * (double)n;
	struct place *p = &l->places[l->n++];

	*p = (struct place){ .model = model, .from = f->at + (model ? HEAD : 0) };
	p->to = p->from + (model ? height : 0);
	p->pooled = p->to + LINE * 0.7;
	f->at = p->pooled + LINE;
}

static int by_distance(const void *a, const void *b)
{
	double x = member_number(*(json_t *const *)a, "distance"),
	       y = member_number(*(json_t *const *)b, "distance");

	return x > y ? -1 : x < y;
}

/* How far each node is from what its model says, in widths of its interval; only of strangers, which come before all others. */
static void distances_add(json_t *all, const struct panel *panel, bool only_strangers)
{
	const json_t *o;
	size_t i;

	json_array_foreach (json_object_get(panel->pooled, "each"), i, o) {
		const json_t *model = of_model(panel->pooled, member_text(o, "model"));
		double away = fabs(log(member_number(o, "ratio") / member_number(model, "ratio"))),
		       wide = log(member_number(o, "high") / member_number(o, "low"));
		bool stranger = of_node(json_object_get(panel->pooled, "strangers"), o);
		json_t *copy;

		if (of_node(all, o) || !isfinite(away) || (only_strangers && !stranger))
			continue;
		copy = json_copy((json_t *)o);
		member_set(copy, "distance",
			   member_real((stranger ? 1000 : 0) + (wide > 0 ? away / wide : away)));
		member_append(all, copy);
	}
}

/* The furthest from what their models say: those that any panel says differ, then by the first panel's row. */
static int named_find(struct forest *f, struct layout *l)
{
	json_t *all = json_array(), *o;
	size_t n, i;

	for (size_t p = 0; p < f->n; p++)
		distances_add(all, &f->panel[p], true);
	distances_add(all, &f->panel[0], false);
	n = json_array_size(all);
	l->named = calloc(n + 1, sizeof(*l->named));
	if (!l->named) {
		json_decref(all);
		return -ENOMEM;
	}
	json_array_foreach (all, i, o)
		l->named[i] = json_incref(o);
	qsort(l->named, n, sizeof(*l->named), by_distance);
	l->nnamed = n < NAMED ? n : NAMED;
	for (i = l->nnamed; i < n; i++)
		json_decref((json_t *)l->named[i]);
	json_decref(all);
	f->at += HEAD;
	l->first = f->at;
	f->at += (double)l->nnamed * LINE;
	return 0;
}

static int layout_make(struct forest *f, struct layout *l)
{
	const json_t *pooled = f->panel[0].pooled, *models = json_object_get(pooled, "models"), *o;
	size_t all = json_array_size(json_object_get(pooled, "each")), i;

	*l = (struct layout){ 0 };
	l->places = calloc(json_array_size(models) + 1, sizeof(*l->places));
	if (!l->places)
		return -ENOMEM;
	json_array_foreach (models, i, o)
		place_add(f, l, member_text(o, "model"),
			  (size_t)json_integer_value(json_object_get(o, "nodes")), all);
	if (json_array_size(models) > 1)
		place_add(f, l, NULL, 0, all);
	return f->many ? named_find(f, l) : 0;
}

/* Where the @i-th of @n nodes of that place stands. */
static double y_of(const struct place *p, size_t i, size_t n)
{
	return p->from + (p->to - p->from) * ((double)i + 0.5) / (double)n;
}

/* y, text, 1 for what is no node. */
static void label(FILE *out, double y, const char *text, int kind)
{
	char shown[SET_LABEL + 12];

	snprintf(shown, sizeof(shown), "%.38s", text);
	for (char *c = shown; *c; c++)
		if (*c == '"' || *c == '\\' || (unsigned char)*c < ' ')
			*c = '?';
	fprintf(out, "%.2f \"%s\" %d\n", y, shown, kind);
}

static int labels_write(FILE *out, const struct forest *f, const struct layout *l)
{
	char text[80];

	for (size_t k = 0; k < l->n; k++) {
		const struct place *p = &l->places[k];
		const json_t **list;
		size_t n;

		label(out, p->pooled, p->model ? "pooled" : "all, pooled", 1);
		if (!p->model)
			continue;
		n = nodes_of(f->panel[0].pooled, p->model, &list);
		if (!list)
			return -ENOMEM;
		snprintf(text, sizeof(text), "%.34s", p->model);
		label(out, p->from - 0.4 * HEAD, text, 1);
		if (f->many) {
			snprintf(text, sizeof(text), "%zu nodes, by ratio", n);
			label(out, (p->from + p->to) / 2, text, 0);
		}
		for (size_t i = 0; i < n && !f->many; i++)
			label(out, y_of(p, i, n), member_text(list[i], "node"), 0);
		free(list);
	}
	if (l->nnamed)
		label(out, l->first - 0.4 * HEAD, "furthest from their model", 1);
	for (size_t i = 0; i < l->nnamed; i++)
		label(out, l->first + LINE * ((double)i + 0.5), member_text(l->named[i], "node"),
		      0);
	fputs("\n\n", out);
	return 0;
}

/* Nodes stand by their own order where they are many, else as in the first panel. */
static int nodes_write(FILE *out, const struct forest *f, const struct layout *l,
		       const struct panel *panel)
{
	for (size_t k = 0; k < l->n && l->places[k].model; k++) {
		const json_t **order, *o;
		const json_t *from = f->many ? panel->pooled : f->panel[0].pooled;
		size_t n = nodes_of(from, l->places[k].model, &order);

		if (!order)
			return -ENOMEM;
		for (size_t i = 0; i < n; i++) {
			o = f->many ? order[i]
				    : of_node(json_object_get(panel->pooled, "each"), order[i]);
			if (o)
				node_write(out, y_of(&l->places[k], i, n), o, panel->pooled,
					   !f->many);
		}
		free(order);
	}
	for (size_t i = 0; i < l->nnamed; i++) {
		const json_t *o = of_node(json_object_get(panel->pooled, "each"), l->named[i]);

		if (o)
			node_write(out, l->first + LINE * ((double)i + 0.5), o, panel->pooled,
				   true);
	}
	fputs("\n\n", out);
	return 0;
}

static void pooled_write(FILE *out, const struct layout *l, const struct panel *panel)
{
	for (int figures = 0; figures < 2; figures++) {
		for (size_t k = 0; k < l->n; k++) {
			const struct place *p = &l->places[k];
			const json_t *pooled = p->model ? of_model(panel->pooled, p->model)
							: panel->pooled;

			(figures ? figure_write : diamond_write)(out, p->pooled, pooled);
		}
		/* A diamond ends with one. */
		fputs(figures ? "\n\n" : "\n", out);
	}
}

static void title(const struct comparison *c, const struct forest *f, struct picture *p)
{
	const struct panel *first = &f->panel[0];
	double ratio = member_number(first->pooled, "ratio"),
	       low = member_number(first->pooled, "low"),
	       high = member_number(first->pooled, "high"), percent = 100 * (ratio - 1);
	const json_t *nodes = json_object_get(first->pooled, "nodes");
	char name[PANEL_LABEL], base[SET_LABEL];

	compared_label(first->row, NULL, name);
	compared_name(c, 0, base);
	if (low > 1 || high < 1)
		snprintf(p->title, sizeof(p->title), "%s is %.1f %% %s in %.28s, over %lld nodes",
			 name, fabs(percent), percent > 0 ? "slower" : "faster",
			 member_text(first->pair, "other_name"),
			 (long long)json_integer_value(nodes));
	else
		snprintf(p->title, sizeof(p->title),
			 "Over %lld nodes no kernel is known to differ from %.28s",
			 (long long)json_integer_value(nodes), base);
	if (f->left_out)
		snprintf(p->note, sizeof(p->note), "%zu more rows: see the table", f->left_out);
}

int picture_compare_forest(const struct data *d, const struct comparison *c, struct picture *p)
{
	struct forest f = { 0 };
	struct layout l;
	char name[PANEL_LABEL], base[SET_LABEL];
	FILE *out;
	int rc;

	snprintf(p->title, sizeof(p->title), "What each machine says");
	panels_find(&f, c);
	if (!f.n)
		return 0;
	title(c, &f, p);
	rc = layout_make(&f, &l);
	out = rc ? NULL : data_open(d, p->name);
	if (!rc && !out)
		rc = -d->e->code;
	compared_name(c, 0, base);
	picture_argument(p, "%.0f|%d|%zu|%s", f.at, f.many, f.n, base);
	if (!rc)
		rc = labels_write(out, &f, &l);
	for (size_t i = 0; i < f.n && !rc; i++) {
		compared_label(f.panel[i].row, NULL, name);
		picture_argument(p, "|%s|%.28s", name, member_text(f.panel[i].pair, "other_name"));
		rc = nodes_write(out, &f, &l, &f.panel[i]);
		pooled_write(out, &l, &f.panel[i]);
	}
	for (size_t i = 0; i < l.nnamed; i++)
		json_decref((json_t *)l.named[i]);
	layout_free(&l);
	p->has_data = !rc;
	if (out && data_close(d, out, p->name) && !rc)
		rc = -d->e->code;
	return rc == -ENOMEM ? error_set(d->e, ENOMEM, "out of memory") : rc;
}
