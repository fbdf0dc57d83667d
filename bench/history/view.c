// SPDX-License-Identifier: GPL-2.0-or-later
/* Which machine and series are asked for, and their points by kernel or by set. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/history/history.h"
#include "bench/summary/labels.h"
#include "lib/base/member.h"
#include "lib/stats/rank.h"

void view_label(const struct history_series *s, char buf[HISTORY_LABEL])
{
	json_t *params = json_loads(s->params, 0, NULL);
	char text[96];

	summary_params_text(params, text, sizeof(text));
	snprintf(buf, HISTORY_LABEL, "%.30s%s%s", s->scenario, *text ? " " : "", text);
	json_decref(params);
}

static int machine_find(struct history_view *v, struct error *e)
{
	size_t found = 0;

	for (size_t i = 0; i < v->names.nmachines; i++) {
		const struct history_machine *m = &v->names.machines[i];

		if (!strcmp(m->name, v->q.machine)) {
			v->machine = m->id;
			return 0;
		}
		if (strstr(m->name, v->q.machine)) {
			v->machine = m->id;
			found++;
		}
	}
	if (found == 1)
		return 0;
	return error_set(
		e, ENOENT,
		found ? "history: --machine %.80s: %zu machines are called so: `activemm history "
			"list' has their names"
		      : "history: --machine %.80s: no machine is called so (%zu): `activemm "
			"history "
			"list' has their names",
		v->q.machine, found);
}

/* Does @params (JSON text) hold each of "key=value,..."? */
static bool params_hold(const char *params, const char *wanted)
{
	json_t *o = json_loads(params, 0, NULL), *value;
	bool holds = o;

	while (*wanted && holds) {
		size_t len = strcspn(wanted, ",");
		const char *equal = memchr(wanted, '=', len);
		char key[64], text[64], own[64] = "";

		snprintf(key, sizeof(key), "%.*s", (int)(equal ? equal - wanted : 0), wanted);
		snprintf(text, sizeof(text), "%.*s", (int)(equal ? wanted + len - equal - 1 : 0),
			 equal ? equal + 1 : "");
		value = json_object_get(o, key);
		if (json_is_string(value))
			snprintf(own, sizeof(own), "%s", json_string_value(value));
		else if (json_is_integer(value))
			snprintf(own, sizeof(own), "%lld", (long long)json_integer_value(value));
		holds = equal && value && !strcmp(own, text);
		wanted += len + (wanted[len] == ',');
	}
	json_decref(o);
	return holds;
}

static int series_find(struct history_view *v, bool one, struct error *e)
{
	const char *spec = v->q.spec ? v->q.spec : "";
	size_t len = strcspn(spec, ":"), shortest = SIZE_MAX, best = 0, found = 0;
	char label[HISTORY_LABEL];

	for (size_t i = 0; i < v->names.nseries; i++) {
		const struct history_series *s = &v->names.series[i];

		v->wanted[i] = !*spec || (!strncmp(s->scenario, spec, len) && !s->scenario[len] &&
					  params_hold(s->params, spec[len] ? spec + len + 1 : ""));
		if (!v->wanted[i])
			continue;
		found++;
		view_label(s, label);
		if (strlen(label) < shortest) {
			shortest = strlen(label);
			best = i;
		}
	}
	if (!found)
		return error_set(
			e, ENOENT,
			"history: no set has %.200s: `activemm list' has the scenarios' names",
			*spec ? spec : "any scenario");
	for (size_t i = 0; i < v->names.nseries && one; i++)
		v->wanted[i] = i == best;
	return 0;
}

int view_make(struct history_view *v, struct history *h, const struct history_query *q, bool one,
	      struct error *e)
{
	int rc;

	*v = (struct history_view){ .h = h, .q = *q };
	rc = history_snapshot(h, e);
	if (!rc)
		rc = history_names(h, &v->names, e);
	if (rc) {
		history_rollback(h);
		return rc;
	}
	v->wanted = calloc(v->names.nseries + 1, sizeof(*v->wanted));
	rc = v->wanted ? 0 : error_set(e, ENOMEM, "out of memory");
	if (!rc && q->machine)
		rc = machine_find(v, e);
	if (!rc)
		rc = series_find(v, one, e);
	if (rc)
		view_free(v);
	return rc;
}

void view_free(struct history_view *v)
{
	history_names_free(&v->names);
	free(v->wanted);
	v->wanted = NULL;
	history_rollback(v->h); /* the end of the snapshot */
}

