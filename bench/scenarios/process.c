// SPDX-License-Identifier: GPL-2.0-or-later
/* Two processes: the real switch. Each one loads the other's mm, and with PCIDs keeps what the TLB holds. */
#include <errno.h>
#include <stdlib.h>

#include "bench/harness/scenario.h"

static const struct param params[] = { PARAM_HANDOVER, PARAM_MEMBARRIER, PARAM_IBPB, PARAM_L1D,
				       PARAMS_WORKSET };

static struct claim claim(const struct trial *t)
{
	double flushes = t->pcid ? 0 : 2;

	return (struct claim){ .switches = CLAIM_EXACT(2),
			       .cr3_loads = CLAIM_EXACT(2),
			       .cr3_flushes = CLAIM_EXACT(flushes),
			       .own_switches = 2 };
}

static void partner(struct trial *t, unsigned int index)
{
	handover_serve(t->state, index);
}

static int prepare(struct trial *t, struct error *e)
{
	struct handover *h = calloc(1, sizeof(*h));
	int rc;

	if (!h)
		return error_set(e, ENOMEM, "out of memory");
	rc = handover_make(h, trial_param(t, "handover", 0), 2, t->node, e);
	if (rc) {
		free(h);
		return rc;
	}
	t->state = h;
	rc = trial_fork(t, t->cpu, partner, 1, e);
	return rc < 0 ? rc : 0;
}

static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	const struct handover *h = t->state;
	const struct handover_seat *me = &h->seats[0], *other = &h->seats[1];

#define LOOP(kind)                                                                     \
	ROUND_TRIPS(t, n, stamps, handover_give(kind, other); handover_wait(kind, me); \
		    workset_touch(&t->ws))
	HANDOVER_SPECIALISE(h->kind, LOOP);
#undef LOOP
	return 0;
}

SCENARIO(process) = {
	.name = "process",
	.summary = "two processes: the real switch, another mm is loaded each time",
	.params = params,
	.claim = claim,
	.prepare = prepare,
	.round_trips = round_trips,
	.cleanup = trial_reap,
};
