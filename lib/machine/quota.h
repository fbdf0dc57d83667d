/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CPU time that control groups grant this process (cpu.max, cpu.cfs_quota_us), and when they took the CPU away. */
#ifndef LIB_MACHINE_QUOTA_H
#define LIB_MACHINE_QUOTA_H

#include <stdint.h>

/* What helps. */
#define QUOTA_REMEDY \
	"lift the quota (echo max > cpu.max, -1 > cpu.cfs_quota_us; docker without --cpus)"

struct quota {
	double cpus; /* CPUs' worth of time, the least of the own group's and its parents'; 0: none has a quota */
	double period_s; /* it is granted anew each so many seconds, so that a slice is @cpus * @period_s */
	char file[256]; /* where that one stands, as seen from here */
	uint64_t throttled; /* how often these groups were stopped so far, all together */
	double throttled_ns;
};

/* Reads both versions' hierarchies, as far as they are mounted here. Nothing found is no quota. */
void quota_read(struct quota *q);

#endif
