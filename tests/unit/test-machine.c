// SPDX-License-Identifier: GPL-2.0-or-later
/* The machine record on trees of /proc and /sys that are unpacked from tests/unit/data. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* nftw() */
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/machine/quota.h"
#include "lib/machine/record-private.h"
#include "lib/machine/record.h"

static char root[64];
static struct cpu_topology *topo;
static const struct cpu_choice choice = {
	.cpu = 2, .helper = 4, .isolated = true, .why = "isolated"
};

static int remove_one(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
	(void)s;
	(void)type;
	(void)ftw;
	return remove(path);
}

static FILE *create(const char *path)
{
	char full[512];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *at = full + strlen(root) + 1; (at = strchr(at, '/')); at++) {
		*at = '\0';
		mkdir(full, 0700);
		*at = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	return f;
}

static void unpack(const char *tree)
{
	char path[512], line[4096];
	FILE *in, *out = NULL;

	snprintf(root, sizeof(root), "/tmp/activemm-test-XXXXXX");
	assert_non_null(mkdtemp(root));
	snprintf(path, sizeof(path), ACTIVEMM_SRCDIR "/tests/unit/data/%s.tree", tree);
	in = fopen(path, "r");
	assert_non_null(in);
	while (fgets(line, sizeof(line), in)) {
		if (!strncmp(line, "== ", 3)) {
			line[strcspn(line, "\n")] = '\0';
			if (out)
				fclose(out);
			out = create(line + 3);
		} else if (out) {
			fputs(line, out);
		}
	}
	if (out)
		fclose(out);
	fclose(in);
}

/* Leaves of a Broadwell server, of an Ice Lake one, and of a Zen 4 as a guest sees it. */
struct leaf {
	uint32_t leaf, subleaf, regs[4];
};

static bool find_leaf(const struct leaf *leaves, size_t n, uint32_t leaf, uint32_t subleaf,
		      uint32_t regs[4])
{
	for (size_t i = 0; i < n; i++) {
		if (leaves[i].leaf != leaf || leaves[i].subleaf != subleaf)
			continue;
		memcpy(regs, leaves[i].regs, sizeof(leaves[i].regs));
		return true;
	}
	return false;
}

#define CPUID_OF(name)                                                                          \
	static bool name(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])                     \
	{                                                                                       \
		return find_leaf(name##_leaves, sizeof(name##_leaves) / sizeof(*name##_leaves), \
				 leaf, subleaf, regs);                                          \
	}

static const struct leaf broadwell_leaves[] = {
	{ 2, 0, { 0x76036301, 0x00f0b5ff, 0, 0x00c30000 } },
};
CPUID_OF(broadwell)

static const struct leaf ice_lake_leaves[] = {
	{ 2, 0, { 0x00feff01, 0x000000f0, 0, 0 } }, { 0x18, 0, { 3, 0, 0, 0 } },
	{ 0x18, 1, { 0, 0x00080001, 8, 0x22 } }, /* 64 instruction entries: not for data */
	{ 0x18, 2, { 0, 0x00040001, 16, 0x24 } }, /* 64 for loads, 4 KiB */
	{ 0x18, 3, { 0, 0x00080003, 128, 0x43 } }, /* 1024 shared, 4 KiB and 2 MiB */
};
CPUID_OF(ice_lake)

static const struct leaf zen4_kvm_leaves[] = {
	{ 0x40000000, 0, { 0x40000001, 0x4b4d564b, 0x564b4d56, 0x0000004d } },
	{ 0x80000005, 0, { 0xff48ff40, 0xff48ff40, 0, 0 } },
	{ 0x80000006, 0, { 0x5c002200, 0x6c004200, 0, 0 } },
};
CPUID_OF(zen4_kvm)

static const struct leaf tcg_leaves[] = {
	{ 0x40000000, 0, { 0x40000001, 0x54474354, 0x43544743, 0x47435447 } },
};
CPUID_OF(tcg)

static json_t *record(const char *tree, machine_cpuid_fn cpuid)
{
	json_t *m;

	unpack(tree);
	machine_set_root(root, cpuid);
	m = machine_record(topo, &choice);
	assert_non_null(m);
	return m;
}

/* "cpu.flags.pti": the value at that path; fails the test where there is none. */
static json_t *at(json_t *j, const char *path)
{
	char copy[256], *save = NULL;

	snprintf(copy, sizeof(copy), "%s", path);
	for (char *key = strtok_r(copy, ".", &save); key; key = strtok_r(NULL, ".", &save)) {
		j = json_is_array(j) ? json_array_get(j, (size_t)atoi(key))
				     : json_object_get(j, key);
		if (!j)
			fail_msg("no %s", path);
	}
	return j;
}

