// SPDX-License-Identifier: GPL-2.0-or-later
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "lib/machine/record.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/machine/ask.h"
#include "lib/machine/cpu-private.h"
#include "lib/machine/record-private.h"
#include "lib/base/schema.h"
#include "lib/base/member.h"

#define SYS_CPU "/sys/devices/system/cpu"

static json_t *record_topology(struct cpu_topology *topo)
{
	static const struct {
		const char *key;
		hwloc_obj_type_t type;
	} counts[] = {
		{ "packages", HWLOC_OBJ_PACKAGE }, { "numa_nodes", HWLOC_OBJ_NUMANODE }, { "l3_caches", HWLOC_OBJ_L3CACHE },
		{ "cores", HWLOC_OBJ_CORE },	   { "cpus", HWLOC_OBJ_PU },
	}, caches[] = {
		{ "l1d_bytes", HWLOC_OBJ_L1CACHE }, { "l2_bytes", HWLOC_OBJ_L2CACHE }, { "l3_bytes", HWLOC_OBJ_L3CACHE },
	};
	json_t *t = json_object();
	char list[1024];
	int threads = 1;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		int n = hwloc_get_nbobjs_by_type(topo->hw, counts[i].type);

		member_set(t, counts[i].key, json_integer(n > 0 ? n : 0));
	}
	for (size_t i = 0; i < sizeof(caches) / sizeof(caches[0]); i++) {
		hwloc_obj_t o = hwloc_get_obj_by_type(topo->hw, caches[i].type, 0);

		if (o && o->attr)
			member_set(t, caches[i].key, json_integer((json_int_t)o->attr->cache.size));
	}
	for (hwloc_obj_t o = NULL; (o = hwloc_get_next_obj_by_type(topo->hw, HWLOC_OBJ_CORE, o));)
		if (hwloc_bitmap_weight(o->cpuset) > threads)
			threads = hwloc_bitmap_weight(o->cpuset);
	member_set(t, "threads_per_core", json_integer(threads));
	member_set(t, "memory_bytes",
		   json_integer((json_int_t)hwloc_get_root_obj(topo->hw)->total_memory));
	cpu_allowed_list(topo, list, sizeof(list));
	member_set(t, "allowed", member_string(list));
	hwloc_bitmap_list_snprintf(list, sizeof(list), topo->isolated);
	member_set(t, "isolated", member_string(list));
	return t;
}

static json_t *record_mitigations(void)
{
	static const char dir[] = SYS_CPU "/vulnerabilities";
	char path[sizeof(dir) + 258], *full = machine_path(dir);
	DIR *d = full ? opendir(full) : NULL;
	json_t *all;

	free(full);
	if (!d)
		return machine_unavailable("%s: %s", dir, strerror(errno));
	all = json_object();
	for (struct dirent *entry; (entry = readdir(d));) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, entry->d_name);
		member_set(all, entry->d_name, machine_text_json(path));
	}
	closedir(d);
	return all;
}

static json_t *record_turbo(void)
{
	char *text = machine_text(SYS_CPU "/intel_pstate/no_turbo");
	bool inverted = text;
	json_t *on;

	if (!text)
		text = machine_text(SYS_CPU "/cpufreq/boost");
	if (!text)
		return machine_unavailable(
			"the kernel shows neither intel_pstate/no_turbo nor cpufreq/boost");
	on = json_boolean((text[0] != '0') != inverted);
	free(text);
	return on;
}

static json_t *record_frequency(int cpu)
{
	static const struct {
		const char *key, *file;
	} files[] = {
		{ "governor", "scaling_governor" },
		{ "driver", "scaling_driver" },
		{ "preference", "energy_performance_preference" },
	}, limits[] = {
		{ "min_khz", "scaling_min_freq" },
		{ "max_khz", "scaling_max_freq" },
	};
	json_t *f = json_object();
	char path[128];

	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		snprintf(path, sizeof(path), SYS_CPU "/cpu%d/cpufreq/%s", cpu, files[i].file);
		member_set(f, files[i].key, machine_text_json(path));
	}
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		snprintf(path, sizeof(path), SYS_CPU "/cpu%d/cpufreq/%s", cpu, limits[i].file);
		member_set(f, limits[i].key, machine_int_json(path));
	}
	member_set(f, "turbo", record_turbo());
	return f;
}

static json_t *record_idle_states(int cpu)
{
	json_t *states = json_array();

	for (int i = 0;; i++) {
		char base[80], path[128],
			*name = machine_text(SYS_CPU "/cpu%d/cpuidle/state%d/name", cpu, i);
		json_t *state;

		if (!name)
			return states;
		snprintf(base, sizeof(base), SYS_CPU "/cpu%d/cpuidle/state%d", cpu, i);
		state = json_object();
		member_set(state, "name", member_string(name));
		snprintf(path, sizeof(path), "%s/latency", base);
		member_set(state, "latency_us", machine_int_json(path));
		snprintf(path, sizeof(path), "%s/usage", base);
		member_set(state, "usage", machine_int_json(path));
		snprintf(path, sizeof(path), "%s/disable", base);
		member_set(state, "disabled", machine_int_json(path));
		member_append(states, state);
		free(name);
	}
}

static json_t *record_cpuidle(int cpu)
{
	json_t *idle = json_object(),
	       *governor = machine_text_json(SYS_CPU "/cpuidle/current_governor");

	/* readable under this name alone before 5.9 */
	if (!json_is_string(governor)) {
		json_decref(governor);
		governor = machine_text_json(SYS_CPU "/cpuidle/current_governor_ro");
	}
	member_set(idle, "driver", machine_text_json(SYS_CPU "/cpuidle/current_driver"));
	member_set(idle, "governor", governor);
	member_set(idle, "states", record_idle_states(cpu));
	return idle;
}

