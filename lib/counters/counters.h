/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters by perf_event_open, on one CPU and whatever runs there (pid -1). Task-bound events would miss the
 * switch itself: the scheduler stops them before switch_mm() and starts them after it (kernel/sched/core.c).
 */
#ifndef LIB_COUNTERS_COUNTERS_H
#define LIB_COUNTERS_COUNTERS_H

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/counters/events.h"

enum counter_id {
	COUNTER_CONTEXT_SWITCHES,
	/* Loads of the page tables' base by mm switches: tlb:tlb_flush reason 0; on arm64, of TTBR0. */
	COUNTER_CR3_LOADS,
	COUNTER_CR3_FLUSHES, /* of them, those that flushed (pages == -1); on arm64, that took a new ASID */
	COUNTER_TLB_IPIS, /* tlb:tlb_flush reason 4: flushes asked of other CPUs, of which lazy ones may be spared */
	COUNTER_TLB_SHOOTDOWNS, /* reason 1: IPIs that flushed here */
	COUNTER_TLB_SHOOTDOWNS_LEFT, /* reason 5: IPIs that found another mm loaded; the CPU had left (Linux 6.14 on) */
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

/* What is not to be believed here, though it can be opened: found out by a look (bench/harness/prove.h). */
struct counter_doubts {
	bool tracepoint; /* tlb:tlb_flush never fires: kernel functions are counted instead */
	char why[COUNTER_NR][224]; /* not "": the counter is not to be had, and why */
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
	int (*pmu)(void *ctx, int cpu,
		   struct event_pmu *pmu); /* event_pmu_of_cpu(); NULL: all CPUs are alike */
	int (*kprobe)(void *ctx, struct error *e); /* kprobe_type(); NULL: there is none */
	const struct counter_doubts *doubts; /* NULL: none */
};

extern const struct counter_source counter_kernel;

struct counter_set;

/* The counter's name in result files: "cr3-loads". */
const char *counter_name(enum counter_id id);

/* Those that ask the kernel (software events, tracepoints, kprobes) cost something at each event; those of the CPU nothing. */
enum counters_part { COUNTERS_ALL, COUNTERS_KERNEL, COUNTERS_PMU };
bool counter_of_pmu(enum counter_id id);

/*
 * Opens every counter of @part that can be had on @cpu, disabled; the others are unavailable without a reason. One that cannot is unavailable with its reason: never an
 * error. Only -ENOMEM fails. Software events and tracepoints form one group; hardware events another where the PMU can
 * hold it, else each alone. The descriptors are inherited by fork, so that a trial switches them on from the CPU it
 * measures. Close with counters_close().
 */
int counters_open(struct counter_set **set, const struct counter_source *src,
		  enum counters_part part, int cpu, struct error *e);
void counters_close(struct counter_set *set);

/* Zeroes, starts and stops all of them. Start and stop are one system call per group: outside of batches only. */
void counters_reset(struct counter_set *set);
void counters_enable(const struct counter_set *set);
void counters_disable(const struct counter_set *set);

/* Reads every counter into @values[COUNTER_NR]. */
void counters_read(const struct counter_set *set, struct counter_value values[COUNTER_NR]);

/*
 * The kernel functions that a change of the loaded mm enters, the surest first, NULL at the end: what tells of loads where no
 * tracepoint does, and bears it witness where one does.
 */
extern const char *const counter_functions[];

#endif
