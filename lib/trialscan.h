/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comparisons need of one line of trials.jsonl, without building the line's tree: a set may hold a million lines of which most
 * bytes are of no interest. The whole line is still checked against JSON's grammar.
 */
#ifndef LIB_TRIALSCAN_H
#define LIB_TRIALSCAN_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define TRIAL_COUNTERS 64 /* more in one line are no trial of this suite */

struct trial_text {
	const char *at; /* not terminated */
	size_t len;
};

struct trial_view {
	struct trial_text scenario, params; /* params: its JSON text */
	double ns; /* per round trip; NaN where the line has null or nothing that can be a time (<= 0) */
	bool valid, verified;
	struct trial_text batches; /* series_ns as JSON text, len 0 if absent */
	int counters;
	struct {
		struct trial_text name;
		double value; /* per round trip; NaN: unavailable */
	} counter[TRIAL_COUNTERS];
};

/*
 * Scans @line (NUL-terminated at @len). True with @v filled, which points into the line, if it is a sound trial of the current
 * schema. False does not say that it is none: it may hold escapes, text beyond ASCII, another schema, a key twice, or be damaged; let
 * jansson read it then and trial_view_json() decide. Whatever is scanned as sound, jansson reads alike.
 */
bool trial_scan(const char *line, size_t len, struct trial_view *v);

/*
 * The same of a line that result_parse_trial() has read. @v points into @trial and into @owned, which the caller frees (both, also
 * after a failure). False: more counters than TRIAL_COUNTERS, or no memory.
 */
bool trial_view_json(const json_t *trial, struct trial_view *v, char *owned[2]);

/* The numbers of @batches' text into @series: how many, at most @most. */
size_t trial_batches(const struct trial_view *v, double *series, size_t most);

#endif
