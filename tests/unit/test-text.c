// SPDX-License-Identifier: GPL-2.0-or-later
/* Names of any bytes, and JSON values that cannot be made. */
#include <errno.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "lib/base/member.h"
#include "lib/base/text.h"

static void any_bytes_become_a_line_of_utf8(void **state)
{
	static const struct {
		const char *from, *to;
	} cases[] = {
		{ "kworker/1:2", "kworker/1:2" },
		{ "M\xc3\xa4\xc3\x9fig \xe2\x82\xac \xf0\x9f\x90\xa7",
		  "M\xc3\xa4\xc3\x9fig \xe2\x82\xac \xf0\x9f\x90\xa7" },
		/* what prctl(PR_SET_NAME) makes of eight Cyrillic letters */
		{ "\xd0\xa8\xd0\xa8\xd0\xa8\xd0\xa8\xd0\xa8\xd0\xa8\xd0\xa8\xd0",
		  "\xd0\xa8\xd0\xa8\xd0\xa8\xd0\xa8\xd0\xa8\xd0\xa8\xd0\xa8?" },
		{ "\xff\xfe", "??" },
		{ "\x80 alone", "? alone" },
		{ "\xc0\xaf", "??" }, /* overlong */
		{ "\xed\xa0\x80", "???" }, /* a surrogate */
		{ "\xf4\x90\x80\x80", "????" }, /* beyond the last */
		{ "\xe2\x82", "??" }, /* cut */
		{ "red\x1b[31m\n\tx\x7f", "red?[31m??x?" },
		{ "\xc2\x9b"
		  "31m",
		  "??31m" },
		{ "", "" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		snprintf(text, sizeof(text), "%s", cases[i].from);
		text_utf8(text);
		assert_string_equal(text, cases[i].to);
	}
}

static void a_foreign_name_is_a_value(void **state)
{
	json_t *o = json_object();
	struct error e = { 0 };
	char *text;

	(void)state;
	member_set(o, "name", member_string("cut\xd0"));
	member_set(o, "says", member_printf("%s (pid %d)", "\xff", 7));
	member_set(o, "unknown", member_real(NAN));
	member_share(o, "missing", json_object_get(o, "nothing"));
	text = member_dumps(o, JSON_COMPACT | JSON_SORT_KEYS, &e);
	assert_non_null(text);
	assert_string_equal(text, "{\"name\":\"cut?\",\"says\":\"? (pid 7)\",\"unknown\":null}");
	assert_int_equal(members_failed(&e), 0);
	free(text);
	json_decref(o);
}

static int left; /* allocations until memory is short, -1: it is not */

static void *short_of_memory(size_t size)
{
	return left && left-- ? malloc(size) : NULL;
}

/* Comes last: what failed stays known. */
static void a_value_that_cannot_be_made_leaves_none_to_write(void **state)
{
	json_t *o = json_object(), *list = json_array();
	struct error e = { 0 };

	(void)state;
	member_set(o, "list", list);
	left = 0;
	json_set_alloc_funcs(short_of_memory, free);
	member_append(list, member_pack("{s:s}", "what", "a violation"));
	left = -1;
	assert_int_equal(json_array_size(list), 0);
	assert_null(member_dumps(o, 0, &e));
	assert_int_equal(e.code, ENOMEM);
	assert_int_equal(member_print(o, stdout, 0, &e), -ENOMEM);
	assert_int_equal(members_failed(&e), -ENOMEM);
	json_decref(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_bytes_become_a_line_of_utf8),
		cmocka_unit_test(a_foreign_name_is_a_value),
		cmocka_unit_test(a_value_that_cannot_be_made_leaves_none_to_write),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
