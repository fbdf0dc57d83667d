// SPDX-License-Identifier: GPL-2.0-or-later
/* Which sets are sessions of the same kernel, and stand on one side. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/private.h"
#include "lib/base/member.h"

#define KEY_LENGTH 5000

bool set_loaders_word(const char *word, size_t len)
{
	static const char *const names[] = { "BOOT_IMAGE=", "initrd=", "root=", "resume=" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (len >= strlen(names[i]) && !strncmp(word, names[i], strlen(names[i])))
			return true;
	return false;
}

static void key_add(char *key, const char *text, size_t n)
{
	size_t used = strlen(key);

	snprintf(key + used, KEY_LENGTH - used, "%.*s\n", (int)n, text);
}

static void key_kernel(const json_t *machine, char *key)
{
	const json_t *kernel = json_object_get(machine, "kernel");
	const char *word = member_text(kernel, "cmdline"), *model;

	key_add(key, member_text(kernel, "release"), 200);
	key_add(key, member_text(kernel, "version"), 200);
	for (; *word; word += strcspn(word, " "), word += strspn(word, " "))
		if (!set_loaders_word(word, strcspn(word, " ")))
			key_add(key, word, strcspn(word, " "));
	model = member_text(json_object_get(machine, "cpu"), "model");
	key_add(key, model, 200);
}

bool set_same_kernel(const json_t *a, const json_t *b)
{
	char x[KEY_LENGTH] = "", y[KEY_LENGTH] = "";

	key_kernel(a, x);
	key_kernel(b, y);
	return !strcmp(x, y);
}

/* @path ("kernel.release") of a machine record as text. False where it has none. */
static bool key_member(const json_t *machine, const char *path, char *key)
{
	const json_t *at = machine;
	char name[80], *text;

	while (at && *path) {
		size_t len = strcspn(path, ".");

		snprintf(name, sizeof(name), "%.*s", len < sizeof(name) ? (int)len : 0, path);
		at = json_object_get(at, name);
		path += len + (path[len] == '.');
	}
	text = at ? json_dumps(at, JSON_ENCODE_ANY | JSON_SORT_KEYS | JSON_COMPACT) : NULL;
	if (text)
		key_add(key, text, KEY_LENGTH);
	free(text);
	return at;
}

/* The name of the folder that @dir is in. */
static void key_folder(const char *dir, char *key)
{
	char *path = realpath(dir, NULL), *slash = path ? strrchr(path, '/') : NULL;

	if (slash)
		*slash = '\0';
	key_add(key, path ? path : dir, PATH_MAX);
	free(path);
}

static int key_make(const struct scan_set *set, size_t i, const char *by, char *key,
		    struct error *e)
{
	char number[24];

	*key = '\0';
	if (!strcmp(by, "kernel")) {
		key_kernel(set->machine, key);
	} else if (!strcmp(by, "set")) {
		snprintf(number, sizeof(number), "%zu", i);
		key_add(key, number, sizeof(number));
	} else if (!strcmp(by, "folder")) {
		key_folder(set->dir, key);
	} else if (!key_member(set->machine, by, key)) {
		return error_set(e, EINVAL,
				 "compare: --by %s: %s/machine.json has no such member; it may be "
				 "kernel, set, folder, or a member as cpu.model",
				 by, set->dir);
	}
	return 0;
}

static bool same_folder(const char *a, const char *b)
{
	char *x = realpath(a, NULL), *y = realpath(b, NULL);
	bool same = x && y && !strcmp(x, y);

	free(x);
	free(y);
	return same;
}

bool set_same_session(const char *dir_a, const json_t *a, const char *dir_b, const json_t *b)
{
	const json_t *s = json_object_get(b, "session");

	return same_folder(dir_a, dir_b) || (s && json_equal(s, json_object_get(a, "session")));
}

/* A session must be there once, and be one. */
static int sessions_check(const struct scan_set *sets, size_t n, struct error *e)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++)
			if (set_same_session(sets[k].dir, sets[k].machine, sets[i].dir,
					     sets[i].machine))
				return error_set(e, EINVAL,
						 "compare: %s and %s are one session: name it once",
						 sets[k].dir, sets[i].dir);
	return 0;
}

/* Within one boot the wall clock must go the way the boot's own does. */
static void clocks_check(const struct scan_set *sets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < i; k++) {
			const json_t *a = json_object_get(sets[i].machine, "session"),
				     *b = json_object_get(sets[k].machine, "session");
			double wall = member_number(a, "started") - member_number(b, "started"),
			       boot = member_number(a, "since_boot_s") -
				      member_number(b, "since_boot_s");

			if (*member_text(a, "boot_id") &&
			    !strcmp(member_text(a, "boot_id"), member_text(b, "boot_id")) &&
			    (wall - boot > 60 || boot - wall > 60))
				fprintf(stderr,
					"activemm: compare: the clock was set between %s and %s, "
					"sessions of one boot: their times of day do not tell "
					"their order\n",
					sets[k].dir, sets[i].dir);
		}
}

