/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comparisons need of one line of trials.jsonl, without building the line's tree: a set may hold a million lines of which most
 * bytes are of no interest. The whole line is still checked against JSON's grammar.
 */
#ifndef LIB_RESULTS_SCAN_LINE_H
#define LIB_RESULTS_SCAN_LINE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/base/schema.h"

#define TRIAL_COUNTERS 64 /* more in one line are no trial of this suite */

struct line_text {
	const char *at; /* not terminated */
	size_t len;
};

struct line_view {
	struct line_text scenario, params; /* params: its JSON text */
	double ns; /* per round trip; NaN where the line has null or nothing that can be a time (<= 0) */
	double counted; /* round trips that were counted, NaN: not known */
	double speed
		[SPEED_KINDS +
		 1]; /* ns of the pieces of work beside it, then of its round trips by the same mean; NaN: not there */
	bool valid, verified;
	struct line_text batches; /* series_ns as JSON text, len 0 if absent */
	int counters; /* of the measured CPU, then those of the helper CPU, then what counted interrupts on more CPUs */
	struct {
		const char *prefix; /* before the name: "", "remote-" */
		struct line_text name;
		double value; /* per round trip; NaN: unavailable */
		double share; /* of the time in which it was counted, where it was scaled up; else 1 */
	} counter[TRIAL_COUNTERS];
};

/*
 * Scans @line (NUL-terminated at @len). True with @v filled, which points into the line, if it is a sound trial of the current
 * schema. False does not say that it is none: it may hold escapes, text beyond ASCII, another schema, a key twice, or be damaged; let
 * jansson read it then and scan_line_json() decide. Whatever is scanned as sound, jansson reads alike.
 */
bool scan_line(const char *line, size_t len, struct line_view *v);

/*
 * The same of a line that result_parse_trial() has read. @v points into @trial and into @owned, which the caller frees (both, also
 * after a failure). False: more counters than TRIAL_COUNTERS, or no memory.
 */
bool scan_line_json(const json_t *trial, struct line_view *v, char *owned[2]);

/* The numbers of @batches' text into @series: how many, at most @most. */
size_t scan_batches(const struct line_view *v, double *series, size_t most);

#endif
