/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Do trials of the same work fall into two clusters, as on a machine whose speed changes every few seconds? */
#ifndef LIB_STATS_SPEEDS_H
#define LIB_STATS_SPEEDS_H

#include <stddef.h>

/*
 * How many of the @n ascending values belong to the lower of two clusters; 0 where they are one, or fewer than five.
 *
 * Two, if the best cut into two leaves a share of the squares within them that is as small for at most 1 in 100 samples of one
 * normal distribution (SigClust in one dimension: Liu, Hayes, Nobel and Marron, JASA 103, 2008), of logarithms where all values are
 * positive; and each has a quarter of the values, at least two; their medians are 8 % apart; and most of that distance is empty.
 * So neither an outlier nor a tail makes a second one.
 */
size_t stats_speeds(const double *sorted, size_t n);

#endif
