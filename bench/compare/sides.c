// SPDX-License-Identifier: GPL-2.0-or-later
/* Which sets are sessions of the same kernel, and stand on one side. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/private.h"
#include "lib/base/member.h"
#include "lib/results/set.h"

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

bool word_in(const char *line, const char *word, size_t len)
{
	for (size_t n; *line; line += n + strspn(line + n, " ")) {
		n = strcspn(line, " ");
		if (n == len && !strncmp(line, word, len))
			return true;
	}
	return false;
}

/* The kernel's own part of the key; words of its command line that are in @common are not. */
static void key_kernel(const json_t *machine, const char *common, char *key)
{
	const json_t *kernel = json_object_get(machine, "kernel");
	const char *word = member_text(kernel, "cmdline");

	key_add(key, member_text(kernel, "release"), 200);
	key_add(key, member_text(kernel, "version"), 200);
	for (; *word; word += strcspn(word, " "), word += strspn(word, " "))
		if (!set_loaders_word(word, strcspn(word, " ")) &&
		    !word_in(common, word, strcspn(word, " ")))
			key_add(key, word, strcspn(word, " "));
}

static void key_kernel_and_model(const json_t *machine, char *key)
{
	key_kernel(machine, "", key);
	key_add(key, member_text(json_object_get(machine, "cpu"), "model"), 200);
}

char *set_kernel_key(const struct scan_set *set, const char *common)
{
	char key[KEY_LENGTH] = "";

	key_kernel(set->machine, common, key);
	return strdup(key);
}

