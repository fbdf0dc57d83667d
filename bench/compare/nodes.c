// SPDX-License-Identifier: GPL-2.0-or-later
/* What is known of a pair's nodes: how many, of which CPU models, and what is different in those that answer differently. */
#include <stdlib.h>
#include <string.h>

#include "bench/compare/private.h"
#include "lib/base/member.h"
#include "lib/results/set.h"

#define ASKED 100 /* other nodes whose records are read */

static bool is_shared(const struct compare_nodes *nodes, size_t side, size_t node)
{
	return nodes->dirs[node] && nodes->dirs[side * nodes->n + node];
}

bool nodes_share(const struct compare_nodes *nodes, size_t side)
{
	for (size_t i = 0; i < nodes->n; i++)
		if (is_shared(nodes, side, i))
			return true;
	return false;
}

/* The machine record of a side's first session on the node; NULL where it cannot be read any more. */
static json_t *record_of(const struct compare_nodes *nodes, size_t side, size_t node)
{
	json_t *machine = NULL;

	return result_read_machine(nodes->dirs[side * nodes->n + node], &machine, NULL) ? NULL
											: machine;
}

void nodes_machines(const struct compare_nodes *nodes, size_t side, json_t **a, json_t **b)
{
	for (size_t i = 0; i < nodes->n; i++)
		if (is_shared(nodes, side, i)) {
			*a = record_of(nodes, 0, i);
			*b = record_of(nodes, side, i);
			return;
		}
}

/* The object of @list whose @key is @value, made where there is none. */
static json_t *entry(json_t *list, const char *key, const char *value)
{
	json_t *o;
	size_t i;

	json_array_foreach (list, i, o)
		if (!strcmp(member_text(o, key), value))
			return o;
	o = member_pack("{s:o}", key, member_string(value));
	member_append(list, o);
	return o;
}

static void add_one(json_t *o, const char *key)
{
	member_set(o, key, json_integer(json_integer_value(json_object_get(o, key)) + 1));
}

/* How often each value of what differs is met in the others: [{"what", "node", "values": [{"text", "value", "n"}]}]. */
static void values_count(json_t *tally, json_t *differences)
{
	const json_t *d;
	size_t i;

	json_array_foreach (differences, i, d) {
		json_t *o = entry(tally, "what", member_text(d, "what")), *value;
		char *text = json_dumps(json_object_get(d, "base"),
					JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);

		member_share(o, "node", json_object_get(d, "other"));
		if (!json_object_get(o, "values"))
			member_set(o, "values", json_array());
		value = entry(json_object_get(o, "values"), "text", text ? text : "-");
		member_share(value, "value", json_object_get(d, "base"));
		add_one(value, "n");
		free(text);
	}
}

/* What most of the others agree on and the node has otherwise: [{"what", "node", "others", "n", "of"}]. */
static json_t *uncommon(const json_t *tally, json_int_t of)
{
	json_t *list = json_array(), *o, *v;
	size_t i, k;

	json_array_foreach (tally, i, o)
		json_array_foreach (json_object_get(o, "values"), k, v) {
			json_int_t n = json_integer_value(json_object_get(v, "n"));
			json_t *fact;

			if (2 * n <= of)
				continue;
			fact = member_pack("{s:s, s:I, s:I}", "what", member_text(o, "what"), "n",
					   n, "of", of);
			member_share(fact, "node", json_object_get(o, "node"));
			member_share(fact, "others", json_object_get(v, "value"));
			member_append(list, fact);
		}
	return list;
}

static bool is_stranger(const json_t *strangers, const char *node, const char *model)
{
	const json_t *o;
	size_t i;

	json_array_foreach (strangers, i, o)
		if (!strcmp(member_text(o, "node"), node) &&
		    !strcmp(member_text(o, "model"), model))
			return true;
	return false;
}

/* What is different in that node: set against those of its model that answer alike, or all such where it is alone. */
static json_t *differs(const struct compare_nodes *nodes, size_t side, const json_t *stranger,
		       const json_t *strangers)
{
	bool of_all = json_is_true(json_object_get(stranger, "of_all"));
	const char *model = member_text(stranger, "model");
	json_t *own = NULL, *tally = json_array(), *list;
	json_int_t of = 0;

	for (size_t i = 0; i < nodes->n && !own; i++)
		if (is_shared(nodes, side, i) &&
		    !strcmp(nodes->list[i].name, member_text(stranger, "node")) &&
		    !strcmp(nodes->list[i].model, model))
			own = record_of(nodes, side, i);
	for (size_t i = 0; i < nodes->n && own && of < ASKED; i++) {
		json_t *other, *found;

		if (!is_shared(nodes, side, i) ||
		    (!of_all && strcmp(nodes->list[i].model, model) != 0) ||
		    is_stranger(strangers, nodes->list[i].name, nodes->list[i].model))
			continue;
		other = record_of(nodes, side, i);
		if (!other)
			continue;
		of++;
		found = compare_nodes_differ(other, own);
		values_count(tally, found);
		json_decref(found);
		json_decref(other);
	}
	list = uncommon(tally, of);
	json_decref(own);
	json_decref(tally);
	return list;
}

/* Each node that is a stranger in any row, once: {"node", "model", "of_all", "rows": [{...}]}. */
static json_t *strangers_of(const json_t *rows)
{
	json_t *list = json_array(), *o, *all;
	const json_t *row, *s;
	size_t i, k, m;

	json_array_foreach (rows, i, row)
		json_array_foreach (json_object_get(json_object_get(row, "pooled"), "strangers"), k,
				    s) {
			json_t *copy = member_copy(s), *known = NULL;

			json_array_foreach (list, m, o)
				if (!strcmp(member_text(o, "node"), member_text(s, "node")) &&
				    !strcmp(member_text(o, "model"), member_text(s, "model")))
					known = o;
			if (!known) {
				known = member_pack(
					"{s:s, s:s, s:O, s:o}", "node", member_text(s, "node"),
					"model", member_text(s, "model"), "of_all",
					json_object_get(s, "of_all"), "rows", json_array());
				member_append(list, known);
			}
			all = json_object_get(known, "rows");
			member_set(copy, "scenario", member_string(member_text(row, "scenario")));
			member_set(copy, "params", member_string(member_text(row, "params")));
			member_append(all, copy);
		}
	return list;
}

json_t *nodes_json(const struct compare_nodes *nodes, size_t side, const json_t *rows)
{
	json_t *models = json_array(), *strangers = strangers_of(rows), *o;
	json_int_t n = 0;
	size_t i;

	for (size_t k = 0; k < nodes->n; k++)
		if (is_shared(nodes, side, k)) {
			n++;
			add_one(entry(models, "model", nodes->list[k].model), "nodes");
		}
	json_array_foreach (strangers, i, o)
		member_set(o, "differs", differs(nodes, side, o, strangers));
	return member_pack("{s:I, s:o, s:O, s:o}", "n", n, "models", models, "left_out",
			   nodes->left_out, "strangers", strangers);
}