static void is_string(json_t *m, const char *path, const char *expected)
{
	json_t *j = at(m, path);

	if (!json_is_string(j))
		fail_msg("%s is no string", path);
	assert_string_equal(json_string_value(j), expected);
}

static void is_int(json_t *m, const char *path, json_int_t expected)
{
	json_t *j = at(m, path);

	if (!json_is_integer(j))
		fail_msg("%s is no integer", path);
	assert_int_equal(json_integer_value(j), expected);
}

static void is_unavailable(json_t *m, const char *path, const char *why)
{
	json_t *j = at(at(m, path), "unavailable");

	assert_non_null(json_string_value(j));
	if (!strstr(json_string_value(j), why))
		fail_msg("%s: \"%s\" does not say \"%s\"", path, json_string_value(j), why);
}

static void intel_on_bare_metal(void **state)
{
	json_t *m = record("intel-metal", broadwell);

	(void)state;
	is_string(m, "kernel.release", "5.10.0-33-amd64");
	is_string(m, "kernel.version", "#1 SMP Debian 5.10.226-1 (2024-10-03)");
	is_string(m, "kernel.config.HZ", "250");
	is_string(m, "kernel.config.PREEMPT", "n");
	is_string(m, "kernel.config.PREEMPT_VOLUNTARY", "y");
	is_string(m, "kernel.config.PAGE_TABLE_ISOLATION", "y");
	is_string(m, "kernel.config.source", "/boot/config-5.10.0-33-amd64");
	assert_null(json_object_get(at(m, "kernel.config"), "USB"));
	is_string(m, "cpu.model", "Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz");
	is_string(m, "cpu.vendor", "GenuineIntel");
	is_int(m, "cpu.family", 6);
	is_int(m, "cpu.model_number", 79);
	is_string(m, "cpu.microcode", "0xb000040");
	assert_true(json_is_true(at(m, "cpu.flags.pti")));
	assert_true(json_is_true(at(m, "cpu.flags.invpcid")));
	assert_true(json_is_false(at(m, "cpu.flags.pcid")));
	assert_true(json_is_true(at(m, "cpu.flags.nopcid")));
	assert_true(json_is_false(at(m, "cpu.flags.invlpgb")));
	assert_false(machine_has_pcid());
	is_int(m, "cpu.tlb.l1_4k", 64);
	is_int(m, "cpu.tlb.l1_2m", 32);
	is_int(m, "cpu.tlb.l2_4k", 1536);
	is_string(m, "mitigations.meltdown", "Mitigation: PTI");
	is_string(m, "frequency.governor", "performance");
	is_int(m, "frequency.max_khz", 2400000);
	assert_true(json_is_false(at(m, "frequency.turbo")));
	assert_int_equal(json_array_size(at(m, "warnings")), 0);
	is_string(m, "cpuidle.driver", "intel_idle");
	is_string(m, "cpuidle.governor", "menu");
	assert_int_equal(json_array_size(at(m, "cpuidle.states")), 2);
	is_string(m, "cpuidle.states.1.name", "C6");
	is_int(m, "cpuidle.states.1.latency_us", 133);
	is_int(m, "cpuidle.states.1.usage", 4294967301);
	is_int(m, "cpuidle.states.1.disabled", 1);
	is_string(m, "smt.control", "on");
	is_string(m, "thp.enabled", "madvise");
	is_int(m, "numa_balancing", 1);
	is_int(m, "perf_event_paranoid", 3);
	assert_true(json_real_value(at(m, "load.1")) == 0.34);
	is_string(m, "hypervisor", "none");
	is_string(m, "accelerator", "none");
	is_string(m, "dmi.product", "PowerEdge R630");
	assert_true(json_is_true(at(m, "times_meaningful")));
	assert_true(json_is_null(at(m, "lab")));
	is_int(m, "choice.cpu", 2);
	is_int(m, "choice.helper", 4);
	is_int(m, "topology.cores", 4);
	is_int(m, "topology.threads_per_core", 2);
	json_decref(m);
}

