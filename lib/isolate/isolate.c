// SPDX-License-Identifier: GPL-2.0-or-later
#include <dirent.h>
#include <errno.h>
#include <hwloc/linux.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/isolate/isolate-private.h"
#include "lib/base/member.h"

/* Notes that the file @path is to hold @new instead of what it holds. */
static void file_plan(json_t *journal, const char *path, const char *old, const char *new)
{
	member_append(json_object_get(journal, "files"),
		      member_pack("{s:s, s:s, s:s}", "path", path, "old", old, "new", new));
}

/* @list without @cpu, or all of @online without it where nothing else is in it; malloc'ed. NULL if it lacks @cpu. */
static char *list_without(const char *list, int cpu, hwloc_const_bitmap_t online)
{
	hwloc_bitmap_t set = hwloc_bitmap_alloc();
	char *out = NULL;

	if (set && !hwloc_bitmap_list_sscanf(set, list) &&
	    hwloc_bitmap_isset(set, (unsigned int)cpu)) {
		hwloc_bitmap_clr(set, (unsigned int)cpu);
		if (hwloc_bitmap_iszero(set))
			hwloc_bitmap_andnot(set, online, set);
		hwloc_bitmap_clr(set, (unsigned int)cpu);
		hwloc_bitmap_list_asprintf(&out, set);
	}
	hwloc_bitmap_free(set);
	return out;
}

static void irqs_plan(json_t *journal, int cpu, hwloc_const_bitmap_t online)
{
	DIR *dir = opendir("/proc/irq");
	struct dirent *d;

	while (dir && (d = readdir(dir))) {
		char path[300], *old, *new;

		if (d->d_name[0] < '0' || d->d_name[0] > '9')
			continue;
		snprintf(path, sizeof(path), "/proc/irq/%.200s/smp_affinity_list", d->d_name);
		old = line_read(path);
		new = old ? list_without(old, cpu, online) : NULL;
		if (new)
			file_plan(journal, path, old, new);
		free(old);
		free(new);
	}
	if (dir)
		closedir(dir);
}

/* The kernel's form of a mask, "ff,ffffffff". */
static void mask_text(hwloc_const_bitmap_t set, char *buf, size_t len)
{
	int last = hwloc_bitmap_last(set) / 32;
	size_t used = 0;

	buf[0] = '\0';
	for (int i = last; i >= 0 && used + 10 < len; i--) {
		unsigned int word = 0;

		for (unsigned int b = 0; b < 32; b++)
			word |= hwloc_bitmap_isset(set, 32 * (unsigned int)i + b) ? 1U << b : 0;
		used += (size_t)snprintf(buf + used, len - used, i ? "%08x," : "%08x", word);
	}
}

static void workqueues_plan(json_t *journal, int cpu)
{
	hwloc_bitmap_t set = hwloc_bitmap_alloc();
	char *old = line_read(WORKQUEUES), new[1024];

	if (set && old && !hwloc_linux_read_path_as_cpumask(WORKQUEUES, set) &&
	    hwloc_bitmap_isset(set, (unsigned int)cpu) && hwloc_bitmap_weight(set) > 1) {
		hwloc_bitmap_clr(set, (unsigned int)cpu);
		mask_text(set, new, sizeof(new));
		file_plan(journal, WORKQUEUES, old, new);
	}
	hwloc_bitmap_free(set);
	free(old);
}

/* Where cgroup v2 is mounted with cpusets for the children of its root; malloc'ed, NULL if nowhere. */
static char *cgroup2_root(void)
{
	FILE *f = fopen("/proc/mounts", "re");
	char *line = NULL, dir[256], type[32], path[300], *controllers, *found = NULL;
	size_t cap = 0;

	while (f && !found && getline(&line, &cap, f) > 0) {
		if (sscanf(line, "%*s %255s %31s", dir, type) != 2 || strcmp(type, "cgroup2") != 0)
			continue;
		snprintf(path, sizeof(path), "%.250s/cgroup.subtree_control", dir);
		controllers = line_read(path);
		if (controllers && strstr(controllers, "cpuset"))
			found = strdup(dir);
		free(controllers);
	}
	free(line);
	if (f)
		fclose(f);
	return found;
}

