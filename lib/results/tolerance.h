/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far two counts per round trip may be apart and still say the same: for claims, and for comparing sets. */
#ifndef LIB_RESULTS_TOLERANCE_H
#define LIB_RESULTS_TOLERANCE_H

#include <math.h>

/* The part of a claimed count by which a trial may miss it: kernel threads that every CPU runs now and then come and go. */
#define VERIFY_TOLERANCE 0.005
/* Visitors cause events by the second: long round trips see more of them, but never more than this part of one each. */
#define VERIFY_VISITED 0.05

/* On another CPU visitors are not watched as closely: what they may add there to each round trip. */
#define VERIFY_VISITED_REMOTE 0.3

/* Events by which a trial may miss its claim besides: the edges of a short one. */
#define VERIFY_EDGE 8

/* By how many events a sound trial of @n round trips may miss @per of each. Visitors' events come on top: the larger of both counts. */
static inline double verify_slack(double n, double per)
{
	return fmax(VERIFY_TOLERANCE * n * fmax(per, 1), VERIFY_EDGE);
}

#endif
