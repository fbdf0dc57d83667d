/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Figures and parameters in words, for the terminal and the page alike. */
#ifndef BENCH_SUMMARY_WORDS_H
#define BENCH_SUMMARY_WORDS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define FIGURE_TEXT 160

/* Does the interval leave zero out? A figure without an interval tells nothing. */
bool figure_told(const json_t *interval);

/* Do the trials fall into two speeds? */
bool figure_two_speeds(const json_t *interval);

/* The unit, "ns", "us", "ms" or "s", in which @ns has at most three digits before its point; @scale: how many ns it is. */
const char *figure_unit(double ns, double *scale);

/* "4.26 us", "811 ns", "36.1 ns"; "-" without. */
void figure_value(double ns, char *buf, size_t len);

/* "4.26 us [4.20, 4.31]", without the interval where there is none; "3.70 or 5.20 us (two speeds)". */
void figure_text(const json_t *interval, char *buf, size_t len);

/* The same, or "could not be told (-1.6 ns [-22.8, 12.5])". */
void figure_told_text(const json_t *interval, char *buf, size_t len);

/* "6 processes, by yield, 64 pages" for a table in which the scenario is named. */
void params_words(const char *scenario, const json_t *params, char *buf, size_t len);

/* The refill's sentence, "" where nothing was measured of it. A row of the scaling: "62 % [60, 65]". */
void refill_text(const json_t *summary, char *buf, size_t len);
void scaling_text(const json_t *row, char *buf, size_t len);

/* What a row of "asked" adds: "process ibpb=on 1.20 us [1.18, 1.22]". What this machine does at a change of mm, "" where the set does not tell. */
void asked_text(const json_t *row, char *buf, size_t len);
void mm_switch_text(const json_t *summary, char *buf, size_t len);

/* The row of @scenario whose parameters are the usual ones, or the nearest to them that the set has. */
const json_t *row_usual(const json_t *summary, const json_t *machine, const char *scenario);

/* Is its count of switches only how often the trial's own tasks left the CPU? What that means, for a table that marks it. */
bool row_own_switches(const json_t *row);
bool summary_own_switches(const json_t *summary); /* of any row */
#define SUMMARY_OWN_SWITCHES                                                                  \
	"* How often the trial's own tasks left the CPU, from /proc: the kernel thread's or " \
	"another task's half of the switches is not in it, nor is it set against the claim."

/* What of a list of {"what", "why" or "text"} has the same reason, on one line: calls @line for each. */
void reasons_each(const json_t *list,
		  void (*line)(void *context, const char *what, const char *why), void *context);

#endif
