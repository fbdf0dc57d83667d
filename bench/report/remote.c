// SPDX-License-Identifier: GPL-2.0-or-later
/* Pictures of what involves other CPUs: shootdowns, contention on mm_count, the zombie mm. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/report/data.h"

static const json_t *find(const struct data *d, const char *scenario, const char *const *keys,
			  const char *const *values, double pages)
{
	static const char *const more[] = { "flush", "pause", "cpus", "lazy" };
	const json_t *r;
	size_t i;

	json_array_foreach (d->results, i, r) {
		const json_t *params = json_object_get(r, "params");
		bool same = !strcmp(member_text(r, "scenario"), scenario) &&
			    isfinite(member_number(json_object_get(r, "ns"), "median"));

		/* One other CPU, which flushes at once. */
		for (size_t k = 0; k < sizeof(more) / sizeof(*more) && same; k++)
			same = !json_object_get(params, more[k]);
		for (int k = 0; keys[k] && same; k++)
			same = !strcmp(member_text(params, keys[k]), values[k]);
		if (same && (!isfinite(pages) || member_number(params, "pages") == pages))
			return r;
	}
	return NULL;
}

static bool is(const json_t *params, const char *key, const char *value)
{
	return !strcmp(member_text(params, key), value);
}

static void interval_write(FILE *f, const json_t *i, double unit)
{
	data_interval(f, member_number(i, "median") / unit, member_number(i, "low") / unit,
		      member_number(i, "high") / unit);
}

/* Do both intervals lie apart? */
static bool apart(const json_t *less, const json_t *more)
{
	return member_number(less, "high") < member_number(more, "low");
}

int picture_shootdown(const struct data *d, struct picture *p)
{
	static const char *const ops[] = { "mprotect", "madvise", "munmap" };
	static const char *const states[] = { "active", "lazy", "absent", "left" };
	static const char *const keys[] = { "op", "state", NULL };
	const json_t *active = NULL, *lazy = NULL;
	FILE *f = data_open(d, p->name);
	bool any[4] = { false }, two = false;

	if (!f)
		return -EIO;
	for (int s = 0; s < 4; s++) {
		for (int o = 0; o < 3; o++) {
			const json_t *r = find(d, "shootdown", keys,
					       (const char *const[]){ ops[o], states[s] }, 1);
			const json_t *ns = json_object_get(r, "ns");

			if (!r)
				continue;
			if (!any[s])
				data_block(f, p, states[s]);
			any[s] = true;
			fprintf(f, "%d %d", o, s);
			two |= data_speeds(f, ns, 1);
			fprintf(f, "\n");
			if (o == 1 && s == 0)
				active = ns;
			if (o == 1 && s == 1)
				lazy = ns;
		}
	}
	picture_argument(p, "|%d", two);
	if (lazy && active && apart(lazy, active))
		snprintf(p->title, sizeof(p->title),
			 "A flush that may spare a lazy CPU takes %.1f times less",
			 member_number(active, "median") / member_number(lazy, "median"));
	return data_close(d, f, p->name);
}

/* Other CPUs in the state of a shootdown of one page with nothing else to it; 0: it is none. */
static json_int_t others(const json_t *row)
{
	const json_t *params = json_object_get(row, "params"),
		     *cpus = json_object_get(params, "cpus");

	if (strcmp(member_text(row, "scenario"), "shootdown") ||
	    member_number(params, "pages") != 1 || json_object_get(params, "lazy") ||
	    json_object_get(params, "flush") || json_object_get(params, "pause") ||
	    json_object_get(params, "place") ||
	    !isfinite(member_number(json_object_get(row, "ns"), "median")))
		return 0;
	return cpus ? json_integer_value(cpus) : 1;
}

/* The row of that state and operation with the fewest other CPUs beyond @k; NULL: there is none. */
static const json_t *next_of(const struct data *d, const char *state, const char *op, json_int_t k)
{
	const json_t *r, *next = NULL;
	size_t i;

	json_array_foreach (d->results, i, r) {
		const json_t *params = json_object_get(r, "params");

		if (is(params, "state", state) && is(params, "op", op) && others(r) > k &&
		    (!next || others(r) < others(next)))
			next = r;
	}
	return next;
}

/* A curve over the other CPUs; nothing where there are not two numbers of them. Its last row. */
static const json_t *curve_write(const struct data *d, FILE *f, struct picture *p,
				 const char *state, const char *op)
{
	const json_t *first = next_of(d, state, op, 0),
		     *last = first ? next_of(d, state, op, others(first)) : NULL;
	char name[32];

	if (!last)
		return NULL;
	snprintf(name, sizeof(name), "%s %s", state, op);
	data_block(f, p, name);
	for (const json_t *r = first; r; r = next_of(d, state, op, others(r))) {
		const json_t *figures = json_object_get(r, "figures"),
			     *all = json_object_get(figures, "tlb-interrupts-all");

		fprintf(f, "%lld", (long long)others(r));
		interval_write(f, d->times ? json_object_get(r, "ns") : NULL, 1);
		interval_write(f, all ? all : json_object_get(figures, "tlb-interrupts"), 1);
		fprintf(f, "\n");
		last = r;
	}
	return last;
}

