/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `activemm watch`: its options and the parts that show, judge and record what the source counted. */
#ifndef BENCH_WATCH_WATCH_H
#define BENCH_WATCH_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <jansson.h>
#include "lib/stats/ratio.h"
#include "lib/switches/counts.h"

enum watch_source { WATCH_AUTO, WATCH_BPF, WATCH_PERF, WATCH_BOTH };

struct watch_options {
	struct switch_options trace;
	hwloc_bitmap_t cpus;
	uint64_t *ids;
	enum watch_source source;
	double interval; /* seconds */
	double duration; /* seconds, 0: until a signal or the command's end */
	double share; /* of the time that the programs are attached; 1: always */
	uint64_t seed; /* of the windows' times */
	bool json;
	char *cgroup; /* folder of --cgroup, or NULL */
	const char *costs; /* result set with measured costs, or NULL */
	const char *record; /* folder for a result set, or NULL */
	const char *textfile; /* for the node exporter, or NULL */
	char **command; /* NULL-terminated, or NULL */
};

/* 0: go on; 1: help was printed; 2: wrong usage, and said so. */
int watch_options_parse(struct watch_options *options, int argc, char **argv);
void watch_options_free(struct watch_options *options);

/* Add a process or a control group to the filter. 0 or -ENOMEM. */
int watch_id_add(struct watch_options *options, uint64_t id);

/* Find a control group by its path, and select it with all below it. 0 or -errno. */
int watch_cgroup_find(struct watch_options *options, const char *name, struct error *error);

/* Select again what is there now. 0 or -errno: the group may have gone. */
int watch_cgroup_walk(struct watch_options *options);

/* What one CR3 load costs by a result set's `saving_ns` (two loads). */
struct watch_costs {
	bool known;
	double load_ns, low_ns, high_ns;
	char from[160]; /* where from, and a warning if it was another machine */
};

/* Read DIR/summary.json. 0 or -errno. */
int watch_costs_read(struct watch_costs *costs, const char *dir, struct error *error);

/* What has an interval where a watch in turns extrapolates: the six classes, and these. */
enum {
	WATCH_SAVED = SWITCH_CLASSES,
	WATCH_KEPT,
	WATCH_FLUSHED,
	WATCH_SENT,
	WATCH_RECEIVED,
	WATCH_KINDS
};

/* Its name in JSON. */
const char *watch_kind_name(int kind);

/* Confidence of the intervals. */
#define WATCH_LEVEL 0.95

/* A watch in turns, so far. */
struct watch_estimates {
	struct stats_total kinds[WATCH_KINDS], lazy, loads;
	double share, open_share; /* planned, and how it was */
	uint64_t windows, seed, seen, all;
	double window_s, attach_ns, detach_ns; /* means of a window */
};

struct watch_turns;

/* The shortest --interval with windows that are not too short for this share, in seconds. */
double watch_turns_least(double share);

/* Nothing is attached yet. 0 or -errno. */
int watch_turns_open(struct watch_turns **turns, const struct watch_options *options,
		     struct counts_bpf *trace, struct error *error);
int watch_turns_start(struct watch_turns *turns, uint64_t start_ns, struct error *error);

/* When watch_turns_act() has something to do (CLOCK_MONOTONIC); it opens or closes a window, or does nothing. 0 or -errno. */
uint64_t watch_turns_next(const struct watch_turns *turns);
int watch_turns_act(struct watch_turns *turns, struct error *error);

/* Close an open window, for good. 0 or -errno. */
int watch_turns_finish(struct watch_turns *turns, struct error *error);

void watch_turns_estimate(const struct watch_turns *turns, const struct switch_snapshot *now,
			  struct watch_estimates *to);

/* NULL is allowed. */
void watch_turns_close(struct watch_turns *turns);

/* One line of the tables: a borrower, or a process whose mm is lent. */
struct watch_top {
	uint32_t id; /* pid or tgid; WHO_IDLE, WHO_EXITING: all CPUs' together */
	char name[COMM_LEN];
	char most[COMM_LEN]; /* borrower: whose mm it borrowed most often */
	uint32_t most_tgid;
	uint64_t most_count;
	uint64_t switches[SWITCH_CLASSES];
	uint64_t loads[LOAD_KINDS];
	uint64_t sent;
	uint64_t saved;
};

