/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The few kernel fields that the programs read. CO-RE finds where they are in the running kernel, so
 * neither kernel headers nor a generated vmlinux.h are needed to build.
 */
#ifndef LIB_SWITCHES_KERNEL_TYPES_H
#define LIB_SWITCHES_KERNEL_TYPES_H

#include <linux/types.h>
#include "kernel-flags.h"

typedef struct {
	int counter;
} atomic_t;

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct task_struct;

struct mm_struct {
	atomic_t mm_users;
	atomic_t mm_count; /* inside an anonymous struct since 6.x: CO-RE looks there, too */
	unsigned long start_code;
	struct task_struct *owner; /* with CONFIG_MEMCG */
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

struct task_struct {
	unsigned int flags;
	int pid;
	int tgid;
	struct mm_struct *mm;
	struct mm_struct *active_mm;
	struct task_struct *group_leader;
	struct css_set *cgroups;
	char comm[16];
};

/* The per-CPU variable cpu_tlbstate. */
struct tlb_state {
	struct mm_struct *loaded_mm;
};

#pragma clang attribute pop

#endif
