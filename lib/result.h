/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Result sets on disk: machine.json, trials.jsonl, summary.json (schemas in results/schema/). */
#ifndef LIB_RESULT_H
#define LIB_RESULT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "lib/error.h"

#define RESULT_SCHEMA 1

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
