// SPDX-License-Identifier: GPL-2.0-or-later
/* A comparison's trends and curves: small multiples, drawn from what compare_sets() says. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report/compare.h"
#include "bench/summary/labels.h"
#include "lib/base/member.h"

#define PANELS 12 /* of one picture */
#define LINES  12 /* sets of one panel */

/* The rows of the first pair, all of which every pair has: what each is about, and which panel it belongs to. */
struct table {
	const json_t *rows;
	size_t n;
	char **keys; /* NULL: no round trip, or in no panel */
};

/* What panels are of: the first row of those that share a key, or a row's count. */
struct panels {
	const json_t *row[PANELS];
	const char *key[PANELS]; /* of the table */
	const char *count[PANELS]; /* NULL: times */
	size_t n, left_out;
};

static void table_free(struct table *t)
{
	for (size_t i = 0; i < t->n && t->keys; i++)
		free(t->keys[i]);
	free(t->keys);
}

static int table_make(struct table *t, const struct comparison *c,
		      char *(*key_of)(const json_t *row))
{
	const json_t *row;
	size_t i;

	t->rows = json_object_get(json_array_get(c->all, 0), "times");
	t->n = json_array_size(t->rows);
	t->keys = calloc(t->n + 1, sizeof(*t->keys));
	if (!t->keys)
		return -ENOMEM;
	json_array_foreach (t->rows, i, row)
		if (!strcmp(member_text(row, "quantity"), "ns-per-round-trip"))
			t->keys[i] = key_of(row);
	return 0;
}

static bool in_panel(const struct table *t, size_t i, const char *key)
{
	return t->keys[i] && !strcmp(t->keys[i], key);
}

static void panel_add(struct panels *s, const json_t *row, const char *key, const char *count)
{
	s->left_out += s->n == PANELS;
	if (s->n == PANELS)
		return;
	s->row[s->n] = row;
	s->key[s->n] = key;
	s->count[s->n++] = count;
}

/* A panel for each key whose first row is @good, those that changed before the others; @changed asks the key's first row. */
static void panels_find(struct panels *s, const struct comparison *c, const struct table *t,
			bool (*good)(const struct comparison *c, const struct table *t, size_t i),
			bool (*changed)(const struct comparison *c, const struct table *t,
					size_t i),
			const char *count)
{
	for (int want = 1; want >= 0; want--) {
		json_t *seen = json_object();

		for (size_t i = 0; i < t->n; i++) {
			if (!t->keys[i] || json_object_get(seen, t->keys[i]))
				continue;
			member_set(seen, t->keys[i], json_true());
			if (good(c, t, i) && changed(c, t, i) == want)
				panel_add(s, json_array_get(t->rows, i), t->keys[i], count);
		}
		json_decref(seen);
	}
}

/* A panel for each count that changed: first one of each scenario and count, then the others. */
static void panels_of_counts(struct panels *s, const struct comparison *c, const struct table *t)
{
	json_t *seen = json_object(), *value;
	const char *count;
	size_t first;
	char key[128];

	for (int again = 0; again < 2; again++)
		for (size_t i = 0; i < t->n; i++) {
			const json_t *row = json_array_get(t->rows, i);

			json_object_foreach (json_object_get(row, "base_counts"), count, value) {
				if (!compared_changed(c, row, count))
					continue;
				snprintf(key, sizeof(key), "%.60s/%.60s",
					 member_text(row, "scenario"), count);
				if (!json_object_get(seen, key))
					member_set(seen, key, json_integer((json_int_t)i));
				first = (size_t)json_integer_value(json_object_get(seen, key));
				if ((first == i) == !again)
					panel_add(s, row, NULL, count);
			}
		}
	json_decref(seen);
}

/* A scenario, by its mode where it has modes: its first row has the plain parameters, which no 2 MiB pages are among. */
static char *scenario_key(const json_t *row)
{
	const json_t *params = json_object_get(row, "parameters");
	char *key;

	if (!strcmp(member_text(params, "pagesize"), "2m"))
		return NULL;
	return asprintf(&key, "%s/%s", member_text(row, "scenario"), member_text(params, "mode")) <
			       0
		       ? NULL
		       : key;
}

/* A scenario with all its parameters but the working set's size. */
static char *curve_key(const json_t *row)
{
	json_t *params = json_copy(json_object_get(row, "parameters"));
	char *text, *key;

	json_object_del(params, "pages");
	text = json_dumps(params, JSON_COMPACT | JSON_SORT_KEYS);
	if (asprintf(&key, "%s/%s", member_text(row, "scenario"), text ? text : "") < 0)
		key = NULL;
	free(text);
	json_decref(params);
	return key;
}

static const char *usual_count(const struct comparison *c)
{
	return compared_times(c) ? NULL : COMPARED_USUAL;
}

