/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logs for scenarios that look at single switches or at how address spaces end. They are open during counted batches
 * only, for they cost time; and from the warm-up on, for loading them loads CR3.
 */
#ifndef BENCH_HARNESS_LOG_H
#define BENCH_HARNESS_LOG_H

#include <stdbool.h>

#include "bench/harness/scenario.h"
#include "lib/switches/ends-bpf.h"
#include "lib/switches/log-bpf.h"

/* Zeroed, but for log_init(). */
struct trial_log {
	struct log_bpf *switches; /* of the measured CPU, NULL where it cannot be */
	char no_switches[96]; /* why not */
	pid_t measured; /* the measured task, as the log names it */
	struct ends_bpf *ends; /* of all mms, likewise */
	bool ends_tried; /* once: a refused load loads CR3, too */
	char no_ends[96];
};

void log_init(struct trial_log *log);

/* At the start of each batch: opens or closes them as @t's batch wants. */
void log_follow(struct trial_log *log, const struct trial *t);

/* Hands on what was logged since the last call; nothing where a log is not open. */
static inline void log_read(struct trial_log *log, switch_visit on_switch, ends_bpf_visit on_end,
			    void *context)
{
	if (log->switches)
		log_bpf_read(log->switches, on_switch, context, NULL, NULL);
	if (log->ends)
		ends_bpf_read(log->ends, on_end, context, NULL, NULL);
}

void log_close(struct trial_log *log);

#endif
