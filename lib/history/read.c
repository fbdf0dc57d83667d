// SPDX-License-Identifier: GPL-2.0-or-later
/* What is in the file. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/history/private.h"

/* Rows of @size bytes that grow by doubling. NULL without memory. */
static void *row_add(void **rows, size_t *n, size_t size)
{
	char *more = *rows;

	if ((*n & (*n - 1)) == 0) {
		more = reallocarray(*rows, *n ? 2 * *n : 1, size);
		if (!more)
			return NULL;
		*rows = more;
	}
	return memset(more + (*n)++ * size, 0, size);
}

static char *text_at(sqlite3_stmt *s, int column)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	return strdup(text ? text : "");
}

/* Ends a query whose last step said @rc. */
static int query_end(struct history *h, sqlite3_stmt *s, int rc, bool memory, struct error *e)
{
	if (!memory)
		rc = error_set(e, ENOMEM, "out of memory");
	else
		rc = rc == SQLITE_DONE ? 0 : store_error(h, e);
	sqlite3_finalize(s);
	return rc;
}

static int failed(const struct error *e)
{
	return e && e->code ? -e->code : -EIO;
}

static int machines_read(struct history *h, struct history_names *names, struct error *e)
{
	sqlite3_stmt *s = store_prepare(h, "SELECT id, name, emulated FROM machine ORDER BY id", e);
	bool memory = true;
	int rc;

	if (!s)
		return failed(e);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW && memory) {
		struct history_machine *m = row_add((void **)&names->machines, &names->nmachines,
						    sizeof(*m));

		memory = m && (m->name = text_at(s, 1));
		if (!memory)
			break;
		m->id = sqlite3_column_int64(s, 0);
		m->emulated = sqlite3_column_int(s, 2);
	}
	return query_end(h, s, rc, memory, e);
}

int history_release_order(const char *a, const char *b)
{
	while (*a && *b) {
		if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
			char *ea, *eb;
			unsigned long x = strtoul(a, &ea, 10), y = strtoul(b, &eb, 10);

			if (x != y)
				return x < y ? -1 : 1;
			a = ea;
			b = eb;
		} else if (*a == *b) {
			a++;
			b++;
		} else {
			break;
		}
	}
	if (!*a && !*b)
		return 0;
	/* 6.13-rc1 is before 6.13, whatever else stands there; a longer number is later: 6.12 before 6.12.1. */
	if (!strncmp(a, "-rc", 3) != !strncmp(b, "-rc", 3))
		return strncmp(a, "-rc", 3) ? 1 : -1;
	if (*a == '.' || *b == '.')
		return *a == '.' ? 1 : -1;
	return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
}

static int by_release(const void *a, const void *b)
{
	const struct history_kernel *const *x = a, *const *y = b;
	int order = history_release_order((*x)->release, (*y)->release);

	return order ? order : history_release_order((*x)->version, (*y)->version);
}

static int kernels_rank(struct history_names *names, struct error *e)
{
	struct history_kernel **sorted = calloc(names->nkernels + 1,
						sizeof(struct history_kernel *));

	if (!sorted)
		return error_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < names->nkernels; i++)
		sorted[i] = &names->kernels[i];
	qsort(sorted, names->nkernels, sizeof(struct history_kernel *), by_release);
	for (size_t i = 0; i < names->nkernels; i++)
		sorted[i]->rank = i;
	free(sorted);
	return 0;
}

static int kernels_read(struct history *h, struct history_names *names, struct error *e)
{
	sqlite3_stmt *s = store_prepare(h, "SELECT id, release, version FROM kernel ORDER BY id",
					e);
	bool memory = true;
	int rc;

	if (!s)
		return failed(e);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct history_kernel *k = row_add((void **)&names->kernels, &names->nkernels,
						   sizeof(*k));

		memory = k && (k->release = text_at(s, 1)) && (k->version = text_at(s, 2));
		if (!memory)
			break;
		k->id = sqlite3_column_int64(s, 0);
	}
	rc = query_end(h, s, rc, memory, e);
	return rc ? rc : kernels_rank(names, e);
}

static int series_read(struct history *h, struct history_names *names, struct error *e)
{
	sqlite3_stmt *s = store_prepare(
		h, "SELECT id, scenario, params FROM series ORDER BY scenario, params", e);
	bool memory = true;
	int rc;

	if (!s)
		return failed(e);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct history_series *one = row_add((void **)&names->series, &names->nseries,
						     sizeof(*one));

		memory = one && (one->scenario = text_at(s, 1)) && (one->params = text_at(s, 2));
		if (!memory)
			break;
		one->id = sqlite3_column_int64(s, 0);
	}
	return query_end(h, s, rc, memory, e);
}

