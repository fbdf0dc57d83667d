/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the writers of pictures' data share, of a run and of a comparison. */
#ifndef BENCH_REPORT_DATA_H
#define BENCH_REPORT_DATA_H

#include "bench/report/report.h"
#include "lib/base/member.h"

struct data {
	const json_t *summary;
	const json_t *results; /* of the summary */
	const struct result_set *set;
	const char *dir;
	bool times; /* mean something */
	struct error *e;
};

/* What is drawn over the working set. */
struct workset_curve {
	const char *scenario, *mode, *title;
};
#define WORKSET_CURVES 5
extern const struct workset_curve workset_curves[WORKSET_CURVES];

/* Opens dir/data/NAME.dat, NULL with the error filled; closes it, 0 or -errno. */
FILE *data_open(const struct data *d, const char *name);
int data_close(const struct data *d, FILE *f, const char *name);

/* Appends a median and its interval, of no width where there is none, or three NaN. */
void data_interval(FILE *f, double median, double low, double high);

/*
 * Appends @ns in units of so many: median, low and high, of the faster of two speeds where there are two, and then of the slower; else
 * three NaN. Returns whether there are two.
 */
bool data_speeds(FILE *f, const json_t *ns, double unit);

/* Appends to the picture's argument. */
void picture_argument(struct picture *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Begins a block of the data and names it in the picture's argument. */
void data_block(FILE *f, struct picture *p, const char *title);

/* Writers: fill the data file and the picture's title, argument and has_data. 0 or -errno. */
int picture_net(const struct data *d, struct picture *p);
int picture_dtlb(const struct data *d, struct picture *p);
int picture_decomposition(const struct data *d, struct picture *p);
int picture_shootdown(const struct data *d, struct picture *p);
int picture_shootdown_cpus(const struct data *d, struct picture *p);
int picture_refcount(const struct data *d, struct picture *p);
int picture_exit(const struct data *d, struct picture *p);

#endif
