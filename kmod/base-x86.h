/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CR3: what the modes do to it beside the switches. */
#ifndef ACTIVEMM_BASE_X86_H
#define ACTIVEMM_BASE_X86_H

#include <linux/smp.h>

#include <asm/cpufeature.h>
#include <asm/invpcid.h>
#include <asm/mmu.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>

#ifndef CONFIG_X86_64
#error "activemm.ko needs x86-64 or arm64: 32-bit x86 has no PCIDs"
#endif

/* Not there in a kernel built without page table isolation, and not used then. */
#ifndef X86_CR3_PTI_PCID_USER_BIT
#define X86_CR3_PTI_PCID_USER_BIT 11
#endif

struct base {
	bool pcid;
	bool invpcid_user;
};

static inline bool pcid_enabled(void)
{
	return native_read_cr4() & X86_CR4_PCIDE;
}

static inline void base_set_up(struct base *base)
{
	base->pcid = pcid_enabled();
	base->invpcid_user = base->pcid && boot_cpu_has(X86_FEATURE_PTI) &&
			     boot_cpu_has(X86_FEATURE_INVPCID);
}

static inline u32 base_modes(void)
{
	u32 modes = BIT(ACTIVEMM_LAZY) | BIT(ACTIVEMM_ISOLATED) | BIT(ACTIVEMM_LEAVE);

	/* A Xen PV guest may not write CR3. */
	if (!boot_cpu_has(X86_FEATURE_XENPV))
		modes |= BIT(ACTIVEMM_RELOAD) | BIT(ACTIVEMM_FLUSH);
	return modes;
}

static inline u32 base_features(void)
{
	bool pcid = pcid_enabled(), pti = boot_cpu_has(X86_FEATURE_PTI);
	u32 features = 0;

	if (pcid)
		features |= ACTIVEMM_HAS_PCID;
	if (pti)
		features |= ACTIVEMM_HAS_PTI;
	if (!pcid || !pti || boot_cpu_has(X86_FEATURE_INVPCID))
		features |= ACTIVEMM_FLUSHES_USER;
	return features;
}

/* Interrupts are off: a shootdown may move a lazy CPU to init_mm between the read and the write. */
static inline void base_rewrite(const struct base *base, bool flush)
{
	unsigned long cr3 = __native_read_cr3();

	native_write_cr3(!flush && base->pcid ? cr3 | X86_CR3_PCID_NOFLUSH : cr3);
	/* Under page table isolation user space has a PCID of its own, which CR3 writes miss. */
	if (flush && base->invpcid_user)
		invpcid_flush_single_context((cr3 & X86_CR3_PCID_MASK) |
					     BIT(X86_CR3_PTI_PCID_USER_BIT));
}

static inline void base_leave(void)
{
#ifdef LEAVE_MM_TAKES_CPU
	leave_mm(smp_processor_id());
#else
	leave_mm();
#endif
}

#endif
