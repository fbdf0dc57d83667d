// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * n processes in turn. The kernel keeps six mms per CPU in the TLB (TLB_NR_DYN_ASIDS, arch/x86/mm/tlb.c): a seventh
 * makes loads flush, which is what a CPU without PCIDs pays at every switch. Slots are replaced in turn (choose_new_asid()), and the
 * order in which they were first filled stays: where it is the ring's own, each load flushes; else seven mms may flush at every second
 * load only, or every third, trial by trial. arm64 has an ASID for each of them (struct arch).
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "bench/harness/scenario.h"
#include "lib/machine/policy.h"

static const struct param params[] = {
	{ "n", "processes in the ring", NULL, 2, 16, 7 },
	PARAM_HANDOVER,
	PARAM_IBPB,
	PARAM_L1D,
	PARAMS_WORKSET,
};

static struct claim claim(const struct trial *t)
{
	long n = trial_param(t, "n", 0);
	struct claim c = { .switches = CLAIM_EXACT((double)n),
			   .cr3_loads = CLAIM_EXACT((double)n),
			   .own_switches = (double)n };

	if (!t->pcid)
		c.cr3_flushes = (struct claim_range)CLAIM_EXACT((double)n);
	else if (!t->arch->kept || n <= (long)t->arch->kept)
		c.cr3_flushes = (struct claim_range)CLAIM_EXACT(0);
	else
		c.cr3_flushes = (struct claim_range){ true, 0.5, (double)n };
	return c;
}

static int possible(const struct trial *t, struct error *e)
{
	return trial_param(t, "handover", 0) == HANDOVER_YIELD ? 0
							       : policy_possible(SCHED_BATCH, 0, e);
}

static void partner(struct trial *t, unsigned int index)
{
	handover_serve(t->state, index);
}

static int prepare(struct trial *t, struct error *e)
{
	unsigned int n = (unsigned int)trial_param(t, "n", 2);
	struct handover *h = calloc(1, sizeof(*h));
	int rc;

	if (!h)
		return error_set(e, ENOMEM, "out of memory");
	rc = handover_make(h, trial_param(t, "handover", 0), n, t->node, e);
	if (rc) {
		free(h);
		return rc;
	}
	t->state = h;
	/* Who is woken must not preempt who wakes it: that would be a switch more than the ring has. A yield wakes nobody. */
	if (h->kind == HANDOVER_YIELD)
		policy_set(SCHED_BATCH, 0, NULL);
	else
		rc = policy_set(SCHED_BATCH, 0, e);
	for (unsigned int i = 1; i < n && rc >= 0; i++)
		rc = trial_fork(t, t->cpu, partner, i, e);
	return rc < 0 ? rc : 0;
}

static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	const struct handover *h = t->state;
	const struct handover_seat *me = &h->seats[0], *next = &h->seats[1];

#define LOOP(kind)                                                                    \
	ROUND_TRIPS(t, n, stamps, handover_give(kind, next); handover_wait(kind, me); \
		    workset_touch(&t->ws))
	HANDOVER_SPECIALISE(h->kind, LOOP);
#undef LOOP
	return 0;
}

SCENARIO(ring) = {
	.name = "ring",
	.summary = "n processes in turn: past six mms the ASID slots are full and loads flush",
	.params = params,
	.claim = claim,
	.possible = possible,
	.prepare = prepare,
	.round_trips = round_trips,
	.cleanup = trial_reap,
};
