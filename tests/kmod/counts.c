// SPDX-License-Identifier: GPL-2.0-or-later
/* What a round trip does, as the kernel's own events count it on the CPU, and as the module says. */
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TRIPS	200
#define BATCHES 100
/* So many exact ones are enough. */
#define EXACT 10

static const uint64_t loads_per_trip[ACTIVEMM_MODES] = {
	[ACTIVEMM_ISOLATED] = 2,
	[ACTIVEMM_LEAVE] = 2,
};
static const uint64_t writes_per_trip[ACTIVEMM_MODES] = {
	[ACTIVEMM_RELOAD] = ACTIVEMM_CR3_WRITES,
	[ACTIVEMM_FLUSH] = ACTIVEMM_CR3_WRITES,
};

struct counters {
	int switches;
	int loads;
};

static int tracepoint_id(const char *name)
{
	char path[100];
	int id = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/kernel/tracing/events/%s/id", name);
	file = fopen(path, "r");
	if (!file) {
		mount("tracefs", "/sys/kernel/tracing", "tracefs", 0, NULL);
		file = fopen(path, "r");
	}
	if (!file)
		return -1;
	if (fscanf(file, "%d", &id) != 1)
		id = -1;
	fclose(file);
	return id;
}

/* On the CPU, not on the task: the scheduler stops a task's events before it switches mms. */
static int event_open(struct perf_event_attr *attr)
{
	attr->size = sizeof(*attr);
	attr->disabled = 1;
	return syscall(SYS_perf_event_open, attr, -1, TEST_CPU, -1, PERF_FLAG_FD_CLOEXEC);
}

static int switches_open(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.config = tracepoint_id("sched/sched_switch"),
	};

	return event_open(&attr);
}

#if defined(__aarch64__)
/* Its kernels tell of no load; the function that does it is entered for each. */
static int loads_open(void)
{
	struct perf_event_attr attr = { .config1 = (uintptr_t) "check_and_switch_context" };
	FILE *file = fopen("/sys/bus/event_source/devices/kprobe/type", "r");

	if (!file || fscanf(file, "%u", &attr.type) != 1)
		attr.type = UINT32_MAX;
	if (file)
		fclose(file);
	return event_open(&attr);
}
#else
static int loads_open(void)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.config = tracepoint_id("tlb/tlb_flush"),
	};
	int fd = event_open(&attr);

	if (fd >= 0 && ioctl(fd, PERF_EVENT_IOC_SET_FILTER, "reason==0")) {
		close(fd);
		return -1;
	}
	return fd;
}
#endif

static void counters_control(const struct counters *counters, unsigned long request)
{
	ioctl(counters->switches, request, 0);
	ioctl(counters->loads, request, 0);
}

static uint64_t counter_read(int fd)
{
	uint64_t value = 0;

	return read(fd, &value, sizeof(value)) == sizeof(value) ? value : UINT64_MAX;
}

static int trips(int fd, unsigned int n)
{
	int err = 0;

	while (n-- && !err)
		err = call(fd, ACTIVEMM_ROUND_TRIP, NULL);
	return err;
}

/*
 * The tick and kernel threads add switches to some batches; they never take one away. The number
 * of round trips made.
 */
static uint64_t check_mode_counts(const struct counters *counters, enum activemm_mode mode, int fd)
{
	uint64_t switches, loads, most_switches = 0, most_loads = 0;
	int batch, exact = 0, fewer = 0;
	int err = 0;

	for (batch = 0; batch < BATCHES && exact < EXACT && !err; batch++) {
		counters_control(counters, PERF_EVENT_IOC_RESET);
		counters_control(counters, PERF_EVENT_IOC_ENABLE);
		err = trips(fd, TRIPS);
		counters_control(counters, PERF_EVENT_IOC_DISABLE);
		switches = counter_read(counters->switches);
		loads = counter_read(counters->loads);
		exact += switches == 2 * TRIPS && loads == loads_per_trip[mode] * TRIPS;
		fewer += switches < 2 * TRIPS || loads < loads_per_trip[mode] * TRIPS;
		most_switches = switches > most_switches ? switches : most_switches;
		most_loads = loads > most_loads ? loads : most_loads;
	}
	check(!err, "%s: round trips succeed (%s)", mode_name(mode), strerror(-err));
	if (!check(exact == EXACT && !fewer,
		   "%s: 2 switches and %llu CR3 loads per round trip (%d of %d batches exact)",
		   mode_name(mode), (unsigned long long)loads_per_trip[mode], exact, batch))
		check_note("at most %llu switches and %llu loads in %d round trips; %d batches had "
			   "fewer",
			   (unsigned long long)most_switches, (unsigned long long)most_loads, TRIPS,
			   fewer);
	return batch * TRIPS;
}

