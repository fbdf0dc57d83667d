// SPDX-License-Identifier: GPL-2.0-or-later
/* How the pace of borrowing holds up when many CPUs do it: a CPU's round trips against those of one CPU alone. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/summary/group.h"
#include "lib/base/member.h"

static double pace(const json_t *t)
{
	return trial_usable(t) ? value_figure(t, "round-trips-per-cpu") : NAN;
}

/* The same round's trial of @g, NULL if there is none of use. */
static const json_t *same_round(const struct group *g, const json_t *t)
{
	json_int_t number = json_integer_value(json_object_get(t, "trial"));

	for (size_t i = 0; i < g->n; i++)
		if (json_integer_value(json_object_get(g->trials[i], "trial")) == number &&
		    isfinite(pace(g->trials[i])))
			return g->trials[i];
	return NULL;
}

/* Percent of @alone's pace, paired by round. */
static struct interval efficiency(const struct group *g, const struct group *alone)
{
	double *v = malloc((g->n + 1) * sizeof(*v));
	struct interval r = { .median = NAN, .low = NAN, .high = NAN, .mad = NAN };
	size_t n = 0;

	for (size_t i = 0; v && i < g->n; i++) {
		const json_t *one = same_round(alone, g->trials[i]);

		if (one && isfinite(pace(g->trials[i])) && pace(one) > 0)
			v[n++] = 100 * pace(g->trials[i]) / pace(one);
	}
	if (n)
		r = stats_median(v, n, LEVEL, RESAMPLES, SEED);
	free(v);
	return r;
}

json_t *summary_scaling(const struct groups *groups)
{
	json_t *list = json_array();

	for (size_t i = 0; i < groups->n; i++) {
		const struct group *g = &groups->list[i], *alone;
		struct interval percent;

		if (strcmp(g->scenario, "refcount") ||
		    json_integer_value(json_object_get(g->params, "n")) < 2)
			continue;
		/* Where one task is placed makes no difference. */
		alone = group_like(groups, "refcount",
				   member_pack("{s:i, s:O?, s:O?}", "n", 1, "mm",
					       json_object_get(g->params, "mm"), "via",
					       json_object_get(g->params, "via")));
		if (!alone)
			continue;
		percent = efficiency(g, alone);
		member_append(list, member_pack("{s:O, s:o}", "params", g->params,
						"efficiency_percent", summary_interval(&percent)));
	}
	return list;
}
