/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Members of JSON values. Reading: those that may be missing, or of another kind. Writing: as jansson's functions of the like names,
 * but a value that cannot be made is remembered for the whole process, as a stream remembers a failed write: whoever hands a
 * value on (a file, the terminal) asks members_failed() first, so that no record ever is shorter than it should be.
 */
#ifndef LIB_BASE_MEMBER_H
#define LIB_BASE_MEMBER_H

#include <jansson.h>
#include <stdio.h>

#include "lib/base/error.h"

/* @o's member @key as a number, NaN if it is none or @o is NULL. */
double member_number(const json_t *o, const char *key);

/* The same as text, "" without; the object's. */
const char *member_text(const json_t *o, const char *key);

/* @s as a value, whatever its bytes: see text_utf8(). */
json_t *member_string(const char *s);
json_t *member_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* null where @v is not finite. */
json_t *member_real(double v);

/* json_pack(), whose strings must be UTF-8 and whose reals finite: others go by "o" and the two above. */
json_t *member_pack(const char *fmt, ...);

/* Both take the reference to @value, which must not be NULL. 0 or -ENOMEM, which need not be looked at: see above. */
int member_set(json_t *o, const char *key, json_t *value);
int member_append(json_t *array, json_t *value);

/* The same with a member of another value, which may be missing: then @o gets none. */
void member_share(json_t *o, const char *key, json_t *value);

void member_insert(json_t *array, size_t at, json_t *value);

/* A deep copy; NULL of NULL. */
json_t *member_copy(const json_t *value);

/* 0, or with one line in @e what kept the first value from being made: -ENOMEM, or -EILSEQ for what JSON cannot hold. */
int members_failed(struct error *e);

/* @value as text (free it); NULL with one line in @e if it or any other could not be made. */
char *member_dumps(const json_t *value, size_t flags, struct error *e);

/* Writes that and a newline. 0 or -errno; a failed write stays in @f. */
int member_print(const json_t *value, FILE *f, size_t flags, struct error *e);

#endif
