/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Result sets on disk: machine.json, trials.jsonl, summary.json (schemas in results/schema/). */
#ifndef LIB_RESULTS_SET_H
#define LIB_RESULTS_SET_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "lib/base/error.h"
#include "lib/base/schema.h"

/* The notice of a set whose last line a killed run left unfinished: path, line number. */
#define RESULT_HALF_LINE "%.180s:%zu: the last line is half-written and was left out"

/*
 * Where the variable names a file or a device, every trial and every machine.json is written there as well, a line each: the file's
 * path, a tab, and the JSON. For who may lose the machine before the run ends, as the kernel lab does.
 */
#define RESULT_COPY "ACTIVEMM_RESULT_COPY"

/* An open result set being written. */
struct result_writer;

/*
 * Creates (or with @resume opens) the result set @dir and writes machine.json. Fails before the first trial where it can:
 * -EEXIST when @dir already holds trials and !@resume; -EACCES, -ENOSPC (less than 16 MiB free), -EROFS, -ENOTDIR otherwise.
 * With @resume the half-written last line of a killed run is cut off.
 */
int result_create(struct result_writer **w, const char *dir, json_t *machine, bool resume,
		  struct error *e);

/* Appends one trial as one line and flushes it to the kernel. A failed write (full disk) leaves the earlier lines whole. */
int result_append(struct result_writer *w, json_t *trial, struct error *e);

/* Writes @name (summary.json) atomically: temporary file, fsync, rename. */
int result_write_json(const char *dir, const char *name, json_t *value, struct error *e);

void result_close(struct result_writer *w);

/*
 * Reading. Sets of schema 1 and of schema 0 (lines from before they had a version: no "schema", or 0) are read; of a line of schema 0
 * only scenario, params, ns_per_round_trip and valid are required, what else is missing reads as empty and unverified. A newer schema
 * is refused. A file that is no plain file, or a line or machine.json of more than LINE_MOST bytes (lib/base/lines.h), is refused
 * before it is read. Errors are one line that names file and line: -EINVAL damaged or foreign, -EFBIG, -ENOMEM, or -errno.
 */

/* machine.json of the set @dir; new reference in *@machine. */
int result_read_machine(const char *dir, json_t **machine, struct error *e);

/* Opens trials.jsonl of @dir for reading; its path in *@path (free it), its length in *@size. A descriptor or -errno. */
int result_open_trials(const char *dir, char **path, off_t *size, struct error *e);

/* Parses and checks line @number of @path, brought to the present schema; new reference in *@trial. @line ends with a NUL at @len. */
int result_parse_trial(const char *path, size_t number, const char *line, size_t len,
		       json_t **trial, struct error *e);

/* Says in @e what lines_next() of line @number meant by @rc; returns it. */
int result_line_error(const char *path, size_t number, int rc, struct error *e);

/* A result set read back. */
struct result_set {
	char *dir;
	json_t *machine; /* object */
	json_t *trials; /* array of objects, in file order */
	char notice[256]; /* what was dropped (a half-written last line), "" if nothing */
};

/* Reads the set in @dir; one clear line in @e for a damaged, foreign or missing file. Free with result_free(). */
int result_read(struct result_set *set, const char *dir, struct error *e);
void result_free(struct result_set *set);

#endif
