// SPDX-License-Identifier: GPL-2.0-or-later
/* A result set -> its row, and one of figures for each scenario and parameter set. */
#include <errno.h>
#include <fcntl.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "lib/base/member.h"
#include "lib/history/private.h"
#include "lib/results/node.h"
#include "lib/results/scan-set.h"
#include "lib/results/set.h"
#include "lib/stats/rank.h"

#define DIGEST 24 /* bytes: 16 of content, 8 of length */
#define TAIL   65536 /* of trials.jsonl: the last line's end is in it */

const char *const history_counters[HISTORY_COUNTS] = { "cr3-loads", "cr3-flushes",
						       "context-switches", "tlb-ipis" };

struct content {
	unsigned __int128 sum;
	uint64_t len;
	char tail[TAIL + 1];
};

/* FNV-1a (128 bits) over words of eight bytes: to know content again, not to withstand forgery. */
static void content_add(struct content *c, const char *p, size_t len)
{
	const unsigned __int128 prime = ((unsigned __int128)1 << 88) + 0x13b;

	for (size_t i = 0; i < len; i += 8) {
		uint64_t word = 0;

		memcpy(&word, p + i, len - i < 8 ? len - i : 8);
		c->sum = (c->sum ^ word) * prime;
	}
	c->len += len;
}

/* The file's content; its last bytes stay in c->tail. */
static int content_file(struct content *c, const char *dir, const char *name, struct error *e)
{
	char path[4200], buf[1 << 16];
	size_t keep = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "%.4000s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return error_set(e, errno, "cannot read %.300s: %s", path, strerror(errno));
	c->tail[0] = '\0';
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		size_t got = (size_t)n, stay = got + keep > TAIL ? TAIL - got : keep;

		content_add(c, buf, got);
		memmove(c->tail, c->tail + keep - stay, stay);
		memcpy(c->tail + stay, buf, got);
		keep = stay + got;
		c->tail[keep] = '\0';
	}
	if (n < 0)
		n = error_set(e, errno, "cannot read %.300s: %s", path, strerror(errno));
	close(fd);
	return (int)n;
}

/* When the last trial ended, by its line; else when the file was written. */
static int64_t ended(const struct content *c, const char *dir)
{
	static const char key[] = "\"end\":";
	const char *at, *last = NULL;
	struct tm tm = { 0 };
	char path[4200];
	struct stat st;

	for (at = c->tail; (at = strstr(at, key)); at++)
		last = at;
	if (last) {
		last += sizeof(key) - 1;
		last += strspn(last, " \"");
		at = strptime(last, "%Y-%m-%dT%H:%M:%SZ", &tm);
		if (at)
			return timegm(&tm);
	}
	snprintf(path, sizeof(path), "%.4000s/trials.jsonl", dir);
	return stat(path, &st) ? 0 : st.st_mtime;
}

/* "node7: AMD EPYC, 2 CPUs, KVM, nopcid": what two sets must share to be of one machine. */
void history_machine_name(const json_t *m, bool *emulated, char *buf, size_t len)
{
	const json_t *flags = json_object_get(json_object_get(m, "cpu"), "flags"),
		     *lab = json_object_get(m, "lab");
	const char *host = node_host(m), *boot = member_text(lab, "boot");
	char hardware[NODE_NAME];

	*emulated = json_is_false(json_object_get(m, "times_meaningful"));
	node_hardware(m, hardware, sizeof(hardware));
	snprintf(buf, len, "%.60s%s%.260s%s%s%s%.60s", host, *host ? ": " : "", hardware,
		 json_is_true(json_object_get(flags, "nopcid")) ? ", nopcid" : "",
		 json_is_true(json_object_get(flags, "pti")) ? ", PTI" : "", *boot ? ", " : "",
		 boot);
}

static int step(struct history *h, sqlite3_stmt *s, struct error *e)
{
	int rc = sqlite3_step(s);

	if (rc != SQLITE_DONE && rc != SQLITE_ROW) {
		rc = store_error(h, e);
		sqlite3_reset(s);
		return rc;
	}
	return rc == SQLITE_ROW;
}

