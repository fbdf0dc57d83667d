// SPDX-License-Identifier: GPL-2.0-or-later
/* The choice of CPUs, on topologies that hwloc makes up (HWLOC_SYNTHETIC) or reads (HWLOC_XMLFILE). */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getcpu() */
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "lib/machine/cpu-private.h"

static struct cpu_topology *load(const char *synthetic)
{
	struct cpu_topology *topo;
	struct error e;

	setenv("HWLOC_SYNTHETIC", synthetic, 1);
	assert_int_equal(cpu_topology_load(&topo, &e), 0);
	unsetenv("HWLOC_SYNTHETIC");
	return topo;
}

static struct cpu_choice choose(struct cpu_topology *topo, int wanted, const char *busy)
{
	hwloc_bitmap_t set = hwloc_bitmap_alloc();
	struct cpu_choice c;
	struct error e;

	assert_non_null(set);
	if (*busy)
		hwloc_bitmap_list_sscanf(set, busy);
	assert_int_equal(cpu_choose_among(topo, wanted, set, &c, &e), 0);
	hwloc_bitmap_free(set);
	return c;
}

static void avoids_cpu_0_and_its_core(void **state)
{
	struct cpu_topology *topo = load("pack:2 l3:2 core:4 pu:2");
	struct cpu_choice c = choose(topo, -1, "");

	(void)state;
	assert_int_equal(c.cpu, 2);
	assert_int_equal(c.helper / 2 == c.cpu / 2, 0);
	assert_int_not_equal(c.helper, 0);
	assert_false(c.isolated);
	assert_false(c.sibling_busy);
	cpu_topology_free(topo);
	topo = load("core:2 pu:1");
	c = choose(topo, -1, "");
	assert_int_equal(c.cpu, 1);
	assert_int_equal(c.helper, 0);
	cpu_topology_free(topo);
}

static void prefers_an_isolated_cpu(void **state)
{
	struct cpu_topology *topo = load("pack:2 l3:2 core:4 pu:2");
	struct cpu_choice c;

	(void)state;
	hwloc_bitmap_set_range(topo->isolated, 20, 23);
	c = choose(topo, -1, "");
	assert_int_equal(c.cpu, 20);
	assert_true(c.isolated);
	assert_non_null(strstr(c.why, "isolated"));
	/* isolated, but its core is shared with work: the next isolated core is better */
	c = choose(topo, -1, "21");
	assert_int_equal(c.cpu, 22);
	cpu_topology_free(topo);
}

static void avoids_a_core_whose_sibling_is_busy(void **state)
{
	struct cpu_topology *topo = load("core:4 pu:2");
	struct cpu_choice c = choose(topo, -1, "3,4");

	(void)state;
	/* core 1 (2,3) and core 2 (4,5) are in use */
	assert_int_equal(c.cpu, 6);
	assert_false(c.sibling_busy);
	/* nothing better: taken, and said */
	c = choose(topo, -1, "0-7");
	assert_int_not_equal(c.cpu, 0);
	assert_true(c.sibling_busy);
	assert_non_null(strstr(c.why, "sibling is busy"));
	c = choose(topo, 2, "3");
	assert_int_equal(c.cpu, 2);
	assert_true(c.sibling_busy);
	cpu_topology_free(topo);
}

static void helper_is_on_the_same_node_and_another_core(void **state)
{
	struct cpu_topology *topo = load("node:2 core:4 pu:2");
	struct cpu_choice c = choose(topo, 12, "");

	(void)state;
	assert_int_equal(c.cpu, 12);
	assert_int_equal(c.node, 1);
	assert_true(8 <= c.helper && c.helper <= 15);
	assert_int_not_equal(c.helper, 13);
	cpu_topology_free(topo);
	/* one core a node: another core matters more than the node */
	topo = load("node:2 core:1 pu:2");
	c = choose(topo, 3, "");
	assert_true(c.helper == 0 || c.helper == 1);
	cpu_topology_free(topo);
	/* only a sibling is left */
	topo = load("core:1 pu:2");
	c = choose(topo, -1, "");
	assert_int_equal(c.cpu, 1);
	assert_int_equal(c.helper, 0);
	cpu_topology_free(topo);
}

static void one_cpu_has_no_helper(void **state)
{
	struct cpu_topology *topo = load("core:1 pu:1");
	struct cpu_choice c = choose(topo, -1, "");

	(void)state;
	assert_int_equal(c.cpu, 0);
	assert_int_equal(c.helper, -1);
	cpu_topology_free(topo);
	topo = load("core:4 pu:1");
	hwloc_bitmap_only(topo->allowed, 2);
	c = choose(topo, -1, "");
	assert_int_equal(c.cpu, 2);
	assert_int_equal(c.helper, -1);
	assert_non_null(strstr(c.why, "only CPU allowed"));
	cpu_topology_free(topo);
}

