/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which hardware event stands behind a counter, by CPU family; names are resolved by libpfm4. */
#ifndef LIB_COUNTERS_EVENTS_H
#define LIB_COUNTERS_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

enum event_use {
	EVENT_DTLB_LOAD_MISSES,
	EVENT_DTLB_WALK_CYCLES,
	EVENT_CYCLES,
	EVENT_INSTRUCTIONS,
	EVENT_DTLB_WALKS,
	EVENT_TLB_FLUSHES,
	EVENT_CYCLES_USER,
	EVENT_CYCLES_KERNEL,
	EVENT_USES
};

/* The CPU models (libpfm4's PMU names) that have an entry of their own. */
struct event_family {
	const char *pmu; /* libpfm4 PMU name: "skl", "spr", "amd64_fam19h_zen4" */
	const char *names
		[EVENT_USES]; /* event string for libpfm4; NULL: the family has no such event */
	/*
	 * The event's code (number, umask << 8) for where libpfm4 is older than the CPU, of the vendor's list in the kernel's
	 * tools/perf/pmu-events/arch/; 0: the library has had it all along.
	 */
	uint64_t raw[EVENT_USES];
	/* For the same case, what CPUID says: vendor ('I', 'A'), family and models (0-ended; none: all of the family). */
	char vendor;
	unsigned int family;
	unsigned char models[8];
};

/* What perf_event_open needs to know of an event. (libpfm4's and the kernel's headers do not mix.) */
struct event_code {
	uint32_t type;
	uint64_t config, config1, config2;
	char name[256];
	bool user_only, kernel_only;
};

/* The table, ended by an entry without pmu. */
extern const struct event_family event_families[];

/* The PMU that libpfm4 finds on this machine and knows a family of, else the family that CPUID tells, or NULL. */
const struct event_family *event_family_here(void);

/* The family of a CPU by CPUID's vendor ('I', 'A'), family and model, or NULL. */
const struct event_family *event_family_of(char vendor, unsigned int family, unsigned int model);

/*
 * Resolves @use for @family (NULL: the kernel's generic event) into @code.
 * -ENOENT with a reason if the family has no such event or libpfm4 does not know it.
 */
int event_resolve(const struct event_family *family, enum event_use use, struct event_code *code,
		  struct error *e);

/* One of several kinds of cores: what counts on its CPUs. */
struct event_pmu {
	char name[32];
	uint32_t type;
};

/* The PMU whose `cpus' holds @cpu, in the sysfs below @root ("": this machine's). -ENOENT where CPUs do not differ. */
int event_pmu_of_cpu(const char *root, int cpu, struct event_pmu *pmu);

/* Do the families' own codes hold on it? They are those of performance cores. */
bool event_pmu_has_families(const struct event_pmu *pmu);

/* Makes @code one of that PMU. */
void event_pmu_aim(struct event_code *code, const struct event_pmu *pmu);

#endif
