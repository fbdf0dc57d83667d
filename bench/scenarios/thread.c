// SPDX-License-Identifier: GPL-2.0-or-later
/* Two threads of one process: switches without a change of mm, the floor under every other cost. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "bench/harness/scenario.h"
#include "lib/base/refusal.h"

struct pair {
	struct handover h;
	pthread_t partner;
	pid_t tid;
};

static const struct param params[] = { PARAM_HANDOVER, PARAM_MEMBARRIER, PARAMS_WORKSET };

static struct claim claim(const struct trial *t)
{
	(void)t;
	return (struct claim){ .switches = CLAIM_EXACT(2),
			       .cr3_loads = CLAIM_EXACT(0),
			       .cr3_flushes = CLAIM_EXACT(0),
			       .own_switches = 2 };
}

static void *partner(void *arg)
{
	struct pair *p = arg;

	__atomic_store_n(&p->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	handover_serve(&p->h, 1);
}

static int prepare(struct trial *t, struct error *e)
{
	struct pair *p = calloc(1, sizeof(*p));
	int rc;

	if (!p)
		return error_set(e, ENOMEM, "out of memory");
	rc = handover_make(&p->h, trial_param(t, "handover", 0), 2, t->node, e);
	if (rc)
		goto fail;
	rc = pthread_create(&p->partner, NULL, partner, p);
	if (rc) {
		handover_free(&p->h);
		refusal_set(e, REFUSED_CALL, rc, "cannot start the second thread");
		rc = -rc;
		goto fail;
	}
	while (!__atomic_load_n(&p->tid, __ATOMIC_ACQUIRE))
		sched_yield();
	t->state = p;
	return trial_add_task(t, p->tid);
fail:
	free(p);
	return rc;
}

static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	const struct pair *p = t->state;
	const struct handover_seat *me = &p->h.seats[0], *other = &p->h.seats[1];

#define LOOP(kind)                                                                     \
	ROUND_TRIPS(t, n, stamps, handover_give(kind, other); handover_wait(kind, me); \
		    workset_touch(&t->ws))
	HANDOVER_SPECIALISE(p->h.kind, LOOP);
#undef LOOP
	return 0;
}

SCENARIO(thread) = {
	.name = "thread",
	.summary = "two threads of one process: a switch without a change of mm",
	.params = params,
	.claim = claim,
	.prepare = prepare,
	.round_trips = round_trips, /* the partner ends with the trial's process */
};
