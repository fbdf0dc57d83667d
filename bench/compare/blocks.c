// SPDX-License-Identifier: GPL-2.0-or-later
/* Which machine each set is of, and which machines have what it takes to compare kernels on them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/private.h"
#include "lib/base/member.h"
#include "lib/results/node.h"

void compare_nodes_free(struct compare_nodes *nodes)
{
	for (size_t i = 0; i < nodes->n; i++) {
		free(nodes->list[i].name);
		free(nodes->list[i].model);
	}
	for (size_t i = 0; nodes->dirs && i < nodes->sides * nodes->n; i++)
		free(nodes->dirs[i]);
	free(nodes->list);
	free(nodes->dirs);
	json_decref(nodes->left_out);
	*nodes = (struct compare_nodes){ 0 };
}

static char *node_key(const struct scan_set *set, size_t i, const char *by, struct error *e)
{
	char name[NODE_NAME], *key;

	if (strcmp(by, "machine") != 0)
		return set_key(set, i, by, "--nodes", e);
	node_name(set->machine, name, sizeof(name));
	if (asprintf(&key, "%s\n%s", name, node_model(set->machine)) < 0) {
		error_set(e, ENOMEM, "out of memory");
		return NULL;
	}
	return key;
}

static const char *cmdline_of(const struct scan_set *set)
{
	return member_text(json_object_get(set->machine, "kernel"), "cmdline");
}

/* Takes out of @words, which spaces end, those that @line lacks. */
static void words_keep(char *words, const char *line)
{
	char *to = words;

	for (const char *from = words; *from;) {
		size_t len = strcspn(from, " ");

		if (len && word_in(line, from, len)) {
			memmove(to, from, len);
			to += len;
			*to++ = ' ';
		}
		from += len + strspn(from + len, " ");
	}
	*to = '\0';
}

