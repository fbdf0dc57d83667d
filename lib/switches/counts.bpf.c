// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Classes every context switch and every CR3 load in the kernel and counts them per CPU and per pair
 * of borrower and lender. No event leaves the kernel: the reader looks at the maps when it likes.
 */
#include <linux/bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "kernel-types.h"
#include "abi.h"

char LICENSE[] SEC("license") = "GPL";

const volatile __u32 filter = FILTER_NONE;
const volatile __u64 filter_comm[2];
const volatile __u64 filter_mask[2];

/*
 * Watched in turns: what happens from window_start on for window_length nanoseconds counts. The clock ends it, for a
 * reader who woke to end it would be the last switch of each. Without turns the one window is always open.
 */
const volatile __u32 in_turns;
__u32 window_number; /* from 1 on */
__u64 window_start, window_length;

/* Where the kernel notes what is loaded: addresses of cpu_tlbstate and __per_cpu_offset, 0 where it does not tell. */
const volatile __u64 tlbstate_address, offsets_address;

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
	__uint(max_entries, 1); /* likewise, by what is selected */
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

/* Another CPU may write the same kernel thread's row back at this moment: hence atomics. */
static __noinline int slot_write_back(struct switch_slot *slot)
{
	struct switch_row *row;
	__u64 key = slot->key;

	row = bpf_map_lookup_elem(&rows, &key);
	if (!row) {
		bpf_map_update_elem(&rows, &key, &slot->row, BPF_NOEXIST);
		return 0;
	}
#pragma unroll
	for (int i = 0; i < SWITCH_CLASSES; i++)
		if (slot->row.switches[i])
			__atomic_fetch_add(&row->switches[i], slot->row.switches[i],
					   __ATOMIC_RELAXED);
#pragma unroll
	for (int i = 0; i < 2; i++) {
		__atomic_fetch_add(&row->loads[i], slot->row.loads[i], __ATOMIC_RELAXED);
		__atomic_fetch_add(&row->sent[i], slot->row.sent[i], __ATOMIC_RELAXED);
	}
	__atomic_fetch_add(&row->saved, slot->row.saved, __ATOMIC_RELAXED);
	return 0;
}

/* The slot of a pair, emptied for it if need be; `whose` is NULL where the lender is not at hand. */
static __always_inline struct switch_slot *slot_find(struct switch_cpu *cpu, __u32 who, __u32 tgid,
						     struct task_struct *borrower,
						     struct task_struct *whose)
{
	__u32 at = ((who * 0x9e3779b1u) ^ (tgid * 0x85ebca6bu)) >> 27 & (SWITCH_SLOTS - 1);
	struct switch_slot *slot = &cpu->slots[at];
	__u64 key = (__u64)who << 32 | tgid;

	cpu->slot = at;
	if (slot->key == key)
		return slot;
	if (slot->key)
		slot_write_back(slot);
	__builtin_memset(slot, 0, sizeof(*slot));
	slot->key = key;
	if (borrower)
		bpf_probe_read_kernel(slot->row.who, COMM_LEN, borrower->comm);
	if (whose)
		bpf_probe_read_kernel(slot->row.whose, COMM_LEN, whose->group_leader->comm);
	return slot;
}

static __always_inline int window_is_open(void)
{
	return !in_turns || bpf_ktime_get_ns() - window_start < window_length;
}

/* task_selected() for a task known by its address only; off the path of most switches. */
static __noinline int address_selected(__u64 address)
{
	struct task_struct *task = (void *)address;
	__u64 key, comm[2];

	if (filter == FILTER_NONE)
		return 1;
	if (!address)
		return 0;
	if (filter == FILTER_COMM) {
		bpf_probe_read_kernel(comm, sizeof(comm), task->comm);
		if ((comm[0] & filter_mask[0]) == filter_comm[0] &&
		    (comm[1] & filter_mask[1]) == filter_comm[1])
			return 1;
		task = BPF_CORE_READ(task, group_leader);
		bpf_probe_read_kernel(comm, sizeof(comm), task->comm);
		return (comm[0] & filter_mask[0]) == filter_comm[0] &&
		       (comm[1] & filter_mask[1]) == filter_comm[1];
	}
	key = filter == FILTER_PID ? (__u64)BPF_CORE_READ(task, tgid)
				   : BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	return bpf_map_lookup_elem(&selected, &key) != NULL;
}

