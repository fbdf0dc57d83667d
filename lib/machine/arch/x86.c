// SPDX-License-Identifier: GPL-2.0-or-later
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "lib/machine/arch/arch.h"

/* arch/x86/mm/tlb.c: six slots of each CPU (TLB_NR_DYN_ASIDS), and interrupts to all that run the mm (flush_tlb_multi()). */
const struct arch arch_x86 = {
	.name = "x86",
	.number = "PCID",
	.base = "CR3",
	.kept = 6,
	.told = true,
};

bool arch_invlpgb(void)
{
#if defined(__x86_64__) || defined(__i386__)
	unsigned int a, b = 0, c, d;

	return __get_cpuid(0x80000008, &a, &b, &c, &d) && b >> 3 & 1;
#else
	return false;
#endif
}
