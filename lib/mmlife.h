/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How address spaces end, on all CPUs and in order: exit_mmap() when the last user is gone, __mmdrop() when the last borrower is
 * (kernel/fork.c, mm/mmap.c). Needs BPF and a kernel that lets it attach to functions: BTF, and CONFIG_FUNCTION_TRACER with
 * CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS.
 */
#ifndef LIB_MMLIFE_H
#define LIB_MMLIFE_H

#include <stdint.h>
#include "lib/error.h"
#include "lib/bpf/mmlife-abi.h"

struct mmlife;

/* Called for each entry, oldest first; the entry is valid during the call only. */
typedef void (*mmlife_visit)(void *context, const struct mm_life_entry *entry);

/*
 * Start watching; for mmlife_close(). 0, or -errno with the reason: -ENOTSUP: built without BPF, or the kernel lacks BTF; -EPERM:
 * what permission is missing and how to give it; others: the kernel allows no programs on these functions.
 */
int mmlife_open(struct mmlife **life, struct error *error);

/*
 * Visit what was logged since the last call, without waiting. The buffer holds some 16 000 entries; those that did not fit since
 * open are counted in *lost, if it is not NULL. 0 or -errno.
 */
int mmlife_read(struct mmlife *life, mmlife_visit visit, void *context, uint64_t *lost,
		struct error *error);

/* Stop and free; NULL is allowed. */
void mmlife_close(struct mmlife *life);

#endif