/* Did the CPU leave the address space that it borrows (deep idle, a shootdown)? Then one of the two loads is done. */
static __always_inline int loan_was_left(const struct switch_cpu *cpu, struct mm_struct *borrowed)
{
	struct mm_struct *loaded = NULL;
	__u64 offset = 0;

	if (!tlbstate_address)
		return 0;
	bpf_probe_read_kernel(&offset, sizeof(offset),
			      (void *)(offsets_address + sizeof(offset) * cpu->number));
	loaded = BPF_CORE_READ((struct tlb_state *)(tlbstate_address + offset), loaded_mm);
	/* 1: it is being changed at this moment. */
	return loaded && loaded != borrowed && (__u64)loaded != 1;
}

static __always_inline void leader_name(struct switch_slot *slot, struct task_struct *task)
{
	task = BPF_CORE_READ(task, group_leader);
	bpf_probe_read_kernel(slot->row.whose, COMM_LEN, task->comm);
}

/*
 * The first event of a window on this CPU: nothing was seen before it, so look who runs and whose address space is loaded.
 * @address: of the task that runs, or is about to leave. Nobody changed either since the window began.
 */
static __noinline int window_begin(struct switch_cpu *cpu, __u64 address)
{
	struct task_struct *task = (void *)address, *owner = NULL;
	struct mm_struct *borrowed = BPF_CORE_READ(task, active_mm);
	struct switch_slot *slot;
	__u32 kthread = BPF_CORE_READ(task, flags) & PF_KTHREAD;

	cpu->window = window_number;
	cpu->prev = 0;
	cpu->idle = 0;
	cpu->loaded = 1;
	cpu->borrowed = 0;
	cpu->credit = 0;
	if (BPF_CORE_READ(task, mm) || !kthread) {
		cpu->class = SWITCH_THREAD;
		cpu->lender = BPF_CORE_READ(task, tgid);
		cpu->lender_match = address_selected(address);
		cpu->match = cpu->lender_match;
		slot = slot_find(cpu, WHO_NONE | cpu->number, cpu->lender, NULL, NULL);
		leader_name(slot, task);
		return 0;
	}
	if (bpf_core_field_exists(borrowed->owner))
		owner = BPF_CORE_READ(borrowed, owner);
	cpu->class = SWITCH_PASS;
	cpu->lender = owner ? BPF_CORE_READ(owner, tgid) : 0;
	cpu->lender_match = address_selected((__u64)owner);
	cpu->match = cpu->lender_match || address_selected(address);
	/* The first loan of a watch without turns is not counted as saving anything; of so many windows it would be missed. */
	cpu->borrowed = in_turns;
	cpu->credit = !in_turns ? 0 : loan_was_left(cpu, borrowed) ? 1 : 2;
	slot = slot_find(
		cpu, BPF_CORE_READ(task, pid) ? BPF_CORE_READ(task, pid) : WHO_IDLE | cpu->number,
		cpu->lender, task, NULL);
	if (owner)
		leader_name(slot, owner);
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(on_switch, int preempt, struct task_struct *prev, struct task_struct *next)
{
	struct mm_struct *from = prev->mm, *to = next->mm;
	struct task_struct *borrower = NULL, *whose = NULL;
	struct switch_cpu *cpu = this_cpu();
	struct switch_slot *slot;
	__u32 class, idle, lender, who;
	__u8 next_match, match;

	if (!cpu || !cpu->enabled || !window_is_open())
		return 0;
	if (cpu->window != window_number)
		window_begin(cpu, (__u64)prev);
	cpu->seen++;

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
			whose = prev;
		}
	}
	match |= next_match | cpu->lender_match;
	lender = cpu->lender;

	if (!to) {
		class = from ? SWITCH_BORROW : SWITCH_PASS;
		borrower = next;
		who = who_is(next, cpu->number);
	} else if (!from) {
		borrower = prev;
		who = who_is(prev, cpu->number);
		if (prev->active_mm == to) {
			class = SWITCH_BACK;
			lender = next->tgid;
			whose = next;
		} else {
			class = SWITCH_ON;
		}
	} else {
		class = from == to ? SWITCH_THREAD : SWITCH_REAL;
		who = WHO_NONE | cpu->number;
		lender = next->tgid;
		whose = next;
	}
	if (class == SWITCH_ON || (to && !cpu->borrowed))
		cpu->credit = 0;
	if (to) {
		cpu->borrowed = 0;
		cpu->lender = next->tgid;
		cpu->lender_match = next_match;
	}
	cpu->prev = (__u64)prev;
	cpu->class = class;
	cpu->loaded = 0;
	cpu->idle = idle;
	cpu->match = match;
	if (!match)
		return 0;

	cpu->counts.switches[class][idle]++;
	slot = slot_find(cpu, who, lender, borrower, whose);
	slot->row.switches[class]++;
	if (class == SWITCH_BACK) {
		cpu->counts.saved[idle] += cpu->credit;
		slot->row.saved += cpu->credit;
	} else if (class == SWITCH_ON) {
		/* From here on it is the new mm that loads and flushes. */
		slot = slot_find(cpu, WHO_NONE | cpu->number, next->tgid, NULL, next);
		slot->row.switches[class]++;
	}
	return 0;
}