/* Has row @i a figure in the base? */
static bool any_figure(const struct comparison *c, const struct table *t, size_t i)
{
	return isfinite(compared_point(c, json_array_get(t->rows, i), 0, usual_count(c)).median);
}

static bool row_changed(const struct comparison *c, const struct table *t, size_t i)
{
	return compared_changed(c, json_array_get(t->rows, i), usual_count(c));
}

/* Did the time of any row change that is in the same panel as row @i? */
static bool curve_changed(const struct comparison *c, const struct table *t, size_t i)
{
	for (size_t k = i; k < t->n; k++)
		if (in_panel(t, k, t->keys[i]) &&
		    compared_changed(c, json_array_get(t->rows, k), NULL))
			return true;
	return false;
}

static double pages_of(const json_t *row)
{
	return member_number(json_object_get(row, "parameters"), "pages");
}

/* Does some set have figures at two sizes or more of what row @i is? */
static bool any_curve(const struct comparison *c, const struct table *t, size_t i)
{
	for (size_t set = 0; set < c->n; set++) {
		size_t points = 0;

		for (size_t k = i; k < t->n; k++) {
			const json_t *row = json_array_get(t->rows, k);

			points += in_panel(t, k, t->keys[i]) && isfinite(pages_of(row)) &&
				  isfinite(compared_point(c, row, set, NULL).median);
		}
		if (points > 1)
			return true;
	}
	return false;
}

/* The row and set with the largest significant change so far. */
struct largest {
	const json_t *row;
	const char *count;
	size_t set;
	double change, to; /* ratio - 1, or a difference of counts; and what it became */
};

static void largest_see(struct largest *l, const struct comparison *c, const json_t *row,
			size_t set, const struct compared_point *now, const char *count)
{
	double ratio = member_number(compare_row_like(json_array_get(c->all, set - 1), row),
				     "ratio"),
	       change = count ? now->median - compared_point(c, row, 0, count).median : ratio - 1;

	if (now->mark != MARK_LIKE && isfinite(change) && fabs(change) > fabs(l->change))
		*l = (struct largest){ row, count, set, change, now->median };
}

/* "process is 3.0 % slower in 6.1 than in 6.0"; or @none, which names the base. */
static void largest_say(const struct largest *l, const struct comparison *c, const char *none,
			struct picture *p)
{
	char base[SET_LABEL], name[SET_LABEL], label[PANEL_LABEL];

	compared_name(c, 0, base);
	if (!l->row) {
		snprintf(p->title, sizeof(p->title), "%s %s", none, base);
		return;
	}
	compared_name(c, l->set, name);
	compared_label(l->row, NULL, label);
	if (l->count)
		snprintf(p->title, sizeof(p->title), "%s: %.2f %s in %s, %.2f in %s", label, l->to,
			 compared_count_noun(l->count), name, l->to - l->change, base);
	else
		snprintf(p->title, sizeof(p->title), "%s is %.1f %% %s in %s than in %s", label,
			 100 * fabs(l->change), l->change > 0 ? "slower" : "faster", name, base);
}

static void argument_add(struct picture *p, const char *text)
{
	size_t used = strlen(p->argument);

	snprintf(p->argument + used, sizeof(p->argument) - used, "%s%s", used ? "|" : "", text);
}

static void argument_number(struct picture *p, size_t n)
{
	char text[24];

	snprintf(text, sizeof(text), "%zu", n);
	argument_add(p, text);
}

/*
 * Each session of a side by its median, side by side; one alone is the side's own point. The first line is the base's figure, where
 * no picture shows it: gnuplot has no figures of a block without points.
 */
static void sessions_write(FILE *f, const struct comparison *c, const json_t *row, size_t set,
			   const char *count)
{
	const json_t *own = compare_row_like(json_array_get(c->all, set ? set - 1 : 0), row), *v,
		     *list = json_object_get(own, set ? "other_session_medians"
						      : "base_session_medians");
	size_t n = json_array_size(list), i;

	if (!set)
		fprintf(f, "-1 %.9g\n", compared_point(c, row, 0, count).median);
	if (n < 2 || count)
		return;
	json_array_foreach (list, i, v)
		fprintf(f, "%.4f %.9g\n", (double)set + 0.5 * ((double)i / (double)(n - 1) - 0.5),
			json_number_value(v));
}

/* One panel of the trend: each set's figure, and its sessions. */
static void trend_write(FILE *f, const struct comparison *c, const json_t *row, const char *count,
			struct largest *largest)
{
	char name[SET_LABEL];

	for (size_t set = 0; set < c->n; set++) {
		struct compared_point v = compared_point(c, row, set, count);

		compared_name(c, set, name);
		fprintf(f, "%zu \"%s\" %.9g %.9g %.9g %d\n", set, name, v.median, v.low, v.high,
			v.mark);
		if (set)
			largest_see(largest, c, row, set, &v, count);
	}
	fprintf(f, "\n\n# its sessions: place, median\n");
	for (size_t set = 0; set < c->n; set++)
		sessions_write(f, c, row, set, count);
}

