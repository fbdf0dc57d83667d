// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"
#include <errno.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include "lib/switches/counts.h"
#include "lib/switches/perf-ring.h"
#include "lib/switches/total.h"

struct switch_total {
	hwloc_bitmap_t cpus; /* NULL: all */
	unsigned int cpu_count;
	int *fds; /* -1: not open, the CPU is offline */
	uint64_t closed; /* counted by events that were closed when their CPU went offline */
	uint64_t start; /* /proc/stat's count at open */
	uint64_t own, own_seen; /* the caller's: to be left out; by its own account */
	uint64_t latest;
};

static int stat_read(uint64_t *count, struct error *error)
{
	FILE *file = fopen("/proc/stat", "re");
	unsigned long long value;
	size_t room = 0;
	char *line = NULL;
	bool found = false;

	while (file && !found && getline(&line, &room, file) > 0)
		found = sscanf(line, "ctxt %llu", &value) == 1;
	free(line);
	if (file)
		fclose(file);
	if (!found)
		return error_set(error, ENOENT, "/proc/stat: no count of context switches");
	*count = value;
	return 0;
}

static int event_read(const struct switch_total *total, unsigned int cpu, uint64_t *sum,
		      struct error *error)
{
	uint64_t value;

	if (total->fds[cpu] < 0)
		return 0;
	if (read(total->fds[cpu], &value, sizeof(value)) != sizeof(value))
		return error_set(error, EIO, "CPU %u's context switches cannot be read", cpu);
	*sum += value;
	return 0;
}

static int events_follow(struct switch_total *total, struct error *error)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_CONTEXT_SWITCHES };
	hwloc_bitmap_t online = switch_cpus_read("online", error);
	int ret = online ? 0 : -ENOENT;

	for (unsigned int cpu = 0; !ret && cpu < total->cpu_count; cpu++) {
		bool on = hwloc_bitmap_isset(online, cpu) && hwloc_bitmap_isset(total->cpus, cpu);

		if (!on && total->fds[cpu] >= 0) {
			ret = event_read(total, cpu, &total->closed, error);
			close(total->fds[cpu]);
			total->fds[cpu] = -1;
		} else if (on && total->fds[cpu] < 0) {
			ret = switch_event_open(&attr, cpu, error);
			if (ret >= 0)
				total->fds[cpu] = ret;
			/* It went offline since we looked. */
			if (ret >= 0 || ret == -ENODEV)
				ret = 0;
		}
	}
	hwloc_bitmap_free(online);
	return ret;
}

static void own_count(struct switch_total *total)
{
	struct rusage usage;
	uint64_t left;
	int cpu = sched_getcpu();

	if (getrusage(RUSAGE_SELF, &usage))
		return;
	left = usage.ru_nvcsw + usage.ru_nivcsw;
	/* Away and back again. */
	if (!total->cpus || (cpu >= 0 && hwloc_bitmap_isset(total->cpus, cpu)))
		total->own += 2 * (left - total->own_seen);
	total->own_seen = left;
}

int switch_total_open(struct switch_total **out, hwloc_const_bitmap_t cpus, struct error *error)
{
	struct switch_total *total = calloc(1, sizeof(*total));
	int ret;

	if (!total)
		return error_set(error, ENOMEM, "no memory to count switches");
	ret = switch_cpu_count(error);
	if (ret > 0) {
		total->cpu_count = ret;
		total->fds = malloc(ret * sizeof(*total->fds));
		if (cpus)
			total->cpus = hwloc_bitmap_dup(cpus);
		for (unsigned int cpu = 0; total->fds && cpu < total->cpu_count; cpu++)
			total->fds[cpu] = -1;
		ret = total->fds && (!cpus || total->cpus)
			      ? 0
			      : error_set(error, ENOMEM, "no memory to count switches");
	}
	if (!ret)
		ret = cpus ? events_follow(total, error) : stat_read(&total->start, error);
	if (ret) {
		switch_total_close(total);
		return ret;
	}
	own_count(total);
	total->own = 0;
	*out = total;
	return 0;
}

int switch_total_read(struct switch_total *total, uint64_t *count, struct error *error)
{
	uint64_t sum = total->closed;
	int ret;

	own_count(total);
	if (!total->cpus) {
		ret = stat_read(&sum, error);
		sum -= total->start;
	} else {
		ret = events_follow(total, error);
		for (unsigned int cpu = 0; !ret && cpu < total->cpu_count; cpu++)
			ret = event_read(total, cpu, &sum, error);
	}
	if (ret)
		return ret;
	sum = sum > total->own ? sum - total->own : 0;
	/* Our own last switch may be known to us before it is counted there. */
	if (sum > total->latest)
		total->latest = sum;
	*count = total->latest;
	return 0;
}

const char *switch_total_source(const struct switch_total *total)
{
	return total->cpus ? "perf's context-switches" : "/proc/stat";
}

void switch_total_close(struct switch_total *total)
{
	if (!total)
		return;
	for (unsigned int cpu = 0; total->fds && cpu < total->cpu_count; cpu++)
		if (total->fds[cpu] >= 0)
			close(total->fds[cpu]);
	hwloc_bitmap_free(total->cpus);
	free(total->fds);
	free(total);
}