/* The id of what @a and @b name (@b or @n is bound second, by @add alone where it is a number), made where it is not there. */
static int64_t id_of(struct history *h, enum statement add, enum statement find, const char *a,
		     const char *b, int n, struct error *e)
{
	int64_t id;

	for (int made = 0; made < 2; made++) {
		sqlite3_stmt *s = store_statement(h, find, e);
		int rc;

		if (!s)
			return -EIO;
		sqlite3_bind_text(s, 1, a, -1, SQLITE_STATIC);
		if (b)
			sqlite3_bind_text(s, 2, b, -1, SQLITE_STATIC);
		rc = step(h, s, e);
		id = rc > 0 ? sqlite3_column_int64(s, 0) : rc;
		sqlite3_reset(s);
		if (id || made)
			return id;
		s = store_statement(h, add, e);
		if (!s)
			return -EIO;
		sqlite3_bind_text(s, 1, a, -1, SQLITE_STATIC);
		if (b)
			sqlite3_bind_text(s, 2, b, -1, SQLITE_STATIC);
		else
			sqlite3_bind_int(s, 2, n);
		rc = step(h, s, e);
		sqlite3_reset(s);
		if (rc < 0)
			return rc;
	}
	return -EIO;
}

/* Which order statistics of @n values hold the median with 95 %: the k-th from both ends; 0: too few. */
static size_t median_bound(size_t n)
{
	size_t k = 0;

	while (k < n / 2 && 2 * gsl_cdf_binomial_P((unsigned int)k, 0.5, (unsigned int)n) <= 0.05)
		k++;
	return k;
}

static void bind_real(sqlite3_stmt *s, int at, double v)
{
	if (isfinite(v))
		sqlite3_bind_double(s, at, v);
	else
		sqlite3_bind_null(s, at);
}

static int figure_add(struct history *h, const struct scan_set *set, const struct scan_group *g,
		      const int64_t ids[5], struct error *e)
{
	sqlite3_stmt *s = store_statement(h, FIGURE_ADD, e);
	size_t k = median_bound(g->ns.n);
	int at = 0, rc;

	if (!s)
		return -EIO;
	while (at < 5) {
		sqlite3_bind_int64(s, at + 1, ids[at]);
		at++;
	}
	stats_sort(g->ns.v, g->ns.n);
	bind_real(s, ++at, stats_sorted_median(g->ns.v, g->ns.n));
	bind_real(s, ++at, k ? g->ns.v[k - 1] : NAN);
	bind_real(s, ++at, k ? g->ns.v[g->ns.n - k] : NAN);
	for (int c = 0; c < HISTORY_COUNTS; c++) {
		const struct scan_values *v = scan_counter(set, g, history_counters[c]);
		double median;

		stats_sort(v->v, v->n);
		median = stats_sorted_median(v->v, v->n);
		bind_real(s, ++at, median);
		bind_real(s, ++at, v->n && v->v[0] < median ? v->v[0] : NAN);
		bind_real(s, ++at, v->n && v->v[v->n - 1] > median ? v->v[v->n - 1] : NAN);
	}
	rc = step(h, s, e);
	sqlite3_reset(s);
	return rc < 0 ? rc : 0;
}

static int set_write(struct history *h, struct scan_set *set, const char *dir,
		     const unsigned char digest[DIGEST], int64_t when, struct error *e)
{
	const json_t *kernel = json_object_get(set->machine, "kernel");
	char name[HISTORY_MACHINE];
	bool emulated;
	sqlite3_stmt *s;
	int64_t machine, release, id;
	int rc;

	history_machine_name(set->machine, &emulated, name, sizeof(name));
	machine = id_of(h, MACHINE_ADD, MACHINE_ID, name, NULL, emulated, e);
	if (machine < 0)
		return (int)machine;
	release = id_of(h, KERNEL_ADD, KERNEL_ID, member_text(kernel, "release"),
			member_text(kernel, "version"), 0, e);
	if (release < 0)
		return (int)release;
	s = store_statement(h, SET_ADD, e);
	if (!s)
		return -EIO;
	sqlite3_bind_blob(s, 1, digest, DIGEST, SQLITE_STATIC);
	sqlite3_bind_text(s, 2, dir, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 3, machine);
	sqlite3_bind_int64(s, 4, release);
	sqlite3_bind_int64(s, 5, when);
	sqlite3_bind_int64(s, 6, (sqlite3_int64)set->trials);
	sqlite3_bind_int(s, 7, set->verified);
	rc = step(h, s, e);
	sqlite3_reset(s);
	id = sqlite3_last_insert_rowid(h->db);
	for (size_t i = 0; i < set->n && rc >= 0; i++) {
		const struct scan_group *g = &set->groups[i];
		int64_t series = id_of(h, SERIES_ADD, SERIES_ID, g->scenario, g->params, 0, e);

		rc = series < 0
			     ? (int)series
			     : figure_add(h, set, g,
					  (const int64_t[]){ series, id, machine, release, when },
					  e);
	}
	return rc < 0 ? rc : 0;
}

