/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the gnuplot programs of plots/. */
#ifndef BENCH_REPORT_GNUPLOT_H
#define BENCH_REPORT_GNUPLOT_H

#include <stddef.h>

struct drawing {
	const char *plots; /* folder below plots/: "run", "compare", "watch", "explain" */
	const char *name; /* of its NAME.gp, DIR/NAME.svg and DIR/NAME.png */
	const char *dir;
	const char *data; /* file to draw from */
	const char *title; /* the finding */
	const char *subject; /* machine and kernel */
	const char *warning; /* or "" */
	const char *argument; /* for the program, or "" */
};

/*
 * Draws NAME.svg and NAME.png; neither a part of a picture nor an older one is left where drawing fails. 0 where the SVG is drawn;
 * then with @why where the PNG is not. Else -errno with @why: -ENOENT where no further picture can be drawn either, for
 * gnuplot or its programs are missing.
 */
int gnuplot_draw(const struct drawing *d, char *why, size_t room);

/* Removes what an earlier report drew. */
void gnuplot_remove(const struct drawing *d);

/* The text of a file that lies with the gnuplot programs, malloc'ed; NULL where it cannot be read. */
char *plots_read(const char *name);

#endif
