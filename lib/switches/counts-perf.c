// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "lib/switches/counts-perf.h"
#include "lib/machine/clock.h"
#include "lib/switches/perf-ring.h"
#include "lib/switches/task-table.h"

#define IDLE_PID 0

/* sched_switch's prev_state bits of a task that is gone for good. */
#define STATE_EXITING 0x30

/* Pairs beyond these are in "others". A power of two. */
#define PAIRS 16384

struct sample_cpu {
	struct switch_ring ring;
	struct switch_counts seen; /* what was classed */
	uint64_t seen_switches; /* all records, whether the filter wanted them or not */
	uint64_t counted; /* by events that were closed when the CPU went offline */
	uint64_t flushes[SWITCH_RING_FLUSHES];
	uint64_t counted_now, flushes_now[SWITCH_RING_FLUSHES]; /* with those that are open */
	uint32_t lender;
	bool lender_match;
	bool borrowed;
};

struct counts_perf {
	struct switch_options options;
	hwloc_bitmap_t cpus;
	uint64_t *ids;
	char comm[COMM_LEN];
	unsigned int cpu_count;
	struct sample_cpu *cpu;
	struct switch_events events;
	struct task_table *tasks;
	struct switch_pair pairs[PAIRS];
	size_t pair_count;
};

static bool selected(const struct counts_perf *sample, const struct task_entry *task)
{
	size_t length = strlen(sample->comm);

	switch (sample->options.filter) {
	case FILTER_PID:
		for (size_t i = 0; i < sample->options.id_count; i++)
			if (sample->ids[i] == task->tgid)
				return true;
		return false;
	case FILTER_COMM:
		if (sample->comm[length - 1] == '*')
			return !strncmp(task->comm, sample->comm, length - 1) ||
			       !strncmp(task->leader, sample->comm, length - 1);
		return !strncmp(task->comm, sample->comm, COMM_LEN) ||
		       !strncmp(task->leader, sample->comm, COMM_LEN);
	default:
		return true;
	}
}

static struct switch_row *row_find(struct counts_perf *sample, uint64_t key, const char *who,
				   const char *whose)
{
	size_t at = key * 0x9e3779b97f4a7c15ull >> 40 & (PAIRS - 1);
	struct switch_pair *pair;

	while (sample->pairs[at].key && sample->pairs[at].key != key)
		at = (at + 1) & (PAIRS - 1);
	pair = &sample->pairs[at];
	if (!pair->key) {
		if (sample->pair_count >= PAIRS / 4 * 3)
			return NULL;
		sample->pair_count++;
		pair->key = key;
		snprintf(pair->row.who, COMM_LEN, "%.15s", who);
	}
	if (whose && !pair->row.whose[0])
		snprintf(pair->row.whose, COMM_LEN, "%.15s", whose);
	return &pair->row;
}

static struct task_entry entry_of(struct counts_perf *sample, uint32_t pid, const char *comm)
{
	if (pid == IDLE_PID)
		return (struct task_entry){ .kthread = true, .known = true, .comm = "swapper" };
	return *task_table_find(sample->tasks, pid, comm);
}

static uint32_t who_is(const struct task_entry *task, unsigned int cpu)
{
	if (!task->kthread)
		return WHO_EXITING | cpu;
	return task->pid ? task->pid : WHO_IDLE | cpu;
}

/* The same rules as in the BPF program, with the process in the place of the mm. */
static void switch_seen(void *context, unsigned int number, const struct switch_record *record)
{
	struct counts_perf *sample = context;
	struct sample_cpu *cpu = &sample->cpu[number];
	struct task_entry prev = entry_of(sample, record->prev_pid, record->prev_comm);
	struct task_entry next = entry_of(sample, record->next_pid, record->next_comm);
	bool from = !prev.kthread && !(record->prev_state & STATE_EXITING), to = !next.kthread;
	bool match = selected(sample, &prev), next_match = selected(sample, &next);
	int idle = !prev.pid || !next.pid;
	enum switch_class class;
	uint32_t lender, who;
	struct switch_row *row;

	cpu->seen_switches++;
	if (!prev.kthread) {
		cpu->lender = prev.tgid;
		cpu->lender_match = match;
		if (!to)
			cpu->borrowed = true;
	}
	match = match || next_match || cpu->lender_match;
	lender = cpu->lender;
	if (!to) {
		class = from ? SWITCH_BORROW : SWITCH_PASS;
		who = who_is(&next, number);
	} else if (!from) {
		class = lender == next.tgid ? SWITCH_BACK : SWITCH_ON;
		who = who_is(&prev, number);
	} else {
		class = prev.tgid == next.tgid ? SWITCH_THREAD : SWITCH_REAL;
		who = WHO_NONE | number;
		lender = next.tgid;
	}
	if (match) {
		bool saves = class == SWITCH_BACK && cpu->borrowed;

		cpu->seen.switches[class][idle]++;
		cpu->seen.saved[idle] += saves ? 2 : 0;
		row = row_find(sample, (uint64_t)who << 32 | lender,
			       from && to ? ""
			       : to	  ? prev.comm
					  : next.comm,
			       class == SWITCH_BORROW			    ? prev.leader
			       : class == SWITCH_PASS || class == SWITCH_ON ? NULL
									    : next.leader);
		if (row) {
			row->switches[class]++;
			row->saved += saves ? 2 : 0;
		}
	}
	if (to) {
		cpu->borrowed = false;
		cpu->lender = next.tgid;
		cpu->lender_match = next_match;
	}
}

