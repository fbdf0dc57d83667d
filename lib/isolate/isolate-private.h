/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the parts of isolate.c share, and nobody else. */
#ifndef LIB_ISOLATE_ISOLATE_PRIVATE_H
#define LIB_ISOLATE_ISOLATE_PRIVATE_H

#include <hwloc.h>
#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "lib/isolate/isolate.h"

#define WORKQUEUES "/sys/devices/virtual/workqueue/cpumask"

struct isolation {
	json_t *journal;
};

/*
 * The journal: {"cpu", "pid", "start", "files": [{"path", "old", "new"}], "cgroup": path or absent, "tasks": {"TID": {"start",
 * "mask"}}, "reduced": mask, "stayed": the tasks that could not be moved}. Files are written with "new" and put back with "old"; masks are in list form.
 */

/* Reads it: NULL without an error where there is none, NULL with one where it cannot be trusted. New reference. */
json_t *journal_read(struct error *e);
/* Writes and syncs it. 0 or -errno. */
int journal_write(const json_t *journal, struct error *e);
void journal_remove(void);
/* Does the process that wrote it still run? */
bool journal_alive(const json_t *journal);
/* When the task @tid began (field 22 of its stat, clock ticks), 0 if it is gone. */
unsigned long long task_start(pid_t tid);

/* First line of a file, without its end, malloc'ed; NULL if it cannot be read. And writing one. */
char *line_read(const char *path);
int line_write(const char *path, const char *text);

/* Adds to @journal's tasks all that may leave @cpu, but for this process; names those that may not in @left. */
void tasks_plan(json_t *journal, int cpu, char *left, size_t len);
void tasks_move(const json_t *journal);
/* Is there a process of this name? */
bool task_runs(const char *comm);
/* Gives every task its old mask back, and those that were born meanwhile their ancestors'. */
void tasks_restore(const json_t *journal);

/* Appends "name" to the comma-separated @left while there is room, and "..." once there is none. */
void left_add(char *left, size_t len, const char *name);
/* The same for a file that was written to: an interrupt by its number. */
void left_add_file(char *left, size_t len, const char *path);

#endif
