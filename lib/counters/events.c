// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif
#include <perfmon/pfmlib_perf_event.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "lib/counters/events.h"

/*
 * "dtlb-load-misses" are what the vendor counts first: Intel completed page walks, AMD misses of the L1 dTLB, Arm refills of it.
 * "dtlb-walks" are walks everywhere. Never compared across vendors. Codes: Intel SDM vol. 3B ch. 20 and the perfmon lists, AMD's PPRs
 * (PMCx045, PMCx078, PMCx076, PMCx0C0), Arm's architecture (0x05, 0x34, 0x11, 0x08).
 */
#define CYCLES_INTEL "UNHALTED_CORE_CYCLES"
#define INTEL(walk_cycles, flushes)                                                        \
	{                                                                                  \
		"DTLB_LOAD_MISSES:WALK_COMPLETED", walk_cycles, CYCLES_INTEL,              \
			"INSTRUCTION_RETIRED", "DTLB_LOAD_MISSES:WALK_COMPLETED", flushes, \
			CYCLES_INTEL, CYCLES_INTEL                                         \
	}
#define INTEL_OLD INTEL("DTLB_LOAD_MISSES:WALK_DURATION", "TLB_FLUSH:DTLB_THREAD")
#define INTEL_NEW INTEL("DTLB_LOAD_MISSES:WALK_PENDING", "TLB_FLUSH:DTLB_THREAD")
/* From Golden Cove on: event 12H, and no TLB_FLUSH. */
#define GOLDEN_COVE INTEL("DTLB_LOAD_MISSES:WALK_PENDING", NULL)
#define GOLDEN_COVE_RAW                                               \
	{                                                             \
		0x0e12, 0x1012, 0x003c, 0x00c0, 0x0e12, 0, 0x3c, 0x3c \
	}
#define AMD_L1_HITS                                                                 \
	":TLB_RELOAD_4K_L2_HIT:TLB_RELOAD_COALESCED_PAGE_HIT:TLB_RELOAD_2M_L2_HIT:" \
	"TLB_RELOAD_1G_L2_HIT"
#define AMD_WALKS                                                                     \
	":TLB_RELOAD_4K_L2_MISS:TLB_RELOAD_COALESCED_PAGE_MISS:TLB_RELOAD_2M_L2_MISS" \
	":TLB_RELOAD_1G_L2_MISS"
#define AMD_ZEN(flushes)                                                           \
	{                                                                          \
		"L1_DTLB_MISS" AMD_L1_HITS AMD_WALKS, NULL, "CYCLES_NOT_IN_HALT",  \
			"RETIRED_INSTRUCTIONS", "L1_DTLB_MISS" AMD_WALKS, flushes, \
			"CYCLES_NOT_IN_HALT", "CYCLES_NOT_IN_HALT"                 \
	}
#define AMD_RAW                                                       \
	{                                                             \
		0xff45, 0, 0x0076, 0x00c0, 0xf045, 0xff78, 0x76, 0x76 \
	}
#define NEOVERSE                                                                         \
	{                                                                                \
		"L1D_TLB_REFILL", NULL, "CPU_CYCLES", "INST_RETIRED", "DTLB_WALK", NULL, \
			"CPU_CYCLES", "CPU_CYCLES"                                       \
	}
#define NEOVERSE_RAW                                     \
	{                                                \
		0x05, 0, 0x11, 0x08, 0x34, 0, 0x11, 0x11 \
	}