/*
 * Each top-level group of cgroup v2 that names its CPUs gets the others, and this process goes to the root group for the run.
 * One that inherits them stays as it is: while it has tasks the kernel would not let it inherit again (validate_change(),
 * kernel/cgroup/cpuset.c). Its tasks are moved by their affinity.
 */
static void cgroups_plan(json_t *journal, int cpu, hwloc_const_bitmap_t online)
{
	char *root = cgroup2_root(), *own = line_read("/proc/self/cgroup"), *colons;
	DIR *dir = root ? opendir(root) : NULL;
	char path[600], *old, *new;
	bool any = false;
	struct dirent *d;

	colons = own ? strstr(own, "0::") : NULL;
	while (dir && colons && (d = readdir(dir))) {
		snprintf(path, sizeof(path), "%.250s/%.250s/cpuset.cpus", root, d->d_name);
		if (d->d_name[0] == '.' || access(path, W_OK))
			continue;
		old = line_read(path);
		new = old &&*old ? list_without(old, cpu, online) : NULL;
		if (new) {
			file_plan(journal, path, old, new);
			any = true;
		}
		free(old);
		free(new);
	}
	if (any) {
		snprintf(path, sizeof(path), "%.250s%.250s/cgroup.procs", root, colons + 3);
		member_set(journal, "cgroup", member_string(path));
		snprintf(path, sizeof(path), "%.250s/cgroup.procs", root);
		member_set(journal, "cgroup_root", member_string(path));
	}
	if (dir)
		closedir(dir);
	free(own);
	free(root);
}

/* Writes each file's "new"; what refuses is named and needs no putting back. */
static void files_write(json_t *journal, char *left, size_t len)
{
	json_t *files = json_object_get(journal, "files"), *f;
	size_t i = 0;

	while (i < json_array_size(files)) {
		const char *path;

		f = json_array_get(files, i);
		path = json_string_value(json_object_get(f, "path"));
		if (!line_write(path, json_string_value(json_object_get(f, "new")))) {
			i++;
			continue;
		}
		left_add_file(left, len, path);
		json_array_remove(files, i);
	}
}

/* Nothing but what a plan can hold is written to. */
static bool plausible(const char *path)
{
	size_t len = path ? strlen(path) : 0;
	static const char end[] = "/cpuset.cpus";

	return path && !strstr(path, "..") &&
	       (!strncmp(path, "/proc/irq/", 10) || !strcmp(path, WORKQUEUES) ||
		(len > sizeof(end) && !strcmp(path + len - sizeof(end) + 1, end)));
}

static int restore(const json_t *journal, struct error *e)
{
	const char *group = json_string_value(json_object_get(journal, "cgroup"));
	const json_t *f;
	size_t i;
	int rc = 0;

	json_array_foreach (json_object_get(journal, "files"), i, f) {
		const char *path = json_string_value(json_object_get(f, "path")),
			   *old = json_string_value(json_object_get(f, "old"));
		int err = plausible(path) && old ? line_write(path, old) : -EINVAL;

		/* An interrupt or a group that is gone needs nothing. */
		if (err && err != -ENOENT)
			rc = error_set(e, -err, "%.200s could not be put back to \"%.60s\": %s",
				       path ? path : "?", old ? old : "?", strerror(-err));
	}
	tasks_restore(journal);
	if (group && (pid_t)json_integer_value(json_object_get(journal, "pid")) == getpid())
		line_write(group, "0");
	return rc;
}

static json_t *journal_new(int cpu)
{
	return member_pack("{s:i, s:i, s:I, s:[]}", "cpu", cpu, "pid", (int)getpid(), "start",
			   (json_int_t)task_start(getpid()), "files");
}

static hwloc_bitmap_t cpus_online(void)
{
	hwloc_bitmap_t set = hwloc_bitmap_alloc();
	char *list = line_read("/sys/devices/system/cpu/online");

	if (!set || !list || hwloc_bitmap_list_sscanf(set, list)) {
		hwloc_bitmap_free(set);
		set = NULL;
	}
	free(list);
	return set;
}

