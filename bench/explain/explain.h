/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `activemm explain`: a few round trips told switch by switch. */
#ifndef BENCH_EXPLAIN_EXPLAIN_H
#define BENCH_EXPLAIN_EXPLAIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "bench/harness/trial.h"
#include "lib/switches/log-bpf.h"

#define STORY_NO_MM (-1)

/* An address space of the story, named in the order of appearance. */
struct story_mm {
	uint64_t id; /* kernel address, or a stand-in (log-perf.h) */
	char name[12]; /* "A", "B", ..., "init_mm" */
	char whose[80]; /* the tasks that live in it */
};

struct story_task {
	uint32_t pid, tgid;
	char comm[COMM_LEN + 1];
	bool kernel; /* a kernel thread */
	bool own; /* takes part in the scenario; else it intrudes */
	int mm, active_mm; /* indices of story.mms, or STORY_NO_MM */
	int mm_users, mm_count; /* of the active mm; -1: not known */
};

/* A switch, or a TLB event between two switches. */
struct story_step {
	bool is_switch;
	int cpu;
	double us; /* since the window began */
	/* As it leaves the CPU; or in whose time the event happened. */
	struct story_task prev;
	/* As it runs: active_mm and the counts are those that it leaves with in its turn. */
	struct story_task next;
	enum switch_class class;
	unsigned int loads, flushes; /* CR3 loads of this step, and those of them that flushed */
	bool blind; /* its loads would not have been seen */
	int loaded; /* the mm in CR3 from here on */
	int reason; /* of an event: enum flush_reason */
	int64_t pages; /* of an event; -1: everything */
	char what[200]; /* in words */
};

struct story {
	const struct scenario *scenario;
	char params[256];
	int cpu;
	uint64_t round_trips;
	bool exact; /* told by BPF */
	bool loads_seen; /* the kernel has tlb:tlb_flush */
	char missing[1000]; /* what cannot be told here, and how to get it; "" if nothing */
	uint64_t lost; /* entries that the log had no room for */
	double length_us;
	struct story_mm *mms;
	unsigned int nmms;
	struct story_step *steps;
	unsigned int nsteps;
	unsigned int switches, classes[SWITCH_CLASSES], loads, flushes, intrusions, blind;
	/* What happened on the helper CPU, where that belongs to the scenario (its steps are told, too). */
	struct {
		int cpu; /* -1: it does not */
		unsigned int switches, loads, flushes, shootdowns;
		unsigned int foreign; /* switches to tasks that are not the trial's */
	} remote;
	uint64_t module_loads;
	struct claim claim;
	bool kept; /* the claim */
	char conclusion[800];
};

/* The log of the CPU, gathered by story_log(). */
struct story_log {
	struct switch_log_entry *entries;
	size_t count, room;
	bool full; /* memory ran out */
};

/* Brings the entries of several CPUs into the order of time. */
void story_log_sort(struct story_log *log);

/* A switch_visit that keeps every entry in a struct story_log. */
void story_log(void *log, const struct switch_log_entry *entry);

/*
 * Tells what @log, which is in the order of time, has of @window. The caller has filled what comes before `length_us`, and the
 * remote CPU. 0 or -ENOMEM. Free with story_free().
 */
int story_tell(struct story *story, const struct story_log *log, const struct trial_window *window,
	       const struct bench *bench, struct error *error);
void story_free(struct story *story);

/* What a CPU does between two of its steps: who runs, and with what loaded. Begin with all but @cpu zero. */
struct story_stretch {
	int cpu;
	const struct story_task *running; /* NULL: no step of that CPU tells */
	int loaded; /* index of story.mms, or STORY_NO_MM */
	double since, until; /* us */
	const struct story_step *end; /* the step that ends it; NULL: the window does */
	unsigned int index; /* of the steps, the iteration's own */
	bool over;
};

/* The next stretch of @s->cpu, in the order of time; false after the last. */
bool story_stretch_next(const struct story *story, struct story_stretch *s);

/* Says in words what each step is, and what all of them say of the claim. */
void story_words(struct story *story);

/* The table, and the same as JSON (new reference, NULL: no memory). */
void story_print(const struct story *story, FILE *out);
json_t *story_json(const struct story *story);

/* Draws DIR/explain.svg and .png by way of DIR/data/explain.dat. 0 or -errno. */
int story_draw(const struct story *story, const char *dir, const char *subject,
	       struct error *error);

/*
 * Writes DIR/explain.html: the timeline, a picture to step through and the table of all steps. The picture needs script, the rest does
 * not. 0 or -errno.
 */
struct picture;
int story_page(const struct story *story, const char *dir, const char *subject,
	       const struct picture *timeline, const json_t *machine, struct error *error);

/* Writes the story to @path as JSON trace events, for Perfetto and chrome://tracing. 0 or -errno. */
int story_perfetto(const struct story *story, const char *path, struct error *error);

/* A task's name for the reader: the idle task has none in the log. */
const char *story_name(const struct story_task *task);

/* A claimed range per round trip as a total over the story: "8", "4 to 8". */
void story_range_text(const struct story *story, const struct claim_range *range, char *text,
		      size_t length);

#endif
