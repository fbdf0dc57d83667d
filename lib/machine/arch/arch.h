/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a kernel does with address spaces by its architecture: what claims are made of. A file for each, by its kernel's source. */
#ifndef LIB_MACHINE_ARCH_ARCH_H
#define LIB_MACHINE_ARCH_ARCH_H

#include <stdbool.h>

struct arch {
	const char *name; /* as the kernel's folder arch/ has it */
	const char *number; /* what tells address spaces apart in a TLB */
	const char *base; /* the register that holds the base of page tables */
	/* Address spaces whose translations a CPU keeps at once; 0: as many as tasks that take turns on it. */
	unsigned int kept;
	bool broadcast; /* invalidations reach other CPUs by an instruction, or the firmware: nobody is interrupted, a lazy CPU has nothing to make up for */
	bool told; /* claims hold here: its kernel was read and tried */
};

/* Of the machine that this is built for. */
const struct arch *arch_here(void);

extern const struct arch arch_x86, arch_arm64, arch_riscv, arch_other;

/*
 * The name of the core of an arm64 CPU by its MIDR_EL1, "Arm Neoverse-N1"; NULL if it is not known. (Arm's and its licensees' lists,
 * as arch/arm64/include/asm/cputype.h has them.)
 */
const char *arch_arm64_core(unsigned long midr);

/* Has this CPU AMD's INVLPGB, by which Linux 6.15 and newer flush an mm that is active on more than three CPUs? */
bool arch_invlpgb(void);
#define ARCH_INVLPGB_CPUS 3 /* consider_global_asid(), arch/x86/mm/tlb.c */

/* The frequency of the arm64 timer that a task may read; 0 elsewhere. */
unsigned long arch_timer_hz(void);

#endif