const struct event_family event_families[] = {
	{ "hsw", INTEL_OLD, { 0 }, 0, 0, { 0 } },
	{ "hsw_ep", INTEL_OLD, { 0 }, 0, 0, { 0 } },
	{ "bdw", INTEL_OLD, { 0 }, 0, 0, { 0 } },
	{ "bdw_ep", INTEL_OLD, { 0 }, 0, 0, { 0 } },
	{ "skl", INTEL_NEW, { 0 }, 0, 0, { 0 } },
	{ "skx", INTEL_NEW, { 0 }, 0, 0, { 0 } },
	{ "clx", INTEL_NEW, { 0 }, 0, 0, { 0 } },
	{ "icl", INTEL_NEW, { 0 }, 0, 0, { 0 } },
	{ "icx", INTEL_NEW, { 0 }, 0, 0, { 0 } },
	{ "spr", GOLDEN_COVE, GOLDEN_COVE_RAW, 'I', 6, { 0x8f } },
	{ "emr", GOLDEN_COVE, GOLDEN_COVE_RAW, 'I', 6, { 0xcf } },
	{ "gnr", GOLDEN_COVE, GOLDEN_COVE_RAW, 'I', 6, { 0xad, 0xae } },
	{ "adl_glc", GOLDEN_COVE, GOLDEN_COVE_RAW, 'I', 6, { 0x97, 0x9a, 0xb7, 0xba, 0xbf } },
	/* Zen 1's list has no umask for all flushes: 0xff by its PPR. */
	{ "amd64_fam17h_zen1", AMD_ZEN(""), AMD_RAW, 'A', 0x17, { 0x01, 0x08, 0x11, 0x18, 0x20 } },
	{ "amd64_fam17h_zen2", AMD_ZEN("TLB_FLUSHES:ALL"), AMD_RAW, 'A', 0x17, { 0 } },
	{ "amd64_fam19h_zen4",
	  AMD_ZEN("TLB_FLUSHES:ALL"),
	  AMD_RAW,
	  'A',
	  0x19,
	  { 0x11, 0x18, 0x61, 0x74, 0x75, 0x78, 0xa0 } },
	{ "amd64_fam19h_zen3", AMD_ZEN("TLB_FLUSHES:ALL"), AMD_RAW, 'A', 0x19, { 0 } },
	{ "amd64_fam1ah_zen5", AMD_ZEN("TLB_FLUSHES:ALL"), AMD_RAW, 'A', 0x1a, { 0 } },
	{ "arm_n1", NEOVERSE, NEOVERSE_RAW, 0, 0, { 0 } },
	{ "arm_n2", NEOVERSE, NEOVERSE_RAW, 0, 0, { 0 } },
	{ "arm_v1", NEOVERSE, NEOVERSE_RAW, 0, 0, { 0 } },
	{ "arm_v2", NEOVERSE, NEOVERSE_RAW, 0, 0, { 0 } },
	{ .pmu = NULL },
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
	[EVENT_DTLB_WALKS] = { NULL, 0, 0 },
	[EVENT_TLB_FLUSHES] = { NULL, 0, 0 },
	[EVENT_CYCLES_USER] = { "cycles:u", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES },
	[EVENT_CYCLES_KERNEL] = { "cycles:k", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES },
};

/* libpfm4 looks there without asking whether it could (4.13 crashes where it cannot). */
static bool cpuinfo_reads(void)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	bool reads = f && fgetc(f) != EOF;

	if (f)
		fclose(f);
	return reads;
}

static bool pfm_ready(void)
{
	static int state;

	if (!state)
		state = cpuinfo_reads() && pfm_initialize() == PFM_SUCCESS ? 1 : -1;
	return state > 0;
}

const struct event_family *event_family_of(char vendor, unsigned int family, unsigned int model)
{
	for (const struct event_family *f = event_families; f->pmu; f++) {
		if (!vendor || f->vendor != vendor || f->family != family)
			continue;
		if (!f->models[0])
			return f;
		for (size_t i = 0; i < sizeof(f->models) && f->models[i]; i++)
			if (f->models[i] == model)
				return f;
	}
	return NULL;
}

/* For a CPU that is younger than the library. */
static const struct event_family *family_by_cpuid(void)
{
#if defined(__x86_64__) || defined(__i386__)
	unsigned int eax, ebx, ecx, edx, family, model;

	if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx))
		return NULL;
	/* "Genu"ine Intel, "Auth"entic AMD. */
	char vendor = ebx == 0x756e6547 ? 'I' : ebx == 0x68747541 ? 'A' : 0;

	__get_cpuid(1, &eax, &ebx, &ecx, &edx);
	family = (eax >> 8 & 0xf) + (eax >> 20 & 0xff);
	model = (eax >> 4 & 0xf) | (eax >> 12 & 0xf0);
	return vendor ? event_family_of(vendor, family, model) : NULL;
#else
	return NULL;