enum watch_by { WATCH_BY_BORROWER, WATCH_BY_PROCESS };

/* How often a borrower was switched to, or a process's mm was lent or entered. */
uint64_t watch_top_weight(const struct watch_top *top, enum watch_by by);

/*
 * The `room` heaviest lines of `now` less `before` (NULL: since the start), then what all the rest
 * did, also what no longer has a pair, in `others`. Returns the number of lines or -errno.
 */
int watch_top_build(struct watch_top *tops, size_t room, struct watch_top *others, enum watch_by by,
		    const struct switch_snapshot *now, const struct switch_snapshot *before,
		    struct error *error);

/* One interval on a terminal (redrawn in place), as a line, or as one line of JSON. */
struct watch_view {
	bool terminal, json;
	bool header_shown;
	const char *source; /* "BPF" or "perf events (estimate)" */
	const struct watch_costs *costs;
	const struct watch_estimates *estimates; /* NULL: not in turns */
	hwloc_const_bitmap_t cpus;
};

/* 0, or -errno: -EPIPE when nobody reads any more. */
int watch_view_interval(struct watch_view *view, const struct switch_snapshot *now,
			const struct switch_snapshot *before, uint64_t start_ns,
			struct error *error);

/* 0, -EPIPE when nobody reads any more (a pipe or a terminal that was closed), or another -errno. */
int watch_stdout_flush(struct error *error);

/* What the end says; `other` is the second source of --source both, or NULL. */
struct watch_end {
	const struct switch_snapshot *now, *other;
	uint64_t start_ns; /* CLOCK_MONOTONIC */
	const char *source;
	const struct watch_estimates *estimates; /* NULL: not in turns */
	const char *why_estimate; /* why BPF could not be had, NULL if it could */
	const struct watch_costs *costs;
	hwloc_const_bitmap_t cpus;
};

/* To standard output; not flushed. 0 or -errno. */
int watch_summary_print(const struct watch_end *end, struct error *error);
json_t *watch_summary_json(const struct watch_end *end, struct error *error);

/* The windows and the intervals of a watch in turns. */
json_t *watch_estimates_json(const struct watch_estimates *estimates);
void watch_estimates_print(const struct watch_estimates *estimates, FILE *to);

/* The counts of one span as JSON, for intervals, CPUs and the summary alike. */
json_t *watch_counts_json(const struct switch_counts *counts, const struct switch_snapshot *about);

/* Initialise with both descriptors at -1. */
struct watch_command {
	const char *name;
	pid_t pid; /* 0: none, or it has ended */
	int status; /* as a shell has it; 0 for one that we ended ourselves */
	int gate, report;
};

/* Fork, and hold the command back until it is released. 0 or -errno. */
int watch_command_start(struct watch_command *command, const struct watch_options *options,
			struct error *error);

/* Let it run. 0 (also without a command), or -errno of an exec that failed. */
int watch_command_release(struct watch_command *command, struct error *error);

/* Did it end since the last call? Takes its status. */
bool watch_command_ended(struct watch_command *command);

/* End it if it still runs, and wait for that. Unblocks signals. */
void watch_command_stop(struct watch_command *command);

/*
 * Replaces @path by the counters since @start_ns (CLOCK_MONOTONIC), in Prometheus's text format: written beside it and renamed, so
 * that a reader finds the old or the new one. @written: of the last time, zeroed before the first: counters never go back, though
 * what they are extrapolated from may. 0 or -errno.
 */
int watch_textfile_write(const char *path, const struct switch_snapshot *now, uint64_t start_ns,
			 const struct watch_estimates *estimates, struct switch_counts *written,
			 struct error *error);

struct watch_record;

/* Start a result set in `dir`, which must be new or empty. 0 or -errno. */
int watch_record_open(struct watch_record **record, const char *dir, struct error *error);
int watch_record_interval(struct watch_record *record, const struct switch_snapshot *now,
			  const struct switch_snapshot *before, uint64_t start_ns,
			  struct error *error);
/* Write the summary and close; `summary` may be NULL (an error ended the watch). */
int watch_record_close(struct watch_record *record, json_t *summary, struct error *error);

#endif
