/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What cpu.c shares with its unit test and with the machine record, and with nobody else. */
#ifndef LIB_MACHINE_CPU_PRIVATE_H
#define LIB_MACHINE_CPU_PRIVATE_H

#include <hwloc.h>
#include <stdbool.h>

#include "lib/machine/cpu.h"

struct cpu_topology {
	hwloc_topology_t hw;
	hwloc_bitmap_t
		granted; /* what the kernel lets this process run on if it asks: online, in the cpuset */
	hwloc_bitmap_t
		allowed; /* those to choose from: a caller's narrower affinity stands, isolcpus= does not count as one */
	hwloc_bitmap_t isolated; /* isolcpus= and isolated cpuset partitions */
	bool here; /* this machine, not one read from HWLOC_XMLFILE or HWLOC_SYNTHETIC */
};

/* cpu_choose() with the @busy CPUs given instead of looked for. */
int cpu_choose_among(struct cpu_topology *topo, int wanted, hwloc_const_bitmap_t busy,
		     struct cpu_choice *out, struct error *e);

/* Sets in @busy the CPUs that were in use for a quarter of the time or more between two texts of /proc/stat. */
void cpu_busy_between(const char *before, const char *after, hwloc_bitmap_t busy);

/* Sets the CPUs to choose from, by what is granted and isolated, where the calling thread was bound to @bound. */
void cpu_topology_narrow(struct cpu_topology *topo, hwloc_const_bitmap_t bound);

/* Does the topology have cores of several hardware threads? */
bool cpu_has_smt(struct cpu_topology *topo);

#endif
