// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Classes every context switch and every CR3 load in the kernel and counts them per CPU and per pair
 * of borrower and lender. No event leaves the kernel: the reader looks at the maps when it likes.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "kernel-types.h"
#include "switchtrace-abi.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 filter = FILTER_NONE;
const volatile __u64 filter_comm[2];
const volatile __u64 filter_mask[2];

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct switch_cpu);
} cpus SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192); /* the loader sets it by the number of CPUs */
	__type(key, __u64);
	__type(value, struct switch_row);
} rows SEC(".maps");

/* pids or cgroup ids that the filter selects */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u8);
} selected SEC(".maps");

static __always_inline struct switch_cpu *this_cpu(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&cpus, &zero);
}

static __always_inline int task_selected(struct task_struct *task)
{
	__u64 key, comm[2];

	switch (filter) {
	case FILTER_NONE:
		return 1;
	case FILTER_PID:
		key = task->tgid;
		return bpf_map_lookup_elem(&selected, &key) != NULL;
	case FILTER_COMM:
		bpf_probe_read_kernel(comm, sizeof(comm), task->comm);
		if ((comm[0] & filter_mask[0]) == filter_comm[0] &&
		    (comm[1] & filter_mask[1]) == filter_comm[1])
			return 1;
		bpf_probe_read_kernel(comm, sizeof(comm), task->group_leader->comm);
		return (comm[0] & filter_mask[0]) == filter_comm[0] &&
		       (comm[1] & filter_mask[1]) == filter_comm[1];
	default:
		key = task->cgroups->dfl_cgrp->kn->id;
		return bpf_map_lookup_elem(&selected, &key) != NULL;
	}
}

static __always_inline __u32 who_is(struct task_struct *task, __u32 cpu)
{
	if (!(task->flags & PF_KTHREAD))
		return WHO_EXITING | cpu;
	return task->pid ? task->pid : WHO_IDLE | cpu;
}

/* The row of a pair; `whose` may be NULL where the lender's task is not at hand. */
static __always_inline struct switch_row *row_find(__u64 key, struct task_struct *who,
						   struct task_struct *whose)
{
	struct switch_row *row = bpf_map_lookup_elem(&rows, &key);

	if (!row) {
		struct switch_row fresh = {};

		bpf_map_update_elem(&rows, &key, &fresh, BPF_NOEXIST);
		row = bpf_map_lookup_elem(&rows, &key);
		if (row && who)
			bpf_probe_read_kernel(row->who, COMM_LEN, who->comm);
	}
	if (row && whose && !row->whose[0])
		bpf_probe_read_kernel(row->whose, COMM_LEN, whose->group_leader->comm);
	return row;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, int preempt, struct task_struct *prev, struct task_struct *next)
{
	struct mm_struct *from = prev->mm, *to = next->mm;
	struct switch_cpu *cpu = this_cpu();
	struct switch_row *row;
	__u32 class, idle, number, lender, who;
	__u8 next_match, match;

	if (!cpu || !cpu->enabled)
		return 0;

	number = bpf_get_smp_processor_id();
	idle = !prev->pid || !next->pid;
	match = task_selected(prev);
	next_match = filter == FILTER_NONE ? 1 : task_selected(next);
	/* A task in exit() gave up its mm, but it is its own mm that it lends on. */
	if (from || !(prev->flags & PF_KTHREAD)) {
		cpu->lender = prev->tgid;
		cpu->lender_match = match;
		if (!to) {
			cpu->borrowed = 1;
			cpu->credit = 2;
		}
	}
	match |= next_match | cpu->lender_match;
	lender = cpu->lender;

	if (!to) {
		class = from ? SWITCH_BORROW : SWITCH_PASS;
		who = who_is(next, number);
	} else if (!from) {
		class = prev->active_mm == to ? SWITCH_BACK : SWITCH_ON;
		who = who_is(prev, number);
		if (class == SWITCH_BACK)
			lender = next->tgid;
	} else {
		class = from == to ? SWITCH_THREAD : SWITCH_REAL;
		who = WHO_NONE | number;
		lender = next->tgid;
	}
	/* A loan that began before the watch did is not counted as saving anything. */
	if (class == SWITCH_ON || (to && !cpu->borrowed))
		cpu->credit = 0;
	if (to) {
		cpu->borrowed = 0;
		cpu->lender = next->tgid;
		cpu->lender_match = next_match;
	}
	cpu->prev = (__u64)prev;
	cpu->row = (__u64)who << 32 | lender;
	cpu->class = class;
	cpu->idle = idle;
	cpu->match = match;
	if (!match)
		return 0;

	cpu->counts.switches[class][idle]++;
	row = row_find(cpu->row, from && to ? NULL : to ? prev : next,
		       class == SWITCH_BORROW ? prev : class == SWITCH_PASS || class == SWITCH_ON ? NULL : next);
	if (row)
		row->switches[class]++;
	if (class == SWITCH_BACK) {
		cpu->counts.saved[idle] += cpu->credit;
		if (row)
			row->saved += cpu->credit;
	} else if (class == SWITCH_ON) {
		/* From here on it is the new mm that loads and flushes. */
		cpu->row = (__u64)(WHO_NONE | number) << 32 | next->tgid;
		row = row_find(cpu->row, NULL, next);
		if (row)
			row->switches[class]++;
	}
	return 0;
}

SEC("tp_btf/tlb_flush")
int BPF_PROG(on_flush, int reason, unsigned long pages)
{
	struct switch_cpu *cpu = this_cpu();
	struct switch_row *row;
	__u32 class, kind, kthread;

	if (!cpu || !cpu->enabled)
		return 0;
	/* Before the first switch nobody knows who runs here. */
	if (filter != FILTER_NONE && !cpu->match)
		return 0;
	if (reason < 0 || reason >= FLUSH_REASONS)
		return 0;
	cpu->counts.flushes[reason]++;
	if (reason != FLUSH_ON_TASK_SWITCH && reason != FLUSH_REMOTE_SENT)
		return 0;

	class = cpu->class;
	if (class >= SWITCH_CLASSES)
		return 0;
	row = cpu->row ? bpf_map_lookup_elem(&rows, &cpu->row) : NULL;
	kthread = class == SWITCH_BORROW || class == SWITCH_PASS;
	if (reason == FLUSH_REMOTE_SENT) {
		if (row)
			row->sent[kthread]++;
		return 0;
	}

	kind = pages ? LOAD_FLUSHED : LOAD_KEPT;
	if (row)
		row->loads[kind]++;
	/* switch_mm() runs before the CPU's current task changes. */
	if (cpu->prev != bpf_get_current_task()) {
		cpu->counts.loads[LOADS_OUTSIDE][kind]++;
		if (kthread && cpu->credit)
			cpu->credit--;
		return 0;
	}
	cpu->counts.loads[class][kind]++;
	if (!cpu->credit)
		return 0;
	/* A load on the way back (the mm's page tables changed meanwhile) takes one saving back. */
	cpu->credit--;
	if (class == SWITCH_BACK) {
		cpu->counts.saved[cpu->idle & 1]--;
		if (row)
			row->saved--;
	}
	return 0;
}