static void allowed_cpus_are_listed(void **state)
{
	struct cpu_topology *topo = load("core:8 pu:1");
	struct error e;
	char list[32];
	int *cpus;

	(void)state;
	hwloc_bitmap_clr_range(topo->allowed, 4, 5);
	hwloc_bitmap_clr(topo->allowed, 7);
	assert_int_equal(cpu_allowed_list(topo, list, sizeof(list)), 5);
	assert_string_equal(list, "0-3,6");
	assert_int_equal(cpu_allowed(topo, &cpus, &e), 5);
	assert_int_equal(cpus[0], 0);
	assert_int_equal(cpus[4], 6);
	free(cpus);
	cpu_topology_free(topo);
}

static void refusals_name_the_allowed_cpus(void **state)
{
	struct cpu_topology *topo = load("core:8 pu:1");
	struct cpu_choice c;
	struct error e;

	(void)state;
	hwloc_bitmap_clr_range(topo->granted, 2, 7);
	hwloc_bitmap_copy(topo->allowed, topo->granted);
	assert_int_equal(cpu_choose(topo, 7, &c, &e), -EINVAL);
	assert_string_equal(e.text, "CPU 7 is not allowed here: choose one of 0-1 (--cpu)");
	assert_int_equal(cpu_choose(topo, 99, &c, &e), -EINVAL);
	assert_string_equal(e.text, "CPU 99 does not exist here: choose one of 0-1 (--cpu)");
	cpu_topology_free(topo);
}

static void offline_cpu_is_refused_with_the_remedy(void **state)
{
	struct cpu_topology *topo;
	struct cpu_choice c;
	struct error e;

	(void)state;
	/* CPU 3 is offline, CPU 1 not in the cpuset */
	setenv("HWLOC_XMLFILE", ACTIVEMM_SRCDIR "/tests/unit/data/offline.xml", 1);
	assert_int_equal(cpu_topology_load(&topo, &e), 0);
	unsetenv("HWLOC_XMLFILE");
	assert_int_equal(cpu_choose(topo, 3, &c, &e), -EINVAL);
	assert_non_null(strstr(e.text, "CPU 3 is offline: choose one of 0,2 (--cpu)"));
	assert_non_null(strstr(e.text, "/sys/devices/system/cpu/cpu3/online"));
	assert_int_equal(cpu_choose(topo, 1, &c, &e), -EINVAL);
	assert_non_null(strstr(e.text, "CPU 1 is not allowed"));
	assert_int_equal(cpu_choose(topo, -1, &c, &e), 0);
	assert_int_equal(c.cpu, 2);
	assert_int_equal(c.helper, 0);
	cpu_topology_free(topo);
}

static void busy_is_a_quarter_of_the_time(void **state)
{
	static const char before[] =
		"cpu  100 0 100 1000 0 0 0 0 0 0\n"
		"cpu0 50 0 50 500 0 0 0 0 0 0\ncpu1 50 0 50 500 0 0 0 0 0 0\n"
		"cpu10 7 0 0 500 0 0 0 0 0 0\ncpu11 1 1 1 500 1 1 1 0 0 0\nintr 5 1 2\n";
	static const char after[] =
		"cpu  105 0 100 1010 0 0 0 0 0 0\n"
		"cpu0 51 0 50 504 0 0 0 0 0 0\ncpu1 51 0 51 503 0 0 0 0 0 0\n"
		"cpu10 12 0 0 500 0 0 0 0 0 0\ncpu11 1 1 1 498 4 1 1 0 0 0\nintr 6 2 2\n";
	hwloc_bitmap_t busy = hwloc_bitmap_alloc();
	char list[32];

	(void)state;
	assert_non_null(busy);
	cpu_busy_between(before, after, busy);
	hwloc_bitmap_list_snprintf(list, sizeof(list), busy);
	assert_string_equal(list, "1,10");
	hwloc_bitmap_free(busy);
}

/* isolcpus=2-3: tasks inherit the others only, and the isolated ones are to be had. */
static void isolated_cpus_are_granted_though_not_inherited(void **state)
{
	struct cpu_topology *topo = load("core:4 pu:1");
	hwloc_bitmap_t bound = hwloc_bitmap_alloc();

	(void)state;
	assert_non_null(bound);
	hwloc_bitmap_set_range(topo->isolated, 2, 3);
	hwloc_bitmap_set_range(bound, 0, 1);
	cpu_topology_narrow(topo, bound);
	assert_int_equal(choose(topo, -1, "").cpu, 2);
	assert_int_equal(choose(topo, 3, "").cpu, 3);
	hwloc_bitmap_free(bound);
	cpu_topology_free(topo);
}

