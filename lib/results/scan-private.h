/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How scan-set.c and scan-part.c share the reading of a set. */
#ifndef LIB_RESULTS_SCAN_PRIVATE_H
#define LIB_RESULTS_SCAN_PRIVATE_H

#include <pthread.h>
#include <stdint.h>

#include "lib/base/lines.h"
#include "lib/results/scan-set.h"

/* From a scenario and the params' text, as written, to a group. */
struct entry {
	uint64_t hash;
	char *key; /* scenario, newline, params; NULL: free */
	size_t len, group;
};

/* What one thread reads: a set of its own, merged in the file's order afterwards. */
struct part {
	struct scan_set set;
	struct entry *table;
	size_t size, used; /* of the table; size is a power of two */
	struct lines lines;
	bool half; /* the last line is half-written */
	int rc;
	char *bad; /* with -EINVAL: the line that is wrong */
	size_t bad_len;
	pthread_t thread;
	bool started;
};

/* Reads the part's lines to their end or to the first error (rc, and lines.number). */
void part_read(struct part *p);

/* The group of that scenario and params, made if it is new. 0 or -errno. */
int part_group(struct part *p, const struct line_text *scenario, const struct line_text *params,
	       struct scan_group **g);

/* The number of the counter called so, @prefix before it, in the part's set, most likely @guess; -errno. */
ssize_t part_counter(struct part *p, const char *prefix, const struct line_text *name,
		     size_t guess);

/* The smaller of two known counts of round trips, or shares. */
double counted_least(double a, double b);

/* Makes room for @n counters in @g. 0 or -ENOMEM. */
int group_counters(struct scan_group *g, size_t n);

/* Appends what @from has read to @to, and frees its set. 0 or -errno. */
int part_merge(struct part *to, struct part *from);

/* All but the set. */
void part_free(struct part *p);

#endif
