// SPDX-License-Identifier: GPL-2.0-or-later
#include <stddef.h>

#include "lib/machine/arch/arch.h"

/*
 * arch/arm64/mm/context.c: every mm has an ASID of its own until all are taken (256 or 65536; half with page-table isolation), and
 * switching back to one writes TTBR0 and flushes nothing. arch/arm64/include/asm/tlbflush.h: invalidations are broadcast (TLBI ...IS).
 */
const struct arch arch_arm64 = {
	.name = "arm64",
	.number = "ASID",
	.base = "TTBR0",
	.broadcast = true,
	.told = true,
};

const char *arch_arm64_core(unsigned long midr)
{
	static const struct {
		unsigned int implementer, part;
		const char *name;
	} cores[] = {
		{ 0x41, 0xd03, "Arm Cortex-A53" },    { 0x41, 0xd04, "Arm Cortex-A35" },
		{ 0x41, 0xd05, "Arm Cortex-A55" },    { 0x41, 0xd07, "Arm Cortex-A57" },
		{ 0x41, 0xd08, "Arm Cortex-A72" },    { 0x41, 0xd09, "Arm Cortex-A73" },
		{ 0x41, 0xd0a, "Arm Cortex-A75" },    { 0x41, 0xd0b, "Arm Cortex-A76" },
		{ 0x41, 0xd0c, "Arm Neoverse-N1" },   { 0x41, 0xd0d, "Arm Cortex-A77" },
		{ 0x41, 0xd40, "Arm Neoverse-V1" },   { 0x41, 0xd41, "Arm Cortex-A78" },
		{ 0x41, 0xd44, "Arm Cortex-X1" },     { 0x41, 0xd46, "Arm Cortex-A510" },
		{ 0x41, 0xd47, "Arm Cortex-A710" },   { 0x41, 0xd48, "Arm Cortex-X2" },
		{ 0x41, 0xd49, "Arm Neoverse-N2" },   { 0x41, 0xd4d, "Arm Cortex-A715" },
		{ 0x41, 0xd4e, "Arm Cortex-X3" },     { 0x41, 0xd4f, "Arm Neoverse-V2" },
		{ 0x41, 0xd80, "Arm Cortex-A520" },   { 0x41, 0xd81, "Arm Cortex-A720" },
		{ 0x41, 0xd82, "Arm Cortex-X4" },     { 0x41, 0xd84, "Arm Neoverse-V3" },
		{ 0x41, 0xd8e, "Arm Neoverse-N3" },   { 0x42, 0x516, "Broadcom Vulcan" },
		{ 0x43, 0x0a1, "Cavium ThunderX" },   { 0x43, 0x0af, "Cavium ThunderX2" },
		{ 0x46, 0x001, "Fujitsu A64FX" },     { 0x48, 0xd01, "HiSilicon Kunpeng-920" },
		{ 0x50, 0x000, "APM Potenza" },	      { 0x51, 0xc00, "Qualcomm Falkor" },
		{ 0xc0, 0xac3, "Ampere Ampere-1" },   { 0xc0, 0xac4, "Ampere Ampere-1a" },
		{ 0x61, 0x022, "Apple M1 Icestorm" }, { 0x61, 0x023, "Apple M1 Firestorm" },
	};

	for (size_t i = 0; i < sizeof(cores) / sizeof(*cores); i++)
		if (cores[i].implementer == (midr >> 24 & 0xff) &&
		    cores[i].part == (midr >> 4 & 0xfff))
			return cores[i].name;
	return NULL;
}

unsigned long arch_timer_hz(void)
{
#if defined(__aarch64__)
	unsigned long hz;

	__asm__("mrs %0, cntfrq_el0" : "=r"(hz));
	return hz;
#else
	return 0;
#endif
}
