// SPDX-License-Identifier: GPL-2.0-or-later
/* What both sources of switch counts share: the snapshot and its arithmetic. */
#include "config.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/switches/counts.h"

/* struct switch_counts is an array of counters with names, of which the switches come first. */
_Static_assert(offsetof(struct switch_counts, switches) == 0, "switches first");
_Static_assert(sizeof(struct switch_counts) % sizeof(__u64) == 0, "only counters");

static void counts_add(struct switch_counts *to, const struct switch_counts *from)
{
	const __u64 *source = (const __u64 *)from;
	__u64 *sum = (__u64 *)to;

	for (size_t i = 0; i < sizeof(*to) / sizeof(*sum); i++)
		sum[i] += source[i];
}

void switch_counts_subtract(struct switch_counts *to, const struct switch_counts *from)
{
	const __u64 *source = (const __u64 *)from;
	__u64 *rest = (__u64 *)to;

	/* A scaled estimate may move back a little: never below nothing. */
	for (size_t i = 0; i < sizeof(*to) / sizeof(*rest); i++)
		rest[i] = rest[i] > source[i] ? rest[i] - source[i] : 0;
}

uint64_t switch_count_scale(uint64_t value, double factor)
{
	return factor == 1 ? value : (uint64_t)((double)value * factor + 0.5);
}

static struct switch_cover cover_between(const struct switch_snapshot *now,
					 const struct switch_snapshot *before)
{
	struct switch_cover cover = now->cover;

	if (before) {
		cover.seen -= before->cover.seen;
		cover.all -= before->cover.all;
	}
	/* An open window goes on while the kernel's count is read. */
	if (cover.all < cover.seen)
		cover.all = cover.seen;
	return cover;
}

double switch_counts_factor(const struct switch_snapshot *now, const struct switch_snapshot *before)
{
	struct switch_cover cover;

	if (!now->in_turns)
		return 1;
	cover = cover_between(now, before);
	return cover.seen ? (double)cover.all / (double)cover.seen : 0;
}

uint64_t switch_counts_all(const struct switch_snapshot *now, const struct switch_snapshot *before)
{
	struct switch_counts counts;

	if (now->in_turns)
		return cover_between(now, before).all;
	counts = switch_counts_between(now, before, -1);
	return switch_counts_switches(&counts);
}

struct switch_counts switch_counts_between(const struct switch_snapshot *now,
					   const struct switch_snapshot *before, int cpu)
{
	struct switch_counts counts = cpu < 0 ? now->total : now->cpu[cpu];
	double factor = switch_counts_factor(now, before);
	__u64 *at = (__u64 *)&counts, sum = 0, done = 0;
	size_t switches = sizeof(counts.switches) / sizeof(*at);

	if (before)
		switch_counts_subtract(&counts, cpu < 0 ? &before->total : &before->cpu[cpu]);
	if (factor == 1)
		return counts;
	/* Rounded sums, not summed roundings: the classes add up to the total. */
	for (size_t i = 0; i < switches; i++) {
		sum += at[i];
		at[i] = switch_count_scale(sum, factor) - done;
		done += at[i];
	}
	for (size_t i = switches; i < sizeof(counts) / sizeof(*at); i++)
		at[i] = switch_count_scale(at[i], factor);
	return counts;
}

void switch_snapshot_sum(struct switch_snapshot *snapshot)
{
	memset(&snapshot->total, 0, sizeof(snapshot->total));
	for (unsigned int cpu = 0; cpu < snapshot->cpu_count; cpu++)
		counts_add(&snapshot->total, &snapshot->cpu[cpu]);
}

int switch_snapshot_resize(struct switch_snapshot *snapshot, unsigned int cpu_count,
			   struct error *error)
{
	struct switch_counts *cpu;

	if (snapshot->cpu_count == cpu_count)
		return 0;
	cpu = calloc(cpu_count, sizeof(*cpu));
	if (!cpu)
		return error_set(error, ENOMEM, "no memory for the counters of %u CPUs", cpu_count);
	free(snapshot->cpu);
	snapshot->cpu = cpu;
	snapshot->cpu_count = cpu_count;
	return 0;
}

void switch_snapshot_free(struct switch_snapshot *snapshot)
{
	free(snapshot->cpu);
	free(snapshot->seen);
	free(snapshot->pairs);
	memset(snapshot, 0, sizeof(*snapshot));
}

uint64_t switch_counts_class(const struct switch_counts *counts, enum switch_class class)
{
	return counts->switches[class][0] + counts->switches[class][1];
}

uint64_t switch_counts_switches(const struct switch_counts *counts)
{
	uint64_t sum = 0;

	for (int class = 0; class < SWITCH_CLASSES; class ++)
		sum += switch_counts_class(counts, class);
	return sum;
}

uint64_t switch_counts_loads(const struct switch_counts *counts, int kind)
{
	uint64_t sum = 0;

	for (int class = 0; class <= SWITCH_CLASSES; class ++)
		sum += counts->loads[class][kind];
	return sum;
}

uint64_t switch_counts_saved(const struct switch_counts *counts)
{
	return counts->saved[0] + counts->saved[1];
}

const char *switch_class_name(enum switch_class class)
{
	static const char *const names[SWITCH_CLASSES] = {
		[SWITCH_BORROW] = "borrow", [SWITCH_PASS] = "pass",	[SWITCH_BACK] = "back",
		[SWITCH_ON] = "on",	    [SWITCH_THREAD] = "thread", [SWITCH_REAL] = "real",
	};

	return (unsigned int)class < SWITCH_CLASSES ? names[class] : "?";
}

hwloc_bitmap_t switch_cpus_read(const char *which, struct error *error)
{
	hwloc_bitmap_t cpus = hwloc_bitmap_alloc();
	char path[64], text[8192] = "";
	bool ok = false;
	FILE *file;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/%s", which);
	file = fopen(path, "re");
	if (file && cpus && fgets(text, sizeof(text), file)) {
		/* hwloc takes "0-1\n", but not "0\n". */
		text[strcspn(text, "\n")] = '\0';
		ok = !hwloc_bitmap_list_sscanf(cpus, text) && !hwloc_bitmap_iszero(cpus);
	}
	if (file)
		fclose(file);
	if (ok)
		return cpus;
	hwloc_bitmap_free(cpus);
	error_set(error, ENOENT, "%s: cannot be read; is /sys mounted?", path);
	return NULL;
}

int switch_cpu_count(struct error *error)
{
	hwloc_bitmap_t possible = switch_cpus_read("possible", error);
	int count;

	if (!possible)
		return -ENOENT;
	count = hwloc_bitmap_last(possible) + 1;
	hwloc_bitmap_free(possible);
	return count;
}
