// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/refusal.h"
#include "lib/counters/counters.h"
#include "lib/counters/kprobe.h"
#include "lib/counters/tracefs.h"

#define ROTATIONS_NS 40000000 /* ten turns of other users' events */

struct counter {
	int fd; /* -1 when unavailable */
	bool leader;
	char source[288];
	char why[320];
	uint64_t enabled, running; /* when it was reset: RESET zeroes the count, not the times */
};

struct counter_set {
	struct counter_source src;
	struct event_pmu pmu; /* of the CPU, where @several kinds of cores differ in it */
	bool several;
	struct counter c[COUNTER_NR];
	struct refusal_state state;
	bool state_known;
};

/*
 * arm64's kernels up to 6.12 have tlb:tlb_flush and never call it. There check_and_switch_context() (arch/arm64/mm/context.c) writes
 * TTBR0, and nothing else does on a switch; x86's functions are in switch_mm_irqs_off() (arch/x86/mm/tlb.c), as far as they are not inlined.
 */
#if defined(__aarch64__)
#define HAS_TRACEPOINT false
#define LOADED	       "TTBR0 loads"
const char *const counter_functions[] = { "check_and_switch_context", NULL };
static const char *const flush_functions[] = { "new_context", NULL };
#elif defined(__riscv)
/*
 * Its kernels have tlb:tlb_flush and never call it, and what writes satp (arch/riscv/mm/context.c) is inlined into switch_mm(), which is
 * entered for two threads of one mm as well: nothing bears witness to a load.
 */
#define HAS_TRACEPOINT false
#define LOADED	       "satp loads"
const char *const counter_functions[] = { "set_mm_asid", NULL };
static const char *const flush_functions[] = { NULL };
#else
#define HAS_TRACEPOINT true
#define LOADED	       "changes of the loaded mm"
const char *const counter_functions[] = { "load_new_mm_cr3", "choose_new_asid", "switch_ldt",
					  NULL };
static const char *const flush_functions[] = { NULL };
#endif

static const char *const *functions_of(enum counter_id id)
{
	const char *const *functions = id == COUNTER_CR3_LOADS	   ? counter_functions
				       : id == COUNTER_CR3_FLUSHES ? flush_functions
								   : NULL;

	return functions && functions[0] ? functions : NULL;
}

static const struct {
	const char *name;
	bool hardware;
	uint64_t software; /* PERF_COUNT_SW_*, when no tracepoint */
	const char *system, *event, *filter;
	enum event_use use;
} table[COUNTER_NR] = {
	[COUNTER_CONTEXT_SWITCHES] = { "context-switches",
				       .software = PERF_COUNT_SW_CONTEXT_SWITCHES },
	[COUNTER_CR3_LOADS] = { "cr3-loads", .system = "tlb", .event = "tlb_flush",
				.filter = "reason == 0" },
	/* pages is an unsigned long whose -1 (TLB_FLUSH_ALL) the filter language has to spell out. */
	[COUNTER_CR3_FLUSHES] = { "cr3-flushes", .system = "tlb", .event = "tlb_flush",
				  .filter = "reason == 0 && pages == 0xffffffffffffffff" },
	[COUNTER_TLB_IPIS] = { "tlb-ipis", .system = "tlb", .event = "tlb_flush",
			       .filter = "reason == 4" },
	[COUNTER_TLB_SHOOTDOWNS] = { "tlb-shootdowns", .system = "tlb", .event = "tlb_flush",
				     .filter = "reason == 1" },
	[COUNTER_TLB_SHOOTDOWNS_LEFT] = { "tlb-shootdowns-left", .system = "tlb",
					  .event = "tlb_flush", .filter = "reason == 5" },
	[COUNTER_PAGE_FAULTS] = { "page-faults", .software = PERF_COUNT_SW_PAGE_FAULTS },
	[COUNTER_MIGRATIONS] = { "migrations", .software = PERF_COUNT_SW_CPU_MIGRATIONS },
	[COUNTER_DTLB_LOAD_MISSES] = { "dtlb-load-misses", .hardware = true,
				       .use = EVENT_DTLB_LOAD_MISSES },
	[COUNTER_DTLB_WALK_CYCLES] = { "dtlb-walk-cycles", .hardware = true,
				       .use = EVENT_DTLB_WALK_CYCLES },
	[COUNTER_CYCLES] = { "cycles", .hardware = true, .use = EVENT_CYCLES },
	[COUNTER_INSTRUCTIONS] = { "instructions", .hardware = true, .use = EVENT_INSTRUCTIONS },
	[COUNTER_DTLB_WALKS] = { "dtlb-walks", .hardware = true, .use = EVENT_DTLB_WALKS },
	[COUNTER_TLB_FLUSHES] = { "tlb-flushes", .hardware = true, .use = EVENT_TLB_FLUSHES },
	[COUNTER_CYCLES_USER] = { "cycles-user", .hardware = true, .use = EVENT_CYCLES_USER },
	[COUNTER_CYCLES_KERNEL] = { "cycles-kernel", .hardware = true, .use = EVENT_CYCLES_KERNEL },
};

