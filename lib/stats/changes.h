/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a series of values changes, and how sure that is. */
#ifndef LIB_STATS_CHANGES_H
#define LIB_STATS_CHANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define STATS_CHANGES_LEAST 2 /* values on each side of a change */

struct stats_changes_options {
	double alpha; /* chance that a series without a change is said to have one */
	unsigned long seed; /* of the permutations */
	const bool *cut; /* may a change lie before value i? NULL: before any */
};

struct stats_change {
	size_t at; /* the first value after it */
	double p;
	double before, after; /* medians of the values on its sides, up to the next changes */
};

/*
 * The changes of @v[@n] in order, in *@found (free it): their number, or -ENOMEM. E-divisive (Matteson & James, J. Am. Stat. Assoc. 109,
 * 2014), exponent 1, by seeded binary segmentation (Kovacs et al., Biometrika 110, 2023): the cut with the largest scaled energy distance
 * between what is before and behind it, in the whole, its halves or quarters, is believed where at most @alpha of random orders of the same
 * values have as large a one anywhere; then both parts in turn. It assumes nothing of the distribution but that without a change any
 * order is as likely: values that resemble their neighbours break that. Permutations end as soon as they cannot but say no (Besag &
 * Clifford, Biometrika 78, 1991). O(n log n) each.
 */
ssize_t stats_changes(const double *v, size_t n, const struct stats_changes_options *options,
		      struct stats_change **found);

/* Could any change of @n values be told at @alpha? Few values have too few orders. */
bool stats_changes_possible(size_t n, double alpha);

#endif
