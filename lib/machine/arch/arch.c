// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/machine/arch/arch.h"

/* Nothing is known of its kernel's switches but what all kernels share. */
const struct arch arch_other = {
	.name = "other",
	.number = "address-space number",
	.base = "page-table base",
};

const struct arch *arch_here(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return &arch_x86;
#elif defined(__aarch64__)
	return &arch_arm64;
#elif defined(__riscv)
	return &arch_riscv;
#else
	return &arch_other;
#endif
}
