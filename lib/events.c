// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <perfmon/pfmlib_perf_event.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/events.h"

/*
 * Walks that completed, for loads, and the cycles they took. What a "dTLB miss" is differs per vendor:
 * Intel counts page walks, AMD misses of the L1 dTLB, Arm refills. Never compared across vendors.
 */
#define INTEL_OLD                                                                    \
	{                                                                            \
		"DTLB_LOAD_MISSES:WALK_COMPLETED", "DTLB_LOAD_MISSES:WALK_DURATION", \
			"UNHALTED_CORE_CYCLES", "INSTRUCTION_RETIRED"                \
	}
#define INTEL_NEW                                                                   \
	{                                                                           \
		"DTLB_LOAD_MISSES:WALK_COMPLETED", "DTLB_LOAD_MISSES:WALK_PENDING", \
			"UNHALTED_CORE_CYCLES", "INSTRUCTION_RETIRED"               \
	}
#define AMD_ZEN                                                                                 \
	{                                                                                       \
		"L1_DTLB_MISS:TLB_RELOAD_4K_L2_HIT:TLB_RELOAD_4K_L2_MISS:TLB_RELOAD_2M_L2_HIT:" \
		"TLB_RELOAD_2M_L2_MISS",                                                        \
			NULL, "CYCLES_NOT_IN_HALT", "RETIRED_INSTRUCTIONS"                      \
	}

const struct event_family event_families[] = {
	{ "hsw", INTEL_OLD },
	{ "hsw_ep", INTEL_OLD },
	{ "bdw", INTEL_OLD },
	{ "bdw_ep", INTEL_OLD },
	{ "skl", INTEL_NEW },
	{ "skx", INTEL_NEW },
	{ "clx", INTEL_NEW },
	{ "icl", INTEL_NEW },
	{ "icx", INTEL_NEW },
	{ "spr", INTEL_NEW },
	{ "emr", INTEL_NEW },
	{ "gnr", INTEL_NEW },
	{ "adl_glc", INTEL_NEW },
	{ "amd64_fam17h_zen1", AMD_ZEN },
	{ "amd64_fam17h_zen2", AMD_ZEN },
	{ "amd64_fam19h_zen3", AMD_ZEN },
	{ "amd64_fam19h_zen4", AMD_ZEN },
	{ "amd64_fam1ah_zen5", AMD_ZEN },
	{ "arm_n1", { "L1D_TLB_REFILL", NULL, "CPU_CYCLES", "INST_RETIRED" } },
	{ "arm_n2", { "L1D_TLB_REFILL", NULL, "CPU_CYCLES", "INST_RETIRED" } },
	{ "arm_v2", { "L1D_TLB_REFILL", NULL, "CPU_CYCLES", "INST_RETIRED" } },
	{ NULL, { NULL, NULL, NULL, NULL } },
};

static const struct {
	const char *name;
	uint32_t type;
	uint64_t config;
} generic_events[EVENT_USES] = {
	[EVENT_DTLB_LOAD_MISSES] = { "dTLB-load-misses", PERF_TYPE_HW_CACHE,
				     PERF_COUNT_HW_CACHE_DTLB | PERF_COUNT_HW_CACHE_OP_READ << 8 |
					     PERF_COUNT_HW_CACHE_RESULT_MISS << 16 },
	[EVENT_DTLB_WALK_CYCLES] = { NULL, 0, 0 },
	[EVENT_CYCLES] = { "cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES },
	[EVENT_INSTRUCTIONS] = { "instructions", PERF_TYPE_HARDWARE, PERF_COUNT_HW_INSTRUCTIONS },
};

static bool pfm_ready(void)
{
	static int state;

	if (!state)
		state = pfm_initialize() == PFM_SUCCESS ? 1 : -1;
	return state > 0;
}

const struct event_family *event_family_here(void)
{
	if (!pfm_ready())
		return NULL;
	for (int pmu = 0; pmu < PFM_PMU_MAX; pmu++) {
		pfm_pmu_info_t info = { .size = sizeof(info) };

		if (pfm_get_pmu_info(pmu, &info) != PFM_SUCCESS || !info.is_present)
			continue;
		for (const struct event_family *f = event_families; f->pmu; f++)
			if (!strcmp(f->pmu, info.name))
				return f;
	}
	return NULL;
}

int event_resolve(const struct event_family *family, enum event_use use, struct event_code *code,
		  struct error *e)
{
	struct perf_event_attr attr = { .size = sizeof(attr) };
	pfm_perf_encode_arg_t arg = { .attr = &attr, .size = sizeof(arg) };
	char event[160];
	int rc;

	memset(code, 0, sizeof(*code));
	if (!family) {
		if (!generic_events[use].name)
			return error_set(
				e, ENOENT,
				"no generic event counts it and this CPU model has no entry");
		code->type = generic_events[use].type;
		code->config = generic_events[use].config;
		snprintf(code->name, sizeof(code->name), "%s", generic_events[use].name);
		return 0;
	}
	if (!family->names[use])
		return error_set(e, ENOENT, "%s has no such event", family->pmu);
	if (!pfm_ready())
		return error_set(e, ENOENT, "libpfm4 could not be initialised");
	snprintf(event, sizeof(event), "%s::%s", family->pmu, family->names[use]);
	rc = pfm_get_os_event_encoding(event, PFM_PLM0 | PFM_PLM3, PFM_OS_PERF_EVENT, &arg);
	if (rc != PFM_SUCCESS)
		return error_set(e, ENOENT, "libpfm4 does not know %s: %s", event,
				 pfm_strerror(rc));
	code->type = attr.type;
	code->config = attr.config;
	code->config1 = attr.config1;
	code->config2 = attr.config2;
	snprintf(code->name, sizeof(code->name), "%s", event);
	return 0;
}