static void amd_guest_of_kvm(void **state)
{
	json_t *m = record("amd-guest", zen4_kvm);

	(void)state;
	is_string(m, "cpu.vendor", "AuthenticAMD");
	assert_true(json_is_true(at(m, "cpu.flags.pcid")));
	assert_true(json_is_true(at(m, "cpu.flags.invlpgb")));
	assert_true(json_is_false(at(m, "cpu.flags.pti")));
	assert_true(machine_has_pcid());
	is_int(m, "cpu.tlb.l1_4k", 72);
	is_int(m, "cpu.tlb.l2_4k", 3072);
	is_string(m, "cpu.tlb.note", "as the hypervisor shows it, not necessarily the hardware's");
	is_string(m, "hypervisor", "KVM");
	is_string(m, "accelerator", "kvm");
	is_string(m, "thp.enabled", "always");
	is_int(m, "perf_event_paranoid", -1);
	assert_true(json_is_true(at(m, "frequency.turbo")));
	assert_int_equal(json_array_size(at(m, "warnings")), 1);
	assert_non_null(
		strstr(json_string_value(json_array_get(at(m, "warnings"), 0)), "turbo is on"));
	is_unavailable(m, "kernel.config", "/boot/config-6.18.5");
	is_unavailable(m, "frequency.governor", "scaling_governor: No such file");
	is_unavailable(m, "numa_balancing", "No such file");
	is_unavailable(m, "dmi.vendor", "sys_vendor");
	json_decref(m);
}

static void nopcid_overrules_the_cpu_flag(void **state)
{
	FILE *f;

	(void)state;
	unpack("amd-guest");
	machine_set_root(root, zen4_kvm);
	assert_true(machine_has_pcid());
	f = create("/proc/cmdline");
	fputs("console=ttyS0 nopcid\n", f);
	fclose(f);
	assert_false(machine_has_pcid());
	/* part of another word is not the option */
	f = create("/proc/cmdline");
	fputs("console=ttyS0 module.nopcid=0\n", f);
	fclose(f);
	assert_true(machine_has_pcid());
}

static void tlb_of_leaf_18h(void **state)
{
	json_t *m = record("intel-metal", ice_lake);

	(void)state;
	is_string(m, "cpu.tlb.source", "CPUID 18h");
	is_int(m, "cpu.tlb.l1_4k", 64);
	is_int(m, "cpu.tlb.l2_4k", 1024);
	is_int(m, "cpu.tlb.l2_2m", 1024);
	assert_null(json_object_get(at(m, "cpu.tlb"), "l1_2m"));
	json_decref(m);
}

static void hidden_cpuid_is_unavailable(void **state)
{
	json_t *m = record("amd-guest", NULL);

	(void)state;
	is_unavailable(m, "cpu.tlb", "hypervisor hides");
	is_string(m, "hypervisor", "unknown (DMI vendor not shown)");
	is_string(m, "accelerator", "other");
	json_decref(m);
}

static void emulation_makes_times_meaningless(void **state)
{
	json_t *m = record("amd-guest", tcg);

	(void)state;
	assert_true(machine_emulated());
	is_string(m, "hypervisor", "QEMU TCG");
	is_string(m, "accelerator", "tcg");
	assert_true(json_is_false(at(m, "times_meaningful")));
	json_decref(m);
}

static void emulation_is_known_where_no_cpuid_tells(void **state)
{
	json_t *m = record("arm-guest", NULL);

	(void)state;
	is_string(m, "cpu.model", "Arm Neoverse-N1");
	is_string(m, "hypervisor", "QEMU TCG");
	is_string(m, "accelerator", "tcg");
	assert_true(json_is_false(at(m, "times_meaningful")));
	json_decref(m);
}

static void lab_is_recorded(void **state)
{
	json_t *m;

	(void)state;
	setenv("ACTIVEMM_LAB_KERNEL", "6.1.0-cloud", 1);
	setenv("ACTIVEMM_LAB_BOOT", "nopcid", 1);
	setenv("ACTIVEMM_LAB_ACCEL", "tcg", 1);
	m = record("intel-metal", broadwell);
	is_string(m, "lab.kernel", "6.1.0-cloud");
	is_string(m, "lab.boot", "nopcid");
	is_string(m, "accelerator", "tcg");
	assert_true(json_is_false(at(m, "times_meaningful")));
	json_decref(m);
}

