// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/isolate/isolate-private.h"
#include "lib/base/member.h"
#include "lib/base/text.h"

#define DIR_PATH "/run/activemm-bench"
#define PATH	 DIR_PATH "/isolate.json"
#define NEW	 DIR_PATH "/isolate.json.new"

char *line_read(const char *path)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0;
	ssize_t n = f ? getline(&line, &cap, f) : -1;

	if (f)
		fclose(f);
	if (n < 0) {
		free(line);
		/* An empty file is an empty line: a cpuset that inherits. */
		return f && access(path, R_OK) == 0 ? strdup("") : NULL;
	}
	line[strcspn(line, "\n")] = '\0';
	return line;
}

int line_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 0;
	/* An empty write never reaches the kernel's handler: "\n" does. */
	size_t len = *text ? strlen(text) : 1;

	if (fd < 0)
		return -errno;
	if (write(fd, *text ? text : "\n", len) != (ssize_t)len)
		rc = -errno;
	close(fd);
	return rc;
}

unsigned long long task_start(pid_t tid)
{
	char path[64], *line, *at;
	unsigned long long start = 0;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)tid);
	line = line_read(path);
	at = line ? strrchr(line, ')') : NULL;
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	if (at)
		start = strtoull(at, NULL, 10);
	free(line);
	return start;
}

json_t *journal_read(struct error *e)
{
	int fd = open(PATH, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	json_error_t bad;
	json_t *journal;

	if (fd < 0) {
		if (errno != ENOENT && errno != EACCES && errno != ENOTDIR)
			error_set(e, errno, PATH ": %s", strerror(errno));
		return NULL;
	}
	/* It says what to write where, as root: nobody else may have had a hand in it. */
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || st.st_uid != 0 || (st.st_mode & 077)) {
		close(fd);
		error_set(e, EPERM, PATH " is not root's alone: look at it and remove it");
		return NULL;
	}
	journal = json_loadfd(fd, JSON_REJECT_DUPLICATES, &bad);
	close(fd);
	if (!journal)
		error_set(e, EINVAL, PATH " is damaged (%.80s): look at it and remove it",
			  bad.text);
	return journal;
}

int journal_write(const json_t *journal, struct error *e)
{
	int fd, rc = 0;

	if (mkdir(DIR_PATH, 0700) && errno != EEXIST)
		return error_set(e, errno, DIR_PATH ": %s", strerror(errno));
	unlink(NEW);
	fd = open(NEW, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && members_failed(e))
		rc = members_failed(NULL);
	else if (fd < 0 || json_dumpfd(journal, fd, JSON_COMPACT) || fsync(fd) || rename(NEW, PATH))
		rc = error_set(e, errno ? errno : EIO, PATH " cannot be written: %s",
			       strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc;
}

void journal_remove(void)
{
	unlink(PATH);
	rmdir(DIR_PATH);
}

bool journal_alive(const json_t *journal)
{
	pid_t pid = (pid_t)json_integer_value(json_object_get(journal, "pid"));

	return pid > 0 && pid != getpid() &&
	       task_start(pid) ==
		       (unsigned long long)json_integer_value(json_object_get(journal, "start")) &&
	       task_start(pid) != 0;
}

void left_add(char *left, size_t len, const char *name)
{
	size_t used = strlen(left);

	if (used + strlen(name) + 8 < len)
		snprintf(left + used, len - used, "%s%s", used ? ", " : "", name);
	else if (used + 5 < len && (used < 3 || strcmp(left + used - 3, "...") != 0))
		snprintf(left + used, len - used, ", ...");
	text_utf8(left + used);
}

void left_add_file(char *left, size_t len, const char *path)
{
	char irq[32] = "IRQ ";

	left_add(left, len, sscanf(path, "/proc/irq/%20[0-9]", irq + 4) == 1 ? irq : path);
}
