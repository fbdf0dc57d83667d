/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many sessions, trials a session and seconds a trial tell two kernels apart at least cost: from the variance of each level and
 * what a repetition at it costs (Kalibera and Jones, Rigorous Benchmarking in Reasonable Time, ISMM 2013). All spreads are standard
 * deviations of logarithms.
 */
#ifndef LIB_STATS_REPETITIONS_H
#define LIB_STATS_REPETITIONS_H

#include <stddef.h>

/* What one session showed of a row. */
struct stats_session {
	size_t kernel; /* sessions of one number are of one kernel */
	size_t trials;
	double median; /* logarithm of the trials' median */
	double squares; /* of the trials' logarithms around their mean, summed */
	double halves; /* of the differences of the two halves of each trial, summed */
	size_t halved; /* trials that have them */
};

/* How a row varies, level by level. */
struct stats_levels {
	double between; /* of sessions, what their trials leave of it taken off; NaN: no kernel has two */
	double between_high; /* its upper limit, which is exceeded in one of five cases */
	size_t freedom; /* of it */
	double within; /* of trials in a session */
	double sampled; /* what of that shrinks with the root of a trial's length */
};

/* Pools all kernels. NaN for what cannot be told. */
struct stats_levels stats_levels(const struct stats_session *s, size_t n);

/* The variance of a median of @trials, as a share of one trial's (of a normal). */
double stats_median_variance(double trials);

struct stats_row {
	struct stats_levels levels;
	double length_s; /* timed part of a trial, as it was seen */
	double per_s; /* seconds that each second of it takes with its counted twin and retries */
	double trial_s; /* seconds of a trial, however short */
};

struct stats_need {
	double share; /* 0.02: a difference of 2 % */
	double alpha, power;
	double session_s; /* seconds of a session beside its trials */
};

struct stats_repetitions {
	double sessions; /* a side; NaN: no number is enough, or none is known */
	double sessions_high; /* the same with each row's between_high */
	unsigned int trials; /* of each row in a session */
	double length_s; /* timed seconds of a trial */
	double session_s, total_s; /* of a session, of all of both sides */
	size_t worst; /* the row that asks for most */
};

/* For all @n rows in each session, every one of which shall tell. Trials are at least three, and an eighth to eight times as long. */
struct stats_repetitions stats_repetitions(const struct stats_row *rows, size_t n,
					   const struct stats_need *need);

#endif
