// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines into groups. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/results/set.h"
#include "lib/stats/stats.h"
#include "lib/results/scan-private.h"

static int values_add(struct scan_values *a, double v)
{
	if (a->n == a->room) {
		size_t room = a->room ? 2 * a->room : 8;
		double *more = reallocarray(a->v, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		a->v = more;
		a->room = room;
	}
	a->v[a->n++] = v;
	return 0;
}

static uint64_t hash_of(const struct line_text *a, const struct line_text *b)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < a->len; i++)
		h = (h ^ (unsigned char)a->at[i]) * 0x100000001b3ull;
	h = (h ^ '\n') * 0x100000001b3ull;
	for (size_t i = 0; i < b->len; i++)
		h = (h ^ (unsigned char)b->at[i]) * 0x100000001b3ull;
	return h ^ (h >> 32);
}

/* The entry of that key, or the free one where it belongs. */
static struct entry *entry_of(const struct part *p, uint64_t hash, const struct line_text *a,
			      const struct line_text *b)
{
	size_t i = hash & (p->size - 1);

	for (;; i = (i + 1) & (p->size - 1)) {
		struct entry *e = &p->table[i];

		if (!e->key || (e->hash == hash && e->len == a->len + 1 + b->len &&
				!memcmp(e->key, a->at, a->len) && e->key[a->len] == '\n' &&
				!memcmp(e->key + a->len + 1, b->at, b->len)))
			return e;
	}
}

static int table_grow(struct part *p)
{
	struct entry *old = p->table;
	size_t n = p->size;

	p->table = calloc(n ? 2 * n : 256, sizeof(*p->table));
	if (!p->table) {
		p->table = old;
		return -ENOMEM;
	}
	p->size = n ? 2 * n : 256;
	for (size_t i = 0; i < n; i++) {
		size_t k = old[i].hash & (p->size - 1);

		if (!old[i].key)
			continue;
		while (p->table[k].key)
			k = (k + 1) & (p->size - 1);
		p->table[k] = old[i];
	}
	free(old);
	return 0;
}

static int entry_add(struct part *p, uint64_t hash, const struct line_text *a,
		     const struct line_text *b, size_t group)
{
	struct entry *e;
	char *key;

	if (2 * p->used >= p->size && table_grow(p))
		return -ENOMEM;
	e = entry_of(p, hash, a, b);
	if (e->key)
		return 0;
	key = malloc(a->len + 1 + b->len);
	if (!key)
		return -ENOMEM;
	memcpy(key, a->at, a->len);
	key[a->len] = '\n';
	memcpy(key + a->len + 1, b->at, b->len);
	*e = (struct entry){ hash, key, a->len + 1 + b->len, group };
	p->used++;
	return 0;
}

static int group_new(struct part *p, const struct line_text *scenario, const char *params,
		     json_t *parsed)
{
	struct scan_set *set = &p->set;
	struct scan_group *more, g = { .scenario = strndup(scenario->at, scenario->len),
				       .params = strdup(params),
				       .parsed = json_incref(parsed) };

	if (set->n == TRIAL_GROUPS_MOST)
		p->rc = -E2BIG;
	/* Grow by doubling. */
	more = (set->n & (set->n - 1)) == 0
		       ? reallocarray(set->groups, set->n ? 2 * set->n : 1, sizeof(*more))
		       : set->groups;
	if (more)
		set->groups = more;
	if (p->rc || !more || !g.scenario || !g.params) {
		free(g.scenario);
		free(g.params);
		json_decref(parsed);
		return p->rc ? p->rc : -ENOMEM;
	}
	set->groups[set->n++] = g;
	return 0;
}

