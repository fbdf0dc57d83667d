// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tracefs without touching the user's mounts: where it is mounted it is used; else root gets a detached mount
 * (fsopen, since 5.2), which vanishes with its descriptor.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <stdbool.h>
#include <unistd.h>

#include "lib/base/refusal.h"
#include "lib/counters/tracefs.h"

static int tracefs_mount_detached(void)
{
	int mnt = -1;
	int fs = (int)syscall(SYS_fsopen, "tracefs", FSOPEN_CLOEXEC);

	if (fs < 0)
		return -errno;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mnt = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	if (mnt < 0)
		mnt = -errno;
	close(fs);
	return mnt;
}

int tracefs_open(const char *path, struct error *e)
{
	static const char *const roots[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	bool mounted = false;
	int root, fd;

	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
		root = open(roots[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root < 0)
			continue;
		fd = openat(root, path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 && errno != ENOENT) {
			int err = errno;

			close(root);
			return refusal_set(e, REFUSED_TRACEFS, err, "%s/%s", roots[i], path);
		}
		mounted |= faccessat(root, "events", F_OK, 0) == 0;
		close(root);
		if (fd >= 0)
			return fd;
	}
	if (mounted)
		return refusal_set(e, REFUSED_TRACEFS, ENOENT, "%s", path);
	root = tracefs_mount_detached();
	if (root < 0)
		return refusal_set(e, REFUSED_TRACEFS, -root, "%s", path);
	fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		fd = refusal_set(e, REFUSED_TRACEFS, errno, "%s", path);
	close(root);
	return fd;
}

static int tracefs_read(const char *path, char *buf, size_t len, struct error *e)
{
	size_t done = 0;
	ssize_t got;
	int fd = tracefs_open(path, e);

	if (fd < 0)
		return fd;
	while (done < len - 1 && (got = read(fd, buf + done, len - 1 - done)) > 0)
		done += (size_t)got;
	buf[done] = '\0';
	close(fd);
	return 0;
}

int tracepoint_id(const char *system, const char *event, struct error *e)
{
	char path[128], buf[32];
	int id, rc;

	snprintf(path, sizeof(path), "events/%s/%s/id", system, event);
	rc = tracefs_read(path, buf, sizeof(buf), e);
	if (rc)
		return rc;
	if (sscanf(buf, "%d", &id) != 1)
		return error_set(e, EINVAL, "%s holds no number", path);
	return id;
}

int tracepoint_field(const char *system, const char *event, const char *name, struct error *e)
{
	char path[128], text[4096], want[64];
	char *at;
	int offset, rc;

	snprintf(path, sizeof(path), "events/%s/%s/format", system, event);
	rc = tracefs_read(path, text, sizeof(text), e);
	if (rc)
		return rc;
	/* "	field:char prev_comm[16];	offset:8;	size:16;	signed:0;" */
	for (at = text; (at = strstr(at, "field:")); at++) {
		snprintf(want, sizeof(want), " %s", name);
		char *end = strchr(at, ';');
		char *hit = strstr(at, want);

		if (!end || !hit || hit > end)
			continue;
		hit += strlen(want);
		if (*hit != ';' && *hit != '[')
			continue;
		if (sscanf(end + 1, " offset:%d", &offset) == 1)
			return offset;
	}
	return error_set(e, ENOENT, "%s:%s has no field %s", system, event, name);
}
