// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A story in the JSON trace-event form that Perfetto and chrome://tracing read ("Trace Event Format"): a track per task, one per CPU for
 * what CR3 holds, loads and shootdowns as instants on it, borrowing and giving back as flow arrows.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/explain/explain.h"
#include "lib/base/member.h"

/* Groups of tracks; the format calls them processes. */
enum { GROUP_TASKS = 1, GROUP_CR3 };

struct trace {
	const struct story *story;
	json_t *events;
	unsigned int flows; /* arrows so far */
	bool failed; /* memory ran out */
};

static void add(struct trace *t, json_t *event)
{
	if (!event || member_append(t->events, event))
		t->failed = true;
}

static const char *mm_text(const struct trace *t, int mm)
{
	return mm == STORY_NO_MM ? "-" : t->story->mms[mm].name;
}

/* A track's number: tasks have theirs by pid and CPU, for every CPU's idle task is pid 0, which the viewers treat as none. */
static json_int_t track(const struct story_task *task, int cpu)
{
	return task->pid ? (json_int_t)task->pid : (json_int_t)(1 << 30) + cpu;
}

static void group_name(struct trace *t, int group, const char *name)
{
	add(t, member_pack("{s:s, s:s, s:i, s:{s:s}}", "ph", "M", "name", "process_name", "pid",
			   group, "args", "name", name));
}

static void track_name(struct trace *t, int group, json_int_t tid, const char *name)
{
	add(t, member_pack("{s:s, s:s, s:i, s:I, s:{s:s}}", "ph", "M", "name", "thread_name", "pid",
			   group, "tid", tid, "args", "name", name));
}

static json_t *count(int n)
{
	return n < 0 ? json_null() : json_integer(n);
}

static void slice(struct trace *t, int group, json_int_t tid, const char *name, double from,
		  double to, json_t *args)
{
	add(t, member_pack("{s:s, s:s, s:i, s:I, s:f, s:f, s:o}", "ph", "X", "name", name, "pid",
			   group, "tid", tid, "ts", from, "dur", to - from, "args", args));
}

/* From a task's slice as it ends to another's as it begins. */
static void arrow(struct trace *t, const char *name, const struct story_step *step)
{
	int id = (int)++t->flows;

	/* An arrow is bound to the slices that its ends lie in: a nanosecond into each. */
	add(t, member_pack("{s:s, s:s, s:s, s:i, s:i, s:I, s:f}", "ph", "s", "name", name, "cat",
			   "active_mm", "id", id, "pid", GROUP_TASKS, "tid",
			   track(&step->prev, step->cpu), "ts", step->us - 0.001));
	add(t, member_pack("{s:s, s:s, s:s, s:s, s:i, s:i, s:I, s:f}", "ph", "f", "bp", "e", "name",
			   name, "cat", "active_mm", "id", id, "pid", GROUP_TASKS, "tid",
			   track(&step->next, step->cpu), "ts", step->us + 0.001));
}

static void task_runs(struct trace *t, const struct story_task *task, int cpu, double from,
		      double to)
{
	char name[80];

	if (task->mm == STORY_NO_MM)
		snprintf(name, sizeof(name), "no mm, borrows %s", mm_text(t, task->active_mm));
	else
		snprintf(name, sizeof(name), "mm %s", mm_text(t, task->mm));
	slice(t, GROUP_TASKS, track(task, cpu), name, from, to,
	      member_pack("{s:s, s:i, s:s, s:s, s:o, s:o}", "task", story_name(task), "cpu", cpu,
			  "mm", mm_text(t, task->mm), "active_mm", mm_text(t, task->active_mm),
			  "mm_users", count(task->mm_users), "mm_count", count(task->mm_count)));
}

static void instant(struct trace *t, const struct story_step *step)
{
	const char *name = step->loads ? step->flushes ? "CR3 load, flushed" : "CR3 load, kept"
				       : "TLB flush";

	if (step->is_switch && !step->loads)
		return;
	add(t, member_pack("{s:s, s:s, s:s, s:i, s:i, s:f, s:{s:s}}", "ph", "i", "s", "t", "name",
			   name, "pid", GROUP_CR3, "tid", step->cpu + 1, "ts", step->us, "args",
			   "what", step->what));
}

/* Everything of one CPU: who runs, and what is loaded. */
static void cpu_tell(struct trace *t, int cpu)
{
	struct story_stretch s = { .cpu = cpu };
	double since = 0, loaded_since = 0;
	char name[40];

	snprintf(name, sizeof(name), "CR3 of CPU %d", cpu);
	track_name(t, GROUP_CR3, cpu + 1, name);
	while (story_stretch_next(t->story, &s)) {
		const struct story_step *step = s.end;

		/* Stretches of the same task, and of the same mm, are one slice. */
		if (s.running && (!step || step->is_switch) && s.until > since) {
			task_runs(t, s.running, cpu, since, s.until);
			since = s.until;
		}
		if (s.running && (!step || step->loaded != s.loaded) && s.until > loaded_since) {
			slice(t, GROUP_CR3, cpu + 1, mm_text(t, s.loaded), loaded_since, s.until,
			      json_object());
			loaded_since = s.until;
		}
		if (!step)
			continue;
		instant(t, step);
		if (!step->is_switch)
			continue;
		if (step->class == SWITCH_BORROW || step->class == SWITCH_PASS)
			arrow(t, "borrows", step);
		else if (step->class == SWITCH_BACK)
			arrow(t, "gives back", step);
	}
}

static void tracks_name(struct trace *t)
{
	const struct story *story = t->story;
	json_t *named = json_object();
	char key[32], name[64];

	for (unsigned int i = 0; i < story->nsteps; i++) {
		const struct story_step *step = &story->steps[i];
		const struct story_task *both[] = { &step->prev, &step->next };

		for (int k = 0; k < (step->is_switch ? 2 : 1); k++) {
			json_int_t tid = track(both[k], step->cpu);

			snprintf(key, sizeof(key), "%lld", (long long)tid);
			if (json_object_get(named, key))
				continue;
			member_set(named, key, json_true());
			snprintf(name, sizeof(name), "%s %u", story_name(both[k]), both[k]->pid);
			track_name(t, GROUP_TASKS, tid, name);
		}
	}
	json_decref(named);
}

int story_perfetto(const struct story *story, const char *path, struct error *error)
{
	struct trace t = { .story = story, .events = json_array() };
	json_t *all;
	int rc = 0;

	group_name(&t, GROUP_TASKS, "tasks");
	group_name(&t, GROUP_CR3, "what CR3 holds");
	tracks_name(&t);
	cpu_tell(&t, story->cpu);
	if (story->remote.cpu >= 0)
		cpu_tell(&t, story->remote.cpu);
	all = member_pack("{s:o, s:s, s:{s:s, s:s, s:s, s:s}}", "traceEvents", t.events,
			  "displayTimeUnit", "ns", "otherData", "scenario", story->scenario->name,
			  "params", story->params, "source", story->exact ? "bpf" : "perf",
			  "conclusion", story->conclusion);
	if (!all || t.failed)
		rc = error_set(error, ENOMEM, "no memory for the trace");
	else if (members_failed(error))
		rc = -EINVAL;
	else if (json_dump_file(all, path, JSON_COMPACT | JSON_REAL_PRECISION(12)))
		rc = error_set(error, errno ? errno : EIO, "cannot write %s: %s", path,
			       strerror(errno ? errno : EIO));
	json_decref(all);
	return rc;
}
