/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which hardware event stands behind a counter, by CPU family; names are resolved by libpfm4. */
#ifndef LIB_EVENTS_H
#define LIB_EVENTS_H

#include <stddef.h>
#include <stdint.h>

#include "lib/error.h"

enum event_use {
	EVENT_DTLB_LOAD_MISSES,
	EVENT_DTLB_WALK_CYCLES,
	EVENT_CYCLES,
	EVENT_INSTRUCTIONS,
	EVENT_USES
};

/* The CPU models (libpfm4's PMU names) that have an entry of their own. */
struct event_family {
	const char *pmu; /* libpfm4 PMU name: "skl", "spr", "amd64_fam19h_zen4" */
	const char *names
		[EVENT_USES]; /* event string for libpfm4; NULL: the family has no such event */
};

/* What perf_event_open needs to know of an event. (libpfm4's and the kernel's headers do not mix.) */
struct event_code {
	uint32_t type;
	uint64_t config, config1, config2;
	char name[160];
};

/* The table, ended by an entry without pmu. */
extern const struct event_family event_families[];

/* The PMU that libpfm4 finds on this machine and knows a family of, or NULL. */
const struct event_family *event_family_here(void);

/*
 * Resolves @use for @family (NULL: the kernel's generic event) into @code.
 * -ENOENT with a reason if the family has no such event or libpfm4 does not know it.
 */
int event_resolve(const struct event_family *family, enum event_use use, struct event_code *code,
		  struct error *e);

#endif
