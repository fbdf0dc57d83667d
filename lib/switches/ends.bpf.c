// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes down the end of every mm: exit_mmap(), when nobody uses it, and __mmdrop(), when nobody borrows it either. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "kernel-types.h"
#include "ends-abi.h"

char LICENSE[] SEC("license") = "GPL";

/* Entries that did not fit into the log. */
__u64 lost;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} entries SEC(".maps");

static __always_inline int note(struct mm_struct *mm, __u32 kind)
{
	__u64 now = bpf_ktime_get_ns();
	struct mm_life_entry *entry = bpf_ringbuf_reserve(&entries, sizeof(*entry), 0);

	if (!entry) {
		__atomic_fetch_add(&lost, 1, __ATOMIC_RELAXED);
		return 0;
	}
	entry->time_ns = now;
	entry->mm = (__u64)mm;
	entry->cpu = bpf_get_smp_processor_id();
	entry->kind = kind;
	entry->pid = (__u32)bpf_get_current_pid_tgid();
	entry->mm_users = mm->mm_users.counter;
	entry->mm_count = mm->mm_count.counter;
	entry->pad = 0;
	bpf_get_current_comm(entry->comm, sizeof(entry->comm));
	bpf_ringbuf_submit(entry, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("fentry/exit_mmap")
int BPF_PROG(exit_begin, struct mm_struct *mm)
{
	return note(mm, MM_EXIT_BEGIN);
}

SEC("fexit/exit_mmap")
int BPF_PROG(exit_end, struct mm_struct *mm)
{
	return note(mm, MM_EXIT_END);
}

SEC("fentry/__mmdrop")
int BPF_PROG(drop, struct mm_struct *mm)
{
	return note(mm, MM_DROP);
}