/* Names what a second look would still move: it has refused, and is noted as such in @journal. */
static void still_there(json_t *journal, int cpu, char *left, size_t len)
{
	json_t *now = member_pack("{s:i}", "cpu", cpu), *tasks, *task;
	unsigned int kernel = 0;
	const char *key;

	tasks_plan(now, cpu, left, len);
	tasks = json_object_get(now, "tasks");
	json_object_foreach (tasks, key, task) {
		char path[64], exe[8], *comm;

		(void)task;
		snprintf(path, sizeof(path), "/proc/%.16s/exe", key);
		if (readlink(path, exe, sizeof(exe)) < 0 && errno == ENOENT) {
			kernel++; /* the per-CPU ones and rescuers of workqueues, which do nothing by themselves */
			continue;
		}
		snprintf(path, sizeof(path), "/proc/%.16s/comm", key);
		comm = line_read(path);
		if (comm)
			left_add(left, len, comm);
		free(comm);
	}
	if (kernel) {
		char text[64];

		snprintf(text, sizeof(text), "%u kernel threads that may not move", kernel);
		left_add(left, len, text);
	}
	member_share(journal, "stayed", tasks);
	json_decref(now);
}

int isolate_begin(struct isolation **out, int cpu, char *left, size_t len, struct error *e)
{
	hwloc_bitmap_t online = cpus_online();
	struct isolation *iso = calloc(1, sizeof(*iso));
	json_t *other;
	int rc = 0;

	left[0] = '\0';
	if (!online || !iso)
		rc = error_set(e, ENOMEM, "out of memory");
	else if (geteuid() != 0)
		rc = error_set(e, EPERM, "--isolate moves interrupts and tasks: run as root");
	else if (hwloc_bitmap_weight(online) < 2)
		rc = error_set(e, EINVAL, "--isolate needs a second CPU to move things to");
	else if ((other = journal_read(e)) != NULL) {
		json_decref(other);
		rc = error_set(e, EBUSY, "another run isolates a CPU: wait for its end");
	} else if (e && e->code) {
		rc = -e->code;
	}
	if (!rc) {
		iso->journal = journal_new(cpu);
		irqs_plan(iso->journal, cpu, online);
		workqueues_plan(iso->journal, cpu);
		cgroups_plan(iso->journal, cpu, online);
		rc = journal_write(iso->journal, e);
	}
	hwloc_bitmap_free(online);
	if (rc) {
		if (iso)
			json_decref(iso->journal);
		free(iso);
		return rc;
	}
	if (json_object_get(iso->journal, "cgroup_root"))
		line_write(json_string_value(json_object_get(iso->journal, "cgroup_root")), "0");
	files_write(iso->journal, left, len);
	tasks_plan(iso->journal, cpu, left, len);
	/* The record is widened before any task is moved. */
	rc = journal_write(iso->journal, e);
	if (rc) {
		isolate_end(iso, NULL);
		return rc;
	}
	tasks_move(iso->journal);
	still_there(iso->journal, cpu, left, len);
	if (!*left)
		snprintf(left, len, "nothing");
	*out = iso;
	return 0;
}

int isolate_end(struct isolation *iso, struct error *e)
{
	int rc;

	if (!iso)
		return 0;
	rc = restore(iso->journal, e);
	journal_remove();
	json_decref(iso->journal);
	free(iso);
	return rc;
}

int isolate_recover(int *cpu, struct error *e)
{
	struct error local = { 0 };
	json_t *journal;
	int rc;

	if (geteuid() != 0)
		return 0;
	journal = journal_read(&local);
	if (!journal) {
		if (local.code && e)
			*e = local;
		return -local.code;
	}
	if (journal_alive(journal)) {
		json_decref(journal);
		return 0;
	}
	*cpu = (int)json_integer_value(json_object_get(journal, "cpu"));
	rc = restore(journal, e);
	journal_remove();
	json_decref(journal);
	return rc ? rc : 1;
}