bool set_same_kernel(const json_t *a, const json_t *b)
{
	char x[KEY_LENGTH] = "", y[KEY_LENGTH] = "";

	key_kernel_and_model(a, x);
	key_kernel_and_model(b, y);
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
		key_add(key, text, KEY_LENGTH - 2);
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

char *set_key(const struct scan_set *set, size_t i, const char *by, const char *option,
	      struct error *e)
{
	char key[KEY_LENGTH] = "", *made;

	if (!strcmp(by, "kernel")) {
		key_kernel_and_model(set->machine, key);
	} else if (!strcmp(by, "set")) {
		snprintf(key, sizeof(key), "%zu", i);
	} else if (!strcmp(by, "folder")) {
		key_folder(set->dir, key);
	} else if (!key_member(set->machine, by, key)) {
		error_set(e, EINVAL,
			  "compare: %s %s: %s/machine.json has no such member; it may be %s, or a "
			  "member as %s",
			  option, by, set->dir,
			  strcmp(option, "--by") ? "machine, folder, none" : "kernel, set, folder",
			  strcmp(option, "--by") ? "host" : "cpu.model");
		return NULL;
	}
	made = strdup(key);
	if (!made)
		error_set(e, ENOMEM, "out of memory");
	return made;
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

/* The number of the first that had @key, @i itself if it is new. */
static size_t seen_first(json_t *seen, const char *key, size_t i)
{
	const json_t *first = json_object_get(seen, key);

	if (first)
		return (size_t)json_integer_value(first);
	json_object_set_new_nocheck(seen, key, json_integer((json_int_t)i));
	return i;
}

/* A session must be there once, and be one. */
static int sessions_check(const struct scan_set *sets, size_t n, struct error *e)
{
	json_t *folders = json_object(), *sessions = json_object();
	int rc = 0;

	for (size_t i = 0; i < n && !rc; i++) {
		const json_t *s = json_object_get(sets[i].machine, "session");
		char *path = realpath(sets[i].dir, NULL),
		     *session = s ? json_dumps(s, JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;
		size_t at = path ? seen_first(folders, path, i) : i,
		       as = session ? seen_first(sessions, session, i) : i,
		       other = at < as ? at : as;

		free(path);
		free(session);
		if (other != i)
			rc = error_set(e, EINVAL,
				       "compare: %s and %s are one session: name it once",
				       sets[other].dir, sets[i].dir);
	}
	json_decref(folders);
	json_decref(sessions);
	return rc;
}

static void clock_check(const struct scan_set *earlier, const struct scan_set *later)
{
	const json_t *a = json_object_get(later->machine, "session"),
		     *b = json_object_get(earlier->machine, "session");
	double wall = member_number(a, "started") - member_number(b, "started"),
	       boot = member_number(a, "since_boot_s") - member_number(b, "since_boot_s");

	if (wall - boot > 60 || boot - wall > 60)
		fprintf(stderr,
			"activemm: compare: the clock was set between %s and %s, sessions of one "
			"boot: their times of day do not tell their order\n",
			earlier->dir, later->dir);
}

/* Within one boot the wall clock must go the way the boot's own does. */
static void clocks_check(const struct scan_set *sets, size_t n)
{
	json_t *last = json_object(), *o;
	size_t *before = malloc((n + 1) * sizeof(*before)); /* of the same boot; itself: none */

	for (size_t i = 0; i < n && before; i++) {
		const char *boot = member_text(json_object_get(sets[i].machine, "session"),
					       "boot_id");

		before[i] = i;
		if (!*boot)
			continue;
		o = json_object_get(last, boot);
		if (o)
			before[i] = (size_t)json_integer_value(o);
		member_set(last, boot, json_integer((json_int_t)i));
		for (size_t k = i; before[k] != k; k = before[k])
			clock_check(&sets[before[k]], &sets[i]);
	}
	free(before);
	json_decref(last);
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

int keys_number(char *const *keys, size_t n, size_t *number, size_t *different)
{
	json_t *seen = json_object();
	int rc = seen ? 0 : -ENOMEM;

	*different = 0;
	for (size_t i = 0; i < n && !rc; i++) {
		const json_t *known = json_object_get(seen, keys[i]);

		if (known)
			number[i] = (size_t)json_integer_value(known);
		else if (json_object_set_new_nocheck(seen, keys[i],
						     json_integer((json_int_t)*different)))
			rc = -ENOMEM;
		else
			number[i] = (*different)++;
	}
	json_decref(seen);
	return rc;
}

int side_called(const struct scan_set *sets, size_t n, const size_t *side, const char *base,
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

void compare_trim(json_t *machine)
{
	static const char *const parts[] = { "run",	  "counters", "mitigations", "cpuidle",
					     "frequency", "choice",   "findings",    "warnings",
					     "clock",	  "thp",      "mm_switch" };

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		json_object_del(machine, parts[i]);
	json_object_del(json_object_get(machine, "kernel"), "config");
	member_set(machine, "trimmed", json_true());
}

/* The whole record of one that was trimmed. */
static int machine_whole(struct scan_set *set, struct error *e)
{
	json_t *machine;
	int rc;

	if (!json_object_get(set->machine, "trimmed"))
		return 0;
	rc = result_read_machine(set->dir, &machine, e);
	if (rc)
		return rc;
	json_decref(set->machine);
	set->machine = machine;
	return 0;
}

/* The sets of one side, those of machines that have the most to say first: what is shown of one session is shown of its first. */
static size_t side_take(struct scan_set *sets, size_t n, const struct blocks *b, size_t which,
			struct scan_set *own, unsigned int *node)
{
	size_t m = 0;

	for (int whole = 1; whole >= 0; whole--)
		for (size_t i = 0; i < n; i++) {
			if (b->side[i] != which || blocks_complete(b, i) != whole || !sets[i].dir)
				continue;
			node[m] = b->used ? (unsigned int)b->node[i] : 0;
			own[m++] = sets[i];
			sets[i] = (struct scan_set){ 0 };
		}
	return m;
}

static int join(struct scan_set *sets, size_t n, const struct blocks *b, size_t which,
		struct scan_set *into, struct error *e)
{
	struct scan_set *own = calloc(n, sizeof(*own));
	unsigned int *node = calloc(n, sizeof(*node));
	size_t m = 0;
	int rc = own && node ? 0 : error_set(e, ENOMEM, "out of memory");

	if (!rc)
		m = side_take(sets, n, b, which, own, node);
	for (size_t i = 0; i < m && !rc; i++)
		rc = boots_check(&own[i], m > 1, e);
	if (!rc && m == 1 && !b->used) {
		rc = own->unread ? scan_set_trials(own, e) : 0;
		*into = own[0];
		if (into->notice[0])
			fprintf(stderr, "activemm: %s\n", into->notice);
		m = 0;
	} else if (!rc) {
		rc = scan_set_join(into, own, m, e);
		if (!rc && b->used) {
			into->node = node;
			node = NULL;
		}
	}
	if (!rc)
		rc = machine_whole(into, e);
	for (size_t i = 0; i < m; i++) {
		if (own[i].notice[0])
			fprintf(stderr, "activemm: %s\n", own[i].notice);
		scan_set_free(&own[i]);
	}
	free(own);
	free(node);
	return rc;
}

/* The base's side first, the others as they came. */
static int sides_join(struct scan_set *sets, size_t n, const struct blocks *b, struct error *e)
{
	struct scan_set *joined = calloc(b->sides, sizeof(*joined));
	size_t at = 1;
	int rc = joined ? 0 : error_set(e, ENOMEM, "out of memory");

	for (size_t i = 0; i < b->sides && !rc; i++)
		rc = join(sets, n, b, i, &joined[i == b->base ? 0 : at++], e);
	/* What was not joined, being left out or for an error, is freed, too. */
	for (size_t i = 0; i < n; i++)
		scan_set_free(&sets[i]);
	for (size_t i = 0; i < b->sides && joined; i++)
		sets[i] = joined[i];
	free(joined);
	return rc;
}

/* Sides where machines are not told apart. */
static int sides_number(const struct scan_set *sets, size_t n, const struct compare_by *by,
			struct blocks *b, struct error *e)
{
	char **keys = calloc(n, sizeof(*keys));
	int rc = keys ? 0 : error_set(e, ENOMEM, "out of memory");

	for (size_t i = 0; i < n && !rc; i++) {
		keys[i] = set_key(&sets[i], i, by->sides ? by->sides : "kernel", "--by", e);
		rc = keys[i] ? 0 : -EINVAL;
	}
	if (!rc && keys_number(keys, n, b->side, &b->sides))
		rc = error_set(e, ENOMEM, "out of memory");
	if (!rc && b->sides == 1 && !by->sides)
		for (b->sides = 0; b->sides < n; b->sides++)
			b->side[b->sides] = b->sides;
	if (!rc && b->sides == 1)
		rc = error_set(e, EINVAL,
			       "compare: --by %s puts all sets on one side: there is nothing to "
			       "compare them with",
			       by->sides);
	if (!rc)
		rc = side_called(sets, n, b->side, by->base, &b->base, e);
	for (size_t i = 0; i < n && keys; i++)
		free(keys[i]);
	free(keys);
	return rc;
}

int compare_sides(struct scan_set *sets, size_t *n, const struct compare_by *by,
		  struct compare_nodes *nodes, struct error *e)
{
	struct blocks b = { 0 };
	int rc = sessions_check(sets, *n, e);

	if (!rc) {
		clocks_check(sets, *n);
		rc = blocks_make(&b, sets, *n, by, nodes, e);
	}
	if (!rc && !b.used)
		rc = sides_number(sets, *n, by, &b, e);
	if (!rc) {
		rc = sides_join(sets, *n, &b, e);
		*n = b.sides;
	}
	blocks_free(&b);
	return rc;
}
