// SPDX-License-Identifier: GPL-2.0-or-later
/* Counts are exact, on each node by itself: which nodes agree on what changed. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/private.h"
#include "lib/base/member.h"
#include "lib/results/tolerance.h"

#define NAMED 5 /* nodes in a line */

/* The values of one counter, session after session, dealt out to their nodes. */
static int part(struct node_values *to, const struct scan_values *v, const struct scan_set *set,
		size_t nodes)
{
	size_t *at = calloc(nodes + 1, sizeof(*at)), from = 0;

	to->v = malloc((v->n + 1) * sizeof(*to->v));
	to->from = calloc(nodes + 1, sizeof(*to->from));
	if (!at || !to->v || !to->from) {
		free(at);
		return -ENOMEM;
	}
	for (size_t i = 0; i < set->sessions && v->ends; from = v->ends[i++])
		to->from[set->node[i] + 1] += v->ends[i] > from ? v->ends[i] - from : 0;
	for (size_t i = 0; i < nodes; i++) {
		to->from[i + 1] += to->from[i];
		at[i] = to->from[i];
	}
	from = 0;
	for (size_t i = 0; i < set->sessions && v->ends; i++) {
		for (; from < v->ends[i]; from++)
			to->v[at[set->node[i]]++] = v->v[from];
	}
	for (size_t i = 0; i < nodes; i++)
		stats_sort(to->v + to->from[i], to->from[i + 1] - to->from[i]);
	free(at);
	return 0;
}

int node_counts_make(struct side *s, size_t nodes)
{
	for (size_t i = 0; i < s->set->n; i++) {
		struct facts *f = &s->facts[i];

		f->by_node = calloc(COMPARE_COUNTS, sizeof(*f->by_node));
		if (!f->by_node)
			return -ENOMEM;
		for (size_t c = 0; c < COMPARE_COUNTS; c++)
			if (part(&f->by_node[c], scan_counter(s->set, f->group, compare_counts[c]),
				 s->set, nodes))
				return -ENOMEM;
	}
	return 0;
}

void node_counts_free(struct facts *f)
{
	for (size_t c = 0; c < COMPARE_COUNTS && f->by_node; c++) {
		free(f->by_node[c].v);
		free(f->by_node[c].from);
	}
	free(f->by_node);
}

static struct scan_values values_of(const struct facts *f, size_t count, size_t node)
{
	const struct node_values *v = &f->by_node[count];

	return (struct scan_values){ .v = v->v + v->from[node],
				     .n = v->from[node + 1] - v->from[node] };
}

/* Nodes that say the same of one count. */
struct camp {
	double x, y;
	bool differs;
	size_t n, *nodes;
};

struct camps {
	struct camp *list;
	size_t n, nodes;
};

/* As far apart as two sound trials may be: the same. */
static bool close_to(double a, double b)
{
	return fabs(a - b) <= VERIFY_VISITED + VERIFY_TOLERANCE * fmax(a, b);
}

static int camps_add(struct camps *all, size_t node, double x, double y, bool differs, size_t nodes)
{
	struct camp *more;
	size_t i = 0;

	while (i < all->n && (all->list[i].differs != differs || !close_to(all->list[i].x, x) ||
			      !close_to(all->list[i].y, y)))
		i++;
	if (i == all->n) {
		more = reallocarray(all->list, all->n + 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		all->list = more;
		all->list[i] = (struct camp){
			.x = x, .y = y, .differs = differs, .nodes = calloc(nodes, sizeof(size_t))
		};
		all->n++;
		if (!all->list[i].nodes)
			return -ENOMEM;
	}
	all->list[i].nodes[all->list[i].n++] = node;
	all->nodes++;
	return 0;
}

static void camps_free(struct camps *all)
{
	for (size_t i = 0; i < all->n; i++)
		free(all->list[i].nodes);
	free(all->list);
}

/* Are the camp's nodes just those of that model? */
static bool is_model(const struct camps *all, const struct camp *camp,
		     const struct compare_nodes *nodes, const char *model)
{
	for (size_t c = 0; c < all->n; c++)
		for (size_t i = 0; i < all->list[c].n; i++)
			if (!strcmp(nodes->list[all->list[c].nodes[i]].model, model) !=
			    (&all->list[c] == camp))
				return false;
	return true;
}

/* Where the camp's nodes are: a CPU model, or their names. */
static json_t *where(const struct camps *all, const struct camp *camp,
		     const struct compare_nodes *nodes)
{
	const char *model = nodes->list[camp->nodes[0]].model;
	char text[600] = "";
	size_t used = 0;

	if (is_model(all, camp, nodes, model))
		return member_string(model);
	for (size_t i = 0; i < camp->n && i < NAMED; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%.100s",
					 i ? ", " : "", nodes->list[camp->nodes[i]].name);
	if (camp->n > NAMED)
		snprintf(text + used, sizeof(text) - used, " and %zu more", camp->n - NAMED);
	return member_string(text);
}

static void camps_write(const struct camps *all, const struct facts *f, const char *count,
			const struct compare_nodes *nodes, json_t *changed, json_t *alike)
{
	bool any = false;

	for (size_t i = 0; i < all->n; i++)
		any |= all->list[i].differs;
	for (size_t i = 0; i < all->n; i++) {
		const struct camp *c = &all->list[i];
		json_t *o;

		if (any ? !c->differs : all->n < 2)
			continue;
		o = member_pack("{s:s, s:s, s:s, s:f, s:f, s:I, s:I}", "scenario", f->scenario,
				"params", f->params, "count", count, "base", c->x, "other", c->y,
				"nodes", (json_int_t)c->n, "of", (json_int_t)all->nodes);
		if (c->n < all->nodes)
			member_set(o, "where", where(all, c, nodes));
		member_append(any ? changed : alike, o);
	}
}

static int count_compare(const struct facts *f, const struct facts *g, size_t count,
			 const struct compare_nodes *nodes, json_t *changed, json_t *alike)
{
	struct camps all = { 0 };
	int rc = 0;

	for (size_t i = 0; i < nodes->n && !rc; i++) {
		const struct scan_values v = values_of(f, count, i), w = values_of(g, count, i);

		if (v.n && w.n)
			rc = camps_add(&all, i, stats_sorted_median(v.v, v.n),
				       stats_sorted_median(w.v, w.n),
				       count_differs(f, g, compare_counts[count], &v, &w),
				       nodes->n);
	}
	if (!rc)
		camps_write(&all, f, compare_counts[count], nodes, changed, alike);
	camps_free(&all);
	return rc;
}

json_t *node_counts_compare(const struct side *a, const struct side *b,
			    const struct compare_nodes *nodes, json_t *alike)
{
	json_t *list = json_array();
	int rc = 0;

	for (size_t i = 0; i < a->set->n; i++) {
		const struct facts *f = &a->facts[i], *g = facts_like(b, f);

		for (size_t c = 0; c < COMPARE_COUNTS && g && !rc; c++)
			if (strcmp(f->group->scenario, "watch") != 0)
				rc = count_compare(f, g, c, nodes, list, alike);
	}
	if (!rc)
		return list;
	json_decref(list);
	return NULL;
}
