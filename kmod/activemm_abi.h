/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What activemm.ko and its users share: the ioctls of /dev/activemm.
 *
 * An open file is a session. ACTIVEMM_SET_UP gives it one kernel thread, pinned to one CPU;
 * each ACTIVEMM_ROUND_TRIP then switches from the calling task to that thread and back: exactly
 * two context switches on that CPU, the same hand-over in every mode, and in between nothing
 * but what the mode does to the address space. Opening needs CAP_SYS_ADMIN. The thread goes
 * away with the last descriptor of the file.
 *
 * A session belongs to the address space that set it up: its threads may take turns (one round
 * trip at a time, others wait), a forked child may hold the descriptor but not use it. It ends,
 * and says -ENODEV from then on, when its CPU goes offline; it ends with -ECANCELED when a
 * caller was killed before its thread answered.
 */
#ifndef ACTIVEMM_ABI_H
#define ACTIVEMM_ABI_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define ACTIVEMM_DEVICE	     "/dev/activemm"
#define ACTIVEMM_ABI_VERSION 1

/*
 * Writes of the page tables' base (CR3; on arm64 TTBR1 and TTBR0, which is one) that the thread makes per round trip in the modes
 * reload and flush: as many as the two switches of mode isolated load.
 */
#define ACTIVEMM_CR3_WRITES 2

/* What the thread does with the address space, once per round trip. */
enum activemm_mode {
	/* Borrows the caller's, as every kernel thread does: no CR3 load. */
	ACTIVEMM_LAZY = 0,
	/* Lives in another task's for the whole session (kthread_use_mm): two CR3 loads. */
	ACTIVEMM_ISOLATED = 1,
	/* x86: leaves the borrowed one for init_mm (leave_mm), and the way back loads it: two. */
	ACTIVEMM_LEAVE = 2,
	/* Borrows, and writes CR3 twice keeping the TLB (x86: bit 63) where PCID is on. Untraced. */
	ACTIVEMM_RELOAD = 3,
	/*
	 * Borrows, and writes CR3 twice flushing what is not global (arm64: what has the caller's
	 * ASID), the user half under page table isolation included where INVPCID exists. Untraced.
	 */
	ACTIVEMM_FLUSH = 4,
	ACTIVEMM_MODES
};

/* activemm_info.features */
#define ACTIVEMM_HAS_PCID (1U << 0) /* arm64: always, its ASIDs */
#define ACTIVEMM_HAS_PTI  (1U << 1)
/* Mode flush reaches the user half too: no PTI, no PCID, or INVPCID to do it with. */
#define ACTIVEMM_FLUSHES_USER (1U << 2)

struct activemm_info {
	__u32 abi_version;
	/* 1U << mode for every mode allowed: reload and flush not under Xen PV, leave not on arm64. */
	__u32 modes;
	__u32 features;
	__u32 reserved;
};

struct activemm_setup {
	__u32 mode;
	/* The CPU to pin the thread to; round trips are accepted only on it. */
	__u32 cpu;
	/*
	 * Mode isolated: a task, by its id in the caller's namespace, whose address space the
	 * thread takes; not the caller's own. A forked child that sleeps will do. The address
	 * space outlives the task. Other modes: 0.
	 */
	__s32 pid;
	__u32 reserved;
};

/* mm_users and mm_count of the caller's mm; mm_count includes one held by the session. */
struct activemm_counts {
	__u32 users;
	__u32 count;
};

/* activemm_report.flags: what the last ACTIVEMM_OBSERVE saw from within the thread. */
#define ACTIVEMM_OBSERVED	(1U << 0)
#define ACTIVEMM_THREAD_HAS_MM	(1U << 1) /* current->mm != NULL */
#define ACTIVEMM_BORROWS_CALLER (1U << 2) /* current->active_mm == the caller's mm */

struct activemm_report {
	__u32 mode;
	__u32 cpu;
	__u32 flags;
	/* The kernel thread's id, as the scheduler's events name it. */
	__s32 thread;
	/* Since ACTIVEMM_SET_UP: round trips, CR3 writes the module made itself, leave_mm calls. */
	__u64 round_trips;
	__u64 cr3_writes;
	__u64 leaves;
	/* Address spaces as opaque ids, comparable until the module is unloaded; 0: none. */
	__u64 caller_mm;
	__u64 thread_mm;
	__u64 thread_active_mm;
	/* By the caller before the switch, by the thread, by the caller back again. */
	struct activemm_counts before;
	struct activemm_counts during;
	struct activemm_counts after;
};

#define ACTIVEMM_INFO _IOR(0xa7, 0, struct activemm_info)

/*
 * Once per file. -EINVAL: unknown mode, CPU not online, pid out of place, reserved not 0;
 * -ESRCH: no such task, or one without an address space; -EBUSY: set up already;
 * -EOPNOTSUPP: not under this hypervisor, or not on this architecture.
 */
#define ACTIVEMM_SET_UP _IOW(0xa7, 1, struct activemm_setup)

/*
 * The measured call; its argument is 0. -EINVAL: the caller is not on the session's CPU;
 * -ENXIO: not set up; -EPERM: another address space's session; -ENODEV, -ECANCELED: ended.
 */
#define ACTIVEMM_ROUND_TRIP _IO(0xa7, 2)

/* The same with a look around on the way, for ACTIVEMM_REPORT; not to be timed. */
#define ACTIVEMM_OBSERVE _IO(0xa7, 3)

/* -ENXIO: not set up. */
#define ACTIVEMM_REPORT _IOR(0xa7, 4, struct activemm_report)

#endif
