/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sets of several machines: a node is a block. What a kernel changes is taken within each node that has both kernels, on the
 * logarithms of its sessions' medians, and pooled over nodes (lib/stats/pooled.h). Sessions of one kernel on one node are taken to
 * vary alike on all nodes of a CPU model.
 */
#ifndef BENCH_COMPARE_NODES_H
#define BENCH_COMPARE_NODES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/results/scan-set.h"

struct compare_node {
	char *name, *model;
	const char *architecture;
	bool emulated;
};

/* Zeroed: the sets are not told apart by machine. */
struct compare_nodes {
	struct compare_node *list;
	size_t n, sides;
	char **dirs; /* by side, then node: the folder of its first session; NULL without any */
	json_t *left_out; /* [{"node", "kernel", "sets"}]: those with but one of the kernels */
};

void compare_nodes_free(struct compare_nodes *nodes);

/* What is said of nodes before the times, a line each. */
void compare_print_nodes(const json_t *all, FILE *out);

/* The pooled ratios of all rows, over all nodes and by CPU model; nothing without several nodes. */
void compare_print_pooled(const json_t *all, FILE *out, bool markdown);

#endif
