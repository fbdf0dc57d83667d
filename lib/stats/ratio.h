/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counts of a part of the time, extrapolated to all of it: time is cut into strata of equal length, each into cells, two of
 * which are looked at, drawn at random. In a look m kinds of events are counted, and those of a base whose total is known:
 * a kind's total is then estimated by the combined ratio of all looks. (Cochran, Sampling Techniques, 3rd ed., 6.11)
 */
#ifndef LIB_STATS_RATIO_H
#define LIB_STATS_RATIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stats_ratio;

struct stats_total {
	double value; /* NaN where the base was never seen */
	double low, high;
	double freedom; /* degrees, 0: only the bounds of what can be */
};

/*
 * For @kinds of events, where @share of the cells are looked at (0 to 1), in at most @most strata's memory (from 4): neighbours are
 * joined when it is full. NULL without memory.
 */
struct stats_ratio *stats_ratio_new(size_t kinds, double share, size_t most);

/*
 * The looks of one stratum, in which the base's total was @total: @bases[look] and @counts[look * kinds + kind], of @looks: 2, or where it was cut short 1. Which look is
 * called first must be random, else a trend would count twice when neighbours are joined.
 */
void stats_ratio_add(struct stats_ratio *r, uint64_t total, const uint64_t *bases, const uint64_t *counts, size_t looks);

/*
 * The total of the @n kinds from @kind on together, where the base's total is @base, with its interval at @level. @part: each event
 * is one of the base's, so that no more can be than are left of them.
 *
 * Student's t with as many degrees of freedom as the strata's variances are worth (Satterthwaite's, corrected for components of
 * one degree each: Johnson and Rust, Proc. Survey Research Methods, ASA 1992), the wider the more the base varied about what its
 * looks make of it. Of fewer than 100 events it is at least as wide as Poisson's exact interval, and of a kind that fewer than
 * 10 looks saw as that of these looks. What was seen bounds it.
 */
struct stats_total stats_ratio_total(const struct stats_ratio *r, size_t kind, size_t n, double base, bool part, double level);

void stats_ratio_free(struct stats_ratio *r);

#endif
