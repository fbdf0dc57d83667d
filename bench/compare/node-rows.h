/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nodes say of one row. */
#ifndef BENCH_COMPARE_NODE_ROWS_H
#define BENCH_COMPARE_NODE_ROWS_H

#include "bench/compare/private.h"

/* One node that has both kernels. */
struct node_cell {
	size_t node, model; /* numbers: in the comparison, and of the row's models */
	size_t nx, ny; /* sessions */
	double x, y; /* means of the logarithms of their medians */
	double low,
		high; /* of y - x, 95 %; NaN: no node of its model has two sessions of a kernel */
};

/* The nodes of one CPU model. */
struct node_model {
	const char *name;
	double variance, freedom; /* of sessions of one kernel on one node */
	struct stats_pooled pooled;
};

/* A node that does not answer as the others. */
struct node_stranger {
	size_t cell;
	bool of_all; /* it was held against all nodes: its model has too few */
	struct stats_stranger s;
};

struct node_row {
	struct node_cell *cells;
	struct stats_effect *effects; /* as cells */
	size_t n;
	struct node_model *models; /* in the order of their first node */
	size_t nmodels;
	struct stats_pooled all;
	struct node_stranger *strangers; /* by model, the furthest first */
	size_t nstrangers;
};

/* @row by the nodes that have both its sides. NULL: @row is not of several nodes; or without memory, with *@rc. */
struct node_row *node_row_make(const struct row *row, const struct compare_nodes *nodes,
			       size_t tests, int *rc);
void node_row_free(struct node_row *r);

/* The row's "pooled". New reference. */
json_t *node_row_json(const struct node_row *r, const struct compare_nodes *nodes);

#endif