int picture_compare_trend(const struct data *d, const struct comparison *c, struct picture *p)
{
	bool times = compared_times(c), counts = !times && compared_counts_changed(c);
	struct largest largest = { 0 };
	struct panels s = { 0 };
	char name[SET_LABEL], label[PANEL_LABEL];
	struct table t;
	FILE *f;

	if (table_make(&t, c, scenario_key))
		return error_set(d->e, ENOMEM, "out of memory");
	f = data_open(d, p->name);
	if (!f) {
		table_free(&t);
		return -EIO;
	}
	if (counts)
		panels_of_counts(&s, c, &t);
	else
		panels_find(&s, c, &t, any_figure, row_changed, usual_count(c));
	fprintf(f,
		"# A block per panel: place, set, median, low, high (%s per round trip), mark (0 "
		"base, 1 like it, 2 more, 3 less); and one of its sessions\n",
		times ? "ns" : "count");
	argument_add(p, times ? "ns" : "counts");
	argument_number(p, c->n);
	argument_number(p, compared_longest(c, 0));
	argument_number(p, s.n);
	compared_name(c, 0, name);
	argument_add(p, name);
	for (size_t i = 0; i < s.n; i++) {
		compared_label(s.row[i], NULL, label);
		argument_add(p, label);
		argument_add(p, s.count[i] ? compared_count_noun(s.count[i]) : "");
		fprintf(f, "%s# %s\n", i ? "\n\n" : "", label);
		trend_write(f, c, s.row[i], s.count[i], &largest);
		p->has_data = true;
	}
	largest_say(&largest, c,
		    times ? "No scenario's time changed significantly against"
			  : "All counts per round trip are the same as in",
		    p);
	if (s.left_out)
		snprintf(p->note, sizeof(p->note), "What has no room here is in the table: %zu %s.",
			 s.left_out, counts ? "counts" : "scenarios");
	table_free(&t);
	return data_close(d, f, p->name);
}

/* One panel of curves: a block per set, headed by its name. */
static void curves_write(FILE *f, const struct comparison *c, const struct table *t,
			 const struct panels *s, size_t panel, struct largest *largest, size_t sets)
{
	char name[SET_LABEL];

	for (size_t set = 0; set < sets; set++) {
		compared_name(c, set, name);
		/* A block without a point is still a block. */
		fprintf(f, "%s\"%s\"\nNaN NaN NaN NaN\n", panel || set ? "\n\n" : "", name);
		for (size_t i = 0; i < t->n; i++) {
			const json_t *row = json_array_get(t->rows, i);
			struct compared_point v;

			if (!in_panel(t, i, s->key[panel]) || !isfinite(pages_of(row)))
				continue;
			v = compared_point(c, row, set, NULL);
			if (!isfinite(v.median))
				continue;
			fprintf(f, "%.0f %.9g %.9g %.9g\n", pages_of(row), v.median, v.low, v.high);
			if (set)
				largest_see(largest, c, row, set, &v, NULL);
		}
	}
}

int picture_compare_curves(const struct data *d, const struct comparison *c, struct picture *p)
{
	size_t sets = c->n < LINES ? c->n : LINES;
	struct largest largest = { 0 };
	struct panels s = { 0 };
	char text[192], label[PANEL_LABEL];
	struct table t;
	FILE *f;

	if (table_make(&t, c, curve_key))
		return error_set(d->e, ENOMEM, "out of memory");
	f = data_open(d, p->name);
	if (!f) {
		table_free(&t);
		return -EIO;
	}
	panels_find(&s, c, &t, any_curve, curve_changed, NULL);
	fprintf(f, "# A block per panel and set: pages, median, low, high (ns per round trip)\n");
	argument_number(p, sets);
	argument_number(p, compared_longest(c, 0));
	argument_number(p, s.n);
	for (size_t set = 0; set < sets; set++) {
		compared_name(c, set, text);
		argument_add(p, text);
	}
	for (size_t i = 0; i < s.n; i++) {
		json_t *params = json_copy(json_object_get(s.row[i], "parameters"));

		json_object_del(params, "pages");
		summary_params_text(params, text, sizeof(text));
		json_decref(params);
		compared_label(s.row[i], text, label);
		argument_add(p, label);
		curves_write(f, c, &t, &s, i, &largest, sets);
		p->has_data = true;
	}
	largest_say(&largest, c, "No point of the curves changed significantly against", p);
	if (s.left_out || sets < c->n)
		snprintf(p->note, sizeof(p->note),
			 "What has no room here is in the table: %zu curves, %zu sets.", s.left_out,
			 c->n - sets);
	table_free(&t);
	return data_close(d, f, p->name);
}
