// SPDX-License-Identifier: GPL-2.0-or-later
/* One row's differences, each within its node, pooled over nodes. */
#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/node-rows.h"
#include "lib/base/member.h"

#define ALPHA 0.05 /* of all rows together */

/* Sums over the sessions of one node. */
struct sums {
	size_t n[2];
	double sum[2], squares;
};

/* Two passes: first means, then what is left. */
static struct sums *sums_make(const struct row *r, size_t nodes)
{
	const struct facts *sides[2] = { r->a, r->b };
	struct sums *s = calloc(nodes, sizeof(*s));

	for (int k = 0; k < 2 && s; k++)
		for (size_t i = 0; i < sides[k]->nsessions; i++) {
			struct sums *at = &s[sides[k]->node[i]];

			at->n[k]++;
			at->sum[k] += sides[k]->sessions[i];
		}
	for (int k = 0; k < 2 && s; k++)
		for (size_t i = 0; i < sides[k]->nsessions; i++) {
			struct sums *at = &s[sides[k]->node[i]];
			double d = sides[k]->sessions[i] - at->sum[k] / (double)at->n[k];

			at->squares += d * d;
		}
	return s;
}

static size_t model_number(struct node_row *r, const char *name)
{
	size_t i = 0;

	while (i < r->nmodels && strcmp(r->models[i].name, name) != 0)
		i++;
	if (i == r->nmodels)
		r->models[r->nmodels++] =
			(struct node_model){ .name = name, .variance = 0, .freedom = 0 };
	return i;
}

static void cells_fill(struct node_row *r, const struct sums *s, const struct compare_nodes *nodes)
{
	for (size_t i = 0; i < nodes->n; i++) {
		struct node_cell *c = &r->cells[r->n];
		struct node_model *m;

		if (!s[i].n[0] || !s[i].n[1])
			continue;
		r->n++;
		*c = (struct node_cell){ .node = i,
					 .model = model_number(r, nodes->list[i].model),
					 .nx = s[i].n[0],
					 .ny = s[i].n[1],
					 .x = s[i].sum[0] / (double)s[i].n[0],
					 .y = s[i].sum[1] / (double)s[i].n[1] };
		m = &r->models[c->model];
		m->variance += s[i].squares;
		m->freedom += (double)(c->nx + c->ny) - 2;
	}
}

/* How sessions vary: of each model by itself, of one that cannot tell as the others. */
static void variances_fill(struct node_row *r)
{
	double squares = 0, freedom = 0;

	for (size_t i = 0; i < r->nmodels; i++) {
		squares += r->models[i].variance;
		freedom += r->models[i].freedom;
	}
	for (size_t i = 0; i < r->nmodels; i++) {
		struct node_model *m = &r->models[i];
		bool own = m->freedom > 0;

		m->variance = own	    ? m->variance / m->freedom
			      : freedom > 0 ? squares / freedom
					    : NAN;
		m->freedom = own ? m->freedom : freedom;
	}
}

static void effects_fill(struct node_row *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct node_cell *c = &r->cells[i];
		const struct node_model *m = &r->models[c->model];
		double v = m->variance * (1 / (double)c->nx + 1 / (double)c->ny), half = NAN;

		r->effects[i] = (struct stats_effect){ c->y - c->x, v };
		if (isfinite(v))
			half = sqrt(v) * gsl_cdf_tdist_Pinv(0.975, m->freedom);
		c->low = c->y - c->x - half;
		c->high = c->y - c->x + half;
	}
}

/* The effects of one model, SIZE_MAX: of all; which cells they are of. Their number. */
static size_t effects_of(const struct node_row *r, size_t model, struct stats_effect *e,
			 size_t *cell)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++)
		if (model == SIZE_MAX || r->cells[i].model == model) {
			e[n] = r->effects[i];
			cell[n++] = i;
		}
	return n;
}

/* Those of @e that answer differently; of all models together only nodes that have too few like them. */
static int strangers_find(struct node_row *r, size_t model, const struct stats_effect *e,
			  const size_t *cell, size_t n, double alpha)
{
	struct stats_stranger *found = calloc(n + 1, sizeof(*found));
	long strangers = found ? stats_strangers(e, n, alpha, found) : -ENOMEM;

	for (long i = 0; i < strangers; i++) {
		size_t at = cell[found[i].node];

		if (model == SIZE_MAX &&
		    r->models[r->cells[at].model].pooled.nodes >= STATS_STRANGERS_LEAST)
			continue;
		found[i].p = fmin(1, found[i].p * ALPHA / alpha);
		r->strangers[r->nstrangers++] = (struct node_stranger){ at, model == SIZE_MAX,
									found[i] };
	}
	free(found);
	return strangers < 0 ? (int)strangers : 0;
}

