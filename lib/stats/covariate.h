/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What else was seen beside each value, and how much of the values' variance it explains: an analysis of covariance whose slopes
 * come from within groups (sessions), so that what the groups' own means differ by has no part in them (Snedecor and Cochran,
 * Statistical Methods, 8th ed., chapter 18; Kalibera and Jones, ISMM 2013, ask for what else may be held constant).
 */
#ifndef LIB_STATS_COVARIATE_H
#define LIB_STATS_COVARIATE_H

#include <stdbool.h>
#include <stddef.h>

#define COVARIATES_MOST 4

struct stats_slopes {
	size_t kinds; /* of covariates; 0: there is nothing to adjust by */
	double slope
		[COVARIATES_MOST]; /* change of the value by one of the covariate, 0 for one that did not vary */
	double covariance[COVARIATES_MOST][COVARIATES_MOST];
	double p; /* that none of them explains anything */
	double freedom; /* degrees of the rest */
};

/*
 * Slopes of @value on @kinds covariates (@x[k][i]) over groups: @ends[g] is the number of values up to the end of group g. Robust
 * (Tukey's biweight), so that a disturbed trial bends none. Values with a covariate that is not finite are left out. p is NaN, and
 * the slopes 0, where too few values are left or nothing varies. 0 or -ENOMEM.
 */
int stats_slopes(const double *value, const double *const x[], size_t kinds, const size_t *ends,
		 size_t groups, struct stats_slopes *s);

/* What the slopes take off a value whose covariates lie @apart[k] from where it is to be seen. */
double stats_slopes_part(const struct stats_slopes *s, const double apart[]);

/* The variance of that, for the slopes are estimates. */
double stats_slopes_variance(const struct stats_slopes *s, const double apart[]);

/*
 * The share of @before's variance within groups that is gone in @after, by the median distance from the groups' medians, which
 * disturbed values do not move: 0 where they lie no closer, or without memory. @ends as in stats_slopes().
 */
double stats_explained(const double *before, const double *after, const size_t *ends,
		       size_t groups);

#endif