/* taskset -c 0-1: the choice is the caller's, but a CPU that is named is taken. */
static void a_narrower_affinity_stands_unless_a_cpu_is_named(void **state)
{
	struct cpu_topology *topo = load("core:4 pu:1");
	hwloc_bitmap_t bound = hwloc_bitmap_alloc();
	struct cpu_choice c;

	(void)state;
	assert_non_null(bound);
	hwloc_bitmap_set_range(bound, 0, 1);
	cpu_topology_narrow(topo, bound);
	c = choose(topo, -1, "");
	assert_int_equal(c.cpu, 1);
	assert_int_equal(c.helper, 0);
	c = choose(topo, 3, "");
	assert_int_equal(c.cpu, 3);
	assert_true(c.helper == 0 || c.helper == 1);
	hwloc_bitmap_free(bound);
	cpu_topology_free(topo);
}

static void this_machine_is_within_its_affinity(void **state)
{
	cpu_set_t old, one;
	struct cpu_topology *topo;
	struct cpu_choice c;
	struct error e;
	int cpu;

	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(old), &old), 0);
	cpu = sched_getcpu();
	assert_int_equal(cpu_pin(cpu, &e), 0);
	assert_int_equal(sched_getaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(CPU_COUNT(&one), 1);
	assert_true(CPU_ISSET(cpu, &one));
	assert_int_equal(cpu_topology_load(&topo, &e), 0);
	assert_int_equal(cpu_choose(topo, -1, &c, &e), 0);
	assert_int_equal(c.cpu, cpu);
	assert_int_equal(c.helper, -1);
	cpu_topology_free(topo);
	assert_int_equal(cpu_pin(100000, &e), -EINVAL);
	assert_int_equal(cpu_pin(-1, &e), -EINVAL);
	assert_int_equal(sched_setaffinity(0, sizeof(old), &old), 0);
}

/* Beyond the 1024 CPUs of a cpu_set_t, every second one allowed. */
static void many_cpus_and_an_alternating_mask(void **state)
{
	struct cpu_topology *topo = load("pack:4 core:512 pu:1");
	struct cpu_choice c;
	struct error e = { 0 };
	int *cpus = NULL, n;

	(void)state;
	for (unsigned int cpu = 0; cpu < 2048; cpu += 2)
		hwloc_bitmap_clr(topo->granted, cpu);
	hwloc_bitmap_copy(topo->allowed, topo->granted);
	n = cpu_allowed(topo, &cpus, &e);
	assert_int_equal(n, 1024);
	for (int i = 0; i < n; i++)
		assert_int_equal(cpus[i], 2 * i + 1);
	free(cpus);
	c = choose(topo, 2047, "");
	assert_int_equal(c.cpu, 2047);
	assert_int_equal(c.helper % 2, 1);
	c = choose(topo, -1, "");
	assert_int_equal(c.cpu, 1);
	for (int place = 0; place < CPU_PLACES; place++) {
		assert_int_equal(cpu_order(topo, 1025, place, &cpus, &e), 1024);
		assert_int_equal(cpus[0], 1025);
		for (int i = 0; i < n; i++)
			assert_int_equal(cpus[i] % 2, 1);
		free(cpus);
	}
	assert_int_equal(cpu_choose_among(topo, 2046, topo->isolated, &c, &e), -EINVAL);
	assert_non_null(strstr(e.text, "CPU 2046 is not allowed here"));
	/* It does not exist here: the kernel says so, and nothing is cut off on the way to it. */
	assert_int_equal(cpu_pin(100000, &e), -EINVAL);
	cpu_topology_free(topo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(avoids_cpu_0_and_its_core),
		cmocka_unit_test(prefers_an_isolated_cpu),
		cmocka_unit_test(avoids_a_core_whose_sibling_is_busy),
		cmocka_unit_test(helper_is_on_the_same_node_and_another_core),
		cmocka_unit_test(one_cpu_has_no_helper),
		cmocka_unit_test(allowed_cpus_are_listed),
		cmocka_unit_test(refusals_name_the_allowed_cpus),
		cmocka_unit_test(offline_cpu_is_refused_with_the_remedy),
		cmocka_unit_test(many_cpus_and_an_alternating_mask),
		cmocka_unit_test(busy_is_a_quarter_of_the_time),
		cmocka_unit_test(isolated_cpus_are_granted_though_not_inherited),
		cmocka_unit_test(a_narrower_affinity_stands_unless_a_cpu_is_named),
		cmocka_unit_test(this_machine_is_within_its_affinity),
	};

	/* settings of the caller would show another machine */
	unsetenv("HWLOC_XMLFILE");
	unsetenv("HWLOC_SYNTHETIC");
	unsetenv("HWLOC_THISSYSTEM");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
