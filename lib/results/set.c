// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <termios.h>
#include <unistd.h>

#include "lib/base/lines.h"
#include "lib/results/set.h"
#include "lib/base/member.h"

#define FREE_BYTES_NEEDED (16ull << 20)

struct result_writer {
	char *dir;
	int fd;
	off_t end; /* of the last whole line */
};

static char *path_join(const char *dir, const char *name)
{
	char *path;

	return asprintf(&path, "%s/%s", dir, name) < 0 ? NULL : path;
}

static int write_all(int fd, const char *buf, size_t len)
{
	while (len) {
		ssize_t done = write(fd, buf, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return -errno;
		buf += done;
		len -= (size_t)done;
	}
	return 0;
}

/* The line for RESULT_COPY; what becomes of it concerns no set. */
static void copy_line(const char *dir, const char *name, const char *text)
{
	const char *path = getenv(RESULT_COPY);
	int fd = path && *path ? open(path, O_WRONLY | O_APPEND | O_NOCTTY | O_CLOEXEC) : -1;
	char *line;
	int len;

	if (fd < 0)
		return;
	len = asprintf(&line, "%s/%s\t%s\n", dir, name, text);
	if (len >= 0) {
		write_all(fd, line, (size_t)len);
		free(line);
	}
	/* A serial line's interrupts are to be over before the next trial. */
	tcdrain(fd);
	close(fd);
}

int result_write_json(const char *dir, const char *name, json_t *value, struct error *e)
{
	char *path = path_join(dir, name), *tmp = NULL,
	     *text = member_dumps(value, JSON_INDENT(1) | JSON_SORT_KEYS, NULL);
	int fd = -1, rc = -ENOMEM;

	if (path && text && asprintf(&tmp, "%s.tmp", path) >= 0) {
		fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		rc = fd < 0 ? -errno : write_all(fd, text, strlen(text));
		if (!rc)
			rc = write_all(fd, "\n", 1);
		if (!rc && fsync(fd))
			rc = -errno;
		if (fd >= 0 && close(fd) && !rc)
			rc = -errno;
		if (!rc && rename(tmp, path))
			rc = -errno;
		if (rc)
			unlink(tmp);
	}
	if (rc)
		error_set(e, -rc, "cannot write %s/%s: %s", dir, name, strerror(-rc));
	free(tmp);
	free(path);
	free(text);
	text = rc || strcmp(name, "machine.json") != 0 ? NULL
						       : member_dumps(value, JSON_COMPACT, NULL);
	if (text)
		copy_line(dir, name, text);
	free(text);
	return rc;
}

/* Cuts off what a killed run left of its last line. */
static int cut_half_line(struct result_writer *w, struct error *e)
{
	off_t end = lseek(w->fd, 0, SEEK_END);
	char c = 0;

	while (end > 0 && pread(w->fd, &c, 1, end - 1) == 1 && c != '\n')
		end--;
	if (ftruncate(w->fd, end))
		return error_set(e, errno,
				 "%s/trials.jsonl: cannot cut off its half-written last line: %s",
				 w->dir, strerror(errno));
	w->end = lseek(w->fd, 0, SEEK_END);
	return 0;
}

static int dir_make(const char *dir, struct error *e)
{
	struct statvfs fs;
	struct stat st;

	if (mkdir(dir, 0777) && errno != EEXIST)
		return error_set(e, errno, "cannot make the result set %s: %s", dir,
				 strerror(errno));
	if (stat(dir, &st) || !S_ISDIR(st.st_mode))
		return error_set(e, ENOTDIR, "%s is no folder: name another with -o DIR", dir);
	if (access(dir, W_OK | X_OK))
		return error_set(e, errno, "cannot write to %s: %s", dir, strerror(errno));
	if (!statvfs(dir, &fs) && (unsigned long long)fs.f_bavail * fs.f_frsize < FREE_BYTES_NEEDED)
		return error_set(e, ENOSPC,
				 "%s: less than %llu MiB are free there: make room or name another "
				 "place with -o DIR",
				 dir, FREE_BYTES_NEEDED >> 20);
	return 0;
}

int result_create(struct result_writer **out, const char *dir, json_t *machine, bool resume,
		  struct error *e)
{
	struct result_writer *w = calloc(1, sizeof(*w));
	char *path = NULL;
	int rc = dir_make(dir, e);

	if (!rc && (!w || !(w->dir = strdup(dir)) || !(path = path_join(dir, "trials.jsonl"))))
		rc = error_set(e, ENOMEM, "out of memory");
	if (rc) {
		free(w ? w->dir : NULL);
		free(w);
		return rc;
	}
	w->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (w->fd < 0)
		rc = error_set(e, errno, "cannot write %s: %s", path, strerror(errno));
	if (!rc && !resume && lseek(w->fd, 0, SEEK_END) > 0)
		rc = error_set(e, EEXIST,
			       "%s holds trials already: go on with --resume, or name another "
			       "place with -o DIR",
			       dir);
	if (!rc)
		rc = cut_half_line(w, e);
	if (!rc && !resume)
		rc = result_write_json(dir, "machine.json", machine, e);
	free(path);
	if (rc) {
		result_close(w);
		return rc;
	}
	*out = w;
	return 0;
}

int result_append(struct result_writer *w, json_t *trial, struct error *e)
{
	char *text = member_dumps(trial, JSON_COMPACT | JSON_PRESERVE_ORDER, NULL), *line = NULL;
	int rc = members_failed(NULL) ? members_failed(NULL) : -ENOMEM;

	if (text && asprintf(&line, "%s\n", text) >= 0)
		rc = write_all(w->fd, line, strlen(line));
	if (!rc) {
		w->end = lseek(w->fd, 0, SEEK_CUR);
		copy_line(w->dir, "trials.jsonl", text);
	} else {
		/* A line that did not fit must not spoil those before it. */
		if (ftruncate(w->fd, w->end) == 0)
			lseek(w->fd, w->end, SEEK_SET);
		error_set(e, -rc,
			  "cannot write %s/trials.jsonl: %s: finished trials are kept, go on with "
			  "--resume",
			  w->dir, strerror(-rc));
	}
	free(line);
	free(text);
	return rc;
}

void result_close(struct result_writer *w)
{
	if (!w)
		return;
	if (w->fd >= 0) {
		fsync(w->fd);
		close(w->fd);
	}
	free(w->dir);
	free(w);
}

/* Opens @name in @dir for reading; a plain file only, as others may never end. A descriptor or -errno. */
static int open_plain(const char *dir, const char *name, char **path, off_t *size, struct error *e)
{
	struct stat st;
	int fd;

	*path = path_join(dir, name);
	if (!*path)
		return error_set(e, ENOMEM, "out of memory");
	fd = open(*path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set(e, errno, "%s is no result set: cannot read %s: %s", dir, name,
				 strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return error_set(e, EINVAL, "%s is no plain file", *path);
	}
	*size = st.st_size;
	return fd;
}

int result_open_trials(const char *dir, char **path, off_t *size, struct error *e)
{
	return open_plain(dir, "trials.jsonl", path, size, e);
}

/* 0 before there were versions; -1 if it is none at all. */
static json_int_t schema_of(const json_t *o)
{
	const json_t *v = json_object_get(o, "schema");

	return !v						  ? 0
	       : json_is_integer(v) && json_integer_value(v) >= 0 ? json_integer_value(v)
								  : -1;
}

static int machine_check(const char *path, const json_t *machine, struct error *e)
{
	if (json_is_object(machine) && schema_of(machine) > RESULT_SCHEMA)
		return error_set(e, EINVAL, "%s: written by a newer version of this suite", path);
	if (!json_is_object(machine) || schema_of(machine) < 0 ||
	    !json_is_object(json_object_get(machine, "kernel")))
		return error_set(e, EINVAL, "%s is no machine record of this suite", path);
	return 0;
}

/* As much as there is room for: jansson itself reads a descriptor byte by byte. */
static size_t read_some(void *buf, size_t len, void *fd)
{
	ssize_t n;

	do
		n = read(*(int *)fd, buf, len);
	while (n < 0 && errno == EINTR);
	return n < 0 ? (size_t)-1 : (size_t)n;
}

int result_read_machine(const char *dir, json_t **machine, struct error *e)
{
	char *path = NULL;
	json_error_t je;
	off_t size;
	int fd = open_plain(dir, "machine.json", &path, &size, e), rc = fd < 0 ? fd : 0;

	*machine = NULL;
	if (!rc && size > LINE_MOST)
		rc = error_set(e, EFBIG, "%s: %lld MB are no machine record", path,
			       (long long)size >> 20);
	if (!rc) {
		*machine = json_load_callback(read_some, &fd, JSON_REJECT_DUPLICATES, &je);
		rc = *machine ? machine_check(path, *machine, e)
			      : error_set(e, EINVAL, "%s:%d: damaged: %s", path, je.line, je.text);
	}
	if (rc) {
		json_decref(*machine);
		*machine = NULL;
	}
	if (fd >= 0)
		close(fd);
	free(path);
	return rc;
}

static bool absent_or(const json_t *v, bool fits)
{
	return !v || fits;
}

/* Is it a trial whose parts have the types that readers rely on? */
static bool trial_sound(const json_t *t)
{
	const json_t *claim = json_object_get(t, "claim"), *latency = json_object_get(t, "latency"),
		     *trial = json_object_get(t, "trial"),
		     *counters = json_object_get(t, "counters"),
		     *violations = json_object_get(t, "violations"),
		     *ns = json_object_get(t, "ns_per_round_trip");
	json_int_t schema = schema_of(t);

	return json_is_object(t) && schema >= 0 && json_is_string(json_object_get(t, "scenario")) &&
	       json_is_object(json_object_get(t, "params")) &&
	       json_is_boolean(json_object_get(t, "valid")) &&
	       (json_is_number(ns) || json_is_null(ns)) &&
	       absent_or(claim, json_is_object(claim)) &&
	       absent_or(latency, json_is_object(latency)) &&
	       (trial ? json_is_integer(trial) : !schema) &&
	       (counters ? json_is_object(counters) : !schema) &&
	       (violations ? json_is_array(violations) : !schema);
}

/* What lines of schema 0 may lack. */
static int trial_complete(json_t *t, size_t number)
{
	int failed = 0;

	if (!json_object_get(t, "trial"))
		failed |= member_set(t, "trial", json_integer((json_int_t)number - 1));
	if (!json_object_get(t, "counters"))
		failed |= member_set(t, "counters", json_object());
	if (!json_object_get(t, "violations"))
		failed |= member_set(t, "violations", json_array());
	return failed ? -ENOMEM : 0;
}

int result_parse_trial(const char *path, size_t number, const char *line, size_t len,
		       json_t **trial, struct error *e)
{
	json_error_t je;
	int rc = 0;

	*trial = json_loadb(line, len, JSON_REJECT_DUPLICATES, &je);
	if (!*trial)
		return error_set(e, EINVAL, "%s:%zu: damaged: %s", path, number, je.text);
	if (schema_of(*trial) > RESULT_SCHEMA)
		rc = error_set(e, EINVAL, "%s:%zu: written by a newer version of this suite", path,
			       number);
	else if (!trial_sound(*trial))
		rc = error_set(e, EINVAL, "%s:%zu: this is no trial of this suite", path, number);
	else if (trial_complete(*trial, number))
		rc = error_set(e, ENOMEM, "out of memory");
	if (rc) {
		json_decref(*trial);
		*trial = NULL;
	}
	return rc;
}

int result_line_error(const char *path, size_t number, int rc, struct error *e)
{
	if (rc == -EFBIG)
		return error_set(e, EFBIG, "%s:%zu: a line of more than %u MB is no trial", path,
				 number, LINE_MOST >> 20);
	return error_set(e, -rc, "cannot read %s: %s", path, strerror(-rc));
}

static int trials_add(struct result_set *set, const char *path, struct lines *l, struct error *e)
{
	json_t *trial;
	bool whole;
	ssize_t len;
	char *line;
	int rc;

	while ((len = lines_next(l, &line, &whole)) >= 0) {
		if (!len)
			continue;
		rc = result_parse_trial(path, l->number, line, (size_t)len, &trial, e);
		if (rc && whole)
			return rc;
		if (rc)
			snprintf(set->notice, sizeof(set->notice), RESULT_HALF_LINE, path,
				 l->number);
		else if (member_append(set->trials, trial))
			return error_set(e, ENOMEM, "out of memory");
	}
	return len == -ENODATA ? 0 : result_line_error(path, l->number, (int)len, e);
}

static int trials_read(struct result_set *set, struct error *e)
{
	struct lines l = { 0 };
	char *path = NULL;
	off_t size;
	int fd = result_open_trials(set->dir, &path, &size, e), rc = fd < 0 ? fd : 0;

	if (!rc) {
		rc = lines_open(&l, fd, 0, size);
		rc = rc ? result_line_error(path, 0, rc, e) : trials_add(set, path, &l, e);
		lines_close(&l);
		close(fd);
	}
	free(path);
	return rc;
}

int result_read(struct result_set *set, const char *dir, struct error *e)
{
	int rc;

	*set = (struct result_set){ .dir = strdup(dir), .trials = json_array() };
	rc = set->dir && set->trials ? result_read_machine(dir, &set->machine, e)
				     : error_set(e, ENOMEM, "out of memory");
	if (!rc)
		rc = trials_read(set, e);
	if (rc)
		result_free(set);
	return rc;
}

void result_free(struct result_set *set)
{
	free(set->dir);
	json_decref(set->machine);
	json_decref(set->trials);
	*set = (struct result_set){ 0 };
}
