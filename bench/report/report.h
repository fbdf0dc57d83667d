/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A result set's pictures and page. */
#ifndef BENCH_REPORT_REPORT_H
#define BENCH_REPORT_REPORT_H

#include <stdbool.h>
#include <stdio.h>

#include "lib/results/set.h"

struct picture {
	const char *name; /* file names: NAME.svg, NAME.png, data/NAME.dat */
	char title[160]; /* the finding */
	const char *caption; /* how to read it */
	char note[160]; /* what it leaves out, or "" */
	char argument[1600]; /* for the gnuplot program: names of the data's blocks, the cliff */
	bool has_data;
	bool drawn;
	const char *why; /* not drawn: why */
	char failure[200]; /* what gnuplot said */
};

#define PICTURES 12

/* Where pictures go, what they are drawn from, and what stands on each of them. */
struct picture_place {
	const char *command; /* whose messages they are */
	const char *plots; /* folder of the gnuplot programs */
	const char *dir;
	const char *data, *ending; /* the data of NAME: folder data, file NAMEending */
	const char *subject, *warning; /* warning: or "" */
};

/* Draws those of @p[@n] that have data; what cannot be drawn says so on standard error and in its why. */
void pictures_draw(struct picture *p, int n, const struct picture_place *place);

/*
 * Writes the data files of all pictures below @dir/data and fills @p[PICTURES]. Times are left out where they mean
 * nothing. 0 or -errno.
 */
int report_data(struct picture *p, const json_t *summary, const struct result_set *set,
		const char *dir, struct error *e);

/* Writes @dir/report.html: one page that needs no other file. 0 or -errno. */
int report_html(const struct picture *p, const json_t *summary, const struct result_set *set,
		const char *dir, struct error *e);

/*
 * A watch that was recorded (activemm-watch(1)): is @set one, and its report: pictures, page, and a summary on standard
 * output. @dir: where they go; what the watch wrote down stays as it is. 0 or -errno.
 */
bool report_is_watch(const struct result_set *set);
int report_watch(const struct result_set *set, const char *dir, struct error *e);

struct html_machine {
	const char *name; /* NULL where there is one */
	const json_t *record;
};

/* A page, @file in @dir: heading, subject, what @body writes, and the machines' records. */
struct html_page {
	const char *heading;
	const char *subject;
	const char *dir, *file;
	const struct html_machine *machines;
	size_t nmachines;
	const struct picture *pictures; /* drawn in @dir */
	int npictures;
	void (*body)(FILE *f, const struct html_page *page);
	const void *context; /* for @body */
};

/* Writes the page. 0 or -errno. */
int html_page(const struct html_page *page, struct error *e);

/* For @body: the pictures with their captions, escaped text, and that between two tags. */
void html_pictures(FILE *f, const struct html_page *page);
void html_text(FILE *f, const char *s);
void html_element(FILE *f, const char *open, const char *s, const char *close);

/* "AMD EPYC, Linux 6.18" for titles. */
void report_subject(const struct result_set *set, char *buf, size_t len);

#endif
