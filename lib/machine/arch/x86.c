// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/machine/arch/arch.h"

/* arch/x86/mm/tlb.c: six slots of each CPU (TLB_NR_DYN_ASIDS), and interrupts to all that run the mm (flush_tlb_multi()). */
const struct arch arch_x86 = {
	.name = "x86",
	.number = "PCID",
	.base = "CR3",
	.kept = 6,
	.told = true,
};
