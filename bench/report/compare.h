/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A comparison's pictures and page. */
#ifndef BENCH_REPORT_COMPARE_H
#define BENCH_REPORT_COMPARE_H

#include "bench/compare/compare.h"
#include "bench/report/data.h"

/* A comparison to be shown. */
struct comparison {
	const json_t *all; /* by compare_sets() */
	const struct scan_set *sets; /* the base first */
	size_t n;
	const char *dir; /* where it goes */
};

/*
 * Makes @dir, or clears it of an earlier comparison's files. 0 or -errno: -EEXIST where it holds anything else, which is
 * left as it is.
 */
int compare_folder(const char *dir, struct error *e);

/* Writes comparison.json, pictures, their data and compare.html into @c's folder, and says on @out what it wrote. 0 or -errno. */
int compare_report(const struct comparison *c, FILE *out, struct error *e);

/* Writes @c's page; @p: its pictures. 0 or -errno. */
#define COMPARE_PICTURES 5
int compare_html(const struct comparison *c, const struct picture *p, const char *subject,
		 struct error *e);

/* What the writers of the pictures' data share. */

/* Room for a scenario with its parameters, and for a set's name, as pictures show them: longer ones lose their middle. */
#define PANEL_LABEL 44
#define SET_LABEL   28

/* Is any row compared by its times (or a watch's rates)? Without, pictures show counts. */
bool compared_times(const struct comparison *c);

/* A set's name (0: the base), as the comparison has it. */
const char *compared_full_name(const struct comparison *c, size_t set);

/* The same for a picture: without what all sets' names end with, nor what a data file or an argument would take for its own. */
void compared_name(const struct comparison *c, size_t set, char buf[SET_LABEL]);

/* The same of a row: "process pages=512"; @params: instead of the row's own, NULL for those. */
void compared_label(const json_t *row, const char *params, char buf[PANEL_LABEL]);

/* The longest of the sets' names from number @from on, in bytes. */
size_t compared_longest(const struct comparison *c, size_t from);

enum compared_mark { MARK_BASE, MARK_LIKE, MARK_MORE, MARK_LESS };

struct compared_point {
	double median, low, high; /* ns per round trip, or a count per round trip; NaN: none */
	enum compared_mark mark;
};

/* @row's figure in a set (0: the base). @count: which of its counts, NULL for its time. */
struct compared_point compared_point(const struct comparison *c, const json_t *row, size_t set,
				     const char *count);

/* Did @row's time, or that count of it, change in any set? */
bool compared_changed(const struct comparison *c, const json_t *row, const char *count);

/* Did any count change in any set? Then pictures of counts show those, else CR3 loads. */
bool compared_counts_changed(const struct comparison *c);
#define COMPARED_USUAL "cr3-loads"

/* What a count is of, in words. */
const char *compared_count_noun(const char *count);

/* Writers as in bench/report/data.h. */
int picture_compare_trend(const struct data *d, const struct comparison *c, struct picture *p);
int picture_compare_forest(const struct data *d, const struct comparison *c, struct picture *p);
int picture_compare_heat(const struct data *d, const struct comparison *c, struct picture *p);
int picture_compare_instructions(const struct data *d, const struct comparison *c,
				 struct picture *p);
int picture_compare_curves(const struct data *d, const struct comparison *c, struct picture *p);

#endif
