/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Members of JSON objects that may be missing, or of another kind. */
#ifndef LIB_MEMBER_H
#define LIB_MEMBER_H

#include <jansson.h>

/* @o's member @key as a number, NaN if it is none or @o is NULL. */
double member_number(const json_t *o, const char *key);

/* The same as text, "" without; the object's. */
const char *member_text(const json_t *o, const char *key);

#endif
