// SPDX-License-Identifier: GPL-2.0-or-later
/* Pictures of what involves other CPUs: shootdowns, contention on mm_count, the zombie mm. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/report-private.h"

static const json_t *find(const struct data *d, const char *scenario, const char *const *keys,
			  const char *const *values, double pages)
{
	const json_t *r;
	size_t i;

	json_array_foreach (d->results, i, r) {
		const json_t *params = json_object_get(r, "params");
		bool same = !strcmp(member_text(r, "scenario"), scenario) &&
			    isfinite(member_number(json_object_get(r, "ns"), "median"));

		for (int k = 0; keys[k] && same; k++)
			same = !strcmp(member_text(params, keys[k]), values[k]);
		if (same && (!isfinite(pages) || member_number(params, "pages") == pages))
			return r;
	}
	return NULL;
}

static void interval_write(FILE *f, const json_t *i, double unit)
{
	data_interval(f, member_number(i, "median") / unit, member_number(i, "low") / unit,
		      member_number(i, "high") / unit);
}

int picture_shootdown(const struct data *d, struct picture *p)
{
	static const char *const ops[] = { "mprotect", "madvise", "munmap" };
	static const char *const states[] = { "active", "lazy", "absent" };
	static const char *const keys[] = { "op", "state", NULL };
	double active = NAN, lazy = NAN;
	FILE *f = data_open(d, p->name);

	if (!f)
		return -EIO;
	for (int o = 0; o < 3; o++) {
		fprintf(f, "\"%s\"", ops[o]);
		for (int s = 0; s < 3; s++) {
			const json_t *r = find(d, "shootdown", keys,
					       (const char *const[]){ ops[o], states[s] }, 1);
			const json_t *ns = json_object_get(r, "ns");

			interval_write(f, ns, 1000);
			p->has_data |= r != NULL;
			if (o == 1 && s == 0)
				active = member_number(ns, "median");
			if (o == 1 && s == 1)
				lazy = member_number(ns, "median");
		}
		fprintf(f, "\n");
	}
	if (active / lazy > 1)
		snprintf(p->title, sizeof(p->title),
			 "A flush that may spare a lazy CPU takes %.1f times less", active / lazy);
	return data_close(d, f, p->name);
}

static bool is(const json_t *params, const char *key, const char *value)
{
	return !strcmp(member_text(params, key), value);
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
	double most = 0, shared = NAN, own = NAN;
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
			*(is(params, "mm", "shared") ? &shared : &own) = member_number(rate,
										       "median");
		}
	}
	if (shared / own > 0)
		snprintf(p->title, sizeof(p->title),
			 "One mm on %.0f CPUs: %.0f %% of the pace with an mm each", most,
			 100 * shared / own);
	return data_close(d, f, p->name);
}

int picture_exit(const struct data *d, struct picture *p)
{
	static const char *const borrow[] = { "none", "lazy" };
	static const char *const keys[] = { "borrow", NULL };
	FILE *f = data_open(d, p->name);

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
		interval_write(f, json_object_get(r, "ns"), 1000);
		fprintf(f, "\n");
		p->has_data = true;
		if (b && isfinite(life))
			snprintf(p->title, sizeof(p->title),
				 "The zombie mm: mm\\\\_users %.0f, mm\\\\_count %.0f, for %.0f µs",
				 users, count, life / 1000);
	}
	return data_close(d, f, p->name);
}
