// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdlib.h>

#include "bench/harness/pace.h"
#include "lib/stats/stats.h"

static bool make_room(struct pace *p)
{
	size_t room = p->room ? 2 * p->room : 64;

	if (p->n < p->room)
		return true;
	for (int k = 0; k < SPEED_KINDS; k++) {
		double *more = reallocarray(p->ns[k], room, sizeof(*more));

		if (!more)
			return false;
		p->ns[k] = more;
	}
	p->room = room;
	return true;
}

double pace_share(struct pace *p, const double ns[SPEED_KINDS], enum speed_kind *which)
{
	double share = 1;

	for (int k = 0; k < SPEED_KINDS && p->n >= PACE_LEAST; k++) {
		double one = stats_percentile(p->ns[k], p->n, 50) / ns[k];

		if (isfinite(one) && one > 0 && fabs(log(one)) > fabs(log(share))) {
			share = one;
			*which = k;
		}
	}
	if (fabs(log(share)) < -log1p(-PACE_OFF))
		share = 1;
	if (isfinite(ns[SPEED_CLOCK]) && make_room(p)) {
		for (int k = 0; k < SPEED_KINDS; k++)
			p->ns[k][p->n] = ns[k];
		p->n++;
		p->off += share != 1;
	}
	return share;
}

bool pace_is_lost(const struct pace *p)
{
	return 4 * p->off > p->n;
}

const char *pace_cause(enum speed_kind which)
{
	static const char *const causes[SPEED_KINDS] = {
		"its clock",
		"a sibling or a neighbour had a part of the core",
		"its hypervisor or a neighbour",
	};

	return causes[which];
}

void pace_free(struct pace *p)
{
	for (int k = 0; k < SPEED_KINDS; k++)
		free(p->ns[k]);
	*p = (struct pace){ 0 };
}
