// SPDX-License-Identifier: GPL-2.0-or-later
/* Which control groups --cgroup means: the one named and all below it, also later ones. */
#include "config.h"
#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "bench/watch/watch.h"

/* nftw() hands its visitor nothing of ours. */
static struct watch_options *visited;

int watch_id_add(struct watch_options *options, uint64_t id)
{
	uint64_t *ids = realloc(options->ids, (options->trace.id_count + 1) * sizeof(*ids));

	if (!ids)
		return -ENOMEM;
	ids[options->trace.id_count++] = id;
	options->trace.ids = options->ids = ids;
	return 0;
}

static int folder_visit(const char *path, const struct stat *status, int type, struct FTW *where)
{
	(void)path;
	(void)where;
	/* A group's id is its folder's inode number. */
	return type == FTW_D && watch_id_add(visited, status->st_ino) ? -1 : 0;
}

/* The mount point of the unified hierarchy. */
static bool hierarchy_find(char *path, size_t size)
{
	char line[PATH_MAX + 512], mount[PATH_MAX];
	FILE *file = fopen("/proc/self/mountinfo", "re");
	bool found = false;

	if (!file)
		return false;
	while (!found && fgets(line, sizeof(line), file))
		if (strstr(line, " - cgroup2 ") &&
		    sscanf(line, "%*s %*s %*s %*s %4095s", mount) == 1)
			found = snprintf(path, size, "%s", mount) < (int)size;
	fclose(file);
	return found;
}

int watch_cgroup_walk(struct watch_options *options)
{
	options->trace.id_count = 0;
	visited = options;
	return nftw(options->cgroup, folder_visit, 16, FTW_PHYS) ? -errno : 0;
}

int watch_cgroup_find(struct watch_options *options, const char *name, struct error *error)
{
	char mount[PATH_MAX], path[2 * PATH_MAX], file[2 * PATH_MAX + 16];
	size_t length;
	int ret;

	if (!hierarchy_find(mount, sizeof(mount)))
		return error_set(error, ENOENT,
				 "--cgroup %s: no cgroup version 2 hierarchy is mounted", name);
	length = strlen(mount);
	if (!strncmp(name, mount, length) && (name[length] == '/' || !name[length]))
		snprintf(path, sizeof(path), "%s", name);
	else
		snprintf(path, sizeof(path), "%s/%s", mount, name);
	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	if (access(file, F_OK))
		return error_set(error, ENOENT,
				 "--cgroup %s: there is no such version 2 control group", name);
	options->cgroup = strdup(path);
	ret = options->cgroup ? watch_cgroup_walk(options) : -ENOMEM;
	return ret ? error_set(error, -ret, "--cgroup %s: %s", name, strerror(-ret)) : 0;
}
