// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "lib/switches/kernel-flags.h"
#include "lib/switches/task-table.h"

/* A power of two. The table starts over when it is three quarters full: memory stays bounded. */
#define SLOTS 16384

/* Makes all other kernel threads. */
#define KTHREADD 2

struct task_table {
	size_t used;
	struct task_entry slots[SLOTS];
};

struct task_table *task_table_new(void)
{
	return calloc(1, sizeof(struct task_table));
}

void task_table_free(struct task_table *table)
{
	free(table);
}

static bool comm_read(char comm[COMM_LEN], uint32_t pid)
{
	char path[64];
	FILE *file;
	bool ok;

	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	memset(comm, 0, COMM_LEN);
	ok = fgets(comm, COMM_LEN, file) != NULL;
	comm[strcspn(comm, "\n")] = '\0';
	fclose(file);
	return ok;
}

static bool kthread_read(bool *kthread, uint32_t pid)
{
	char path[64], line[512], *fields;
	unsigned int flags;
	bool ok = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	/* The name is in brackets and may hold anything, also brackets. */
	if (fgets(line, sizeof(line), file) && (fields = strrchr(line, ')')) &&
	    sscanf(fields + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) == 1) {
		*kthread = flags & PF_KTHREAD;
		ok = true;
	}
	fclose(file);
	return ok;
}

static bool tgid_read(uint32_t *tgid, uint32_t pid)
{
	char path[64], line[256];
	bool ok = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%u/status", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (!ok && fgets(line, sizeof(line), file))
		ok = sscanf(line, "Tgid: %u", tgid) == 1;
	fclose(file);
	return ok;
}

static struct task_entry *slot_find(struct task_table *table, uint32_t pid)
{
	size_t at = pid * 2654435761u % SLOTS;

	while (table->slots[at].pid && table->slots[at].pid != pid)
		at = (at + 1) % SLOTS;
	return &table->slots[at];
}

/* The slot of a pid, made if there is none. */
static struct task_entry *slot_make(struct task_table *table, uint32_t pid)
{
	struct task_entry *entry = slot_find(table, pid);

	if (entry->pid)
		return entry;
	if (++table->used > SLOTS / 4 * 3) {
		memset(table, 0, sizeof(*table));
		table->used = 1;
		entry = slot_find(table, pid);
	}
	entry->pid = pid;
	entry->tgid = pid;
	return entry;
}

/* Where /proc no longer knows the task, what was known before stays. */
static void entry_read(struct task_table *table, struct task_entry *entry,
		       const char comm[COMM_LEN])
{
	const struct task_entry *leader;
	uint32_t tgid;
	bool kthread;

	memcpy(entry->comm, comm, COMM_LEN);
	if (kthread_read(&kthread, entry->pid) && tgid_read(&tgid, entry->pid)) {
		entry->kthread = kthread;
		entry->tgid = tgid;
		entry->known = true;
	}
	if (entry->known && comm_read(entry->leader, entry->tgid))
		return;
	leader = slot_find(table, entry->tgid);
	memcpy(entry->leader, leader->comm[0] ? leader->comm : comm, COMM_LEN);
}

void task_table_fork(struct task_table *table, uint32_t pid, uint32_t tgid, uint32_t parent)
{
	bool kernel = slot_find(table, parent)->kthread || parent == KTHREADD;
	struct task_entry *entry = slot_make(table, pid);

	/* An empty name makes the first look read /proc, which is right about the kernel's own, too. */
	*entry = (struct task_entry){ .pid = pid, .tgid = tgid, .kthread = kernel, .known = true };
}

const struct task_entry *task_table_find(struct task_table *table, uint32_t pid,
					 const char comm[COMM_LEN])
{
	struct task_entry *entry = slot_make(table, pid);

	/* kworkers rename themselves all the time, and stay what they are. */
	if (!entry->comm[0] || (!entry->kthread && strncmp(entry->comm, comm, COMM_LEN)))
		entry_read(table, entry, comm);
	return entry;
}