static void compressed_config_is_read(void **state)
{
	char command[512];
	json_t *m;
	FILE *f;

	(void)state;
	unpack("amd-guest");
	f = create("/proc/config");
	fputs("CONFIG_HZ=1000\n# CONFIG_LRU_GEN is not set\nCONFIG_MMU_LAZY_TLB_REFCOUNT=y\n", f);
	fclose(f);
	snprintf(command, sizeof(command), "gzip '%s/proc/config'", root);
	assert_int_equal(system(command), 0);
	machine_set_root(root, zen4_kvm);
	m = machine_kernel();
	is_string(m, "config.HZ", "1000");
	is_string(m, "config.LRU_GEN", "n");
	is_string(m, "config.MMU_LAZY_TLB_REFCOUNT", "y");
	is_string(m, "config.source", "/proc/config.gz");
	json_decref(m);
	/* a damaged one is reported, not taken for a kernel without options */
	f = create("/proc/config.gz");
	fputs("not gzip", f);
	fclose(f);
	m = machine_kernel();
	is_unavailable(m, "config", "gzip cannot read it");
	json_decref(m);
}

static void running_machine_is_recorded_without_holes(void **state)
{
	static const char *const keys[] = { "kernel.release", "kernel.cmdline", "topology.cpus",
					    "load",	      "cpu.model",	"hypervisor",
					    "choice",	      "accelerator" };
	json_t *m;
	char *text;

	(void)state;
	machine_set_root(NULL, NULL);
	m = machine_record(topo, NULL);
	assert_non_null(m);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		assert_non_null(at(m, keys[i]));
	assert_true(json_is_null(at(m, "choice")));
	text = json_dumps(m, 0);
	assert_non_null(text);
	free(text);
	json_decref(m);
}

static int set_up(void **state)
{
	struct error e;

	(void)state;
	unsetenv("HWLOC_XMLFILE");
	setenv("HWLOC_SYNTHETIC", "core:4 pu:2", 1);
	return cpu_topology_load(&topo, &e);
}

static int tear_down(void **state)
{
	(void)state;
	cpu_topology_free(topo);
	return 0;
}

static int clean(void **state)
{
	(void)state;
	machine_set_root(NULL, NULL);
	unsetenv("ACTIVEMM_LAB_KERNEL");
	unsetenv("ACTIVEMM_LAB_BOOT");
	unsetenv("ACTIVEMM_LAB_ACCEL");
	if (root[0])
		nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	root[0] = '\0';
	return 0;
}

static void the_least_quota_of_a_group_and_its_parents_counts(void **state)
{
	struct quota q;

	(void)state;
	unpack("quota-v2");
	machine_set_root(root, NULL);
	quota_read(&q);
	assert_true(q.cpus == 0.25);
	assert_string_equal(q.file, "/sys/fs/cgroup/machine.slice/box/cpu.max");
	assert_int_equal(q.throttled, 9);
	assert_true(q.throttled_ns == 2e6);
}

static void a_quota_of_version_1_is_found_below_the_part_that_is_mounted(void **state)
{
	struct quota q;

	(void)state;
	unpack("quota-v1");
	machine_set_root(root, NULL);
	quota_read(&q);
	assert_true(q.cpus == 1.5);
	assert_string_equal(q.file, "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us");
	assert_int_equal(q.throttled, 3);
	assert_true(q.throttled_ns == 4000);
}

static void no_quota_is_none(void **state)
{
	struct quota q;

	(void)state;
	unpack("amd-guest");
	machine_set_root(root, NULL);
	quota_read(&q);
	assert_true(q.cpus == 0 && q.throttled == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(intel_on_bare_metal, clean, clean),
		cmocka_unit_test_setup_teardown(amd_guest_of_kvm, clean, clean),
		cmocka_unit_test_setup_teardown(nopcid_overrules_the_cpu_flag, clean, clean),
		cmocka_unit_test_setup_teardown(tlb_of_leaf_18h, clean, clean),
		cmocka_unit_test_setup_teardown(hidden_cpuid_is_unavailable, clean, clean),
		cmocka_unit_test_setup_teardown(emulation_makes_times_meaningless, clean, clean),
		cmocka_unit_test_setup_teardown(emulation_is_known_where_no_cpuid_tells, clean,
						clean),
		cmocka_unit_test_setup_teardown(lab_is_recorded, clean, clean),
		cmocka_unit_test_setup_teardown(compressed_config_is_read, clean, clean),
		cmocka_unit_test_setup_teardown(the_least_quota_of_a_group_and_its_parents_counts,
						clean, clean),
		cmocka_unit_test_setup_teardown(
			a_quota_of_version_1_is_found_below_the_part_that_is_mounted, clean, clean),
		cmocka_unit_test_setup_teardown(no_quota_is_none, clean, clean),
		cmocka_unit_test_setup_teardown(running_machine_is_recorded_without_holes, clean,
						clean),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
