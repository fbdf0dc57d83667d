// SPDX-License-Identifier: GPL-2.0-or-later
/* Pictures of what a switch costs beyond its system calls, and of what that is made of. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/report/data.h"
#include "bench/summary/words.h"
#include "lib/base/member.h"

/* "ring n=12", "kthread isolated", "stale own". */
static void label(const json_t *r, char *buf, size_t len)
{
	static const char *const telling[] = { "mode", "mm" };
	static const char *const asked[] = { "membarrier", "ibpb", "l1d" };
	const json_t *params = json_object_get(r, "params");
	const char *more = "";
	double n = member_number(params, "n");

	for (size_t i = 0; i < sizeof(telling) / sizeof(*telling); i++)
		if (*member_text(params, telling[i]))
			more = member_text(params, telling[i]);
	if (isfinite(n))
		snprintf(buf, len, "%.20s n=%.0f", member_text(r, "scenario"), n);
	else
		snprintf(buf, len, "%.20s%s%.20s", member_text(r, "scenario"), *more ? " " : "",
			 more);
	for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++)
		if (*member_text(params, asked[i]))
			snprintf(buf + strlen(buf), len - strlen(buf), " %s", asked[i]);
}

/* One curve: all sizes of 4 KiB pages of what @first is. Returns the number of points. */
static int curve(FILE *f, struct picture *p, const json_t *net, const char *name, bool *two)
{
	const json_t *r;
	char title[64];
	int points = 0;
	size_t i;

	json_array_foreach (net, i, r) {
		const json_t *params = json_object_get(r, "params"), *ns = json_object_get(r, "ns");

		label(r, title, sizeof(title));
		if (strcmp(title, name) || strcmp(member_text(params, "pagesize"), "4k") ||
		    !(member_number(ns, "median") > 0) ||
		    member_number(ns, "low") <= 0) /* nor has the axis room for less */
			continue;
		if (!points++)
			data_block(f, p, name);
		fprintf(f, "%lld", (long long)json_integer_value(json_object_get(params, "pages")));
		*two |= data_speeds(f, ns, 1);
		fprintf(f, "\n");
	}
	return points;
}

int picture_net(const struct data *d, struct picture *p)
{
	const json_t *net = json_object_get(d->summary, "net"),
		     *refill = json_object_get(d->summary, "tlb_refill"),
		     *knees = json_object_get(refill, "knees"),
		     *per_page = json_object_get(refill, "ns_per_page");
	json_t *seen = json_object();
	FILE *f = data_open(d, p->name);
	char cost[FIGURE_TEXT];
	bool two = false;
	const json_t *r;
	size_t i;

	if (!f) {
		json_decref(seen);
		return -EIO;
	}
	json_array_foreach (net, i, r) {
		char name[64];

		label(r, name, sizeof(name));
		/* A bare point is no curve. */
		if (json_integer_value(json_object_get(json_object_get(r, "params"), "pages")) &&
		    !json_object_get(seen, name)) {
			member_set(seen, name, json_true());
			curve(f, p, net, name, &two);
		}
	}
	json_decref(seen);
	if (member_number(per_page, "low") > 0) {
		figure_text(per_page, cost, sizeof(cost));
		snprintf(p->title, sizeof(p->title), "Refilling the TLB costs %.120s per page",
			 cost);
	}
	/* Where the first and the second level end: 0 for unknown. */
	picture_argument(p, "|%.0f|%.0f|%d", fmax(0, member_number(knees, "l1_4k")),
			 fmax(0, member_number(knees, "l2_4k")), two);
	return data_close(d, f, p->name);
}

int picture_decomposition(const struct data *d, struct picture *p)
{
	static const char *const parts[] = { "system_calls", "scheduler", "mm_switch",
					     "tlb_refill" };
	const json_t *list = json_object_get(d->summary, "decomposition"), *r;
	FILE *f = data_open(d, p->name);
	long long pages = 0;
	bool any = false;
	int untold = 0;
	size_t i;

	if (!f)
		return -EIO;
	json_array_foreach (list, i, r) {
		char name[64];

		if (!json_is_true(json_object_get(json_object_get(r, "base"), "same_calls")))
			continue;
		label(r, name, sizeof(name));
		fprintf(f, "\"%s\"", name);
		for (size_t k = 0; k < sizeof(parts) / sizeof(*parts); k++) {
			const json_t *part = json_object_get(r, parts[k]);
			double v = member_number(part, "low") <= 0
					   ? 0
					   : fmax(0, member_number(part, "median"));

			/* What could not be told from nothing has no height. */
			fprintf(f, " %.2f", v);
			untold += part && !(v > 0);
			any |= v > 0;
		}
		fprintf(f, "\n");
		if (json_integer_value(json_object_get(r, "pages")) > 0)
			pages = json_integer_value(json_object_get(r, "pages"));
		p->has_data |= any;
	}
	if (untold)
		snprintf(p->note, sizeof(p->note),
			 "Left out: %d part%s that could not be told from nothing.", untold,
			 untold == 1 ? "" : "s");
	snprintf(p->argument, sizeof(p->argument), "%lld", pages);
	return data_close(d, f, p->name);
}
