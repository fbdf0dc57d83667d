/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every context switch of the system, classed by what it does with the loaded address space, and the
 * CR3 loads it causes. Two sources fill the same snapshot: BPF programs (this file; exact, counted in
 * the kernel) and perf events (counts-perf.h; an estimate where BPF cannot be had).
 */
#ifndef LIB_SWITCHES_COUNTS_H
#define LIB_SWITCHES_COUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <hwloc.h>
#include "lib/base/error.h"
#include "lib/switches/abi.h"

/* Why loads are not counted. */
#define SWITCH_NO_LOADS_WANTED "not asked for (--no-loads)"
#define SWITCH_NO_LOADS_KERNEL "this kernel has no tlb:tlb_flush event"

/* What to watch. The caller keeps what the pointers point to until open returned. */
struct switch_options {
	hwloc_const_bitmap_t cpus; /* NULL: every possible CPU, also those that come online later */
	enum switch_filter filter;
	const uint64_t
		*ids; /* FILTER_PID: tgids; FILTER_CGROUP: cgroup ids (st_ino of the folder) */
	size_t id_count;
	bool no_loads; /* leave tlb:tlb_flush alone: half the cost of a real switch */
	bool in_turns; /* BPF only: count in windows, see counts_bpf_window() */
	const char *comm; /* FILTER_COMM: at most 15 characters, a final * matches any rest */
};

struct switch_pair {
	uint64_t key; /* who << 32 | tgid, see abi.h */
	struct switch_row row;
};

/* Of a watch in turns: switches that a window saw, whatever the filter, and all by the kernel's own count. */
struct switch_cover {
	uint64_t seen, all;
};

/* Counts since open. Zero-initialise before the first read; reuse; free with switch_snapshot_free(). */
struct switch_snapshot {
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	unsigned int cpu_count; /* possible CPUs: the length of `cpu` */
	struct switch_counts *cpu;
	struct switch_counts total; /* in turns: what the windows saw; see switch_counts_between() */
	bool in_turns;
	struct switch_cover cover;
	uint64_t *seen; /* in turns: the part of each CPU in cover.seen */
	struct switch_pair
		*pairs; /* unordered; pairs used least recently drop out when memory is full */
	size_t pair_count;
	uint64_t missed; /* events that the source saw itself miss */
	/* Why CR3 loads and flushes are not counted, static; NULL: they are. `saved` is then a bound. */
	const char *no_loads;
	bool loads_by_class; /* `loads` is split by class; else it is all in LOADS_OUTSIDE */
	bool estimated; /* classes are estimates; switch, load and flush totals stay exact */
	double classed; /* share of the switches that were seen one by one, 1 with BPF */
};

struct counts_bpf;

/*
 * Load the programs and start counting. 0, or -errno with the reason: -ENOTSUP: built without BPF, or
 * the kernel lacks BTF; -EPERM: what permission is missing and how to give it.
 */
int counts_bpf_open(struct counts_bpf **trace, const struct switch_options *options,
		    struct error *error);

/* Fill a snapshot; the pairs only if asked for, as reading them costs most. 0 or -errno. */
int counts_bpf_read(struct counts_bpf *trace, struct switch_snapshot *snapshot, bool with_pairs,
		    struct error *error);

/* The same, but for the pairs and the kernel's own count, which take longer, and stay as they are. 0 or -errno. */
int counts_bpf_look(struct counts_bpf *trace, struct switch_snapshot *snapshot,
		    struct error *error);

/* Let further ids pass the filter from now on. 0, or -errno: -E2BIG when there is no more room. */
int counts_bpf_select(struct counts_bpf *trace, const uint64_t *ids, size_t count,
		      struct error *error);

/*
 * In turns: attach the programs, which wait for a window; let them count from `start_ns` on (CLOCK_MONOTONIC), for `length_ns`, on
 * each CPU from the state that it is in then; detach them. Attached or not, counts can be read. 0 or -errno.
 */
int counts_bpf_attach(struct counts_bpf *trace, struct error *error);
void counts_bpf_window(struct counts_bpf *trace, uint64_t start_ns, uint64_t length_ns);
void counts_bpf_detach(struct counts_bpf *trace);

/* Detach and free everything; NULL is allowed. */
void counts_bpf_close(struct counts_bpf *trace);

/* Can counts_bpf_open() work here? 0, or -errno with the reason. Loads nothing. */
int counts_bpf_available(struct error *error);

/*
 * All switches for each one seen between two snapshots (`before` NULL: since the start): 1 where nothing was left out, 0 where
 * none was seen.
 */
double switch_counts_factor(const struct switch_snapshot *now,
			    const struct switch_snapshot *before);

/*
 * What happened between them on one CPU or, with -1, on all: counted, or extrapolated to all switches. Without a filter the
 * classes of all CPUs then add up to the kernel's own count.
 */
struct switch_counts switch_counts_between(const struct switch_snapshot *now,
					   const struct switch_snapshot *before, int cpu);

/* All switches between them, on all CPUs: the kernel's own count in turns, whatever the filter; else the classes' sum. */
uint64_t switch_counts_all(const struct switch_snapshot *now, const struct switch_snapshot *before);

/* value * factor, rounded. */
uint64_t switch_count_scale(uint64_t value, double factor);

/* Add up the per-CPU counts into `total`. */
void switch_snapshot_sum(struct switch_snapshot *snapshot);

/* Make room for `cpu_count` CPUs. 0 or -ENOMEM. */
int switch_snapshot_resize(struct switch_snapshot *snapshot, unsigned int cpu_count,
			   struct error *error);

void switch_snapshot_free(struct switch_snapshot *snapshot);

/* All switches of a CPU or of the total. */
uint64_t switch_counts_switches(const struct switch_counts *counts);

/* One class, the idle task's part included. */
uint64_t switch_counts_class(const struct switch_counts *counts, enum switch_class class);

/* CR3 loads of one kind, in and outside switches. */
uint64_t switch_counts_loads(const struct switch_counts *counts, int kind);

/* Loads that borrowing saved: two per way back to the same mm, less those that happened after all. */
uint64_t switch_counts_saved(const struct switch_counts *counts);

/* to -= from, counter by counter. */
void switch_counts_subtract(struct switch_counts *to, const struct switch_counts *from);

/* Short names for tables and JSON: "borrow", "pass", "back", "on", "thread", "real". */
const char *switch_class_name(enum switch_class class);

/* The kernel's list of "online" or "possible" CPUs, to be freed by the caller; NULL on error. */
hwloc_bitmap_t switch_cpus_read(const char *which, struct error *error);

/* Number of possible CPUs (highest number + 1), or -errno. */
int switch_cpu_count(struct error *error);

#endif
