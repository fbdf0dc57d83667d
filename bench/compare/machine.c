// SPDX-License-Identifier: GPL-2.0-or-later
/* What differs around the trials: machines, kernels, and what that means for times. */
#include <string.h>

#include "bench/compare/private.h"
#include "lib/base/member.h"

#define NESTED 4

const char *compare_refused(const struct scan_set *a, const struct scan_set *b)
{
	const json_t *cpu_a = json_object_get(a->machine, "cpu"),
		     *cpu_b = json_object_get(b->machine, "cpu");

	if (json_is_false(json_object_get(a->machine, "times_meaningful")) ||
	    json_is_false(json_object_get(b->machine, "times_meaningful")))
		return "one set comes from software emulation, where times mean nothing";
	if (!json_equal(json_object_get(cpu_a, "model"), json_object_get(cpu_b, "model")))
		return COMPARE_OTHER_MODEL;
	if (a->verified != b->verified)
		return COMPARE_HALF_VERIFIED;
	return NULL;
}

static void differ(json_t *list, const char *what, json_t *x, json_t *y, int depth)
{
	const char *key;
	char name[128];
	json_t *v;

	if ((!x && !y) || (x && y && json_equal(x, y)))
		return;
	if (!json_is_object(x) || !json_is_object(y) || depth == NESTED) {
		member_append(list, member_pack("{s:s, s:O?, s:O?}", "what", what, "base", x,
						"other", y));
		return;
	}
	json_object_foreach (y, key, v) {
		snprintf(name, sizeof(name), "%.60s.%.60s", what, key);
		differ(list, name, json_object_get(x, key), v, depth + 1);
	}
	json_object_foreach (x, key, v) {
		if (json_object_get(y, key))
			continue;
		snprintf(name, sizeof(name), "%.60s.%.60s", what, key);
		differ(list, name, v, NULL, depth + 1);
	}
}

/* The part of a record, without how often idle states were entered so far: that differs always and explains nothing. */
static json_t *lasting(const json_t *machine, const char *part)
{
	json_t *o = member_copy(json_object_get(machine, part)), *state;
	size_t i;

	json_array_foreach (json_object_get(o, "states"), i, state) {
		json_object_del(state, "usage");
		json_object_del(state, "time");
	}
	return o;
}

static json_t *parts_differ(const json_t *a, const json_t *b, const char *const *parts, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < n; i++) {
		json_t *x = lasting(a, parts[i]), *y = lasting(b, parts[i]);

		differ(list, parts[i], x, y, 0);
		json_decref(x);
		json_decref(y);
	}
	return list;
}

json_t *compare_machines(const json_t *a, const json_t *b)
{
	static const char *const parts[] = {
		"kernel", "cpu",	"mitigations", "frequency",	 "cpuidle", "smt",
		"thp",	  "hypervisor", "accelerator", "numa_balancing", "host"
	};

	return parts_differ(a, b, parts, sizeof(parts) / sizeof(*parts));
}

json_t *compare_nodes_differ(const json_t *a, const json_t *b)
{
	static const char *const parts[] = { "cpu",	    "dmi", "topology",	     "frequency",
					     "cpuidle",	    "smt", "mitigations",    "hypervisor",
					     "clocksource", "thp", "numa_balancing", "kernel" };

	return parts_differ(a, b, parts, sizeof(parts) / sizeof(*parts));
}

#define BEFORE 16 /* bytes, so that one sees what differs; from a word's beginning */

size_t compare_differ_at(const char *a, const char *b, size_t most)
{
	size_t at = 0, least;

	if (strlen(a) <= most && strlen(b) <= most)
		return 0;
	while (a[at] && a[at] == b[at])
		at++;
	least = at > BEFORE ? at - BEFORE : 0;
	while (at > least && a[at - 1] != ' ')
		at--;
	while (at && (a[at] & 0xc0) == 0x80)
		at--;
	return at;
}

const char *set_release(const struct scan_set *s)
{
	const char *r = json_string_value(
		json_object_get(json_object_get(s->machine, "kernel"), "release"));

	return r ? r : "";
}

const char *set_folder(const struct scan_set *s)
{
	const char *slash = strrchr(s->dir, '/');

	return slash && slash[1] ? slash + 1 : s->dir;
}

char *compare_name(const struct scan_set *sets, size_t n, size_t i)
{
	const char *name = set_release(&sets[i]);
	bool unique = *name;
	char *text;

	for (size_t k = 0; k < n; k++)
		unique &= k == i || strcmp(set_release(&sets[k]), name) != 0;
	if (!unique) {
		name = set_folder(&sets[i]);
		unique = true;
		for (size_t k = 0; k < n; k++)
			unique &= k == i || strcmp(set_folder(&sets[k]), name) != 0;
	}
	text = strdup(unique ? name : sets[i].dir);
	/* It comes from a file and goes to a terminal. */
	for (char *c = text; c && *c; c++)
		if ((unsigned char)*c < ' ' || *c == 127)
			*c = '?';
	return text;
}
