/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the BPF programs and the program that loads them agree on. */
#ifndef LIB_SWITCHES_ABI_H
#define LIB_SWITCHES_ABI_H

#include <linux/types.h>

/* What one context switch does with the address space that is loaded. */
enum switch_class {
	SWITCH_BORROW, /* user task to kernel thread: the mm stays loaded and is borrowed */
	SWITCH_PASS, /* kernel thread to kernel thread: the borrowed mm is handed on */
	SWITCH_BACK, /* kernel thread to a task of the borrowed mm: two loads saved */
	SWITCH_ON, /* kernel thread to a task of another mm: the load was only delayed */
	SWITCH_THREAD, /* user task to user task of the same mm */
	SWITCH_REAL, /* user task to user task of another mm */
	SWITCH_CLASSES
};

/* tlb:tlb_flush reasons, include/trace/events/tlb.h */
enum flush_reason {
	FLUSH_ON_TASK_SWITCH, /* a CR3 load by switch_mm */
	FLUSH_REMOTE_RECEIVED,
	FLUSH_LOCAL,
	FLUSH_LOCAL_MM,
	FLUSH_REMOTE_SENT,
	FLUSH_REMOTE_WRONG_CPU,
	FLUSH_REASONS
};

enum { LOAD_KEPT, LOAD_FLUSHED, LOAD_KINDS };

/* Loads outside a switch: leave_mm() in idle, kthread_use_mm(), a shootdown that hits a lazy CPU. */
#define LOADS_OUTSIDE SWITCH_CLASSES

#define COMM_LEN 16

/* Counters of one CPU; the second index of `switches` and `saved` is 1 where the idle task took part. */
struct switch_counts {
	__u64 switches[SWITCH_CLASSES][2];
	__u64 loads[SWITCH_CLASSES + 1][LOAD_KINDS];
	__u64 flushes[FLUSH_REASONS];
	__u64 saved[2];
};

/*
 * Rows are keyed by (who << 32 | tgid): who borrowed, and whose address space. `who` is a kernel
 * thread's pid, or one of these with the CPU's number in the low bits. No key is 0.
 */
#define WHO_IDLE    0x80000000u /* swapper */
#define WHO_EXITING 0x40000000u /* tasks that gave up their mm in exit() */
#define WHO_NONE    0xc0000000u /* nobody borrowed: user to user, and what happens in user tasks */
#define WHO_KIND    0xc0000000u

struct switch_row {
	__u64 switches[SWITCH_CLASSES];
	__u64 loads[LOAD_KINDS];
	__u64 sent[2]; /* shootdowns sent to other CPUs: by tasks of the mm, by the borrower */
	__u64 saved;
	char who[COMM_LEN]; /* the kernel thread, empty for WHO_NONE */
	char whose[COMM_LEN]; /* leader of the process whose mm it is */
};

struct switch_slot {
	__u64 key; /* 0: empty */
	struct switch_row row;
};

/* A power of two. */
#define SWITCH_SLOTS 32

/*
 * One CPU's part: the counters, what the programs remember between two events, and the rows used
 * latest, which are written back to the shared map only when another row needs the slot. A hash
 * lookup at each switch would cost more than all the rest.
 */
struct switch_cpu {
	struct switch_counts counts;
	__u64 prev; /* task that the latest switch left */
	__u32 slot; /* of the row that the latest switch went to */
	__u32 lender; /* tgid whose mm is loaded, 0: not known yet */
	__u32 number; /* written by the loader: this CPU's */
	__u8 enabled; /* written by the loader: this CPU is watched */
	__u8 match; /* the latest switch passed the filter */
	__u8 lender_match;
	__u8 borrowed; /* the start of this loan was seen */
	__u8 class; /* of the latest switch */
	__u8 loaded; /* it has had its CR3 load */
	__u8 idle; /* it involved the idle task */
	__u8 credit; /* loads that the loan has saved so far, at most 2 */
	__u8 pad[4];
	__u32 window; /* the latest of which an event was seen */
	__u32 pad2;
	__u64 seen; /* switches, whether the filter wanted them or not */
	struct switch_slot slots[SWITCH_SLOTS];
};

enum switch_filter { FILTER_NONE, FILTER_PID, FILTER_COMM, FILTER_CGROUP };

/* One switch of the log, or a TLB event between two switches. */
enum log_kind { LOG_SWITCH, LOG_FLUSH };

struct switch_log_task {
	__u32 pid;
	__u32 tgid;
	__u64 mm; /* kernel address: an identity, nothing to follow; 0 for a kernel thread */
	__u64 active_mm;
	__u32 flags; /* task_struct.flags: PF_KTHREAD, PF_EXITING */
	__u32 on_init_mm; /* active_mm is the kernel's own init_mm */
	char comm[COMM_LEN];
};

struct switch_log_entry {
	__u64 time_ns; /* CLOCK_MONOTONIC */
	__u32 cpu;
	__u32 kind;
	struct switch_log_task prev, next; /* LOG_SWITCH: at the moment before the switch */
	__s32 mm_users; /* of prev->active_mm; these two are -1 where nothing tells */
	__s32 mm_count;
	__s32 reason; /* LOG_FLUSH: enum flush_reason */
	__u32 in_switch;
	__s64 pages;
};

#endif
