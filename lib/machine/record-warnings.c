// SPDX-License-Identifier: GPL-2.0-or-later
/* What of the machine's settings makes times less steady. */
#include <dirent.h>
#include <hwloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/machine/quota.h"
#include "lib/machine/record-private.h"
#include "lib/base/member.h"

#define IRQ_DIR "/proc/irq"

/* Is @cpu in the kernel's list @text ("0-3,6")? */
static bool in_list(const char *text, int cpu)
{
	hwloc_bitmap_t set = hwloc_bitmap_alloc();
	bool in = set && !hwloc_bitmap_list_sscanf(set, text) &&
		  hwloc_bitmap_isset(set, (unsigned int)cpu);

	hwloc_bitmap_free(set);
	return in;
}

static void warn_interrupts(json_t *list, int cpu)
{
	char *full = machine_path(IRQ_DIR), names[128] = "";
	DIR *dir = full ? opendir(full) : NULL;
	unsigned int n = 0;

	free(full);
	for (struct dirent *d; dir && (d = readdir(dir));) {
		char *where;

		if (d->d_name[0] < '0' || d->d_name[0] > '9')
			continue;
		where = machine_text(IRQ_DIR "/%.20s/effective_affinity_list", d->d_name);
		if (where && in_list(where, cpu)) {
			size_t used = strlen(names);

			if (n < 8)
				snprintf(names + used, sizeof(names) - used, "%s%.12s",
					 used ? ", " : "", d->d_name);
			n++;
		}
		free(where);
	}
	if (dir)
		closedir(dir);
	if (n)
		member_append(list,
			      member_printf("%u device interrupts may land on CPU %d (IRQ %s%s): "
					    "--isolate moves them",
					    n, cpu, names, n > 8 ? ", ..." : ""));
}

static void warn_quota(json_t *list)
{
	struct quota q;

	quota_read(&q);
	if (q.cpus > 0)
		member_append(
			list,
			member_printf("a control group grants %g CPUs' time (%s): trials that it "
				      "stops halfway are invalid: " QUOTA_REMEDY,
				      q.cpus, q.file));
}

json_t *machine_warnings(const json_t *machine, int cpu)
{
	const json_t *frequency = json_object_get(machine, "frequency"),
		     *governor = json_object_get(frequency, "governor");
	json_t *list = json_array();

	if (json_is_string(governor) && strcmp(json_string_value(governor), "performance") != 0)
		member_append(list,
			      member_printf("CPU %d's frequency governor is %s: `cpupower "
					    "frequency-set -g performance' keeps times steady",
					    cpu, json_string_value(governor)));
	if (json_is_true(json_object_get(frequency, "turbo")))
		member_append(list, member_string("turbo is on: the clock depends on the heat and "
						  "on what other cores do (echo 0 > "
						  "/sys/devices/system/cpu/cpufreq/boost, or 1 > "
						  "intel_pstate/no_turbo)"));
	if (json_is_true(json_object_get(json_object_get(machine, "choice"), "sibling_busy")))
		member_append(list,
			      member_printf("CPU %d's SMT sibling was busy before the run", cpu));
	warn_interrupts(list, cpu);
	warn_quota(list);
	if (json_integer_value(json_object_get(machine, "page_bytes")) != 4096)
		member_append(
			list,
			member_printf("this kernel's pages are of %lld KiB: read pagesize 4k as "
				      "that",
				      (long long)json_integer_value(
					      json_object_get(machine, "page_bytes")) >>
					      10));
	return list;
}
