/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters by perf_event_open, on one CPU and whatever runs there (pid -1). Task-bound events would miss the
 * switch itself: the scheduler stops them before switch_mm() and starts them after it (kernel/sched/core.c).
 */
#ifndef LIB_COUNTERS_H
#define LIB_COUNTERS_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/error.h"
#include "lib/events.h"

enum counter_id {
	COUNTER_CONTEXT_SWITCHES,
	COUNTER_CR3_LOADS, /* tlb:tlb_flush reason 0: loads by mm switches */
	COUNTER_CR3_FLUSHES, /* of them, those that flushed (pages == -1) */
	COUNTER_TLB_IPIS, /* tlb:tlb_flush reason 4: flushes asked of other CPUs, of which lazy ones may be spared */
	COUNTER_TLB_SHOOTDOWNS, /* reason 1: IPIs that flushed here */
	COUNTER_PAGE_FAULTS,
	COUNTER_MIGRATIONS,
	COUNTER_DTLB_LOAD_MISSES,
	COUNTER_DTLB_WALK_CYCLES,
	COUNTER_CYCLES,
	COUNTER_INSTRUCTIONS,
	COUNTER_DTLB_WALKS, /* page walks for loads */
	COUNTER_TLB_FLUSHES, /* of this CPU's TLB, as the CPU counts them */
	COUNTER_CYCLES_USER,
	COUNTER_CYCLES_KERNEL,
	COUNTER_NR,
};

struct counter_value {
	bool available;
	uint64_t value; /* scaled up by 1/share when multiplexed */
	double share; /* part of the enabled time in which it counted: 1 = exact */
	char source[288]; /* what counted it */
	char why[320]; /* when not available: why, and how to get it */
};

/*
 * Where events come from: the kernel, or in tests a fake. Calls return what the system call would, but -errno on
 * failure. @tracepoint returns the id of "system:name" or -errno with a reason in @e.
 */
struct counter_source {
	int (*open)(void *ctx, struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
		    unsigned long flags);
	int (*filter)(void *ctx, int fd, const char *expression);
	int (*control)(void *ctx, int fd, unsigned long request, unsigned long arg);
	ssize_t (*read)(void *ctx, int fd, void *buf, size_t len);
	int (*close)(void *ctx, int fd);
	int (*tracepoint)(void *ctx, const char *system, const char *name, struct error *e);
	const struct event_family *(*family)(void *ctx);
	void *ctx;
};

extern const struct counter_source counter_kernel;

struct counter_set;

/* The counter's name in result files: "cr3-loads". */
const char *counter_name(enum counter_id id);

/*
 * Opens every counter that can be had on @cpu, disabled. One that cannot is unavailable with its reason: never an
 * error. Only -ENOMEM fails. Software events and tracepoints form one group; hardware events another where the PMU can
 * hold it, else each alone. The descriptors are inherited by fork, so that a trial switches them on from the CPU it
 * measures. Close with counters_close().
 */
int counters_open(struct counter_set **set, const struct counter_source *src, int cpu,
		  struct error *e);
void counters_close(struct counter_set *set);

/* Zeroes, starts and stops all of them. Start and stop are one system call per group: outside of batches only. */
void counters_reset(struct counter_set *set);
void counters_enable(const struct counter_set *set);
void counters_disable(const struct counter_set *set);

/* Reads every counter into @values[COUNTER_NR]. */
void counters_read(const struct counter_set *set, struct counter_value values[COUNTER_NR]);

/* True when switches and CR3 loads are counted by the kernel's own events: what verification needs. */
bool counters_can_verify(const struct counter_set *set);

#endif
