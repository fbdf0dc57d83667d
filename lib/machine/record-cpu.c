// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "lib/machine/arch/arch.h"
#include "lib/machine/record-private.h"
#include "lib/machine/record.h"
#include "lib/base/member.h"

/* Value of @key in the first CPU's part of /proc/cpuinfo, malloc'ed; NULL if it has none. */
static char *cpuinfo_value(const char *info, const char *key)
{
	size_t len = strlen(key);

	for (const char *line = info; line;
	     line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
		const char *at = line + len;

		if (strncmp(line, key, len))
			continue;
		while (*at == ' ' || *at == '\t')
			at++;
		if (*at != ':')
			continue;
		at += at[1] == ' ' ? 2 : 1;
		return strndup(at, strcspn(at, "\n"));
	}
	return NULL;
}

static char *cpu_flags(void)
{
	char *info = machine_text("/proc/cpuinfo");
	char *flags = cpuinfo_value(info, "flags");

	free(info);
	return flags;
}

bool machine_has_pcid(void)
{
	char *flags = cpu_flags(), *cmdline = machine_text("/proc/cmdline");
	bool has = machine_has_word(flags, "pcid") && !machine_has_word(cmdline, "nopcid");

	free(flags);
	free(cmdline);
	return has;
}

bool machine_keeps_tlb(void)
{
	/* riscv: as far as can be told: only the kernel's log says how many ASIDs its CPUs have. */
	return arch_here() == &arch_arm64 || arch_here() == &arch_riscv || machine_has_pcid();
}

bool machine_is_realtime(void)
{
	char *realtime = machine_text("/sys/kernel/realtime");
	bool is = realtime && realtime[0] == '1';
	struct utsname kernel;

	free(realtime);
	return is || (!uname(&kernel) && (machine_has_word(kernel.version, "PREEMPT_RT") ||
					  strstr(kernel.version, "PREEMPT RT")));
}

