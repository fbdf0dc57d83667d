/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast the CPU is just now, apart from the kernel: fixed pieces of user-space work, timed. A clock that changes, a sibling that
 * takes its share of the core, a hypervisor that takes longer to come back: each slows one of them down as it slows round trips. None
 * of them enters the kernel, whose cost is what is measured. (A chain of loads through 256 KiB was tried and left out: it scatters by
 * half, tells less than these, and takes cache lines from the round trips.)
 */
#ifndef LIB_MACHINE_SPEED_H
#define LIB_MACHINE_SPEED_H

#include "lib/base/schema.h"
#include "lib/machine/clock.h"

enum speed_kind {
	SPEED_CLOCK, /* a chain of multiplications, each of the one before: the clock */
	SPEED_CORE, /* independent operations: how much of the core there is */
	SPEED_EXIT, /* an instruction that traps to the hypervisor (CPUID); not looked at without one */
};

/* Can this kind be looked at here? */
bool speed_has(enum speed_kind kind);

/* Nanoseconds that each piece takes, the median of a few tries, into @ns; NaN for one that cannot be looked at. About 10 us in all. */
void speed_look(const struct clock *clock, double ns[SPEED_KINDS]);

/* Its name in result sets, of SPEED_NAMES. */
const char *speed_name(enum speed_kind kind);

#endif
