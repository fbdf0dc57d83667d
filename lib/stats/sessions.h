/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two kernels by their sessions. A session (one run in one boot) has one value, the logarithm of its median, for trials of one
 * session share its boot's memory layout and its hour's speed: they tell of the session, not of the kernel (Kalibera and Jones,
 * Rigorous Benchmarking in Reasonable Time, ISMM 2013).
 */
#ifndef LIB_STATS_SESSIONS_H
#define LIB_STATS_SESSIONS_H

#include <stddef.h>

struct stats_sessions {
	double ratio, low,
		high; /* exp of the difference of means, y to x, with its interval at the level asked for */
	double p; /* two-sided, that the sides do not differ */
	double spread; /* of sessions of one side: standard deviation of the logarithms */
	const char *method; /* "t", "permutation" */
};

/*
 * Model: value = side + session, session normal with the same variance on both sides: Student's t with nx + ny - 2 degrees of
 * freedom. Where the permutations of the sessions are enough for @alpha to be reached by them and can be counted, p is their share
 * that lies as far apart or further, which needs no normal. NaN with fewer than two sessions a side.
 */
struct stats_sessions stats_sessions(const double *x, size_t nx, const double *y, size_t ny,
				     double level, double alpha);

/*
 * The same where each side's values were adjusted by something estimated (lib/stats/covariate.h), of which their difference has so
 * much more @variance: the interval is wider, p the larger of what it was and of t's with it.
 */
void stats_sessions_widen(struct stats_sessions *s, size_t nx, size_t ny, double variance,
			  double level);

/*
 * Sessions a side with which a difference of @share (0.02: 2 %) is found with probability @power at @alpha by stats_sessions(), where
 * sessions have that @spread. At least 2; NaN unless @spread is finite.
 */
double stats_sessions_needed(double spread, double share, double alpha, double power);

/*
 * How the variance of trials' logarithms splits. @v: all values, session after session; @ends[i]: the number of values up to the
 * end of session i. @within: standard deviation inside a session (pooled); @between: that of the sessions' own means, what trials
 * leave of it taken off (method of moments; not below 0). NaN where it cannot be told.
 */
void stats_sessions_split(const double *v, const size_t *ends, size_t sessions, double *between,
			  double *within);

#endif
