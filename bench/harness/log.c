// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>

#include "bench/harness/log.h"
#include "lib/counters/pidns.h"

void log_init(struct trial_log *log)
{
	snprintf(log->no_switches, sizeof(log->no_switches), "nothing was counted");
	snprintf(log->no_ends, sizeof(log->no_ends), "nothing was counted");
}

void log_close(struct trial_log *log)
{
	log_bpf_close(log->switches);
	log->switches = NULL;
	ends_bpf_close(log->ends);
	log->ends = NULL;
}

void log_follow(struct trial_log *log, const struct trial *t)
{
	struct error e = { 0 };

	if (!t->observed) {
		log_close(log);
		return;
	}
	if (!log->switches && ((!log->measured && pidns_numbers(t->tasks, 1, &log->measured, &e)) ||
			       log_bpf_open(&log->switches, (unsigned int)t->cpu, &e)))
		snprintf(log->no_switches, sizeof(log->no_switches), "%.90s", e.text);
	if (!log->ends_tried && ends_bpf_open(&log->ends, &e))
		snprintf(log->no_ends, sizeof(log->no_ends), "%.95s", e.text);
	log->ends_tried = true;
}
