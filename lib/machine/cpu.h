/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one place that knows CPUs: topology by hwloc, choice, pinning. */
#ifndef LIB_MACHINE_CPU_H
#define LIB_MACHINE_CPU_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/base/error.h"

struct cpu_topology; /* hwloc's, with what is allowed and isolated */

struct cpu_choice {
	int cpu; /* the measured CPU (Linux number) */
	int helper; /* another allowed CPU for the driver and remote partners, -1 if there is none */
	int node; /* NUMA node of @cpu */
	int sibling; /* an SMT sibling of @cpu, -1 if there is none */
	bool isolated; /* in isolcpus or an isolated cpuset partition */
	bool sibling_busy; /* an SMT sibling of @cpu was busy when looked at */
	char why[160]; /* one clause for the reader: why this CPU */
};

/* Loads the machine's topology; free with cpu_topology_free(). */
int cpu_topology_load(struct cpu_topology **topo, struct error *e);
void cpu_topology_free(struct cpu_topology *topo);

/*
 * Chooses the CPU to measure on: inside the process's cpuset and the caller's affinity, an isolated core first, not CPU 0
 * and not one whose SMT sibling is in use if that can be avoided. @wanted >= 0 insists on that CPU, outside
 * the caller's affinity, too: -EINVAL with a line that names the granted ones if it is offline, absent or not in the cpuset.
 * @helper is on the same NUMA node and another core where possible.
 */
int cpu_choose(struct cpu_topology *topo, int wanted, struct cpu_choice *out, struct error *e);

/* Writes the allowed CPUs in list form ("0-3,6") to @buf. Returns their number. */
int cpu_allowed_list(struct cpu_topology *topo, char *buf, size_t len);

/* How many that is, without a topology at hand. */
int cpu_allowed_count(void);

/* Linux numbers of the allowed CPUs, ascending; *@cpus is malloc'ed, the caller frees it. Returns their number or -errno. */
int cpu_allowed(struct cpu_topology *topo, int **cpus, struct error *e);

/* How tasks are placed on more and more CPUs, see cpu_order(). */
enum cpu_place {
	CPU_NEAR, /* one core complex (a last-level cache) after the other */
	CPU_PACKAGE, /* in turn on the complexes of one package, then of the next */
	CPU_SPREAD, /* in turn on the packages */
};

#define CPU_PLACES 3

/*
 * The allowed CPUs in the order in which tasks are to be placed, @first (an allowed one) at its head; further hardware
 * threads of a core come after the others' first. *@cpus is malloc'ed. Returns their number or -errno.
 */
int cpu_order(struct cpu_topology *topo, int first, enum cpu_place place, int **cpus,
	      struct error *e);

/* Are /proc/stat's rows this kernel's CPUs? Not where something is mounted over it: LXCFS numbers a container's CPUs anew. */
bool cpu_stat_is_of_cpus(void);

/* Pins the calling thread to @cpu and checks that it is there. */
int cpu_pin(int cpu, struct error *e);

/*
 * Keeps every CPU out of idle states with an exit latency, and so from leaving the borrowed mm there (/dev/cpu_dma_latency,
 * kernel/power/qos.c), until the calling process ends. 0, or -errno where that cannot be asked for: then a CPU without
 * such states needs nothing, and one with them shows in the counts.
 */
int cpu_stay_shallow(void);

/* In a loop that waits: leaves the core to its sibling, and an emulator's or a hypervisor's other CPUs the time. */
static inline void cpu_relax(void)
{
#if defined(__x86_64__) || defined(__i386__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	/* CPUs take it for a no-op; QEMU goes to the next CPU, which takes it as long as thousands of turns here. */
	static __thread unsigned int turns;

	if (++turns % 64 == 0)
		__asm__ volatile("yield" ::: "memory");
	else
		__asm__ volatile("" ::: "memory");
#else
	__asm__ volatile("" ::: "memory");
#endif
}

#endif
