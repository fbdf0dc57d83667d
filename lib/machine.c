// SPDX-License-Identifier: GPL-2.0-or-later
#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#include "lib/machine.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cpu-private.h"
#include "lib/machine-private.h"
#include "lib/result.h"

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

		json_object_set_new(t, counts[i].key, json_integer(n > 0 ? n : 0));
	}
	for (size_t i = 0; i < sizeof(caches) / sizeof(caches[0]); i++) {
		hwloc_obj_t o = hwloc_get_obj_by_type(topo->hw, caches[i].type, 0);

		if (o && o->attr)
			json_object_set_new(t, caches[i].key,
					    json_integer((json_int_t)o->attr->cache.size));
	}
	for (hwloc_obj_t o = NULL; (o = hwloc_get_next_obj_by_type(topo->hw, HWLOC_OBJ_CORE, o));)
		if (hwloc_bitmap_weight(o->cpuset) > threads)
			threads = hwloc_bitmap_weight(o->cpuset);
	json_object_set_new(t, "threads_per_core", json_integer(threads));
	cpu_allowed_list(topo, list, sizeof(list));
	json_object_set_new(t, "allowed", json_string(list));
	hwloc_bitmap_list_snprintf(list, sizeof(list), topo->isolated);
	json_object_set_new(t, "isolated", json_string(list));
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
		json_object_set_new(all, entry->d_name, machine_text_json(path));
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
		json_object_set_new(f, files[i].key, machine_text_json(path));
	}
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		snprintf(path, sizeof(path), SYS_CPU "/cpu%d/cpufreq/%s", cpu, limits[i].file);
		json_object_set_new(f, limits[i].key, machine_int_json(path));
	}
	json_object_set_new(f, "turbo", record_turbo());
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
		json_object_set_new(state, "name", json_string(name));
		snprintf(path, sizeof(path), "%s/latency", base);
		json_object_set_new(state, "latency_us", machine_int_json(path));
		snprintf(path, sizeof(path), "%s/usage", base);
		json_object_set_new(state, "usage", machine_int_json(path));
		snprintf(path, sizeof(path), "%s/disable", base);
		json_object_set_new(state, "disabled", machine_int_json(path));
		json_array_append_new(states, state);
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
	json_object_set_new(idle, "driver", machine_text_json(SYS_CPU "/cpuidle/current_driver"));
	json_object_set_new(idle, "governor", governor);
	json_object_set_new(idle, "states", record_idle_states(cpu));
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
	word = json_string(to ? from + 1 : text);
	free(text);
	return word;
}

static json_t *record_load(void)
{
	char *text = machine_text("/proc/loadavg");
	double l[3];
	int n = text ? sscanf(text, "%lf %lf %lf", &l[0], &l[1], &l[2]) : 0;

	free(text);
	return n == 3 ? json_pack("[f,f,f]", l[0], l[1], l[2])
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
		json_object_set_new(lab, vars[i].key, json_string(value ? value : ""));
	}
	if (any)
		return lab;
	json_decref(lab);
	return json_null();
}

static json_t *record_choice(const struct cpu_choice *c)
{
	if (!c)
		return json_null();
	return json_pack("{s:i,s:i,s:i,s:s,s:b,s:b}", "cpu", c->cpu, "helper", c->helper, "node",
			 c->node, "why", c->why, "isolated", c->isolated, "sibling_busy",
			 c->sibling_busy);
}

json_t *machine_record(struct cpu_topology *topo, const struct cpu_choice *choice)
{
	int cpu = choice ? choice->cpu : hwloc_bitmap_first(topo->allowed);
	json_t *m = json_object();
	int failed = 0;

	if (!m)
		return NULL;
	failed |= json_object_set_new(m, "schema", json_integer(RESULT_SCHEMA));
#ifdef PACKAGE_VERSION
	failed |= json_object_set_new(m, "version", json_string(PACKAGE_VERSION));
#endif
	failed |= json_object_set_new(m, "kernel", machine_kernel());
	failed |= json_object_set_new(m, "cpu", machine_cpu());
	failed |= json_object_set_new(m, "topology", record_topology(topo));
	failed |= json_object_set_new(m, "mitigations", record_mitigations());
	failed |= json_object_set_new(m, "frequency", record_frequency(cpu));
	failed |= json_object_set_new(m, "cpuidle", record_cpuidle(cpu));
	failed |= json_object_set_new(m, "smt",
				      json_pack("{s:o,s:o}", "control",
						machine_text_json(SYS_CPU "/smt/control"), "active",
						machine_int_json(SYS_CPU "/smt/active")));
	failed |= json_object_set_new(
		m, "thp",
		json_pack("{s:o,s:o}", "enabled",
			  bracketed("/sys/kernel/mm/transparent_hugepage/enabled"), "defrag",
			  bracketed("/sys/kernel/mm/transparent_hugepage/defrag")));
	failed |= json_object_set_new(m, "numa_balancing",
				      machine_int_json("/proc/sys/kernel/numa_balancing"));
	failed |= json_object_set_new(
		m, "clocksource",
		machine_text_json("/sys/devices/system/clocksource/clocksource0/"
				  "current_clocksource"));
	failed |= json_object_set_new(m, "hypervisor", machine_hypervisor());
	failed |= json_object_set_new(
		m, "dmi",
		json_pack("{s:o,s:o}", "vendor", machine_text_json("/sys/class/dmi/id/sys_vendor"),
			  "product", machine_text_json("/sys/class/dmi/id/product_name")));
	failed |= json_object_set_new(m, "accelerator", json_string(machine_accelerator()));
	failed |= json_object_set_new(m, "times_meaningful", json_boolean(!machine_emulated()));
	failed |= json_object_set_new(m, "perf_event_paranoid",
				      machine_int_json("/proc/sys/kernel/perf_event_paranoid"));
	failed |= json_object_set_new(m, "load", record_load());
	failed |= json_object_set_new(m, "choice", record_choice(choice));
	failed |= json_object_set_new(m, "lab", record_lab());
	failed |= json_object_set_new(m, "warnings", machine_warnings(m, cpu));
	if (failed) {
		json_decref(m);
		return NULL;
	}
	return m;
}
