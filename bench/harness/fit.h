/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plan fitted to the time there is: fewer trials, then shorter ones, then fewer rows. */
#ifndef BENCH_HARNESS_FIT_H
#define BENCH_HARNESS_FIT_H

#include <stdbool.h>
#include <stdint.h>

/* The least number of values whose extremes hold the median with 95 % confidence: 1 - 2 / 2^6 = 97 %, of five 94 %. */
#define FIT_TRIALS_LEAST 6
#define FIT_RETRIES	 0.15 /* of the time, kept for trials that are disturbed */
#define FIT_ITERATIONS	 100 /* at least, unless given */

/* A scenario with its parameters, as the look before the run measured it. */
struct fit_row {
	double expected_ns; /* a round trip */
	double per_ns; /* what each timed round trip makes the trial longer: its counted twin, samples and warm-up too */
	double overhead_s; /* of a trial, however short */
	unsigned int rank; /* the greater, the sooner it is dropped */
	uint64_t iterations; /* timed ones of a trial; where it is 0, fit_rows() sets it */
	bool dropped; /* set by fit_rows() */
};

struct fit {
	double seconds; /* that there are */
	long trials; /* of each row: wanted, and what came of it */
	long trials_least;
	double target_ns; /* of a trial's timed part: wanted, and what came of it */
	double target_least_ns;
	unsigned int dropped; /* rows */
	double needs_s; /* without retries */
};

/* Seconds that a trial of @row takes. */
double fit_trial_s(const struct fit_row *row);

/* Fits @rows and @f's wishes into @f's seconds. */
void fit_rows(struct fit_row *rows, unsigned int n, struct fit *f);

/* Drops of the rows that are left the last of those with the greatest rank; its index, or -1 where only one is left. */
int fit_drop(struct fit_row *rows, unsigned int n);

#endif