/* An ended boot is two sessions under one name. */
static int boots_check(const struct scan_set *set, bool several, struct error *e)
{
	const json_t *session = json_object_get(set->machine, "session");

	if (!json_is_true(json_object_get(session, "boot_ended")))
		return 0;
	if (several)
		return error_set(e, EINVAL,
				 "compare: %s: its boot ended and the run went on in another: it "
				 "is no single session, leave it out",
				 set->dir);
	fprintf(stderr,
		"activemm: compare: %s: its boot ended and the run went on in another: it is no "
		"single session\n",
		set->dir);
	return 0;
}

/* Which side each of the sets is on, by its key, numbered in the order of their first appearance. Their number. */
static size_t sides_number(char (*keys)[KEY_LENGTH], size_t n, size_t *side)
{
	size_t sides = 0;

	for (size_t i = 0; i < n; i++) {
		side[i] = sides;
		for (size_t k = 0; k < i; k++)
			if (!strcmp(keys[k], keys[i])) {
				side[i] = side[k];
				break;
			}
		sides += side[i] == sides;
	}
	return sides;
}

/* The side called @base, as its sets are: by kernel release or folder. */
static int base_find(const struct scan_set *sets, size_t n, const size_t *side, const char *base,
		     size_t *found, struct error *e)
{
	bool any = false;

	*found = 0;
	for (size_t i = 0; i < n && base; i++) {
		if (strcmp(set_release(&sets[i]), base) != 0 && strcmp(sets[i].dir, base) != 0 &&
		    strcmp(set_folder(&sets[i]), base) != 0)
			continue;
		if (any && side[i] != *found)
			return error_set(e, EINVAL,
					 "compare: --base %s: two sides are called so: name one of "
					 "the base's folders",
					 base);
		*found = side[i];
		any = true;
	}
	return any || !base ? 0
			    : error_set(e, EINVAL,
					"compare: --base %s: no set has this kernel release or "
					"folder",
					base);
}

static int join(struct scan_set *sets, size_t n, const size_t *side, size_t which,
		struct scan_set *into, struct error *e)
{
	struct scan_set *own = calloc(n, sizeof(*own));
	size_t m = 0;
	int rc = 0;

	if (!own)
		return error_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		if (side[i] == which) {
			own[m++] = sets[i];
			sets[i] = (struct scan_set){ 0 };
		}
	for (size_t i = 0; i < m && !rc; i++)
		rc = boots_check(&own[i], m > 1, e);
	if (!rc && m == 1) {
		*into = own[0];
		m = 0;
	} else if (!rc) {
		rc = scan_set_join(into, own, m, e);
	}
	for (size_t i = 0; i < m; i++)
		scan_set_free(&own[i]);
	free(own);
	return rc;
}

/* The base's side first, the others as they came. */
static int sides_join(struct scan_set *sets, size_t n, const size_t *side, size_t sides,
		      size_t base, struct error *e)
{
	struct scan_set *joined = calloc(sides, sizeof(*joined));
	size_t at = 1;
	int rc = joined ? 0 : error_set(e, ENOMEM, "out of memory");

	for (size_t i = 0; i < sides && !rc; i++)
		rc = join(sets, n, side, i, &joined[i == base ? 0 : at++], e);
	/* What was not joined for an error is freed, too. */
	for (size_t i = 0; i < n; i++)
		scan_set_free(&sets[i]);
	for (size_t i = 0; i < sides && joined; i++)
		sets[i] = joined[i];
	free(joined);
	return rc;
}

int compare_sides(struct scan_set *sets, size_t *n, const char *by, const char *base,
		  struct error *e)
{
	char(*keys)[KEY_LENGTH] = calloc(*n, sizeof(*keys));
	size_t *side = calloc(*n, sizeof(*side)), sides = 0, first = 0;
	int rc = keys && side ? sessions_check(sets, *n, e) : error_set(e, ENOMEM, "out of memory");

	for (size_t i = 0; i < *n && !rc; i++)
		rc = key_make(&sets[i], i, by ? by : "kernel", keys[i], e);
	if (!rc) {
		clocks_check(sets, *n);
		sides = sides_number(keys, *n, side);
		if (sides == 1 && !by)
			for (sides = 0; sides < *n; sides++)
				side[sides] = sides;
		if (sides == 1)
			rc = error_set(e, EINVAL,
				       "compare: --by %s puts all sets on one side: there is "
				       "nothing to compare them with",
				       by);
	}
	if (!rc)
		rc = base_find(sets, *n, side, base, &first, e);
	if (!rc) {
		rc = sides_join(sets, *n, side, sides, first, e);
		*n = sides;
	}
	free(keys);
	free(side);
	return rc;
}
