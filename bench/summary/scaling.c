// SPDX-License-Identifier: GPL-2.0-or-later
/* How the pace of borrowing, and of flushing, holds up when many CPUs do it: a CPU's round trips against those of one CPU alone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/summary/group.h"
#include "lib/base/member.h"

#define SAME 3

/* Who scales, and what one CPU alone must have in common; what is not named makes no difference to it. */
static const struct scaled {
	const char *scenario, *pace, *same[SAME];
} scaled[] = {
	{ "refcount", "round-trips-per-cpu", { "mm", "via" } },
	{ "flush", "operations-per-cpu", { "op", "pages" } },
};

static double pace(const struct scaled *s, const json_t *t)
{
	return trial_usable(t) ? value_figure(t, s->pace) : NAN;
}

/* The same round's trial of @g, NULL if there is none of use. */
static const json_t *same_round(const struct scaled *s, const struct group *g, const json_t *t)
{
	json_int_t number = json_integer_value(json_object_get(t, "trial"));

	for (size_t i = 0; i < g->n; i++)
		if (json_integer_value(json_object_get(g->trials[i], "trial")) == number &&
		    isfinite(pace(s, g->trials[i])))
			return g->trials[i];
	return NULL;
}

/* Percent of @alone's pace, paired by round. */
static struct interval efficiency(const struct scaled *s, const struct group *g,
				  const struct group *alone)
{
	double *v = malloc((g->n + 1) * sizeof(*v));
	struct interval r = { .median = NAN, .low = NAN, .high = NAN, .mad = NAN };
	size_t n = 0;

	for (size_t i = 0; v && i < g->n; i++) {
		const json_t *one = same_round(s, alone, g->trials[i]);

		if (one && isfinite(pace(s, g->trials[i])) && pace(s, one) > 0)
			v[n++] = 100 * pace(s, g->trials[i]) / pace(s, one);
	}
	if (n)
		r = stats_median(v, n, LEVEL, RESAMPLES, SEED);
	free(v);
	return r;
}

static const struct scaled *scaled_of(const struct group *g)
{
	for (size_t i = 0; i < sizeof(scaled) / sizeof(*scaled); i++)
		if (!strcmp(scaled[i].scenario, g->scenario))
			return &scaled[i];
	return NULL;
}

/* The group of one task that @g is to be seen against. */
static const struct group *alone_of(const struct groups *groups, const struct scaled *s,
				    const struct group *g)
{
	json_t *wanted = member_pack("{s:i}", "n", 1);

	for (size_t i = 0; i < SAME && s->same[i]; i++)
		member_share(wanted, s->same[i], json_object_get(g->params, s->same[i]));
	return group_like(groups, s->scenario, wanted);
}

json_t *summary_scaling(const struct groups *groups)
{
	json_t *list = json_array();

	for (size_t i = 0; i < groups->n; i++) {
		const struct group *g = &groups->list[i], *alone;
		const struct scaled *s = scaled_of(g);
		struct interval percent;

		if (!s || json_integer_value(json_object_get(g->params, "n")) < 2)
			continue;
		alone = alone_of(groups, s, g);
		if (!alone)
			continue;
		percent = efficiency(s, g, alone);
		member_append(list, member_pack("{s:s, s:O, s:o}", "scenario", s->scenario,
						"params", g->params, "efficiency_percent",
						summary_interval(&percent)));
	}
	return list;
}
