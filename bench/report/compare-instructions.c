// SPDX-License-Identifier: GPL-2.0-or-later
/* What a switch costs in instructions, by kernel: a bar per side for each plain scenario. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/report/compare.h"
#include "lib/base/member.h"

#define SCENARIOS 6 /* more bars cannot be read */

/* A switch there and back; longer ones would dwarf it. */
static bool is_switch(const json_t *row)
{
	static const char *const names[] = { "thread", "process",    "kworker",
					     "idle",   "interposed", "kthread" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(member_text(row, "scenario"), names[i]))
			return true;
	return false;
}

/* Each scenario's first row: it has the plain parameters. */
static size_t choose(const json_t *rows, const json_t *chosen[SCENARIOS])
{
	const json_t *row;
	size_t i, n = 0;

	json_array_foreach (rows, i, row) {
		bool had = !is_switch(row);

		for (size_t k = 0; k < n; k++)
			had |= !strcmp(member_text(chosen[k], "scenario"),
				       member_text(row, "scenario"));
		if (!had && n < SCENARIOS)
			chosen[n++] = row;
	}
	return n;
}

/* Place, name, user, all, and the change in words. */
static void bar(FILE *f, const struct comparison *c, size_t place, size_t set, const json_t *row)
{
	const json_t *side = json_object_get(row, set ? "other" : "base");
	bool changed = set && json_is_true(json_object_get(row, "changed"));
	char name[SET_LABEL];

	compared_name(c, set, name);
	fprintf(f, "%zu \"%s\" %.6g %.6g \"", place, name, member_number(side, "user"),
		member_number(side, "median"));
	if (changed)
		fprintf(f, "%+.1f %%", 100 * (member_number(row, "ratio") - 1));
	fprintf(f, "\"\n");
}

/* The switch to another process, else the first row, in the last side. */
static void title(const struct comparison *c, const json_t *chosen[], size_t n, struct picture *p)
{
	const json_t *last = json_array_get(c->all, c->n - 2), *row = chosen[0];
	char base[SET_LABEL], other[SET_LABEL], label[PANEL_LABEL];
	double change;

	for (size_t i = 0; i < n; i++)
		if (!strcmp(member_text(chosen[i], "scenario"), "process"))
			row = chosen[i];
	row = instructions_like(last, row);
	if (!row)
		return;
	compared_name(c, 0, base);
	compared_name(c, c->n - 1, other);
	compared_label(row, NULL, label);
	change = 100 * (member_number(row, "ratio") - 1);
	if (json_is_true(json_object_get(row, "changed")))
		snprintf(p->title, sizeof(p->title),
			 "A round trip of %s takes %.1f %% %s instructions in %s than in %s", label,
			 fabs(change), change > 0 ? "more" : "fewer", other, base);
	else
		snprintf(p->title, sizeof(p->title),
			 "A round trip of %s takes as many instructions in %s as in %s", label,
			 other, base);
}

int picture_compare_instructions(const struct data *d, const struct comparison *c,
				 struct picture *p)
{
	const json_t *first = json_array_get(c->all, 0), *chosen[SCENARIOS];
	size_t n = choose(json_object_get(first, "instructions"), chosen);
	char label[PANEL_LABEL];
	FILE *f;

	snprintf(p->title, sizeof(p->title), "What a switch costs in instructions");
	if (!n)
		return 0;
	title(c, chosen, n, p);
	f = data_open(d, p->name);
	if (!f)
		return -d->e->code;
	picture_argument(p, "%zu|%zu|%zu", n, c->n, compared_longest(c, 0));
	for (size_t i = 0; i < n; i++) {
		compared_label(chosen[i], NULL, label);
		picture_argument(p, "|%s", label);
		for (size_t s = 0; s < c->n; s++)
			bar(f, c, i * (c->n + 1) + s, s,
			    s ? instructions_like(json_array_get(c->all, s - 1), chosen[i])
			      : chosen[i]);
	}
	p->has_data = true;
	return data_close(d, f, p->name);
}