static const struct history_value *quantity(const struct history_point *p, int which)
{
	return which == QUANTITY_NS ? &p->ns : &p->count[which];
}

/* Of several sets. @room: for as many numbers. */
static struct history_value together(const struct history_point *p, size_t n, int which,
				     double *room)
{
	struct history_value r = { NAN, NAN, NAN };
	size_t have = 0;

	if (n == 1)
		return *quantity(p, which);
	for (size_t i = 0; i < n; i++) {
		const struct history_value *v = quantity(&p[i], which);

		if (!isfinite(v->median))
			continue;
		room[have++] = v->median;
		r.low = fmin(r.low, which == QUANTITY_NS ? v->median : v->low);
		r.high = fmax(r.high, which == QUANTITY_NS ? v->median : v->high);
	}
	stats_sort(room, have);
	r.median = stats_sorted_median(room, have);
	return r;
}

/* Orders the line's points and makes its steps. 0 or -ENOMEM. */
static int steps_make(const struct history_view *v, struct history_line *line)
{
	struct history_point *p = line->points;
	size_t n = line->npoints;
	double *room = malloc((n + 1) * sizeof(*room));

	line->steps = calloc(n + 1, sizeof(*line->steps));
	if (!room || !line->steps) {
		free(room);
		return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		const struct history_kernel *k = history_kernel(&v->names, p[i].kernel);

		p[i].rank = k ? k->rank : 0;
	}
	if (!v->q.by_time && history_points_sort(p, n, HISTORY_BY_KERNEL)) {
		free(room);
		return -ENOMEM;
	}
	for (size_t from = 0, to; from < n; from = to) {
		struct history_step *s = &line->steps[line->nsteps++];

		to = from + 1;
		while (!v->q.by_time && to < n && p[to].rank == p[from].rank)
			to++;
		s->kernel = history_kernel(&v->names, p[from].kernel);
		s->ended = p[from].ended;
		s->set = p[from].set;
		s->sets = to - from;
		s->from = from;
		s->ns = together(p + from, to - from, QUANTITY_NS, room);
		for (int c = 0; c < (v->q.few ? FLUSHES + 1 : HISTORY_COUNTS); c++)
			s->count[c] = together(p + from, to - from, c, room);
	}
	free(room);
	return 0;
}

static int series_lines(const struct history_view *v, const struct history_series *series,
			int (*each)(struct history_line *line, void *context), void *context,
			struct error *e)
{
	struct history_point *points;
	size_t n;
	int rc = history_points(v->h, series->id, v->machine, !v->q.few, &points, &n, e);

	/* They are ordered by machine. */
	for (size_t from = 0, to; from < n && !rc; from = to) {
		struct history_line line = { .machine = history_machine(&v->names,
									points[from].machine),
					     .series = series };

		for (to = from; to < n && points[to].machine == points[from].machine; to++)
			;
		line.npoints = to - from;
		if (line.npoints == n) {
			line.points = points; /* the usual case: no copy of many */
			points = NULL;
		} else {
			line.points = malloc(line.npoints * sizeof(*points));
			if (line.points)
				memcpy(line.points, points + from, line.npoints * sizeof(*points));
		}
		if (!line.points || !line.machine || steps_make(v, &line))
			rc = error_set(e, ENOMEM, "out of memory");
		else
			rc = each(&line, context);
		free(line.points);
		free(line.steps);
	}
	free(points);
	return rc;
}

int view_lines(const struct history_view *v, int (*each)(struct history_line *line, void *context),
	       void *context, struct error *e)
{
	int rc = 0;

	for (size_t i = 0; i < v->names.nseries && !rc; i++)
		if (v->wanted[i])
			rc = series_lines(v, &v->names.series[i], each, context, e);
	return rc;
}

/* Keeps a line, and leaves its caller an empty one. */
static int line_keep(struct history_line *line, void *context)
{
	struct history_lines *all = context;
	struct history_line *more = reallocarray(all->list, all->n + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	all->list = more;
	all->list[all->n++] = *line;
	line->points = NULL;
	line->steps = NULL;
	return 0;
}

int view_all(const struct history_view *v, struct history_lines *all, struct error *e)
{
	*all = (struct history_lines){ 0 };
	return view_lines(v, line_keep, all, e);
}

void lines_free(struct history_lines *all)
{
	for (size_t i = 0; i < all->n; i++) {
		free(all->list[i].points);
		free(all->list[i].steps);
	}
	free(all->list);
	*all = (struct history_lines){ 0 };
}