/* What all of each node's sets were booted with is the node's, not a kernel's. */
static int words_common(const struct scan_set *sets, size_t n, const size_t *node, char **common)
{
	for (size_t i = 0; i < n; i++) {
		char **words = &common[node[i]];

		if (*words)
			words_keep(*words, cmdline_of(&sets[i]));
		else if (asprintf(words, "%s ", cmdline_of(&sets[i])) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* The sets' sides, as kernels whatever machine they ran on. */
static int kernels_number(const struct scan_set *sets, size_t n, const char *by, struct blocks *b,
			  struct error *e)
{
	char **common = calloc(b->nodes + 1, sizeof(*common)), **keys = calloc(n, sizeof(*keys));
	int rc = common && keys ? words_common(sets, n, b->node, common) : -ENOMEM;

	for (size_t i = 0; i < n && !rc; i++) {
		keys[i] = !by || !strcmp(by, "kernel")
				  ? set_kernel_key(&sets[i], common[b->node[i]])
				  : set_key(&sets[i], i, by, "--by", e);
		rc = keys[i] ? 0 : -ENOMEM;
	}
	if (!rc)
		rc = keys_number(keys, n, b->side, &b->sides);
	for (size_t i = 0; i < b->nodes && common; i++)
		free(common[i]);
	for (size_t i = 0; i < n && keys; i++)
		free(keys[i]);
	free(common);
	free(keys);
	return rc == -ENOMEM ? error_set(e, ENOMEM, "out of memory") : rc;
}

static int nodes_number(const struct scan_set *sets, size_t n, const char *by, struct blocks *b,
			struct error *e)
{
	char **keys = calloc(n, sizeof(*keys));
	int rc = keys ? 0 : error_set(e, ENOMEM, "out of memory");

	for (size_t i = 0; i < n && !rc; i++) {
		keys[i] = node_key(&sets[i], i, by, e);
		rc = keys[i] ? 0 : e && e->code ? -e->code : -EINVAL;
	}
	if (!rc && keys_number(keys, n, b->node, &b->nodes))
		rc = error_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < n && keys; i++)
		free(keys[i]);
	free(keys);
	return rc;
}

/* Has the node sets of the side? */
static bool has(const struct blocks *b, size_t side, size_t node)
{
	return b->first[side * b->nodes + node] != NOT_COMPARED;
}

/* A node with the base and another kernel. */
static bool complete(const struct blocks *b, size_t node)
{
	bool other = false;

	for (size_t s = 0; s < b->sides; s++)
		other |= s != b->base && has(b, s, node);
	return other && has(b, b->base, node);
}

/* Is there a node with the base and that kernel? */
static bool shared(const struct blocks *b, size_t side)
{
	for (size_t i = 0; i < b->nodes; i++)
		if (has(b, side, i) && has(b, b->base, i))
			return true;
	return false;
}

/* What the node has is compared on others, and on it with nothing. */
static bool left_out(const struct blocks *b, size_t node)
{
	bool needed = false;

	for (size_t s = 0; s < b->sides; s++)
		needed |= s != b->base && has(b, s, node) && !shared(b, s);
	return !needed && !complete(b, node);
}

/* Neither emulated and real machines are pooled, nor those of two architectures. */
static int mixture_check(const struct scan_set *sets, const struct blocks *b, struct error *e)
{
	for (size_t s = 0; s < b->sides; s++) {
		const struct scan_set *first = NULL;

		for (size_t i = 0; i < b->nodes && s != b->base; i++) {
			const struct scan_set *set;
			bool emulated, other;

			if (!has(b, s, i) || !has(b, b->base, i))
				continue;
			set = &sets[b->first[s * b->nodes + i]];
			if (!first)
				first = set;
			emulated =
				json_is_false(json_object_get(first->machine, "times_meaningful"));
			other = json_is_false(json_object_get(set->machine, "times_meaningful"));
			if (emulated != other)
				return error_set(e, EINVAL,
						 "compare: %.150s is of an emulated machine and "
						 "%.150s of a real one: they are not pooled, "
						 "compare them by themselves",
						 emulated ? first->dir : set->dir,
						 emulated ? set->dir : first->dir);
			if (strcmp(node_architecture(first->machine),
				   node_architecture(set->machine)) != 0)
				return error_set(e, EINVAL,
						 "compare: %.150s and %.150s are of machines of "
						 "two architectures: they are not pooled, compare "
						 "them by themselves",
						 first->dir, set->dir);
		}
	}
	return 0;
}

/* What to call the set's node: by the machine, or the last part of what tells nodes apart. */
static char *name_of(const struct scan_set *set, const char *by)
{
	char name[NODE_NAME], *key, *from, *end;

	node_name(set->machine, name, sizeof(name));
	if (!strcmp(by, "machine"))
		return strdup(name);
	key = set_key(set, 0, by, "--nodes", NULL);
	if (!key)
		return NULL;
	from = strrchr(key, '/') ? strrchr(key, '/') + 1 : key;
	from += strspn(from, "\"");
	end = from + strcspn(from, "\"\n");
	snprintf(name, sizeof(name), "%.*s", (int)(end - from), from);
	free(key);
	return strdup(name);
}

static int nodes_fill(const struct scan_set *sets, size_t n, const char *by, const struct blocks *b,
		      struct compare_nodes *nodes)
{
	nodes->n = b->nodes;
	nodes->sides = b->sides;
	nodes->list = calloc(b->nodes, sizeof(*nodes->list));
	nodes->dirs = calloc(b->nodes * b->sides, sizeof(*nodes->dirs));
	if (!nodes->list || !nodes->dirs)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		struct compare_node *node = &nodes->list[b->node[i]];
		const json_t *machine = sets[i].machine;

		if (node->name)
			continue;
		node->name = name_of(&sets[i], by);
		node->model = strdup(node_model(machine));
		node->architecture = node_architecture(machine);
		node->emulated = json_is_false(json_object_get(machine, "times_meaningful"));
		if (!node->name || !node->model)
			return -ENOMEM;
	}
	/* The base's side will be the first. */
	for (size_t s = 0; s < b->sides; s++)
		for (size_t i = 0; i < b->nodes; i++) {
			size_t to = s == b->base ? 0 : s < b->base ? s + 1 : s;

			if (!has(b, s, i))
				continue;
			nodes->dirs[to * b->nodes + i] =
				strdup(sets[b->first[s * b->nodes + i]].dir);
			if (!nodes->dirs[to * b->nodes + i])
				return -ENOMEM;
		}
	return 0;
}

/* Takes the sets of nodes that tell nothing out of all sides, and writes them down. */
static void leave_out(const struct scan_set *sets, size_t n, struct blocks *b,
		      struct compare_nodes *nodes)
{
	json_int_t *count = calloc(b->nodes + 1, sizeof(*count));

	nodes->left_out = json_array();
	for (size_t i = 0; i < n && count; i++)
		count[b->node[i]]++;
	for (size_t i = 0; i < n; i++) {
		size_t node = b->node[i];

		if (!left_out(b, node))
			continue;
		if (count && count[node])
			member_append(nodes->left_out,
				      member_pack("{s:o, s:o, s:I}", "node",
						  member_string(nodes->list[node].name), "kernel",
						  member_string(set_release(&sets[i])), "sets",
						  count[node]));
		if (count)
			count[node] = 0;
		b->side[i] = NOT_COMPARED;
	}
	free(count);
}

void blocks_free(struct blocks *b)
{
	free(b->node);
	free(b->side);
	free(b->first);
	*b = (struct blocks){ 0 };
}

int blocks_make(struct blocks *b, const struct scan_set *sets, size_t n,
		const struct compare_by *by, struct compare_nodes *nodes, struct error *e)
{
	struct error ignored;
	bool any = false;
	int rc;

	*b = (struct blocks){ .node = calloc(n, sizeof(*b->node)),
			      .side = calloc(n, sizeof(*b->side)) };
	if (!b->node || !b->side)
		return error_set(e, ENOMEM, "out of memory");
	if ((by->nodes && !strcmp(by->nodes, "none")) || (by->sides && !strcmp(by->sides, "set")))
		return 0;
	rc = nodes_number(sets, n, by->nodes ? by->nodes : "machine", b, e);
	if (rc || b->nodes < 2)
		return rc;
	rc = kernels_number(sets, n, by->sides, b, e);
	/* A base that is not there is complained of where there are no nodes, too. */
	if (rc || b->sides < 2 || side_called(sets, n, b->side, by->base, &b->base, &ignored))
		return rc;
	b->first = malloc(b->sides * b->nodes * sizeof(*b->first));
	if (!b->first)
		return error_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < b->sides * b->nodes; i++)
		b->first[i] = NOT_COMPARED;
	for (size_t i = n; i--;)
		b->first[b->side[i] * b->nodes + b->node[i]] = i;
	for (size_t i = 0; i < b->nodes; i++)
		any |= complete(b, i);
	if (!any)
		return 0;
	rc = mixture_check(sets, b, e);
	if (!rc && nodes_fill(sets, n, by->nodes ? by->nodes : "machine", b, nodes))
		rc = error_set(e, ENOMEM, "out of memory");
	if (!rc)
		leave_out(sets, n, b, nodes);
	b->used = !rc;
	return rc;
}

bool blocks_complete(const struct blocks *b, size_t set)
{
	return b->used && complete(b, b->node[set]);
}
