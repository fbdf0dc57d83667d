// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/member.h"
#include "lib/base/text.h"

static atomic_int failed; /* sets are read by several threads */

static void fail(int code)
{
	int none = 0;

	atomic_compare_exchange_strong(&failed, &none, code);
}

int members_failed(struct error *e)
{
	int code = atomic_load(&failed);

	if (code == EILSEQ)
		return error_set(e, code, "a value that JSON cannot hold: nothing is written");
	return code ? error_set(e, code, "out of memory") : 0;
}

double member_number(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

const char *member_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static json_t *string_take(char *s)
{
	json_t *v = NULL;

	if (s) {
		text_utf8(s);
		v = json_string(s);
	}
	if (!v)
		fail(ENOMEM);
	free(s);
	return v;
}

json_t *member_string(const char *s)
{
	return string_take(s ? strdup(s) : NULL);
}

json_t *member_printf(const char *fmt, ...)
{
	char *s = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	va_end(ap);
	return string_take(s);
}

json_t *member_real(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

json_t *member_pack(const char *fmt, ...)
{
	json_error_t je;
	json_t *v;
	va_list ap;

	va_start(ap, fmt);
	v = json_vpack_ex(&je, 0, fmt, ap);
	va_end(ap);
	if (!v)
		fail(json_error_code(&je) == json_error_invalid_utf8 ||
				     json_error_code(&je) == json_error_numeric_overflow
			     ? EILSEQ
			     : ENOMEM);
	return v;
}

int member_set(json_t *o, const char *key, json_t *value)
{
	if (!json_object_set_new(o, key, value))
		return 0;
	fail(ENOMEM);
	return -ENOMEM;
}

int member_append(json_t *array, json_t *value)
{
	if (!json_array_append_new(array, value))
		return 0;
	fail(ENOMEM);
	return -ENOMEM;
}

void member_share(json_t *o, const char *key, json_t *value)
{
	if (value)
		member_set(o, key, json_incref(value));
}

void member_insert(json_t *array, size_t at, json_t *value)
{
	if (json_array_insert_new(array, at, value))
		fail(ENOMEM);
}

json_t *member_copy(const json_t *value)
{
	json_t *copy = json_deep_copy(value);

	if (value && !copy)
		fail(ENOMEM);
	return copy;
}

char *member_dumps(const json_t *value, size_t flags, struct error *e)
{
	char *text = members_failed(e) ? NULL : json_dumps(value, flags);

	if (!text && !members_failed(NULL))
		error_set(e, ENOMEM, "out of memory");
	return text;
}

int member_print(const json_t *value, FILE *f, size_t flags, struct error *e)
{
	char *text = member_dumps(value, flags, e);

	if (!text)
		return members_failed(NULL) ? members_failed(NULL) : -ENOMEM;
	fprintf(f, "%s\n", text);
	free(text);
	return 0;
}