static void task_made(void *context, uint32_t tid, uint32_t tgid, uint32_t parent)
{
	struct counts_perf *sample = context;

	task_table_fork(sample->tasks, tid, tgid, parent);
}

static void rings_drain(struct counts_perf *sample)
{
	for (unsigned int i = 0; i < sample->cpu_count; i++)
		if (switch_ring_is_open(&sample->cpu[i].ring))
			switch_ring_look(&sample->cpu[i].ring, task_made, sample);
	for (unsigned int i = 0; i < sample->cpu_count; i++)
		if (switch_ring_is_open(&sample->cpu[i].ring))
			switch_ring_drain(&sample->cpu[i].ring, i, &sample->events, switch_seen,
					  sample);
}

static int filter_copy(struct counts_perf *sample, const struct switch_options *options,
		       struct error *error)
{
	sample->options = *options;
	sample->options.ids = NULL;
	if (options->filter == FILTER_CGROUP)
		return error_set(error, ENOTSUP, "a control group can only be followed with BPF");
	if (options->filter == FILTER_COMM)
		strncpy(sample->comm, options->comm, COMM_LEN - 1);
	if (options->filter == FILTER_PID) {
		sample->ids = calloc(options->id_count, sizeof(*sample->ids));
		if (!sample->ids)
			return error_set(error, ENOMEM, "no memory for the filter");
		memcpy(sample->ids, options->ids, options->id_count * sizeof(*sample->ids));
	}
	if (options->cpus) {
		sample->cpus = hwloc_bitmap_dup(options->cpus);
		if (!sample->cpus)
			return error_set(error, ENOMEM, "no memory for a set of CPUs");
	}
	return 0;
}

/* Keep what a closing event has counted: its CPU may come back. */
static void cpu_stop(struct counts_perf *sample, unsigned int number)
{
	struct sample_cpu *cpu = &sample->cpu[number];
	uint64_t flushes[SWITCH_RING_FLUSHES];

	if (!switch_ring_is_open(&cpu->ring))
		return;
	cpu->counted += switch_ring_count(&cpu->ring, flushes);
	rings_drain(sample);
	for (int i = 0; i < SWITCH_RING_FLUSHES; i++)
		cpu->flushes[i] += flushes[i];
	switch_ring_close(&cpu->ring);
	cpu->lender = 0;
	cpu->borrowed = false;
}

static int cpus_follow(struct counts_perf *sample, struct error *error)
{
	hwloc_bitmap_t online = switch_cpus_read("online", error);
	int ret = online ? 0 : -ENOENT;

	for (unsigned int i = 0; !ret && i < sample->cpu_count; i++) {
		struct switch_ring *ring = &sample->cpu[i].ring;

		if (!hwloc_bitmap_isset(online, i)) {
			cpu_stop(sample, i);
		} else if ((!sample->cpus || hwloc_bitmap_isset(sample->cpus, i)) &&
			   !switch_ring_is_open(ring)) {
			ret = switch_ring_open(ring, i, &sample->events, error);
			/* It went offline since we looked. */
			if (ret == -ENODEV)
				ret = 0;
		}
	}
	hwloc_bitmap_free(online);
	return ret;
}

int counts_perf_open(struct counts_perf **out, const struct switch_options *options,
		     struct error *error)
{
	struct counts_perf *sample = calloc(1, sizeof(*sample));
	int ret;

	if (!sample)
		return error_set(error, ENOMEM, "no memory for the switch events");
	ret = switch_cpu_count(error);
	if (ret > 0) {
		sample->cpu_count = ret;
		sample->cpu = calloc(ret, sizeof(*sample->cpu));
		sample->tasks = task_table_new();
		ret = sample->cpu && sample->tasks
			      ? 0
			      : error_set(error, ENOMEM, "no memory for the task table");
	}
	for (unsigned int i = 0; !ret && i < sample->cpu_count; i++)
		switch_ring_init(&sample->cpu[i].ring);
	if (!ret)
		ret = filter_copy(sample, options, error);
	if (!ret)
		ret = switch_events_find(&sample->events, !options->no_loads, error);
	if (!ret)
		ret = cpus_follow(sample, error);
	if (ret) {
		counts_perf_close(sample);
		return ret;
	}
	*out = sample;
	return 0;
}

