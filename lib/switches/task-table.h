/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What /proc says of a task, remembered: which process it belongs to, or that it is a kernel thread. */
#ifndef LIB_SWITCHES_TASK_TABLE_H
#define LIB_SWITCHES_TASK_TABLE_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/switches/abi.h"

struct task_entry {
	uint32_t pid; /* 0: an empty slot (the idle task is never looked up) */
	uint32_t tgid;
	bool kthread;
	bool known; /* read from /proc; else it was gone and is taken for a process of its own */
	char comm[COMM_LEN]; /* as the event named it */
	char leader[COMM_LEN]; /* of the process */
};

struct task_table;

/* NULL: no memory. Free with task_table_free(), which takes NULL. */
struct task_table *task_table_new(void);
void task_table_free(struct task_table *table);

/* A task was made: remember its process, for it may be gone before /proc can be read. */
void task_table_fork(struct task_table *table, uint32_t pid, uint32_t tgid, uint32_t parent);

/*
 * The task that an event names. Never NULL; owned by the table, valid until the next call. A new name
 * means that the pid went round, or an exec: /proc is read again.
 */
const struct task_entry *task_table_find(struct task_table *table, uint32_t pid,
					 const char comm[COMM_LEN]);

#endif