static int pool(struct node_row *r, size_t tests)
{
	struct stats_effect *e = calloc(r->n + 1, sizeof(*e));
	size_t *cell = calloc(r->n + 1, sizeof(*cell)), groups = 0, n;
	bool few = false;
	int rc = e && cell ? 0 : -ENOMEM;

	r->all = stats_pooled(r->effects, r->n, 0.95);
	for (size_t m = 0; m < r->nmodels && !rc; m++) {
		n = effects_of(r, m, e, cell);
		r->models[m].pooled = stats_pooled(e, n, 0.95);
		few |= n < STATS_STRANGERS_LEAST;
		groups += n >= STATS_STRANGERS_LEAST;
	}
	few &= r->n >= STATS_STRANGERS_LEAST;
	groups += few;
	/* Bonferroni over all rows and models, so that the level is the comparison's. */
	for (size_t m = 0; m < r->nmodels && !rc; m++) {
		n = effects_of(r, m, e, cell);
		rc = strangers_find(r, m, e, cell, n, ALPHA / (double)(tests * groups));
	}
	if (few && !rc) {
		n = effects_of(r, SIZE_MAX, e, cell);
		rc = strangers_find(r, SIZE_MAX, e, cell, n, ALPHA / (double)(tests * groups));
	}
	free(e);
	free(cell);
	return rc;
}

struct node_row *node_row_make(const struct row *row, const struct compare_nodes *nodes,
			       size_t tests, int *rc)
{
	struct node_row *r;
	struct sums *s;

	if (!nodes || !nodes->n || !row->a->node || !row->b->node || row->counts)
		return NULL;
	r = calloc(1, sizeof(*r));
	s = sums_make(row, nodes->n);
	if (r) {
		r->cells = calloc(nodes->n, sizeof(*r->cells));
		r->effects = calloc(nodes->n, sizeof(*r->effects));
		r->models = calloc(nodes->n, sizeof(*r->models));
		r->strangers = calloc(2 * nodes->n, sizeof(*r->strangers));
	}
	if (!s || !r || !r->cells || !r->effects || !r->models || !r->strangers) {
		*rc = -ENOMEM;
	} else {
		cells_fill(r, s, nodes);
		variances_fill(r);
		effects_fill(r);
		*rc = pool(r, tests ? tests : 1);
	}
	free(s);
	if (!*rc)
		return r;
	node_row_free(r);
	return NULL;
}

void node_row_free(struct node_row *r)
{
	if (!r)
		return;
	free(r->cells);
	free(r->effects);
	free(r->models);
	free(r->strangers);
	free(r);
}

static void put(json_t *o, const char *key, double v)
{
	if (isfinite(v))
		member_set(o, key, member_real(v));
}

static void put_pooled(json_t *o, const struct stats_pooled *p)
{
	member_set(o, "nodes", json_integer((json_int_t)p->nodes));
	put(o, "ratio", exp(p->value));
	put(o, "low", exp(p->low));
	put(o, "high", exp(p->high));
	put(o, "p", p->p);
	put(o, "tau", p->tau);
	put(o, "i2", p->share);
}

static json_t *cell_json(const struct node_row *r, const struct node_cell *c,
			 const struct compare_nodes *nodes)
{
	json_t *o = member_pack("{s:o, s:o, s:I, s:I}", "node",
				member_string(nodes->list[c->node].name), "model",
				member_string(r->models[c->model].name), "base_sessions",
				(json_int_t)c->nx, "other_sessions", (json_int_t)c->ny);

	put(o, "base", exp(c->x));
	put(o, "other", exp(c->y));
	put(o, "ratio", exp(c->y - c->x));
	put(o, "low", exp(c->low));
	put(o, "high", exp(c->high));
	return o;
}

json_t *node_row_json(const struct node_row *r, const struct compare_nodes *nodes)
{
	json_t *o = json_object(), *models = json_array(), *each = json_array(),
	       *strangers = json_array();

	put_pooled(o, &r->all);
	for (size_t m = 0; m < r->nmodels; m++) {
		json_t *one = json_object();

		member_set(one, "model", member_string(r->models[m].name));
		put_pooled(one, &r->models[m].pooled);
		put(one, "sessions", sqrt(r->models[m].variance));
		member_append(models, one);
	}
	for (size_t i = 0; i < r->n; i++)
		member_append(each, cell_json(r, &r->cells[i], nodes));
	for (size_t i = 0; i < r->nstrangers; i++) {
		const struct node_stranger *s = &r->strangers[i];
		json_t *one = cell_json(r, &r->cells[s->cell], nodes);

		put(one, "others", exp(s->s.others));
		put(one, "residual", s->s.t);
		put(one, "p", s->s.p);
		member_set(one, "of_all", json_boolean(s->of_all));
		member_append(strangers, one);
	}
	member_set(o, "models", models);
	member_set(o, "each", each);
	member_set(o, "strangers", strangers);
	return o;
}