/* The hypervisor's signature of CPUID 40000000h; false on bare metal. */
static bool signature(char text[13])
{
	uint32_t r[4];

	if (!machine_cpuid(0x40000000, 0, r))
		return false;
	memcpy(text, &r[1], 12);
	text[12] = '\0';
	for (char *at = text; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
	return true;
}

/* The MIDR_EL1 of the first CPU, on arm64; 0 elsewhere. */
static unsigned long midr(void)
{
	char *text = machine_text("/sys/devices/system/cpu/cpu0/regs/identification/midr_el1");
	unsigned long v = text ? strtoul(text, NULL, 16) : 0;

	free(text);
	return v;
}

#define QEMU_TIMER_HZ 62500000 /* include/hw/core/cpu.h, GTIMER_SCALE: that of no silicon */
#define APPLE	      0x61 /* implementer: there it is the host's hypervisor, not emulation */

/*
 * QEMU's machine for arm64, which has no CPUID to tell: its firmware's table names what runs it; without firmware the device tree
 * tells the machine (hw/arm/virt.c), and the timer its emulation. NULL on others.
 */
static const char *virt_machine(void)
{
	char *product = machine_text("/sys/class/dmi/id/product_name");
	char *tree = machine_text("/sys/firmware/devicetree/base/compatible");
	const char *name = NULL;

	if (product && !strcmp(product, "KVM Virtual Machine"))
		name = "KVM";
	else if (product && !strcmp(product, "QEMU Virtual Machine"))
		name = (midr() >> 24 & 0xff) == APPLE ? "QEMU" : "QEMU TCG";
	else if (tree && !strcmp(tree, "linux,dummy-virt"))
		name = arch_timer_hz() == QEMU_TIMER_HZ ? "QEMU TCG" : "QEMU";
	else if (tree && !strcmp(tree, "riscv-virtio"))
		name = "QEMU";
	free(product);
	free(tree);
	return name;
}

json_t *machine_hypervisor(void)
{
	static const struct {
		const char *signature, *name;
	} known[] = {
		{ "KVMKVMKVM", "KVM" },	       { "TCGTCGTCGTCG", "QEMU TCG" },
		{ "Microsoft Hv", "Hyper-V" }, { "VMwareVMware", "VMware" },
		{ "XenVMMXenVMM", "Xen" },     { "ACRNACRNACRN", "ACRN" },
		{ "bhyve bhyve ", "bhyve" },   { "VBoxVBoxVBox", "VirtualBox" },
	};
	char sig[13], *flags, *vendor;
	json_t *name;

	if (signature(sig)) {
		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			if (!strcmp(sig, known[i].signature))
				return member_string(known[i].name);
		return member_printf("unknown (CPUID signature \"%s\")", sig);
	}
	if (virt_machine())
		return member_string(virt_machine());
	flags = cpu_flags();
	vendor = machine_text("/sys/class/dmi/id/sys_vendor");
	if (machine_has_word(flags, "hypervisor"))
		name = member_printf("unknown (DMI vendor %s)", vendor ? vendor : "not shown");
	else if (vendor && !strcmp(vendor, "QEMU"))
		name = member_string("QEMU"); /* no CPU flag tells on other architectures */
	else
		name = member_string("none");
	free(flags);
	free(vendor);
	return name;
}

bool machine_emulated(void)
{
	const char *lab = getenv("ACTIVEMM_LAB_ACCEL"), *virt;
	char sig[13];

	if (lab && *lab)
		return !strcmp(lab, "tcg") || !strcmp(lab, "icount") || !strcmp(lab, "bochs");
	virt = virt_machine();
	return (signature(sig) && !strcmp(sig, "TCGTCGTCGTCG")) ||
	       (virt && !strcmp(virt, "QEMU TCG"));
}

const char *machine_accelerator(void)
{
	const char *lab = getenv("ACTIVEMM_LAB_ACCEL"), *kind = "other", *name;
	json_t *hypervisor;

	if (machine_emulated())
		return lab && (!strcmp(lab, "bochs") || !strcmp(lab, "icount")) ? lab : "tcg";
	if (lab && !strcmp(lab, "kvm"))
		return "kvm";
	hypervisor = machine_hypervisor();
	name = json_string_value(hypervisor);
	if (name && !strcmp(name, "none"))
		kind = "none";
	else if (name && !strcmp(name, "KVM"))
		kind = "kvm";
	json_decref(hypervisor);
	return kind;
}

/* Data TLBs by level and page size, in entries; the larger one where a CPU has several of a kind. */
static void tlb_note(json_t *tlb, const char *key, uint32_t entries)
{
	if (entries > (uint32_t)json_integer_value(json_object_get(tlb, key)))
		member_set(tlb, key, json_integer(entries));
}

/* Intel SDM, CPUID leaf 18h: deterministic address translation parameters. */
static void tlb_leaf18(json_t *tlb)
{
	uint32_t r[4], last;

	if (!machine_cpuid(0x18, 0, r))
		return;
	last = r[0] < 64 ? r[0] : 64;
	for (uint32_t i = 0; i <= last && machine_cpuid(0x18, i, r); i++) {
		uint32_t kind = r[3] & 0x1f, level = r[3] >> 5 & 7, entries = (r[1] >> 16) * r[2];
		bool data = kind == 1 || kind == 3 || kind == 4;

		if (!data || (level != 1 && level != 2))
			continue;
		if (r[1] & 1)
			tlb_note(tlb, level == 1 ? "l1_4k" : "l2_4k", entries);
		if (r[1] & 2)
			tlb_note(tlb, level == 1 ? "l1_2m" : "l2_2m", entries);
	}
	if (json_object_size(tlb))
		member_set(tlb, "source", member_string("CPUID 18h"));
}

/* Intel SDM, table of CPUID leaf 2 descriptors: those of data and shared second-level TLBs. */
static void tlb_leaf2(json_t *tlb)
{
	static const struct {
		uint8_t code;
		bool second;
		uint16_t small, large;
	} known[] = {
		{ 0x03, false, 64, 0 },	   { 0x04, false, 0, 8 },      { 0x05, false, 0, 32 },
		{ 0x56, false, 0, 16 },	   { 0x57, false, 16, 0 },     { 0x59, false, 16, 0 },
		{ 0x5a, false, 0, 32 },	   { 0x5b, false, 64, 64 },    { 0x5c, false, 128, 128 },
		{ 0x5d, false, 256, 256 }, { 0x63, false, 0, 32 },     { 0x64, false, 512, 0 },
		{ 0x6a, false, 64, 0 },	   { 0x6b, true, 256, 0 },     { 0x6c, true, 0, 128 },
		{ 0xa0, false, 32, 0 },	   { 0xb3, false, 128, 0 },    { 0xb4, true, 256, 0 },
		{ 0xba, false, 64, 0 },	   { 0xc0, false, 8, 8 },      { 0xc1, true, 1024, 1024 },
		{ 0xc2, false, 16, 16 },   { 0xc3, true, 1536, 1536 }, { 0xc4, false, 0, 32 },
		{ 0xca, true, 512, 0 },
	};
	uint32_t r[4];

	if (!machine_cpuid(2, 0, r))
		return;
	r[0] &= ~0xffu; /* the count of calls, always 1 */
	for (int i = 0; i < 16; i++) {
		uint32_t reg = r[i / 4];

		if (reg >> 31)
			continue;
		for (size_t k = 0; k < sizeof(known) / sizeof(known[0]); k++) {
			if (known[k].code != (reg >> 8 * (i % 4) & 0xff))
				continue;
			tlb_note(tlb, known[k].second ? "l2_4k" : "l1_4k", known[k].small);
			tlb_note(tlb, known[k].second ? "l2_2m" : "l1_2m", known[k].large);
		}
	}
	if (json_object_size(tlb))
		member_set(tlb, "source", member_string("CPUID 2"));
}

/* AMD APM volume 3, appendix E.4: functions 8000_0005h and 8000_0006h. */
static void tlb_amd(json_t *tlb)
{
	uint32_t r[4];

	if (machine_cpuid(0x80000005, 0, r)) {
		tlb_note(tlb, "l1_4k", r[1] >> 16 & 0xff);
		tlb_note(tlb, "l1_2m", r[0] >> 16 & 0xff);
	}
	if (machine_cpuid(0x80000006, 0, r)) {
		tlb_note(tlb, "l2_4k", r[1] >> 16 & 0xfff);
		tlb_note(tlb, "l2_2m", r[0] >> 16 & 0xfff);
	}
	if (json_object_size(tlb))
		member_set(tlb, "source", member_string("CPUID 80000005h and 80000006h"));
}

static json_t *tlb_sizes(const char *vendor, bool guest)
{
	json_t *tlb = json_object();

	if (vendor && !strcmp(vendor, "GenuineIntel")) {
		tlb_leaf18(tlb);
		if (!json_object_size(tlb))
			tlb_leaf2(tlb);
	} else if (vendor && (!strcmp(vendor, "AuthenticAMD") || !strcmp(vendor, "HygonGenuine"))) {
		tlb_amd(tlb);
	}
	if (!json_object_size(tlb)) {
		json_decref(tlb);
		return machine_unavailable(guest ? "the hypervisor hides the TLB's leaves of CPUID"
						 : "this CPU's CPUID does not describe its TLBs");
	}
	if (guest)
		member_set(tlb, "note",
			   member_string(
				   "as the hypervisor shows it, not necessarily the hardware's"));
	return tlb;
}

static void set_value(json_t *to, const char *key, const char *info, const char *name, bool number)
{
	char *value = cpuinfo_value(info, name);
	json_t *j = NULL;

	if (value)
		j = number ? json_integer(strtoll(value, NULL, 0)) : member_string(value);
	member_set(to, key, j ? j : machine_unavailable("/proc/cpuinfo has no \"%s\"", name));
	free(value);
}

json_t *machine_cpu(void)
{
	char *info = machine_text("/proc/cpuinfo"), *cmdline = machine_text("/proc/cmdline");
	char *flags = cpuinfo_value(info, "flags"), *vendor = cpuinfo_value(info, "vendor_id");
	unsigned long id = midr();
	json_t *cpu = json_object();

	set_value(cpu, "model", info, "model name", false);
	if (id)
		member_set(cpu, "model",
			   arch_arm64_core(id)
				   ? member_string(arch_arm64_core(id))
				   : member_printf("arm64 implementer 0x%02lx part 0x%03lx",
						   id >> 24 & 0xff, id >> 4 & 0xfff));
	set_value(cpu, "vendor", info, "vendor_id", false);
	set_value(cpu, "family", info, "cpu family", true);
	set_value(cpu, "model_number", info, "model", true);
	set_value(cpu, "stepping", info, "stepping", true);
	set_value(cpu, "microcode", info, "microcode", false);
	/* nopcid clears the flag on most kernels; the command line is asked in case it does not */
	member_set(cpu, "flags",
		   member_pack("{s:b,s:b,s:b,s:b,s:b}", "pcid", machine_has_pcid(), "invpcid",
			       machine_has_word(flags, "invpcid"), "pti",
			       machine_has_word(flags, "pti"), "invlpgb",
			       machine_has_word(flags, "invlpgb"), "nopcid",
			       machine_has_word(cmdline, "nopcid")));
	member_set(cpu, "tlb", tlb_sizes(vendor, machine_has_word(flags, "hypervisor")));
	free(info);
	free(cmdline);
	free(flags);
	free(vendor);
	return cpu;
}
