// SPDX-License-Identifier: GPL-2.0-or-later
/* What others moved back to the isolated CPU during the run: irqbalance does, and so may a service manager. */
#include <hwloc/linux.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/member.h"
#include "lib/isolate/isolate-private.h"

/* Does the file, a list of CPUs or the workqueues' mask, hold @cpu again? */
static bool file_holds(const char *path, int cpu)
{
	hwloc_bitmap_t set = hwloc_bitmap_alloc();
	char *list = line_read(path);
	bool holds = false;

	if (set && list &&
	    !(strcmp(path, WORKQUEUES) ? hwloc_bitmap_list_sscanf(set, list)
				       : hwloc_linux_read_path_as_cpumask(path, set)))
		holds = hwloc_bitmap_isset(set, (unsigned int)cpu);
	hwloc_bitmap_free(set);
	free(list);
	return holds;
}

/* Was the task moved, and is it the same one? */
static bool was_moved(const json_t *journal, const char *tid, const json_t *task)
{
	const json_t *then = json_object_get(json_object_get(journal, "tasks"), tid);

	return then && !json_object_get(json_object_get(journal, "stayed"), tid) &&
	       json_equal(json_object_get(then, "start"), json_object_get(task, "start"));
}

static unsigned int tasks_returned(const json_t *journal, int cpu, char *what, size_t len)
{
	json_t *now = member_pack("{s:i}", "cpu", cpu), *task;
	unsigned int n = 0;
	const char *tid;

	tasks_plan(now, cpu, what, len);
	json_object_foreach (json_object_get(now, "tasks"), tid, task) {
		char path[64], *comm;

		if (!was_moved(journal, tid, task))
			continue;
		snprintf(path, sizeof(path), "/proc/%.16s/comm", tid);
		comm = line_read(path);
		left_add(what, len, comm ? comm : tid);
		free(comm);
		n++;
	}
	json_decref(now);
	return n;
}

char *isolate_returned(const struct isolation *iso)
{
	int cpu = (int)json_integer_value(json_object_get(iso->journal, "cpu"));
	const json_t *f;
	char what[256] = "", *text = NULL;
	unsigned int files = 0, tasks;
	size_t i;

	json_array_foreach (json_object_get(iso->journal, "files"), i, f) {
		const char *path = member_text(f, "path");

		if (path && file_holds(path, cpu)) {
			left_add_file(what, sizeof(what), path);
			files++;
		}
	}
	tasks = tasks_returned(iso->journal, cpu, what, sizeof(what));
	if (files + tasks &&
	    asprintf(&text,
		     "--isolate had moved these off CPU %d, and something moved them back during "
		     "the run: %s%s",
		     cpu, what,
		     files && task_runs("irqbalance")
			     ? " (irqbalance does: stop it for the run, systemctl stop irqbalance)"
			     : "") < 0)
		text = NULL;
	return text;
}