/* Is this content there? 1; its folder becomes @dir where the old one is gone. 0, or -errno. */
static int known(struct history *h, const unsigned char digest[DIGEST], const char *dir,
		 struct error *e)
{
	sqlite3_stmt *s = store_statement(h, SET_KNOWN, e);
	int64_t id;
	bool gone;
	int rc;

	if (!s)
		return -EIO;
	sqlite3_bind_blob(s, 1, digest, DIGEST, SQLITE_STATIC);
	rc = step(h, s, e);
	id = rc > 0 ? sqlite3_column_int64(s, 0) : 0;
	gone = rc > 0 && access((const char *)sqlite3_column_text(s, 1), F_OK);
	sqlite3_reset(s);
	if (rc <= 0 || !gone)
		return rc;
	s = store_statement(h, SET_MOVED, e);
	if (!s)
		return -EIO;
	sqlite3_bind_text(s, 1, dir, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, 2, id);
	rc = step(h, s, e);
	sqlite3_reset(s);
	return rc < 0 ? rc : 1;
}

/* Forgets what @dir held before. 1 if there was something, 0, or -errno. */
static int forget(struct history *h, const char *dir, struct error *e)
{
	static const enum statement drops[] = { SET_DROP_FIGURES, SET_DROP };
	sqlite3_stmt *s = store_statement(h, SET_AT, e);
	int64_t id;
	int rc;

	if (!s)
		return -EIO;
	sqlite3_bind_text(s, 1, dir, -1, SQLITE_STATIC);
	rc = step(h, s, e);
	id = rc > 0 ? sqlite3_column_int64(s, 0) : 0;
	sqlite3_reset(s);
	for (int i = 0; i < 2 && rc > 0; i++) {
		s = store_statement(h, drops[i], e);
		if (!s)
			return -EIO;
		sqlite3_bind_int64(s, 1, id);
		rc = step(h, s, e);
		sqlite3_reset(s);
		rc = rc < 0 ? rc : 1;
	}
	return rc;
}

/* Figures are of scenarios: a recorded watch has none, nor has a set without trials. */
static int set_read(struct scan_set *set, const char *dir, struct error *e)
{
	int rc = scan_set_read(set, dir, e);

	if (rc)
		return rc;
	if (set->n && !strcmp(set->groups[0].scenario, "watch"))
		rc = error_set(e, EINVAL,
			       "%.300s is a recorded watch, which has no costs: not added", dir);
	else if (!set->trials)
		rc = error_set(e, EINVAL, "%.300s has no trials: not added", dir);
	if (rc)
		scan_set_free(set);
	return rc;
}

int history_add(struct history *h, const char *dir, enum history_added *what, bool *set_bad,
		struct error *e)
{
	unsigned char digest[DIGEST];
	struct content *c = calloc(1, sizeof(*c));
	struct scan_set set;
	int64_t when;
	int rc;

	*set_bad = true;
	if (!c)
		return error_set(e, ENOMEM, "out of memory");
	c->sum = ((unsigned __int128)0x6c62272e07bb0142 << 64) | 0x62b821756295c58d;
	rc = content_file(c, dir, "machine.json", e);
	if (!rc)
		rc = content_file(c, dir, "trials.jsonl", e);
	memcpy(digest, &c->sum, 16);
	memcpy(digest + 16, &c->len, 8);
	when = rc ? 0 : ended(c, dir);
	free(c);
	if (rc)
		return rc;
	*what = HISTORY_KNOWN;
	rc = known(h, digest, dir, e);
	if (rc) {
		*set_bad = false;
		return rc < 0 ? rc : 0;
	}
	rc = set_read(&set, dir, e);
	if (rc)
		return rc;
	*set_bad = false;
	rc = forget(h, dir, e);
	*what = rc > 0 ? HISTORY_REPLACED : HISTORY_NEW;
	if (rc >= 0)
		rc = set_write(h, &set, dir, digest, when, e);
	scan_set_free(&set);
	return rc;
}
