// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/machine/arch/arch.h"

/*
 * arch/riscv/mm/context.c: where there are more than twice as many ASIDs as CPUs every mm has one of its own until all are taken, and a
 * switch writes satp and flushes nothing; elsewhere each switch flushes. arch/riscv/mm/tlbflush.c: a flush is asked of the firmware (SBI)
 * for all CPUs that ever had the mm, lazy ones among them, which have nothing to make up for then; with an IMSIC the kernel interrupts them
 * itself. What a switch loads no event tells (lib/counters/counters.c), so no claim about it is proved.
 */
const struct arch arch_riscv = {
	.name = "riscv",
	.number = "ASID",
	.base = "satp",
	.broadcast = true,
};
