/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the history shows: trends, changes, spreads. */
#ifndef BENCH_HISTORY_HISTORY_H
#define BENCH_HISTORY_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/history/history.h"

#define HISTORY_LABEL 128

struct history_query {
	const char *spec; /* SCENARIO[:key=value,...], or NULL for all */
	const char *machine; /* its name or a part of it, or NULL for all */
	bool few; /* of the counts CR3 loads and flushes alone */
	bool by_time; /* a point for each set, not for each kernel */
	double alpha; /* chance that a history without any change is said to have one */
	double share; /* changes of times below it are left out */
	unsigned long seed;
};

/* An open history with its names, and what of it is asked for. */
struct history_view {
	struct history *h;
	struct history_query q;
	struct history_names names;
	int64_t machine; /* 0: all */
	bool *wanted; /* by names.series */
};

/*
 * Finds what @q asks for; @one: of the matching parameter sets only the plainest. -ENOENT: there is nothing such. Free with
 * view_free(), which leaves the history open.
 */
int view_make(struct history_view *v, struct history *h, const struct history_query *q, bool one,
	      struct error *e);
void view_free(struct history_view *v);

/* "process handover=pipe". */
void view_label(const struct history_series *s, char buf[HISTORY_LABEL]);

/* A kernel's sets, or one set: what a trend goes through. */
struct history_step {
	const struct history_kernel *kernel;
	int64_t ended, set; /* of the first set */
	size_t sets, from; /* how many, and the first of the line's points */
	struct history_value ns; /* of several sets: median and extremes of their medians */
	struct history_value count[HISTORY_COUNTS];
	bool changed; /* here, compared with the step before */
};

/* One series on one machine. */
struct history_line {
	const struct history_machine *machine;
	const struct history_series *series;
	struct history_point *points; /* in the steps' order */
	size_t npoints;
	struct history_step *steps;
	size_t nsteps;
};

struct history_lines {
	struct history_line *list;
	size_t n;
};

/* Calls @each with every line that is wanted; ends with what it returns unless 0. */
int view_lines(const struct history_view *v, int (*each)(struct history_line *line, void *context),
	       void *context, struct error *e);

/* All of them. Free with lines_free(). */
int view_all(const struct history_view *v, struct history_lines *all, struct error *e);
void lines_free(struct history_lines *all);

#define QUANTITY_NS (-1) /* else one of enum history_count */

struct history_change {
	const struct history_machine *machine;
	const struct history_series *series;
	const struct history_kernel *kernel[2]; /* before and after it */
	int64_t ended[2];
	int quantity;
	double value[2];
	double p; /* of a time; counts are exact */
};

struct history_changes {
	struct history_change *list;
	size_t n;
	size_t lines; /* whose times were looked at */
	size_t few; /* of them: with too few sets to tell any change */
	double alpha; /* for each */
	struct history_lines
		shown; /* that have changes, with their steps marked: a dozen at most */
	size_t left_out;
};

/*
 * Changes of times (lib/stats/changes.h, v->q.alpha shared by all lines) and of counts, between whose neighbours no trial of one has what a
 * trial of the other has. Sorted by machine and place. Free with changes_free().
 */
int changes_find(const struct history_view *v, struct history_changes *c, struct error *e);
void changes_free(struct history_changes *c);

void history_print_sets(const struct history_view *v, const struct history_set *sets, size_t n,
			FILE *out);
void history_print_trend(const struct history_view *v, const struct history_line *line, FILE *out);
void history_print_changes(const struct history_view *v, const struct history_changes *c,
			   FILE *out);

/* A line for each line that has two sessions of a kernel. */
int history_print_spread(const struct history_view *v, FILE *out, struct error *e);

/*
 * A line per set of one machine, in order of time, a column per series and quantity, for Apache Otava, which takes no gaps: columns with
 * one are left out; *@left_out: how many.
 */
int history_csv(const struct history_view *v, FILE *out, size_t *left_out, struct error *e);

/* Draws the lines into the folder @dir, which is made, and writes history.html, with @text. */
int history_draw(const struct history_view *v, const struct history_lines *lines, size_t left_out,
		 const char *heading, const char *text, const char *dir, struct error *e);

/* $XDG_DATA_HOME/activemm-bench/history.db. 0 or -errno. */
int history_default_file(char *buf, size_t len, struct error *e);

/*
 * How sessions of a kernel vary on the machine that the record @machine is of: [{"scenario", "params", "between", "within", "sets",
 * "freedom"}], as history_spread() has them. New reference in *@spreads; 0 or -errno, -ENOENT: the machine or the file is not there.
 */
int history_spreads(const char *file, const json_t *machine, json_t **spreads, struct error *e);

struct history_tally {
	size_t added, known, replaced, bad;
};

/*
 * Adds every set in @dirs and below, in transactions of at most a second; @whole: all in one that begins with forgetting everything. Bad
 * sets are complained of and counted.
 */
int history_collect(struct history *h, char *const *dirs, int ndirs, bool whole,
		    struct history_tally *tally, struct error *e);

#endif
