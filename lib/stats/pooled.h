/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The same difference measured on many machines, pooled. Model: value[i] = mean + node[i] + error[i]; nodes vary about the mean with
 * variance tau^2, errors have the variances given: a random-effects meta-analysis. tau^2 is Paule and Mandel's (J. Res. Natl. Bur.
 * Stand. 87, 1982), the mean's interval Hartung and Knapp's and Sidik and Jonkman's: Student's t with a degree of freedom less than there are nodes, and
 * the weighted residuals' own variance (Stat. Med. 20, 2001; 21, 2002). With equal variances that is Student's t over nodes. It
 * speaks of nodes like these, not of these alone: two of them tell little, however often each was measured.
 */
#ifndef LIB_STATS_POOLED_H
#define LIB_STATS_POOLED_H

#include <stddef.h>

/* What one node says: a difference of logarithms, and the variance of its error. */
struct stats_effect {
	double value;
	double variance; /* at least 0; NaN in all where it is not known: then all weigh the same */
};

struct stats_pooled {
	size_t nodes;
	double value, low,
		high; /* the mean with its interval at the level asked for; bounds NaN of one node */
	double p; /* two-sided, that the mean is 0 */
	double tau; /* standard deviation between nodes; NaN: not known */
	double share; /* of the values' variance that is between nodes: I^2 (Higgins and Thompson, Stat. Med. 21, 2002) */
	double spread; /* of one node's value about the mean, its error included: standard deviation */
};

/* All NaN of no nodes. Linear in their number. */
struct stats_pooled stats_pooled(const struct stats_effect *e, size_t n, double level);

struct stats_stranger {
	size_t node; /* its number in @e */
	double t; /* its externally studentized residual */
	double others; /* what the others say */
	double p; /* two-sided, times the number of nodes that it was the furthest of, and at most 1 */
};

/* Of fewer nodes none is a stranger. */
#define STATS_STRANGERS_LEAST 4

/*
 * Which nodes do not answer as the others: Rosner's generalized test for many outliers (Technometrics 25, 1983), at most a fifth of the nodes,
 * on externally studentized residuals (Viechtbauer and Cheung, Res. Synth. Methods 1, 2010): each against the pooled value of those
 * that are left without it. Where all answer alike any is named with about @alpha: 7 % for 5 % of ten nodes, the most that simulation shows. Their
 * number, the furthest first in @found (room for @n); -ENOMEM.
 */
long stats_strangers(const struct stats_effect *e, size_t n, double alpha,
		     struct stats_stranger *found);

/*
 * Nodes with which a difference of @share (0.02: 2 %) is found with probability @power at @alpha, where one node's value has that @spread.
 * At least 2; NaN unless @spread is finite, HUGE_VAL where no number that anybody has would do.
 */
double stats_nodes_needed(double spread, double share, double alpha, double power);

#endif
