/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Did the kernel do what the scenario claims? */
#ifndef BENCH_VERIFY_H
#define BENCH_VERIFY_H

#include <jansson.h>
#include <stdbool.h>

#include "bench/trial.h"

/*
 * The part of a claimed count by which a trial may miss it: kernel threads that every CPU runs now and then come and
 * go. And a fixed number, for the edges of a short trial.
 */
#define VERIFY_TOLERANCE 0.005
#define VERIFY_EDGE	 8
/* Visitors cause events by the second: long round trips see more of them, but never more than this part of one each. */
#define VERIFY_VISITS  100. /* per second */
#define VERIFY_VISITED 0.05 /* per round trip */
#define VERIFY_STOLEN  0.02 /* of the counted time, by tasks that do not belong to the trial */
#define VERIFY_PREEMPT 1000. /* times per second: own tasks kept off the CPU for a moment */
#define VERIFY_STORM   20000. /* interrupts per second beyond the claim's */

/*
 * Checks @out against its claim. Returns the violations: an array of {"what", "text"}, empty when the trial is valid. Each text
 * ends with the culprit where one is known. New reference.
 */
json_t *verify_trial(const struct bench *b, const struct trial_outcome *out);

#endif
