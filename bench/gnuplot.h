/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs the gnuplot programs of plots/. */
#ifndef BENCH_GNUPLOT_H
#define BENCH_GNUPLOT_H

struct drawing {
	const char *name; /* of plots/NAME.gp, DIR/NAME.svg and DIR/NAME.png */
	const char *dir;
	const char *data; /* file to draw from */
	const char *title; /* the finding */
	const char *subject; /* machine and kernel */
	const char *warning; /* or "" */
	const char *argument; /* for the program, or "" */
};

/*
 * Draws both files. 0, or -errno with the reason and the remedy in *@why (static): -ENOENT where no further picture can be
 * drawn either, for gnuplot or its programs are missing.
 */
int gnuplot_draw(const struct drawing *d, const char **why);

#endif