int history_names(struct history *h, struct history_names *names, struct error *e)
{
	int rc;

	*names = (struct history_names){ 0 };
	rc = machines_read(h, names, e);
	if (!rc)
		rc = kernels_read(h, names, e);
	if (!rc)
		rc = series_read(h, names, e);
	if (rc)
		history_names_free(names);
	return rc;
}

void history_names_free(struct history_names *names)
{
	for (size_t i = 0; i < names->nmachines; i++)
		free(names->machines[i].name);
	for (size_t i = 0; i < names->nkernels; i++) {
		free(names->kernels[i].release);
		free(names->kernels[i].version);
	}
	for (size_t i = 0; i < names->nseries; i++) {
		free(names->series[i].scenario);
		free(names->series[i].params);
	}
	free(names->machines);
	free(names->kernels);
	free(names->series);
	*names = (struct history_names){ 0 };
}

const struct history_machine *history_machine(const struct history_names *n, int64_t id)
{
	for (size_t i = 0; i < n->nmachines; i++)
		if (n->machines[i].id == id)
			return &n->machines[i];
	return NULL;
}

/* They are in the order of ids, and many. */
const struct history_kernel *history_kernel(const struct history_names *n, int64_t id)
{
	size_t low = 0, high = n->nkernels;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (n->kernels[middle].id < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low < n->nkernels && n->kernels[low].id == id ? &n->kernels[low] : NULL;
}

int history_sets(struct history *h, int64_t machine, struct history_set **sets, size_t *n,
		 struct error *e)
{
	sqlite3_stmt *s =
		store_prepare(h,
			      "SELECT id, dir, machine, kernel, ended, trials, verified FROM sets "
			      "WHERE ?1 = 0 OR machine = ?1 ORDER BY ended, id",
			      e);
	bool memory = true;
	int rc;

	*sets = NULL;
	*n = 0;
	if (!s)
		return failed(e);
	sqlite3_bind_int64(s, 1, machine);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct history_set *set = row_add((void **)sets, n, sizeof(*set));

		memory = set && (set->dir = text_at(s, 1));
		if (!memory)
			break;
		set->id = sqlite3_column_int64(s, 0);
		set->machine = sqlite3_column_int64(s, 2);
		set->kernel = sqlite3_column_int64(s, 3);
		set->ended = sqlite3_column_int64(s, 4);
		set->trials = sqlite3_column_int64(s, 5);
		set->verified = sqlite3_column_int(s, 6);
	}
	rc = query_end(h, s, rc, memory, e);
	if (rc) {
		history_sets_free(*sets, *n);
		*sets = NULL;
	}
	return rc;
}

void history_sets_free(struct history_set *sets, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(sets[i].dir);
	free(sets);
}

static double real_at(sqlite3_stmt *s, int column, double without)
{
	double v = sqlite3_column_double(s, column);

	/* NULL reads as 0: only then is it worth asking. */
	return v == 0 && sqlite3_column_type(s, column) == SQLITE_NULL ? without : v;
}

static void point_fill(struct history_point *p, sqlite3_stmt *s, int counts)
{
	p->set = sqlite3_column_int64(s, 1);
	p->machine = sqlite3_column_int64(s, 2);
	p->kernel = sqlite3_column_int64(s, 3);
	p->ended = sqlite3_column_int64(s, 4);
	p->ns = (struct history_value){ real_at(s, 5, NAN), real_at(s, 6, NAN),
					real_at(s, 7, NAN) };
	for (int c = 0; c < HISTORY_COUNTS; c++) {
		double median = c < counts ? real_at(s, 8 + 3 * c, NAN) : NAN;

		p->count[c] = (struct history_value){ median, median, median };
		if (c >= counts)
			continue;
		p->count[c].low = real_at(s, 9 + 3 * c, median);
		p->count[c].high = real_at(s, 10 + 3 * c, median);
	}
}

/* What a point is sorted by, without the rest of it. */
struct key {
	int64_t first, ended, set;
	size_t at;
};

static struct key key_of(const struct history_point *p, enum history_order order, size_t at)
{
	return (struct key){ order == HISTORY_BY_KERNEL ? (int64_t)p->rank : p->machine, p->ended,
			     p->set, at };
}

static int by_key(const void *a, const void *b)
{
	const struct key *x = a, *y = b;

	if (x->first != y->first)
		return x->first < y->first ? -1 : 1;
	if (x->ended != y->ended)
		return x->ended < y->ended ? -1 : 1;
	return x->set < y->set ? -1 : x->set > y->set;
}

