// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/machine/cgroup.h"
#include "lib/machine/record-private.h"

/* This process's group in the hierarchy whose controllers include @controller ("": version 2), malloc'ed; NULL if there is none. */
static char *own_group(const char *groups, const char *controller)
{
	char names[128], *path = NULL;

	for (const char *at = groups; at && *at && !path;
	     at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL) {
		const char *first = strchr(at, ':'),
			   *second = first ? strchr(first + 1, ':') : NULL;

		if (!second || (size_t)(second - first) >= sizeof(names))
			continue;
		/* "4:cpu,cpuacct:/a/b", "0::/a/b" */
		snprintf(names, sizeof(names), ",%.*s,", (int)(second - first - 1), first + 1);
		if (*controller ? strstr(names, controller) != NULL : !strcmp(names, ",,"))
			path = strndup(second + 1, strcspn(second + 1, "\n"));
	}
	return path;
}

/* The group @path below @mount, which shows the hierarchy from @root on, and all its parents up to there. */
static void groups_visit(const char *mount, const char *root, const char *path,
			 void (*visit)(const char *dir, void *ctx), void *ctx)
{
	size_t skip = strcmp(root, "/") ? strlen(root) : 0, least = strlen(mount);
	char dir[512];

	/* A mount that shows another part tells of the groups above its root at most. */
	if (strncmp(path, root, skip) || (path[skip] && path[skip] != '/') || strstr(path, "/.."))
		path = "";
	else
		path += skip;
	if (snprintf(dir, sizeof(dir), "%s%s", mount, path) >= (int)sizeof(dir))
		return;
	for (size_t len = strlen(dir); len > least && dir[len - 1] == '/'; len--)
		dir[len - 1] = '\0';
	for (;;) {
		visit(dir, ctx);
		if (strlen(dir) <= least)
			break;
		*strrchr(dir, '/') = '\0';
	}
}

void cgroup_each(const char *controller, void (*visit)(const char *dir, void *ctx), void *ctx)
{
	char word[32];

	char *mounts = machine_text("/proc/self/mountinfo"),
	     *groups = machine_text("/proc/self/cgroup");
	bool seen[2] = { false };

	snprintf(word, sizeof(word), ",%s,", controller);
	for (char *line = mounts, *next; line && *line; line = next) {
		char root[256], mount[256], options[256], *rest, *path;
		bool second;

		next = strchr(line, '\n');
		next = next ? (*next = '\0', next + 1) : line + strlen(line);
		rest = strstr(line, " - cgroup");
		if (!rest || sscanf(line, "%*s %*s %*s %255s %255s", root, mount) != 2)
			continue;
		second = !strncmp(rest, " - cgroup2 ", 11);
		/* " - cgroup cgroup rw,cpu,cpuacct" */
		if (!second) {
			if (sscanf(rest, " - cgroup %*s %250s", options + 1) != 1)
				continue;
			options[0] = ',';
			strcat(options, ",");
			if (!strstr(options, word))
				continue;
		}
		path = seen[second] ? NULL : own_group(groups, second ? "" : word);
		if (path) {
			seen[second] = true;
			groups_visit(mount, root, path, visit, ctx);
		}
		free(path);
	}
	free(mounts);
	free(groups);
}