int counts_perf_drain(struct counts_perf *sample, struct error *error)
{
	int ret = cpus_follow(sample, error);

	if (ret)
		return ret;
	rings_drain(sample);
	return 0;
}

static void cpu_count(struct sample_cpu *cpu)
{
	uint64_t flushes[SWITCH_RING_FLUSHES] = { 0 };

	cpu->counted_now = cpu->counted;
	if (switch_ring_is_open(&cpu->ring))
		cpu->counted_now += switch_ring_count(&cpu->ring, flushes);
	for (int i = 0; i < SWITCH_RING_FLUSHES; i++)
		cpu->flushes_now[i] = cpu->flushes[i] + flushes[i];
}

static void counts_scale(struct switch_counts *counts, double factor)
{
	for (int idle = 0; idle < 2; idle++) {
		for (int class = 0; class < SWITCH_CLASSES; class ++)
			counts->switches[class][idle] = counts->switches[class][idle] * factor +
							0.5;
		counts->saved[idle] = counts->saved[idle] * factor + 0.5;
	}
}

static int pairs_copy(const struct counts_perf *sample, struct switch_snapshot *snapshot,
		      struct error *error)
{
	struct switch_pair *pairs;

	pairs = realloc(snapshot->pairs, (sample->pair_count + 1) * sizeof(*pairs));
	if (!pairs)
		return error_set(error, ENOMEM, "no memory for %zu borrowers", sample->pair_count);
	snapshot->pairs = pairs;
	snapshot->pair_count = 0;
	for (size_t i = 0; i < PAIRS; i++)
		if (sample->pairs[i].key)
			pairs[snapshot->pair_count++] = sample->pairs[i];
	return 0;
}

int counts_perf_read(struct counts_perf *sample, struct switch_snapshot *snapshot, bool with_pairs,
		     struct error *error)
{
	uint64_t seen = 0, counted = 0;
	int ret;

	ret = switch_snapshot_resize(snapshot, sample->cpu_count, error);
	if (!ret)
		ret = cpus_follow(sample, error);
	if (ret)
		return ret;
	/* Counted before the rings are emptied: what is short then was lost, not late. */
	for (unsigned int i = 0; i < sample->cpu_count; i++)
		cpu_count(&sample->cpu[i]);
	rings_drain(sample);
	snapshot->time_ns = clock_monotonic_ns();
	for (unsigned int i = 0; i < sample->cpu_count; i++) {
		struct sample_cpu *cpu = &sample->cpu[i];
		struct switch_counts *counts = &snapshot->cpu[i];
		uint64_t *flushes = cpu->flushes_now, all = cpu->counted_now;

		*counts = cpu->seen;
		/* What the buffer had no room for is taken to be like what was seen. */
		if (cpu->seen_switches && all > cpu->seen_switches)
			counts_scale(counts, (double)all / cpu->seen_switches);
		counts->loads[LOADS_OUTSIDE][LOAD_KEPT] = flushes[SWITCH_RING_KEPT];
		counts->loads[LOADS_OUTSIDE][LOAD_FLUSHED] = flushes[SWITCH_RING_FLUSHED];
		counts->flushes[FLUSH_REMOTE_SENT] = flushes[SWITCH_RING_SENT];
		counts->flushes[FLUSH_REMOTE_RECEIVED] = flushes[SWITCH_RING_RECEIVED];
		seen += cpu->seen_switches;
		counted += all;
	}
	switch_snapshot_sum(snapshot);
	snapshot->missed = 0;
	snapshot->no_loads = sample->options.no_loads	? SWITCH_NO_LOADS_WANTED
			     : sample->events.has_flush ? NULL
							: SWITCH_NO_LOADS_KERNEL;
	snapshot->loads_by_class = false;
	snapshot->estimated = true;
	snapshot->classed = counted > seen ? (double)seen / counted : 1;
	return with_pairs ? pairs_copy(sample, snapshot, error) : 0;
}

void counts_perf_close(struct counts_perf *sample)
{
	if (!sample)
		return;
	for (unsigned int i = 0; sample->cpu && i < sample->cpu_count; i++)
		switch_ring_close(&sample->cpu[i].ring);
	task_table_free(sample->tasks);
	hwloc_bitmap_free(sample->cpus);
	free(sample->cpu);
	free(sample->ids);
	free(sample);
}
