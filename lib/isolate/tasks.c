// SPDX-License-Identifier: GPL-2.0-or-later
/* Tasks, one by one, by their affinity. */
#include <dirent.h>
#include <errno.h>
#include <hwloc/linux.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/isolate/isolate-private.h"
#include "lib/base/member.h"

/* Calls @visit for each thread of each process. */
static void tasks_each(void (*visit)(pid_t pid, pid_t tid, void *context), void *context)
{
	DIR *proc = opendir("/proc");
	struct dirent *p, *t;

	while (proc && (p = readdir(proc))) {
		pid_t pid = (pid_t)strtol(p->d_name, NULL, 10);
		char path[64];
		DIR *tasks;

		if (pid <= 0)
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
		tasks = opendir(path);
		while (tasks && (t = readdir(tasks)))
			if (strtol(t->d_name, NULL, 10) > 0)
				visit(pid, (pid_t)strtol(t->d_name, NULL, 10), context);
		if (tasks)
			closedir(tasks);
	}
	if (proc)
		closedir(proc);
}

struct search {
	const char *comm;
	bool found;
};

static void search_one(pid_t pid, pid_t tid, void *context)
{
	struct search *s = context;
	char path[64], *comm;

	if (pid != tid || s->found)
		return;
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	comm = line_read(path);
	s->found = comm && !strcmp(comm, s->comm);
	free(comm);
}

bool task_runs(const char *comm)
{
	struct search s = { .comm = comm };

	tasks_each(search_one, &s);
	return s.found;
}

/* hwloc's calls take any number of CPUs. */
static hwloc_bitmap_t mask_get(hwloc_topology_t hw, pid_t tid)
{
	hwloc_bitmap_t set = hwloc_bitmap_alloc();

	if (set && hwloc_linux_get_tid_cpubind(hw, tid, set)) {
		hwloc_bitmap_free(set);
		set = NULL;
	}
	return set;
}

static int mask_set(hwloc_topology_t hw, pid_t tid, hwloc_const_bitmap_t set)
{
	return hwloc_linux_set_tid_cpubind(hw, tid, set);
}

static hwloc_topology_t topology(void)
{
	hwloc_topology_t hw = NULL;

	if (hwloc_topology_init(&hw) || hwloc_topology_load(hw))
		return NULL;
	return hw;
}

struct plan {
	hwloc_topology_t hw;
	json_t *tasks;
	int cpu;
	char *left;
	size_t len;
};

static void plan_one(pid_t pid, pid_t tid, void *context)
{
	struct plan *p = context;
	hwloc_bitmap_t set;
	char list[512], key[16];

	if (pid == getpid())
		return;
	set = mask_get(p->hw, tid);
	if (set && hwloc_bitmap_isset(set, (unsigned int)p->cpu)) {
		hwloc_bitmap_list_snprintf(list, sizeof(list), set);
		snprintf(key, sizeof(key), "%d", (int)tid);
		/* A task of this CPU alone belongs there: the kernel's per-CPU threads do. */
		if (hwloc_bitmap_weight(set) > 1)
			member_set(p->tasks, key,
				   member_pack("{s:I, s:s}", "start", (json_int_t)task_start(tid),
					       "mask", list));
	}
	hwloc_bitmap_free(set);
}

void tasks_plan(json_t *journal, int cpu, char *left, size_t len)
{
	struct plan p = {
		.hw = topology(), .tasks = json_object(), .cpu = cpu, .left = left, .len = len
	};

	if (p.hw)
		tasks_each(plan_one, &p);
	member_set(journal, "tasks", p.tasks);
	if (p.hw)
		hwloc_topology_destroy(p.hw);
}

static bool same_task(pid_t tid, const json_t *task)
{
	return task_start(tid) ==
	       (unsigned long long)json_integer_value(json_object_get(task, "start"));
}

void tasks_move(const json_t *journal)
{
	int cpu = (int)json_integer_value(json_object_get(journal, "cpu"));
	hwloc_topology_t hw = topology();
	hwloc_bitmap_t set = hwloc_bitmap_alloc();
	const char *key;
	json_t *task;

	json_object_foreach (json_object_get(journal, "tasks"), key, task) {
		pid_t tid = (pid_t)strtol(key, NULL, 10);

		if (!hw || !set || !same_task(tid, task))
			continue;
		hwloc_bitmap_list_sscanf(set, json_string_value(json_object_get(task, "mask")));
		hwloc_bitmap_clr(set, (unsigned int)cpu);
		mask_set(hw, tid, set); /* a kernel thread that may not move stays */
	}
	hwloc_bitmap_free(set);
	if (hw)
		hwloc_topology_destroy(hw);
}

static pid_t parent_of(pid_t tid)
{
	char path[64], *line, *at;
	pid_t ppid = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)tid);
	line = line_read(path);
	at = line ? strrchr(line, ')') : NULL;
	if (at)
		sscanf(at + 1, " %*c %d", &ppid);
	free(line);
	return ppid;
}

/* The mask that a task born meanwhile would have inherited: of its process, or of the nearest ancestor that was moved. */
static const char *inherited(const json_t *tasks, pid_t pid)
{
	for (int depth = 0; pid > 0 && depth < 64; depth++, pid = parent_of(pid)) {
		char key[16];
		const json_t *task;

		snprintf(key, sizeof(key), "%d", (int)pid);
		task = json_object_get(tasks, key);
		if (task && same_task(pid, task))
			return json_string_value(json_object_get(task, "mask"));
	}
	return NULL;
}

struct restore {
	hwloc_topology_t hw;
	const json_t *tasks;
	int cpu;
	unsigned long long start; /* when the run that moved them began */
	hwloc_bitmap_t set;
};

static void restore_one(pid_t pid, pid_t tid, void *context)
{
	struct restore *r = context;
	hwloc_bitmap_t now;
	const char *mask;
	json_t *task;
	char key[16];

	snprintf(key, sizeof(key), "%d", (int)tid);
	task = json_object_get(r->tasks, key);
	if (task && same_task(tid, task)) {
		mask = json_string_value(json_object_get(task, "mask"));
		if (mask && !hwloc_bitmap_list_sscanf(r->set, mask))
			mask_set(r->hw, tid, r->set);
		return;
	}
	if (pid == getpid() || task_start(tid) < r->start)
		return;
	mask = inherited(r->tasks, pid);
	now = mask_get(r->hw, tid);
	/* Only where it still has what it inherited: all of the old mask but the one CPU. */
	if (mask && now && !hwloc_bitmap_list_sscanf(r->set, mask)) {
		hwloc_bitmap_clr(r->set, (unsigned int)r->cpu);
		if (hwloc_bitmap_isequal(now, r->set)) {
			hwloc_bitmap_set(r->set, (unsigned int)r->cpu);
			mask_set(r->hw, tid, r->set);
		}
	}
	hwloc_bitmap_free(now);
}

void tasks_restore(const json_t *journal)
{
	struct restore r = {
		.hw = topology(),
		.tasks = json_object_get(journal, "tasks"),
		.cpu = (int)json_integer_value(json_object_get(journal, "cpu")),
		.start = (unsigned long long)json_integer_value(json_object_get(journal, "start")),
		.set = hwloc_bitmap_alloc(),
	};

	if (r.hw && r.set && json_object_size(r.tasks))
		tasks_each(restore_one, &r);
	hwloc_bitmap_free(r.set);
	if (r.hw)
		hwloc_topology_destroy(r.hw);
}
