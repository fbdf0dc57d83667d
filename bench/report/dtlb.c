// SPDX-License-Identifier: GPL-2.0-or-later
/* Picture of the dTLB misses and walk cycles that a PMU counted, against the working set. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/report/data.h"
#include "bench/summary/group.h"
#include "lib/base/member.h"

/* What a change of mm adds at the working set where it adds most. */
static void title(struct picture *p, const struct groups *groups)
{
	double most = 0, at = 0;

	for (size_t i = 0; i < groups->n; i++) {
		const struct group *real = &groups->list[i], *same;
		struct interval with, without;
		double pages = member_number(real->params, "pages"), more;

		if (strcmp(real->scenario, "process") ||
		    strcmp(member_text(real->params, "pagesize"), "4k"))
			continue;
		same = group_like(groups, "thread",
				  member_pack("{s:s, s:I, s:s}", "handover",
					      member_text(real->params, "handover"), "pages",
					      (json_int_t)pages, "pagesize", "4k"));
		if (!same)
			continue;
		with = group_interval(real, value_counter, "dtlb-load-misses");
		without = group_interval(same, value_counter, "dtlb-load-misses");
		more = with.median - without.median;
		/* Not what the trials' spread may be. */
		if (more > most && !(with.low <= without.high)) {
			most = more;
			at = pages;
		}
	}
	if (most >= 1)
		snprintf(p->title, sizeof(p->title),
			 "With %.0f pages, changing mm costs %.0f dTLB misses a round trip", at,
			 most);
}

int picture_dtlb(const struct data *d, struct picture *p)
{
	struct groups groups;
	FILE *f = data_open(d, p->name);
	int rc;

	if (!f)
		return -EIO;
	rc = groups_make(&groups, d->set, d->e);
	for (size_t c = 0; c < WORKSET_CURVES && !rc; c++) {
		bool begun = false;

		for (size_t i = 0; i < groups.n; i++) {
			const struct group *g = &groups.list[i];
			struct interval misses, cycles;

			if (strcmp(g->scenario, workset_curves[c].scenario) ||
			    strcmp(member_text(g->params, "mode"), workset_curves[c].mode) ||
			    strcmp(member_text(g->params, "pagesize"), "4k"))
				continue;
			misses = group_interval(g, value_counter, "dtlb-load-misses");
			cycles = group_interval(g, value_counter, "dtlb-walk-cycles");
			if (!isfinite(misses.median) && !isfinite(cycles.median))
				continue;
			if (!begun)
				data_block(f, p, workset_curves[c].title);
			begun = true;
			fprintf(f, "%.0f", member_number(g->params, "pages"));
			data_interval(f, misses.median, misses.low, misses.high);
			data_interval(f, cycles.median, cycles.low, cycles.high);
			fprintf(f, "\n");
		}
	}
	if (!rc) {
		title(p, &groups);
		groups_free(&groups);
	}
	if (!p->has_data)
		p->why = json_string_value(json_object_get(
			json_object_get(json_object_get(d->set->machine, "counters"),
					"dtlb-load-misses"),
			"unavailable"));
	return data_close(d, f, p->name) || rc ? -EIO : 0;
}
