/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A result set's pictures and page. */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stdbool.h>

#include "lib/result.h"

struct picture {
	const char *name; /* file names: NAME.svg, NAME.png, data/NAME.dat */
	char title[160]; /* the finding */
	const char *caption; /* how to read it */
	char argument[320]; /* for the gnuplot program: names of the data's blocks, the cliff */
	bool has_data;
	bool drawn;
	const char *why; /* not drawn: why */
};

#define PICTURES 5

/*
 * Writes the data files of all pictures below @dir/data and fills @p[PICTURES]. Times are left out where they mean
 * nothing. 0 or -errno.
 */
int report_data(struct picture *p, const json_t *summary, const struct result_set *set,
		const char *dir, struct error *e);

/* Writes @dir/report.html: one page that needs no other file. 0 or -errno. */
int report_html(const struct picture *p, const json_t *summary, const struct result_set *set,
		const char *dir, struct error *e);

/* "AMD EPYC, Linux 6.18" for titles. */
void report_subject(const struct result_set *set, char *buf, size_t len);

#endif
