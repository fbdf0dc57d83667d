// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/counters.h"
#include "lib/tracefs.h"

struct counter {
	int fd; /* -1 when unavailable */
	bool leader;
	char source[288];
	char why[320];
};

struct counter_set {
	struct counter_source src;
	struct counter c[COUNTER_NR];
};

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

const struct counter_source counter_kernel = {
	.open = kernel_open,
	.filter = kernel_filter,
	.control = kernel_control,
	.read = kernel_read,
	.close = kernel_close,
	.tracepoint = kernel_tracepoint,
	.family = kernel_family,
};

/* Why perf_event_open refused, and the remedy. */
static void explain(char *why, size_t len, int err, bool hardware)
{
	switch (err) {
	case EACCES:
	case EPERM:
		snprintf(why, len,
			 "not permitted: run as root, give CAP_PERFMON, or sysctl "
			 "kernel.perf_event_paranoid=0");
		break;
	case ENOENT:
	case ENODEV:
	case EOPNOTSUPP:
		snprintf(why, len,
			 hardware ? "no PMU counts it here: run on hardware, or let the hypervisor "
				    "expose a virtual PMU"
				  : "this kernel has no such event");
		break;
	case ENOSYS:
		snprintf(why, len,
			 "the kernel has no perf_event_open (CONFIG_PERF_EVENTS, or seccomp "
			 "forbids it)");
		break;
	case EMFILE:
		snprintf(why, len, "too many open files: raise ulimit -n");
		break;
	default:
		snprintf(why, len, "perf_event_open: %s", strerror(err));
	}
}

/* Describes counter @id for the kernel; 0, or -errno with the reason in the counter. */
static int describe(struct counter_set *set, enum counter_id id, struct perf_event_attr *attr)
{
	struct counter *c = &set->c[id];
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
	if (event_resolve(set->src.family(set->src.ctx), table[id].use, &code, &e) &&
	    event_resolve(NULL, table[id].use, &code, NULL)) {
		snprintf(c->why, sizeof(c->why), "%.310s", e.text);
		return -ENOENT;
	}
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
	struct perf_event_attr attr;
	int fd, rc = describe(set, id, &attr);

	if (rc)
		return rc;
	attr.disabled = leader < 0;
	fd = set->src.open(set->src.ctx, &attr, -1, cpu, leader, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0) {
		explain(c->why, sizeof(c->why), -fd, table[id].hardware);
		return fd;
	}
	if (table[id].filter) {
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

/* A group that the PMU accepts but can never schedule whole would count nothing: break it up. */
static void group_check(struct counter_set *set, int cpu)
{
	struct counter_value v[COUNTER_NR];
	volatile unsigned int spin = 0;
	bool starved = false;

	counters_enable(set);
	while (spin < 200000)
		spin++;
	counters_disable(set);
	counters_read(set, v);
	for (int id = 0; id < COUNTER_NR; id++)
		starved |= table[id].hardware && set->c[id].fd >= 0 && v[id].share == 0;
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

int counters_open(struct counter_set **out, const struct counter_source *src, int cpu,
		  struct error *e)
{
	struct counter_set *set = calloc(1, sizeof(*set));

	if (!set)
		return error_set(e, ENOMEM, "out of memory");
	set->src = *src;
	for (int id = 0; id < COUNTER_NR; id++)
		set->c[id].fd = -1;
	group_open(set, false, cpu);
	group_open(set, true, cpu);
	group_check(set, cpu);
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

static void control_leaders(const struct counter_set *set, unsigned long request)
{
	for (int id = 0; id < COUNTER_NR; id++)
		if (set->c[id].fd >= 0 && set->c[id].leader)
			set->src.control(set->src.ctx, set->c[id].fd, request, PERF_IOC_FLAG_GROUP);
}

void counters_reset(struct counter_set *set)
{
	control_leaders(set, PERF_EVENT_IOC_RESET);
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
		struct {
			uint64_t value, enabled, running;
		} raw;

		memset(v, 0, sizeof(*v));
		snprintf(v->source, sizeof(v->source), "%s", c->source);
		if (c->fd < 0) {
			snprintf(v->why, sizeof(v->why), "%s", c->why);
			continue;
		}
		if (set->src.read(set->src.ctx, c->fd, &raw, sizeof(raw)) != (ssize_t)sizeof(raw)) {
			snprintf(v->why, sizeof(v->why),
				 "it could not be read: the PMU gave it no counter");
			continue;
		}
		/* RESET zeroes the count, not the times: the share is one over the whole life of the event. */
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

bool counters_can_verify(const struct counter_set *set)
{
	return set->c[COUNTER_CONTEXT_SWITCHES].fd >= 0 && set->c[COUNTER_CR3_LOADS].fd >= 0 &&
	       set->c[COUNTER_CR3_FLUSHES].fd >= 0;
}
