// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "lib/result.h"

#define FREE_BYTES_NEEDED (16ull << 20)
#define LINE_MAX_BYTES	  (16u << 20) /* a longer line is no trial */

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

int result_write_json(const char *dir, const char *name, json_t *value, struct error *e)
{
	char *path = path_join(dir, name), *tmp = NULL,
	     *text = json_dumps(value, JSON_INDENT(1) | JSON_SORT_KEYS);
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
	char *text = json_dumps(trial, JSON_COMPACT | JSON_PRESERVE_ORDER), *line = NULL;
	int rc = -ENOMEM;

	if (text && asprintf(&line, "%s\n", text) >= 0)
		rc = write_all(w->fd, line, strlen(line));
	if (!rc) {
		w->end = lseek(w->fd, 0, SEEK_CUR);
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

static int machine_read(struct result_set *set, struct error *e)
{
	char *path = path_join(set->dir, "machine.json");
	json_error_t je;

	if (!path)
		return error_set(e, ENOMEM, "out of memory");
	set->machine = json_load_file(path, JSON_REJECT_DUPLICATES, &je);
	if (!set->machine && access(path, R_OK))
		error_set(e, errno, "%s is no result set: cannot read machine.json: %s", set->dir,
			  strerror(errno));
	else if (!set->machine)
		error_set(e, EINVAL, "%s:%d: damaged: %s", path, je.line, je.text);
	else if (!json_is_object(set->machine) ||
		 !json_is_object(json_object_get(set->machine, "kernel"))) {
		json_decref(set->machine);
		set->machine = NULL;
		error_set(e, EINVAL, "%s is no machine record of this suite", path);
	}
	free(path);
	return set->machine ? 0 : -EINVAL;
}

/* Is it a trial whose parts have the types that readers rely on? */
static bool trial_sound(const json_t *t)
{
	const json_t *claim = json_object_get(t, "claim"), *latency = json_object_get(t, "latency");

	return json_is_object(t) && json_is_integer(json_object_get(t, "schema")) &&
	       json_is_string(json_object_get(t, "scenario")) &&
	       json_is_object(json_object_get(t, "params")) &&
	       json_is_integer(json_object_get(t, "trial")) &&
	       json_is_object(json_object_get(t, "counters")) &&
	       json_is_boolean(json_object_get(t, "valid")) &&
	       json_is_array(json_object_get(t, "violations")) &&
	       (!claim || json_is_object(claim)) && (!latency || json_is_object(latency)) &&
	       (json_is_number(json_object_get(t, "ns_per_round_trip")) ||
		json_is_null(json_object_get(t, "ns_per_round_trip")));
}

static int trial_add(struct result_set *set, const char *path, const char *line, size_t len,
		     size_t number, bool whole, struct error *e)
{
	json_error_t je;
	json_t *t = json_loadb(line, len, JSON_REJECT_DUPLICATES, &je);

	if (!t && !whole) {
		snprintf(set->notice, sizeof(set->notice),
			 "%.180s:%zu: the last line is half-written and was left out", path,
			 number);
		return 0;
	}
	if (!t)
		return error_set(e, EINVAL, "%s:%zu: damaged: %s", path, number, je.text);
	if (!trial_sound(t) || json_integer_value(json_object_get(t, "schema")) > RESULT_SCHEMA) {
		bool newer = json_integer_value(json_object_get(t, "schema")) > RESULT_SCHEMA;

		json_decref(t);
		return error_set(e, EINVAL,
				 newer ? "%s:%zu: written by a newer version of this suite"
				       : "%s:%zu: this is no trial of this suite",
				 path, number);
	}
	return json_array_append_new(set->trials, t) ? error_set(e, ENOMEM, "out of memory") : 0;
}

static int trials_read(struct result_set *set, struct error *e)
{
	char *path = path_join(set->dir, "trials.jsonl"), *line = NULL;
	size_t cap = 0, number = 0;
	ssize_t len;
	FILE *f = path ? fopen(path, "re") : NULL;
	int rc = 0;

	if (!f) {
		rc = error_set(e, errno, "%s is no result set: cannot read trials.jsonl: %s",
			       set->dir, strerror(errno));
		free(path);
		return rc;
	}
	while (!rc && (len = getline(&line, &cap, f)) > 0) {
		bool whole = line[len - 1] == '\n';

		number++;
		if (len > LINE_MAX_BYTES)
			rc = error_set(e, EFBIG, "%s:%zu: a line of %zd MB is no trial", path,
				       number, len >> 20);
		else if (len > 1 || !whole)
			rc = trial_add(set, path, line, (size_t)len, number, whole, e);
	}
	if (!rc && ferror(f))
		rc = error_set(e, EIO, "cannot read %s", path);
	fclose(f);
	free(line);
	free(path);
	return rc;
}

int result_read(struct result_set *set, const char *dir, struct error *e)
{
	int rc;

	*set = (struct result_set){ .dir = strdup(dir), .trials = json_array() };
	rc = set->dir && set->trials ? machine_read(set, e) : error_set(e, ENOMEM, "out of memory");
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
