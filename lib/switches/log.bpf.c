// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes down every switch and TLB event of one CPU, for a story told switch by switch. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "kernel-types.h"
#include "abi.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 watched_cpu;

/* Entries that did not fit into the log, and the task that the latest switch left. */
__u64 lost;
__u64 left_task;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} entries SEC(".maps");

/* Not every kernel's symbol table has init_mm; but only its code begins at a kernel address. */
static __always_inline int is_init_mm(struct mm_struct *mm)
{
	return mm && mm->start_code >> 63;
}

static __always_inline void describe(struct switch_log_task *to, struct task_struct *task)
{
	struct mm_struct *mm = task->active_mm;

	to->pid = task->pid;
	to->tgid = task->tgid;
	to->mm = (__u64)task->mm;
	to->active_mm = (__u64)mm;
	to->flags = task->flags;
	to->on_init_mm = is_init_mm(mm);
	bpf_probe_read_kernel(to->comm, COMM_LEN, task->comm);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(log_switch, int preempt, struct task_struct *prev, struct task_struct *next)
{
	struct switch_log_entry *entry;
	struct mm_struct *mm;

	if (bpf_get_smp_processor_id() != watched_cpu)
		return 0;
	left_task = (__u64)prev;
	entry = bpf_ringbuf_reserve(&entries, sizeof(*entry), 0);
	if (!entry) {
		lost++;
		return 0;
	}
	entry->time_ns = bpf_ktime_get_ns();
	entry->cpu = watched_cpu;
	entry->kind = LOG_SWITCH;
	describe(&entry->prev, prev);
	describe(&entry->next, next);
	mm = prev->active_mm;
	entry->mm_users = mm->mm_users.counter;
	entry->mm_count = mm->mm_count.counter;
	entry->reason = 0;
	entry->in_switch = 0;
	entry->pages = 0;
	bpf_ringbuf_submit(entry, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("tp_btf/tlb_flush")
int BPF_PROG(log_flush, int reason, unsigned long pages)
{
	struct switch_log_entry *entry;

	if (bpf_get_smp_processor_id() != watched_cpu)
		return 0;
	entry = bpf_ringbuf_reserve(&entries, sizeof(*entry), 0);
	if (!entry) {
		lost++;
		return 0;
	}
	__builtin_memset(entry, 0, sizeof(*entry));
	entry->time_ns = bpf_ktime_get_ns();
	entry->cpu = watched_cpu;
	entry->kind = LOG_FLUSH;
	entry->reason = reason;
	/* switch_mm() runs before the CPU's current task changes. */
	entry->in_switch = left_task == bpf_get_current_task();
	entry->pages = pages;
	bpf_ringbuf_submit(entry, BPF_RB_NO_WAKEUP);
	return 0;
}
