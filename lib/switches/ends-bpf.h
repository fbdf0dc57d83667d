/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How address spaces end, on all CPUs and in order: exit_mmap() when the last user is gone, __mmdrop() when the last borrower is
 * (kernel/fork.c, mm/mmap.c). Needs BPF and a kernel that lets it attach to functions: BTF, and CONFIG_FUNCTION_TRACER with
 * CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS.
 */
#ifndef LIB_SWITCHES_ENDS_BPF_H
#define LIB_SWITCHES_ENDS_BPF_H

#include <stdint.h>
#include "lib/base/error.h"
#include "lib/switches/ends-abi.h"

struct ends_bpf;

/* Called for each entry, oldest first; the entry is valid during the call only. */
typedef void (*ends_bpf_visit)(void *context, const struct mm_life_entry *entry);

/*
 * Start watching; for ends_bpf_close(). 0, or -errno with the reason: -ENOTSUP: built without BPF, or the kernel lacks BTF; -EPERM:
 * what permission is missing and how to give it; others: the kernel allows no programs on these functions.
 */
int ends_bpf_open(struct ends_bpf **life, struct error *error);

/*
 * Visit what was logged since the last call, without waiting. The buffer holds some 16 000 entries; those that did not fit since
 * open are counted in *lost, if it is not NULL. 0 or -errno.
 */
int ends_bpf_read(struct ends_bpf *life, ends_bpf_visit visit, void *context, uint64_t *lost,
		  struct error *error);

/* Stop and free; NULL is allowed. */
void ends_bpf_close(struct ends_bpf *life);

#endif