/* Does a load belong to the switch under way, or to what runs after it? */
static __always_inline int load_in_switch(struct switch_cpu *cpu)
{
	switch (cpu->class) {
	case SWITCH_ON:
	case SWITCH_REAL:
		/* Another mm: the first load is the switch's own. */
		return !cpu->loaded;
	case SWITCH_BACK:
		/* switch_mm() runs before the CPU's current task changes. */
		return cpu->prev == bpf_get_current_task();
	default:
		return 0;
	}
}

SEC("tp_btf/tlb_flush")
int BPF_PROG(on_flush, int reason, unsigned long pages)
{
	struct switch_cpu *cpu = this_cpu();
	__u64 why = (__u32)reason, class;
	__u32 kind, kthread;
	struct switch_slot *slot;

	if (!cpu || !cpu->enabled || !window_is_open())
		return 0;
	if (cpu->window != window_number)
		window_begin(cpu, bpf_get_current_task());
	if (filter != FILTER_NONE && !cpu->match)
		return 0;
	/* The verifier wants the register that was checked to be the one that is used. */
	asm volatile("" : "+r"(why));
	if (why >= FLUSH_REASONS)
		return 0;
	cpu->counts.flushes[why]++;
	if (why != FLUSH_ON_TASK_SWITCH && why != FLUSH_REMOTE_SENT)
		return 0;

	class = cpu->class;
	if (class >= SWITCH_CLASSES)
		return 0;
	slot = &cpu->slots[cpu->slot & (SWITCH_SLOTS - 1)];
	kthread = class == SWITCH_BORROW || class == SWITCH_PASS;
	if (why == FLUSH_REMOTE_SENT) {
		slot->row.sent[kthread]++;
		return 0;
	}

	kind = pages ? LOAD_FLUSHED : LOAD_KEPT;
	slot->row.loads[kind]++;
	if (!load_in_switch(cpu)) {
		cpu->counts.loads[LOADS_OUTSIDE][kind]++;
		if (kthread && cpu->credit)
			cpu->credit--;
		return 0;
	}
	cpu->loaded = 1;
	cpu->counts.loads[class][kind]++;
	if (class == SWITCH_BACK && cpu->credit) {
		/* The mm's page tables changed meanwhile: one load was not saved after all. */
		cpu->credit--;
		cpu->counts.saved[cpu->idle & 1]--;
		slot->row.saved--;
	}
	return 0;
}