static bool in_order(const struct history_point *p, size_t n, enum history_order order)
{
	for (size_t i = 1; i < n; i++) {
		struct key a = key_of(&p[i - 1], order, 0), b = key_of(&p[i], order, 0);

		if (by_key(&a, &b) > 0)
			return false;
	}
	return true;
}

/* Puts each point where its key went. A place that has its point has itself as its key's origin. */
static void permute(struct history_point *p, struct key *keys, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct history_point first = p[i];
		size_t to = i, from;

		for (; (from = keys[to].at) != i; to = from) {
			p[to] = p[from];
			keys[to].at = to;
		}
		p[to] = first;
		keys[to].at = to;
	}
}

int history_points_sort(struct history_point *p, size_t n, enum history_order order)
{
	struct key *keys;

	if (in_order(p, n, order))
		return 0;
	keys = malloc(n * sizeof(*keys));
	if (!keys)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		keys[i] = key_of(&p[i], order, i);
	qsort(keys, n, sizeof(*keys), by_key);
	permute(p, keys, n);
	free(keys);
	return 0;
}

/* Each column that is asked for costs: the last two counts' are a third of all. */
#define FIGURES                                                                               \
	"series, \"set\", machine, kernel, ended, ns_median, ns_low, ns_high, loads_median, " \
	"loads_low, loads_high, flushes_median, flushes_low, flushes_high"
#define WHERE " FROM figure WHERE series = ?1 AND (?2 = 0 OR machine = ?2)"

int history_points(struct history *h, int64_t series, int64_t machine, bool all,
		   struct history_point **points, size_t *n, struct error *e)
{
	sqlite3_stmt *s = store_prepare(h, all ? "SELECT *" WHERE : "SELECT " FIGURES WHERE, e);
	bool memory = true;
	int rc;

	*points = NULL;
	*n = 0;
	if (!s)
		return failed(e);
	sqlite3_bind_int64(s, 1, series);
	sqlite3_bind_int64(s, 2, machine);
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		struct history_point *p = row_add((void **)points, n, sizeof(*p));

		memory = p;
		if (!memory)
			break;
		point_fill(p, s, all ? HISTORY_COUNTS : FLUSHES + 1);
	}
	rc = query_end(h, s, rc, memory, e);
	if (!rc && history_points_sort(*points, *n, HISTORY_BY_MACHINE))
		rc = error_set(e, ENOMEM, "out of memory");
	if (rc) {
		free(*points);
		*points = NULL;
	}
	return rc;
}

int history_timed(struct history *h, int64_t series, int64_t machine, size_t *n, struct error *e)
{
	sqlite3_stmt *s = store_prepare(
		h,
		"SELECT count(DISTINCT f.machine) FROM figure f JOIN machine m ON m.id "
		"= f.machine WHERE f.series = ?1 AND (?2 = 0 OR f.machine = ?2) AND NOT "
		"m.emulated",
		e);
	int rc = 0;

	if (!s)
		return failed(e);
	sqlite3_bind_int64(s, 1, series);
	sqlite3_bind_int64(s, 2, machine);
	if (sqlite3_step(s) == SQLITE_ROW)
		*n = (size_t)sqlite3_column_int64(s, 0);
	else
		rc = store_error(h, e);
	sqlite3_finalize(s);
	return rc;
}

static int by_kernel(const void *a, const void *b)
{
	const struct history_point *x = a, *y = b;

	return x->kernel < y->kernel ? -1 : x->kernel > y->kernel;
}

struct history_spread history_spread(const struct history_point *points, size_t n)
{
	struct history_spread r = { .between = NAN, .within = NAN };
	struct history_point *p = malloc((n + 1) * sizeof(*p));
	double squares = 0, own = 0;
	size_t freedom = 0, owned = 0;

	if (!p)
		return r;
	if (n)
		memcpy(p, points, n * sizeof(*p));
	qsort(p, n, sizeof(*p), by_kernel);
	for (size_t from = 0, to; from < n; from = to) {
		double sum = 0, square = 0;
		size_t count = 0;

		for (to = from; to < n && p[to].kernel == p[from].kernel; to++) {
			double v = log(p[to].ns.median),
			       se = (p[to].ns.high - p[to].ns.low) / (2 * 1.96 * p[to].ns.median);

			if (!isfinite(v))
				continue;
			sum += v;
			square += v * v;
			count++;
			if (isfinite(se)) {
				own += se * se;
				owned++;
			}
		}
		r.sets += count;
		r.kernels += count > 0;
		if (count > 1) {
			squares += fmax(0, square - sum * sum / (double)count);
			freedom += count - 1;
		}
	}
	if (freedom)
		r.between = sqrt(squares / (double)freedom);
	if (owned)
		r.within = sqrt(own / (double)owned);
	free(p);
	return r;
}