#endif
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
	return family_by_cpuid();
}

static int resolve_raw(const struct event_family *family, enum event_use use,
		       struct event_code *code)
{
	code->type = PERF_TYPE_RAW;
	code->config = family->raw[use];
	snprintf(code->name, sizeof(code->name), "%s raw 0x%04llx", family->pmu,
		 (unsigned long long)code->config);
	return 0;
}

int event_resolve(const struct event_family *family, enum event_use use, struct event_code *code,
		  struct error *e)
{
	struct perf_event_attr attr = { .size = sizeof(attr) };
	pfm_perf_encode_arg_t arg = { .attr = &attr, .size = sizeof(arg) };
	char event[288];
	int rc;

	memset(code, 0, sizeof(*code));
	code->user_only = use == EVENT_CYCLES_USER;
	code->kernel_only = use == EVENT_CYCLES_KERNEL;
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
	snprintf(event, sizeof(event), "%s::%s", family->pmu, family->names[use]);
	rc = family->names[use][0] && pfm_ready()
		     ? pfm_get_os_event_encoding(event, PFM_PLM0 | PFM_PLM3, PFM_OS_PERF_EVENT,
						 &arg)
		     : PFM_ERR_NOTFOUND;
	if (rc != PFM_SUCCESS && family->raw[use])
		return resolve_raw(family, use, code);
	if (rc != PFM_SUCCESS)
		return error_set(e, ENOENT, "libpfm4 does not know %s: %s", event,
				 pfm_strerror(rc));
	code->type = attr.type;
	code->config = attr.config;
	code->config1 = attr.config1;
	code->config2 = attr.config2;
	snprintf(code->name, sizeof(code->name), "%.250s", event);
	return 0;
}

/* Is @cpu in a list like "0-7,16"? */
static bool list_holds(const char *list, int cpu)
{
	int from, to, used;

	for (; sscanf(list, "%d%n", &from, &used) == 1; list += list[0] == ',') {
		list += used;
		to = from;
		if (sscanf(list, "-%d%n", &to, &used) == 1)
			list += used;
		if (cpu >= from && cpu <= to)
			return true;
	}
	return false;
}

/* The first line of a PMU's file into @text; false if it has none. */
static bool pmu_file(const char *root, const char *pmu, const char *file, char *text, size_t len)
{
	char path[512];
	bool got;
	FILE *f;

	snprintf(path, sizeof(path), "%s/sys/bus/event_source/devices/%s/%s", root, pmu, file);
	f = fopen(path, "re");
	got = f && fgets(text, (int)len, f);
	if (f)
		fclose(f);
	return got;
}

int event_pmu_of_cpu(const char *root, int cpu, struct event_pmu *pmu)
{
	char path[256], text[4096];
	struct dirent *d;
	int rc = -ENOENT;
	DIR *dir;

	snprintf(path, sizeof(path), "%s/sys/bus/event_source/devices", root);
	dir = opendir(path);
	/* PMUs outside the cores have a `cpumask', and that of alike cores has neither. */
	while (dir && rc && (d = readdir(dir))) {
		if (!pmu_file(root, d->d_name, "cpus", text, sizeof(text)) ||
		    !list_holds(text, cpu) ||
		    !pmu_file(root, d->d_name, "type", text, sizeof(text)) ||
		    sscanf(text, "%u", &pmu->type) != 1)
			continue;
		snprintf(pmu->name, sizeof(pmu->name), "%.31s", d->d_name);
		rc = 0;
	}
	if (dir)
		closedir(dir);
	return rc;
}

bool event_pmu_has_families(const struct event_pmu *pmu)
{
	return strncmp(pmu->name, "cpu_", 4) != 0 || !strcmp(pmu->name, "cpu_core");
}

void event_pmu_aim(struct event_code *code, const struct event_pmu *pmu)
{
	if (code->type != PERF_TYPE_HARDWARE && code->type != PERF_TYPE_HW_CACHE)
		code->type = pmu->type;
	else if (!strncmp(pmu->name, "cpu_", 4)) /* elsewhere each PMU takes its own CPUs' */
		code->config |= (uint64_t)pmu->type << 32; /* PERF_PMU_TYPE_SHIFT */
}