static void check_mode_totals(enum activemm_mode mode, int fd, uint64_t n)
{
	struct activemm_report report;
	int err = call(fd, ACTIVEMM_REPORT, &report);
	pid_t thread = 0;

	kernel_threads(&thread);
	check(!err && report.thread == thread, "%s: the module reports its thread, %d",
	      mode_name(mode), thread);
	check(!err && report.mode == mode && report.cpu == TEST_CPU && report.round_trips == n,
	      "%s: the module reports %llu round trips", mode_name(mode), (unsigned long long)n);
	check(!err && report.cr3_writes == n * writes_per_trip[mode],
	      "%s: the module reports %llu CR3 writes of its own", mode_name(mode),
	      (unsigned long long)(n * writes_per_trip[mode]));
	check(!err && report.leaves == (mode == ACTIVEMM_LEAVE ? n : 0),
	      "%s: the module reports its leave_mm calls", mode_name(mode));
}

static int open_mode(enum activemm_mode mode, pid_t *sleeper)
{
	int fd;

	*sleeper = mode == ACTIVEMM_ISOLATED ? sleeper_start() : 0;
	fd = session_open_on(mode, TEST_CPU, *sleeper);
	check(fd >= 0, "%s: a session opens (%s)", mode_name(mode), strerror(fd < 0 ? -fd : 0));
	return fd;
}

void check_counts(void)
{
	struct counters counters = {
		.switches = switches_open(),
		.loads = loads_open(),
	};
	pid_t sleeper;
	int fd;

	if (!check(counters.switches >= 0 && counters.loads >= 0, "the kernel's events open (%s)",
		   strerror(errno)))
		return;
	pin(TEST_CPU);
	for (int mode = 0; mode < ACTIVEMM_MODES; mode++) {
		if (!mode_is_here(mode))
			continue;
		fd = open_mode(mode, &sleeper);
		if (fd >= 0) {
			check_mode_totals(mode, fd, check_mode_counts(&counters, mode, fd));
			close(fd);
		}
		if (sleeper)
			sleeper_stop(sleeper);
	}
	pin(0);
	close(counters.switches);
	close(counters.loads);
}

static bool seen_as_expected(enum activemm_mode mode, const struct activemm_report *r)
{
	bool borrows = mode != ACTIVEMM_ISOLATED;
	uint32_t flags = ACTIVEMM_OBSERVED |
			 (borrows ? ACTIVEMM_BORROWS_CALLER : ACTIVEMM_THREAD_HAS_MM);

	return r->flags == flags && r->caller_mm != 0 && (r->thread_mm == 0) == borrows &&
	       r->thread_active_mm == (borrows ? r->caller_mm : r->thread_mm) &&
	       r->during.users == r->before.users && r->after.users == r->before.users &&
	       r->during.count == r->before.count + borrows && r->after.count == r->before.count;
}

/* A few times: the other CPU's idle task may borrow the same mm, or let go of it, meanwhile. */
void check_reports(void)
{
	struct activemm_report r = { 0 };
	pid_t sleeper;
	bool seen;
	int fd;

	pin(TEST_CPU);
	for (int mode = 0; mode < ACTIVEMM_MODES; mode++) {
		if (!mode_is_here(mode))
			continue;
		fd = open_mode(mode, &sleeper);
		seen = false;
		for (int i = 0; fd >= 0 && i < 10 && !seen; i++) {
			seen = !call(fd, ACTIVEMM_OBSERVE, NULL) &&
			       !call(fd, ACTIVEMM_REPORT, &r) && seen_as_expected(mode, &r);
		}
		check(seen,
		      "%s: the thread saw mm %s, active_mm %s, mm_count %u, %u, %u, mm_users %u",
		      mode_name(mode), r.flags & ACTIVEMM_THREAD_HAS_MM ? "its own" : "NULL",
		      r.flags & ACTIVEMM_BORROWS_CALLER ? "the caller's" : "another",
		      r.before.count, r.during.count, r.after.count, r.before.users);
		if (fd >= 0)
			close(fd);
		if (sleeper)
			sleeper_stop(sleeper);
	}
	pin(0);
}
