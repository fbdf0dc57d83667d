/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TTBR0 and TTBR1: what the modes do to them beside the switches. */
#ifndef ACTIVEMM_BASE_ARM64_H
#define ACTIVEMM_BASE_ARM64_H

#include <linux/sched.h>

#include <asm/barrier.h>
#include <asm/mmu.h>
#include <asm/sysreg.h>

struct base {
};

static inline void base_set_up(struct base *base)
{
}

/* Nothing that a module may call makes an arm64 kernel leave a borrowed mm: there is no mode leave. */
static inline u32 base_modes(void)
{
	return BIT(ACTIVEMM_LAZY) | BIT(ACTIVEMM_ISOLATED) | BIT(ACTIVEMM_RELOAD) |
	       BIT(ACTIVEMM_FLUSH);
}

/* Every arm64 CPU has ASIDs, and one instruction more flushes the user half. */
static inline u32 base_features(void)
{
	return ACTIVEMM_HAS_PCID | ACTIVEMM_FLUSHES_USER |
	       (arm64_kernel_unmapped_at_el0() ? ACTIVEMM_HAS_PTI : 0);
}

/*
 * As cpu_do_switch_mm() does: TTBR1 has the ASID, TTBR0 the tables. No write of them flushes; where a switch has to, the
 * kernel invalidates an ASID on this CPU, and so does mode flush. (Cavium's ThunderX wants an instruction cache flush besides.)
 */
static inline void base_rewrite(const struct base *base, bool flush)
{
	unsigned long asid = ASID(current->active_mm) << 48;

	write_sysreg(read_sysreg(ttbr1_el1), ttbr1_el1);
	write_sysreg(read_sysreg(ttbr0_el1), ttbr0_el1);
	isb();
	if (!flush)
		return;
	dsb(nshst);
	asm volatile("tlbi aside1, %0" : : "r"(asid));
	if (arm64_kernel_unmapped_at_el0())
		asm volatile("tlbi aside1, %0" : : "r"(asid | USER_ASID_FLAG));
	dsb(nsh);
	isb();
}

static inline void base_leave(void)
{
}

#endif