/* A way of writing scenario and params that was not seen before: another way to write a known group, or a new one. */
static int group_meet(struct part *p, const struct line_text *scenario,
		      const struct line_text *params, uint64_t hash)
{
	json_t *parsed = json_loadb(params->at, params->len, 0, NULL);
	char *text = parsed ? json_dumps(parsed, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	struct line_text canonical = { text, text ? strlen(text) : 0 };
	uint64_t other = text ? hash_of(scenario, &canonical) : 0;
	struct entry *e;
	size_t group;
	int rc = text ? 0 : -ENOMEM;

	if (!rc && 2 * p->used >= p->size)
		rc = table_grow(p);
	if (!rc) {
		e = entry_of(p, other, scenario, &canonical);
		group = e->key ? e->group : p->set.n;
		if (!e->key)
			rc = group_new(p, scenario, text, parsed);
		if (!rc)
			rc = entry_add(p, other, scenario, &canonical, group);
		if (!rc)
			rc = entry_add(p, hash, scenario, params, group);
	}
	free(text);
	json_decref(parsed);
	return rc;
}

int part_group(struct part *p, const struct line_text *scenario, const struct line_text *params,
	       struct scan_group **g)
{
	uint64_t hash = hash_of(scenario, params);
	struct entry *e = p->size ? entry_of(p, hash, scenario, params) : NULL;
	int rc;

	if (!e || !e->key) {
		rc = group_meet(p, scenario, params, hash);
		if (rc)
			return rc;
		e = entry_of(p, hash, scenario, params);
	}
	*g = &p->set.groups[e->group];
	return 0;
}

ssize_t part_counter(struct part *p, const char *prefix, const struct line_text *name, size_t guess)
{
	struct scan_set *set = &p->set;
	size_t before = strlen(prefix);

	for (size_t i = 0, at = guess; i < set->counters; i++, at++) {
		const char *known = set->counter[at % set->counters];

		if (strlen(known) == before + name->len && !memcmp(known, prefix, before) &&
		    !memcmp(known + before, name->at, name->len))
			return (ssize_t)(at % set->counters);
	}
	if (set->counters == TRIAL_COUNTERS)
		return -E2BIG;
	if (asprintf(&set->counter[set->counters], "%s%.*s", prefix, (int)name->len, name->at) < 0)
		return -ENOMEM;
	return (ssize_t)set->counters++;
}

double counted_least(double a, double b)
{
	if (!(b > 0))
		return a;
	return a > 0 && a < b ? a : b;
}

int group_counters(struct scan_group *g, size_t n)
{
	struct scan_values *more;

	if (n <= g->counters)
		return 0;
	more = reallocarray(g->counter, n, sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + g->counters, 0, (n - g->counters) * sizeof(*more));
	g->counter = more;
	g->counters = n;
	return 0;
}

static int start_add(struct scan_group *g, const struct line_view *v)
{
	double series[TRIAL_BATCHES_MOST], settled;
	struct scan_start *s;
	size_t n;

	if (g->start && g->start->trials == TRIAL_SERIES)
		return 0;
	n = scan_batches(v, series, TRIAL_BATCHES_MOST);
	if (n < 4)
		return 0;
	if (!g->start)
		g->start = calloc(1, sizeof(*g->start));
	if (!g->start)
		return -ENOMEM;
	settled = stats_percentile(series + n / 2, n - n / 2, 50);
	if (!(settled > 0))
		return 0;
	s = g->start;
	for (size_t i = 0; i < n / 2; i++) {
		s->above[s->trials] |= (uint32_t)(series[i] > settled) << i;
		s->below[s->trials] |= (uint32_t)(series[i] < settled) << i;
	}
	s->first[s->trials++] = series[0] / settled;
	return 0;
}

static int view_add(struct part *p, const struct line_view *v)
{
	struct scan_set *set = &p->set;
	struct scan_group *g;
	int rc = part_group(p, &v->scenario, &v->params, &g);

	if (rc)
		return rc;
	set->trials++;
	set->verified &= v->verified;
	g->trials++;
	g->valid += v->valid;
	if (!v->valid || isnan(v->ns))
		return 0;
	g->counted = counted_least(g->counted, v->counted);
	rc = values_add(&g->ns, v->ns);
	for (int k = 0; k <= SPEED_KINDS && !rc; k++)
		rc = values_add(&g->speed[k], v->speed[k]);
	for (int i = 0; i < v->counters && !rc; i++) {
		ssize_t at = part_counter(p, v->counter[i].prefix, &v->counter[i].name, (size_t)i);

		rc = at < 0 ? (int)at : group_counters(g, (size_t)at + 1);
		if (!rc && v->counter[i].share > 0 && v->counter[i].share < 1)
			set->share[at] = counted_least(set->share[at], v->counter[i].share);
		if (!rc && !isnan(v->counter[i].value))
			rc = values_add(&g->counter[at], v->counter[i].value);
	}
	return rc ? rc : start_add(g, v);
}

/* A line that the scan is not sure of. */
static int line_parse(struct part *p, const char *line, size_t len, bool whole)
{
	char *owned[2] = { NULL, NULL };
	struct line_view v;
	json_t *trial;
	int rc = result_parse_trial("", p->lines.number, line, len, &trial, NULL);

	if (rc && !whole) {
		p->half = true;
		return 0;
	}
	if (rc) {
		p->bad = strndup(line, len);
		p->bad_len = p->bad ? len : 0;
		return p->bad ? rc : -ENOMEM;
	}
	rc = scan_line_json(trial, &v, owned) ? view_add(p, &v) : -E2BIG;
	free(owned[0]);
	free(owned[1]);
	json_decref(trial);
	return rc;
}

void part_read(struct part *p)
{
	struct line_view v;
	ssize_t len = 0;
	bool whole;
	char *line;

	while (!p->rc && (len = lines_next(&p->lines, &line, &whole)) >= 0) {
		if (len)
			p->rc = scan_line(line, (size_t)len, &v)
					? view_add(p, &v)
					: line_parse(p, line, (size_t)len, whole);
	}
	if (!p->rc && len != -ENODATA)
		p->rc = (int)len;
}

void part_free(struct part *p)
{
	for (size_t i = 0; i < p->size; i++)
		free(p->table[i].key);
	free(p->table);
	free(p->bad);
	lines_close(&p->lines);
}