int picture_shootdown_cpus(const struct data *d, struct picture *p)
{
	static const char *const ops[] = { "mprotect", "madvise", "munmap" };
	static const char *const states[] = { "active", "lazy", "left" };
	FILE *f = data_open(d, p->name);

	if (!f)
		return -EIO;
	for (int s = 0; s < 3; s++)
		for (int o = 0; o < 3; o++) {
			const json_t *most = curve_write(d, f, p, states[s], ops[o]),
				     *one = next_of(d, states[s], ops[o], 0),
				     *more = json_object_get(most, "ns"),
				     *less = json_object_get(one, "ns");

			/* The first curve that is there: active CPUs. */
			if (most && d->times && !s && others(one) == 1 && apart(less, more))
				snprintf(p->title, sizeof(p->title),
					 "A flush on %lld active CPUs takes %.1f times that on one "
					 "(%s)",
					 (long long)others(most),
					 member_number(more, "median") /
						 member_number(less, "median"),
					 ops[o]);
		}
	picture_argument(p, "|%d", d->times);
	if (!p->has_data)
		p->why = "the set has no shootdown with several numbers of other CPUs";
	return data_close(d, f, p->name);
}

int picture_refcount(const struct data *d, struct picture *p)
{
	static const struct {
		const char *mm, *via, *title;
	} curves[] = {
		{ "shared", "kworker", "one mm (kworker)" },
		{ "private", "kworker", "own mms (kworker)" },
		{ "shared", "idle", "one mm (idle)" },
		{ "private", "idle", "own mms (idle)" },
	};
	FILE *f = data_open(d, p->name);
	const json_t *r;
	const json_t *shared = NULL, *own = NULL;
	double most = 0, percent;
	size_t i;

	if (!f)
		return -EIO;
	for (size_t c = 0; c < sizeof(curves) / sizeof(*curves); c++) {
		int points = 0;

		json_array_foreach (d->results, i, r) {
			const json_t *params = json_object_get(r, "params"),
				     *rate = json_object_get(json_object_get(r, "figures"),
							     "round-trips-per-cpu");
			double n = member_number(params, "n");

			if (strcmp(member_text(r, "scenario"), "refcount") ||
			    !is(params, "mm", curves[c].mm) || !is(params, "via", curves[c].via) ||
			    !is(params, "place", "near") ||
			    !isfinite(member_number(rate, "median")))
				continue;
			if (!points++)
				data_block(f, p, curves[c].title);
			fprintf(f, "%.0f", n);
			interval_write(f, rate, 1000);
			fprintf(f, "\n");
			if (n < most || !is(params, "via", "kworker"))
				continue;
			most = n;
			*(is(params, "mm", "shared") ? &shared : &own) = rate;
		}
	}
	percent = 100 * member_number(shared, "median") / member_number(own, "median");
	if (shared && own && (apart(shared, own) || apart(own, shared)) && most > 1)
		snprintf(p->title, sizeof(p->title),
			 "One mm on %.0f CPUs: %.0f %% of the pace with an mm each", most, percent);
	else if (shared && own && most > 1)
		snprintf(p->title, sizeof(p->title),
			 "One mm on %.0f CPUs: no difference from an mm each could be told", most);
	return data_close(d, f, p->name);
}

int picture_exit(const struct data *d, struct picture *p)
{
	static const char *const borrow[] = { "none", "lazy" };
	static const char *const keys[] = { "borrow", NULL };
	FILE *f = data_open(d, p->name);
	bool two = false;

	if (!f)
		return -EIO;
	for (int b = 0; b < 2; b++) {
		const json_t *r = find(d, "exit", keys, &borrow[b], NAN);
		const json_t *figures = json_object_get(r, "figures");
		double life = member_number(json_object_get(figures, "zombie-life"), "median"),
		       users = member_number(json_object_get(figures, "zombie-mm-users"), "median"),
		       count = member_number(json_object_get(figures, "zombie-mm-count"), "median");

		if (!r)
			continue;
		fprintf(f, "\"%s\"", b ? "its mm is borrowed" : "nobody borrows");
		two |= data_speeds(f, json_object_get(r, "ns"), 1);
		fprintf(f, "\n");
		p->has_data = true;
		if (b && isfinite(life))
			snprintf(p->title, sizeof(p->title),
				 "The zombie mm: mm_users %.0f, mm_count %.0f, for %.0f µs", users,
				 count, life / 1000);
	}
	snprintf(p->argument, sizeof(p->argument), "%d", two);
	return data_close(d, f, p->name);
}