/* The chosen one of "always [madvise] never". */
static json_t *bracketed(const char *path)
{
	char *text = machine_text("%s", path), *from, *to;
	json_t *word;

	if (!text)
		return machine_unavailable("%s: %s", path, strerror(errno));
	from = strchr(text, '[');
	to = from ? strchr(from, ']') : NULL;
	if (to)
		*to = '\0';
	word = member_string(to ? from + 1 : text);
	free(text);
	return word;
}

static json_t *record_load(void)
{
	char *text = machine_text("/proc/loadavg");
	double l[3];
	int n = text ? sscanf(text, "%lf %lf %lf", &l[0], &l[1], &l[2]) : 0;

	free(text);
	return n == 3 ? member_pack("[f,f,f]", l[0], l[1], l[2])
		      : machine_unavailable("/proc/loadavg cannot be read");
}

static json_t *record_lab(void)
{
	static const struct {
		const char *key, *name;
	} vars[] = {
		{ "kernel", "ACTIVEMM_LAB_KERNEL" },
		{ "boot", "ACTIVEMM_LAB_BOOT" },
		{ "accel", "ACTIVEMM_LAB_ACCEL" },
	};
	json_t *lab = json_object();
	bool any = false;

	for (size_t i = 0; i < sizeof(vars) / sizeof(vars[0]); i++) {
		const char *value = getenv(vars[i].name);

		any |= value && *value;
		member_set(lab, vars[i].key, member_string(value ? value : ""));
	}
	if (any)
		return lab;
	json_decref(lab);
	return json_null();
}

/* Which of several machines it was, unless the user would not say. */
static json_t *record_host(void)
{
	const char *given = getenv("ACTIVEMM_HOST");
	char *name = given ? strdup(given) : machine_text("/proc/sys/kernel/hostname");
	json_t *host = name && *name && strcmp(name, "(none)") ? member_string(name) : json_null();

	free(name);
	return host;
}

static json_t *record_choice(const struct cpu_choice *c)
{
	if (!c)
		return json_null();
	return member_pack("{s:i,s:i,s:i,s:s,s:b,s:b}", "cpu", c->cpu, "helper", c->helper, "node",
			   c->node, "why", c->why, "isolated", c->isolated, "sibling_busy",
			   c->sibling_busy);
}

/* One run in one boot: what a comparison of kernels counts as one. */
static json_t *record_session(void)
{
	struct timespec boot = { 0 };

	clock_gettime(CLOCK_BOOTTIME, &boot);
	return member_pack("{s:o,s:I,s:o}", "boot_id",
			   machine_text_json("/proc/sys/kernel/random/boot_id"), "started",
			   (json_int_t)time(NULL), "since_boot_s",
			   member_real((double)boot.tv_sec + 1e-9 * (double)boot.tv_nsec));
}

json_t *machine_record(struct cpu_topology *topo, const struct cpu_choice *choice)
{
	int cpu = choice ? choice->cpu : hwloc_bitmap_first(topo->allowed);
	json_t *m = json_object();

	if (!m)
		return NULL;
	member_set(m, "schema", json_integer(RESULT_SCHEMA));
#ifdef PACKAGE_VERSION
	member_set(m, "version", member_string(PACKAGE_VERSION));
#endif
	member_set(m, "host", record_host());
	member_set(m, "kernel", machine_kernel());
	member_set(m, "cpu", machine_cpu());
	member_set(m, "topology", record_topology(topo));
	member_set(m, "page_bytes", json_integer(sysconf(_SC_PAGESIZE)));
	member_set(m, "mitigations", record_mitigations());
	member_set(m, "mm_switch", ask_record());
	member_set(m, "frequency", record_frequency(cpu));
	member_set(m, "cpuidle", record_cpuidle(cpu));
	member_set(m, "smt",
		   member_pack("{s:o,s:o}", "control", machine_text_json(SYS_CPU "/smt/control"),
			       "active", machine_int_json(SYS_CPU "/smt/active")));
	member_set(m, "thp",
		   member_pack("{s:o,s:o}", "enabled",
			       bracketed("/sys/kernel/mm/transparent_hugepage/enabled"), "defrag",
			       bracketed("/sys/kernel/mm/transparent_hugepage/defrag")));
	member_set(m, "numa_balancing", machine_int_json("/proc/sys/kernel/numa_balancing"));
	member_set(m, "clocksource",
		   machine_text_json("/sys/devices/system/clocksource/clocksource0/"
				     "current_clocksource"));
	member_set(m, "hypervisor", machine_hypervisor());
	member_set(m, "dmi",
		   member_pack("{s:o,s:o,s:o}", "vendor",
			       machine_text_json("/sys/class/dmi/id/sys_vendor"), "product",
			       machine_text_json("/sys/class/dmi/id/product_name"), "firmware",
			       machine_text_json("/sys/class/dmi/id/bios_version")));
	member_set(m, "accelerator", member_string(machine_accelerator()));
	member_set(m, "times_meaningful", json_boolean(!machine_emulated()));
	member_set(m, "perf_event_paranoid",
		   machine_int_json("/proc/sys/kernel/perf_event_paranoid"));
	member_set(m, "load", record_load());
	member_set(m, "session", record_session());
	member_set(m, "choice", record_choice(choice));
	member_set(m, "lab", record_lab());
	member_set(m, "warnings", machine_warnings(m, cpu));
	if (members_failed(NULL)) {
		json_decref(m);
		return NULL;
	}
	return m;
}