const char *counter_name(enum counter_id id)
{
	return table[id].name;
}

bool counter_of_pmu(enum counter_id id)
{
	return table[id].hardware;
}

static int kernel_open(void *ctx, struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
		       unsigned long flags)
{
	int fd = (int)syscall(SYS_perf_event_open, attr, pid, cpu, group_fd, flags);

	(void)ctx;
	return fd < 0 ? -errno : fd;
}

static int kernel_control(void *ctx, int fd, unsigned long request, unsigned long arg)
{
	(void)ctx;
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

static int kernel_filter(void *ctx, int fd, const char *expression)
{
	(void)ctx;
	return ioctl(fd, PERF_EVENT_IOC_SET_FILTER, expression) < 0 ? -errno : 0;
}

static ssize_t kernel_read(void *ctx, int fd, void *buf, size_t len)
{
	ssize_t got = read(fd, buf, len);

	(void)ctx;
	return got < 0 ? -errno : got;
}

static int kernel_close(void *ctx, int fd)
{
	(void)ctx;
	return close(fd);
}

static int kernel_tracepoint(void *ctx, const char *system, const char *name, struct error *e)
{
	(void)ctx;
	return tracepoint_id(system, name, e);
}

static const struct event_family *kernel_family(void *ctx)
{
	(void)ctx;
	return event_family_here();
}

static int kernel_pmu(void *ctx, int cpu, struct event_pmu *pmu)
{
	(void)ctx;
	return event_pmu_of_cpu("", cpu, pmu);
}

static int kernel_kprobe(void *ctx, struct error *e)
{
	(void)ctx;
	return kprobe_type(e);
}

const struct counter_source counter_kernel = {
	.open = kernel_open,
	.filter = kernel_filter,
	.control = kernel_control,
	.read = kernel_read,
	.close = kernel_close,
	.tracepoint = kernel_tracepoint,
	.family = kernel_family,
	.pmu = kernel_pmu,
	.kprobe = kernel_kprobe,
};

/* Says in counter @id why perf_event_open refused it. */
static void explain(struct counter_set *set, enum counter_id id, int err)
{
	/* Once for all that are refused. */
	if (!set->state_known)
		refusal_read(&set->state);
	set->state_known = true;
	refusal_words(&set->state, table[id].hardware ? REFUSED_PMU : REFUSED_EVENT, err,
		      set->c[id].why, sizeof(set->c[id].why));
}

static bool by_tracepoint(const struct counter_set *set, enum counter_id id)
{
	return table[id].system && HAS_TRACEPOINT &&
	       !(set->src.doubts && set->src.doubts->tracepoint);
}

/* What a tracepoint would tell, in places where there is none. */
static int no_tracepoint(struct counter *c, enum counter_id id)
{
	if (!HAS_TRACEPOINT)
		snprintf(c->why, sizeof(c->why),
			 "TLB invalidations reach other CPUs by broadcast, or by the firmware, on "
			 "this architecture, not by the kernel's interrupts");
	else
		snprintf(c->why, sizeof(c->why),
			 "%s:%s is there and never fired: only changes of mm are counted",
			 table[id].system, table[id].event);
	return -ENOENT;
}

/* Opens the first of the functions that are not inlined in this kernel. */
static int function_open(struct counter_set *set, enum counter_id id, struct perf_event_attr *attr,
			 int cpu, int leader)
{
	struct counter *c = &set->c[id];
	struct error e = { 0 };
	int type = set->src.kprobe ? set->src.kprobe(set->src.ctx, &e) : -ENOENT, fd = -ENOENT;

	if (type < 0) {
		snprintf(c->why, sizeof(c->why), "%.310s", e.text);
		return type;
	}
	memset(attr, 0, sizeof(*attr));
	attr->size = sizeof(*attr);
	attr->disabled = leader < 0;
	attr->read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
	for (const char *const *f = functions_of(id); *f && fd < 0 && fd != -EACCES; f++) {
		kprobe_describe(attr, type, *f);
		fd = set->src.open(set->src.ctx, attr, -1, cpu, leader, PERF_FLAG_FD_CLOEXEC);
		snprintf(c->source, sizeof(c->source), "kprobe %s: %s, CPU-wide", *f,
			 id == COUNTER_CR3_LOADS ? LOADED : "ASID allocations");
	}
	if (fd == -ENOENT || fd == -EINVAL)
		snprintf(c->why, sizeof(c->why),
			 "no function of this kernel bears witness to %s: %s is inlined, or not "
			 "there",
			 id == COUNTER_CR3_LOADS ? LOADED : "ASID allocations",
			 functions_of(id)[0]);
	else if (fd < 0)
		explain(set, id, -fd);
	return fd;
}

/* Describes counter @id for the kernel; 0, or -errno with the reason in the counter. */
static int describe(struct counter_set *set, enum counter_id id, struct perf_event_attr *attr)
{
	struct counter *c = &set->c[id];
	const struct event_family *family;
	struct event_code code;
	struct error e = { 0 };
	int tp;

	memset(attr, 0, sizeof(*attr));
	attr->size = sizeof(*attr);
	attr->disabled = 1;
	attr->read_format = PERF_FORMAT_TOTAL_TIME_ENABLED | PERF_FORMAT_TOTAL_TIME_RUNNING;
	if (table[id].system) {
		tp = set->src.tracepoint(set->src.ctx, table[id].system, table[id].event, &e);
		if (tp < 0) {
			snprintf(c->why, sizeof(c->why), "%.310s", e.text);
			return tp;
		}
		attr->type = PERF_TYPE_TRACEPOINT;
		attr->config = (uint64_t)tp;
		snprintf(c->source, sizeof(c->source), "%s:%s %s, CPU-wide", table[id].system,
			 table[id].event, table[id].filter);
		return 0;
	}
	if (!table[id].hardware) {
		attr->type = PERF_TYPE_SOFTWARE;
		attr->config = table[id].software;
		snprintf(c->source, sizeof(c->source), "perf software event, CPU-wide");
		return 0;
	}
	family = set->src.family(set->src.ctx);
	if (set->several && !event_pmu_has_families(&set->pmu))
		family = NULL;
	if (event_resolve(family, table[id].use, &code, &e) &&
	    event_resolve(NULL, table[id].use, &code, NULL)) {
		snprintf(c->why, sizeof(c->why), "%.310s", e.text);
		return -ENOENT;
	}
	if (set->several)
		event_pmu_aim(&code, &set->pmu);
	attr->type = code.type;
	attr->config = code.config;
	attr->config1 = code.config1;
	attr->config2 = code.config2;
	attr->exclude_kernel = code.user_only;
	attr->exclude_user = code.kernel_only;
	snprintf(c->source, sizeof(c->source), "%s, CPU-wide", code.name);
	return 0;
}

/* Opens counter @id behind @leader (-1: alone). Returns its descriptor or -errno. */
static int counter_open(struct counter_set *set, enum counter_id id, int cpu, int leader)
{
	struct counter *c = &set->c[id];
	bool function = functions_of(id) && !by_tracepoint(set, id);
	struct perf_event_attr attr;
	int fd, rc;

	if (set->src.doubts && set->src.doubts->why[id][0]) {
		snprintf(c->why, sizeof(c->why), "%s", set->src.doubts->why[id]);
		return -ENOENT;
	}
	if (table[id].system && !function && !by_tracepoint(set, id))
		return no_tracepoint(c, id);
	rc = function ? 0 : describe(set, id, &attr);
	/* Where tracefs is out of reach the functions need not be. */
	if (rc && functions_of(id) && set->src.kprobe && set->src.kprobe(set->src.ctx, NULL) >= 0)
		function = true;
	else if (rc)
		return rc;
	attr.disabled = leader < 0;
	fd = function ? function_open(set, id, &attr, cpu, leader)
		      : set->src.open(set->src.ctx, &attr, -1, cpu, leader, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0 && !function)
		explain(set, id, -fd);
	/* riscv's without Sscofpmf, for one: it counts cycles, and refuses the same event with a filter. */
	if (fd == -EINVAL && (attr.exclude_user || attr.exclude_kernel) &&
	    set->c[COUNTER_CYCLES].fd >= 0)
		snprintf(c->why, sizeof(c->why),
			 "the PMU, or its driver, does not tell user from kernel");
	if (fd < 0)
		return fd;
	if (table[id].filter && !function) {
		rc = set->src.filter(set->src.ctx, fd, table[id].filter);
		if (rc) {
			snprintf(c->why, sizeof(c->why), "the filter \"%s\" was refused: %s",
				 table[id].filter, strerror(-rc));
			set->src.close(set->src.ctx, fd);
			return rc;
		}
	}
	c->fd = fd;
	c->leader = leader < 0;
	return fd;
}

/* Opens the counters of one kind as a group; one that does not fit leads a group of its own. */
static void group_open(struct counter_set *set, bool hardware, int cpu)
{
	int leader = -1;

	for (int id = 0; id < COUNTER_NR; id++) {
		int fd;

		if (table[id].hardware != hardware)
			continue;
		fd = counter_open(set, id, cpu, leader);
		if (fd == -EINVAL && leader >= 0)
			fd = counter_open(set, id, cpu, -1);
		if (fd >= 0 && leader < 0)
			leader = fd;
	}
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* Did one of the CPU's events get no counter so far? */
static bool starves(const struct counter_set *set)
{
	struct counter_value v[COUNTER_NR];

	counters_read(set, v);
	for (int id = 0; id < COUNTER_NR; id++)
		if (table[id].hardware && set->c[id].fd >= 0 && v[id].share == 0)
			return true;
	return false;
}

/*
 * A group that the PMU accepts but can never schedule whole would count nothing: break it up. Beside other users' events
 * its turn comes only after theirs, each a few milliseconds long (perf_event_mux_interval_ms).
 */
static void group_check(struct counter_set *set, int cpu)
{
	uint64_t end = now_ns() + ROTATIONS_NS;
	bool starved;

	counters_enable(set);
	do {
		for (volatile unsigned int spin = 0; spin < 200000; spin++)
			;
		starved = starves(set);
	} while (starved && now_ns() < end);
	counters_disable(set);
	for (int id = 0; starved && id < COUNTER_NR; id++) {
		if (!table[id].hardware || set->c[id].fd < 0)
			continue;
		set->src.close(set->src.ctx, set->c[id].fd);
		set->c[id].fd = -1;
	}
	for (int id = 0; starved && id < COUNTER_NR; id++)
		if (table[id].hardware)
			counter_open(set, id, cpu, -1);
	counters_reset(set);
}

int counters_open(struct counter_set **out, const struct counter_source *src,
		  enum counters_part part, int cpu, struct error *e)
{
	struct counter_set *set = calloc(1, sizeof(*set));

	if (!set)
		return error_set(e, ENOMEM, "out of memory");
	set->src = *src;
	set->several = src->pmu && !src->pmu(src->ctx, cpu, &set->pmu);
	for (int id = 0; id < COUNTER_NR; id++)
		set->c[id].fd = -1;
	if (part != COUNTERS_PMU)
		group_open(set, false, cpu);
	if (part != COUNTERS_KERNEL) {
		group_open(set, true, cpu);
		group_check(set, cpu);
	}
	*out = set;
	return 0;
}

void counters_close(struct counter_set *set)
{
	if (!set)
		return;
	for (int id = COUNTER_NR - 1; id >= 0; id--)
		if (set->c[id].fd >= 0)
			set->src.close(set->src.ctx, set->c[id].fd);
	free(set);
}

/* What the kernel says of an event (PERF_FORMAT_TOTAL_TIME_*). */
struct reading {
	uint64_t value, enabled, running;
};

static bool reading_get(const struct counter_set *set, const struct counter *c, struct reading *raw)
{
	return set->src.read(set->src.ctx, c->fd, raw, sizeof(*raw)) == (ssize_t)sizeof(*raw);
}

static void control_leaders(const struct counter_set *set, unsigned long request)
{
	for (int id = 0; id < COUNTER_NR; id++)
		if (set->c[id].fd >= 0 && set->c[id].leader)
			set->src.control(set->src.ctx, set->c[id].fd, request, PERF_IOC_FLAG_GROUP);
}

void counters_reset(struct counter_set *set)
{
	struct reading raw;

	control_leaders(set, PERF_EVENT_IOC_RESET);
	for (int id = 0; id < COUNTER_NR; id++) {
		struct counter *c = &set->c[id];

		if (c->fd < 0 || !reading_get(set, c, &raw))
			continue;
		c->enabled = raw.enabled;
		c->running = raw.running;
	}
}

void counters_enable(const struct counter_set *set)
{
	control_leaders(set, PERF_EVENT_IOC_ENABLE);
}

void counters_disable(const struct counter_set *set)
{
	control_leaders(set, PERF_EVENT_IOC_DISABLE);
}

void counters_read(const struct counter_set *set, struct counter_value values[COUNTER_NR])
{
	for (int id = 0; id < COUNTER_NR; id++) {
		const struct counter *c = &set->c[id];
		struct counter_value *v = &values[id];
		struct reading raw;

		memset(v, 0, sizeof(*v));
		snprintf(v->source, sizeof(v->source), "%s", c->source);
		if (c->fd < 0) {
			snprintf(v->why, sizeof(v->why), "%s", c->why);
			continue;
		}
		if (!reading_get(set, c, &raw)) {
			snprintf(v->why, sizeof(v->why),
				 "it could not be read: the PMU gave it no counter");
			continue;
		}
		raw.enabled -= c->enabled;
		raw.running -= c->running;
		v->share = raw.enabled ? (double)raw.running / (double)raw.enabled : 1;
		/* Members of a group start some microseconds apart: that much is no multiplexing. */
		if (!table[id].hardware || v->share > 0.999)
			v->share = 1;
		v->available = v->share > 0;
		v->value = v->share > 0 && v->share < 1
				   ? (uint64_t)((double)raw.value / v->share + 0.5)
				   : raw.value;
		if (!v->available)
			snprintf(v->why, sizeof(v->why),
				 "the PMU never had a counter free for it (others use it: NMI "
				 "watchdog, perf)");
	}
}
