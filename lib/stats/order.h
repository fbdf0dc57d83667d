/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the order of the values tells: drift, autocorrelation, warm-up. Each test assumes nothing of the distribution; values are
 * given in time order and are not changed. Members are NaN where there are too few values, p included.
 */
#ifndef LIB_STATS_ORDER_H
#define LIB_STATS_ORDER_H

#include <stddef.h>

#define STATS_ORDER_LEAST 8 /* fewer values have no order to speak of */

struct stats_order {
	double drift; /* Spearman's rho of value against order, by GSL */
	double drift_p; /* two-sided, by Student's t with n - 2 degrees of freedom */
	double drift_share; /* median of the last third over that of the first, less 1; NaN unless positive */
	double lag1; /* autocorrelation of the values' ranks at distance one, by GSL */
	double lag1_p; /* two-sided; normal with the moments of Moran (Biometrika 35, 1948) */
};

struct stats_order stats_order(const double *v, size_t n);

struct stats_warmup {
	size_t values; /* at the start that do not belong with the rest; 0: none */
	double p; /* that a random order of the same values shows as much; > 0.05 where values is 0 */
	double share; /* median of those over that of the rest, less 1 */
};

/*
 * Where the series settles: the cut that MSER chooses (White, Simulation 69, 1997: the cut d <= n/2 that minimises the squared
 * standard error of the mean of what is left), believed only where random orders of the same values seldom gain as much by such a cut
 * (permutation test from @seed, up to 9999 orders). Long series are taken in at most 100 blocks of equal length, by their medians.
 */
struct stats_warmup stats_warmup(const double *v, size_t n, unsigned long seed);

/*
 * How many batches at the start of a trial differ from its settled part, over many trials: @above[k] and @below[k] count the
 * trials whose batch k lies above and below their own settled median. Batches are tested in turn by the sign test at @alpha up to
 * the first that does not differ: a fixed sequence, which holds @alpha without further correction (Maurer, Hothorn & Lehmacher
 * 1995). *@p gets the first batch's.
 */
size_t stats_warmup_batches(const unsigned int *above, const unsigned int *below, size_t n,
			    double alpha, double *p);

#endif
