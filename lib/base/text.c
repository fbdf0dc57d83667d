// SPDX-License-Identifier: GPL-2.0-or-later
#include <stddef.h>
#include <stdint.h>

#include "lib/base/text.h"

/* Bytes of the character that @s begins with; 0 if it is cut, overlong, no character of Unicode or a control character. */
static size_t character(const unsigned char *s)
{
	static const struct {
		unsigned char mask, lead;
		uint32_t least;
	} kinds[] = {
		{ 0x80, 0x00, 0x20 }, /* below: the control characters of ASCII */
		{ 0xe0, 0xc0, 0xa0 }, /* below: those of Latin 1 */
		{ 0xf0, 0xe0, 0x800 },
		{ 0xf8, 0xf0, 0x10000 },
	};

	for (size_t more = 0; more < sizeof(kinds) / sizeof(*kinds); more++) {
		uint32_t code = s[0] & (unsigned char)~kinds[more].mask;

		if ((s[0] & kinds[more].mask) != kinds[more].lead)
			continue;
		for (size_t i = 1; i <= more; i++) {
			if ((s[i] & 0xc0) != 0x80)
				return 0;
			code = code << 6 | (s[i] & 0x3f);
		}
		if (code < kinds[more].least || code == 0x7f || code > 0x10ffff ||
		    (code >= 0xd800 && code <= 0xdfff))
			return 0;
		return more + 1;
	}
	return 0;
}

void text_utf8(char *s)
{
	while (*s) {
		size_t len = character((const unsigned char *)s);

		if (!len)
			*s = '?';
		s += len ? len : 1;
	}
}

void text_csv(const char *s, FILE *out)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"')
			fputc('"', out);
		fputc(*s, out);
	}
	fputc('"', out);
}
