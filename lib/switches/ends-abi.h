/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the programs that watch an mm die and the program that loads them agree on. */
#ifndef LIB_SWITCHES_ENDS_ABI_H
#define LIB_SWITCHES_ENDS_ABI_H

#include <linux/types.h>

#define MM_COMM_LEN 16

enum mm_life_kind {
	MM_EXIT_BEGIN, /* exit_mmap(): the last user is gone, its mappings go */
	MM_EXIT_END,
	MM_DROP, /* __mmdrop(): the last reference is gone, the mm itself is freed */
};

struct mm_life_entry {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u64 mm; /* kernel address: an identity, nothing to follow; used again after MM_DROP */
	__u32 cpu;
	__u32 kind; /* enum mm_life_kind */
	__u32 pid; /* of the task that runs it: for MM_DROP often not one of the mm's */
	__s32 mm_users;
	__s32 mm_count;
	__u32 pad;
	char comm[MM_COMM_LEN];
};

#endif
