// SPDX-License-Identifier: GPL-2.0-or-later
/* Where the machine record reads from: files below a root, and CPUID. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "lib/machine/record-private.h"
#include "lib/base/member.h"

static const char *root_dir;
static machine_cpuid_fn root_cpuid;

void machine_set_root(const char *root, machine_cpuid_fn cpuid)
{
	root_dir = root;
	root_cpuid = cpuid;
}

bool machine_cpuid(uint32_t leaf, uint32_t subleaf, uint32_t regs[4])
{
	if (root_cpuid)
		return root_cpuid(leaf, subleaf, regs);
	if (root_dir)
		return false;
#if defined(__x86_64__) || defined(__i386__)
	/* __get_cpuid_count() refuses the hypervisor's range, which no basic leaf announces */
	if (leaf >> 16 == 0x4000) {
		__cpuid_count(1, 0, regs[0], regs[1], regs[2], regs[3]);
		if (!(regs[2] >> 31))
			return false;
		__cpuid_count(leaf, subleaf, regs[0], regs[1], regs[2], regs[3]);
		return true;
	}
	return __get_cpuid_count(leaf, subleaf, &regs[0], &regs[1], &regs[2], &regs[3]);
#else
	(void)leaf;
	(void)subleaf;
	(void)regs;
	return false;
#endif
}

char *machine_path(const char *path)
{
	const char *root = root_dir ? root_dir : "";
	size_t len = strlen(root) + strlen(path) + 1;
	char *full = malloc(len);

	if (full)
		snprintf(full, len, "%s%s", root, path);
	return full;
}

static char *slurp(const char *name)
{
	size_t size = 4096, n = 0, got;
	char *text = NULL, *more;
	FILE *f = fopen(name, "re");

	if (!f)
		return NULL;
	/* files in /proc and /sys do not tell their size */
	for (;;) {
		more = realloc(text, size);
		if (!more)
			break;
		text = more;
		got = fread(text + n, 1, size - n - 1, f);
		n += got;
		if (!got) {
			if (ferror(f))
				break;
			fclose(f);
			while (n && text[n - 1] == '\n')
				n--;
			text[n] = '\0';
			return text;
		}
		if (size - n < 2)
			size *= 2;
	}
	free(text);
	got = (size_t)errno;
	fclose(f);
	errno = (int)got;
	return NULL;
}

char *machine_text(const char *fmt, ...)
{
	char path[512], *full, *text;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	full = machine_path(path);
	if (!full)
		return NULL;
	text = slurp(full);
	free(full);
	return text;
}

json_t *machine_unavailable(const char *fmt, ...)
{
	char why[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	return member_pack("{s:o}", "unavailable", member_string(why));
}

json_t *machine_text_json(const char *path)
{
	char *text = machine_text("%s", path);
	json_t *j;

	if (!text)
		return machine_unavailable("%s: %s", path, strerror(errno));
	j = member_string(text);
	free(text);
	return j;
}

json_t *machine_int_json(const char *path)
{
	char *text = machine_text("%s", path), *end;
	long long v;

	if (!text)
		return machine_unavailable("%s: %s", path, strerror(errno));
	v = strtoll(text, &end, 10);
	if (end == text || *end) {
		free(text);
		return machine_unavailable("%s: not a number", path);
	}
	free(text);
	return json_integer(v);
}

bool machine_has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = text; at && (at = strstr(at, word)); at += len)
		if ((at == text || strchr(" \t\n", at[-1])) &&
		    (!at[len] || strchr(" \t\n", at[len])))
			return true;
	return false;
}
