// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Task -> per-CPU kworker -> task: the lazy switch. fs/aio.c hands an fsync to a work item on the submitting CPU;
 * on a memfd the work itself is nothing. The kworker has no mm and borrows the one that is loaded.
 */
#include <errno.h>
#include <stdlib.h>

#include "bench/harness/aio.h"
#include "bench/harness/scenario.h"

static const struct param params[] = { PARAM_MEMBARRIER, PARAMS_WORKSET };

static struct claim claim(const struct trial *t)
{
	(void)t;
	return (struct claim){ .switches = CLAIM_EXACT(2),
			       .cr3_loads = CLAIM_EXACT(0),
			       .cr3_flushes = CLAIM_EXACT(0),
			       .own_switches = 1,
			       .kworkers = true };
}

static int possible(const struct trial *t, struct error *e)
{
	(void)t;
	return aio_available(e);
}

static void cleanup(struct trial *t)
{
	aio_close(t->state);
	free(t->state);
}

static int prepare(struct trial *t, struct error *e)
{
	struct aio *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return error_set(e, ENOMEM, "out of memory");
	rc = aio_open(a, IOCB_CMD_FSYNC, e);
	if (rc)
		free(a);
	else
		t->state = a;
	return rc;
}

static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	const struct aio *a = t->state;
	struct io_event done = { 0 };
	long bad = 0;

	ROUND_TRIPS(t, n, stamps, bad |= aio_round(a, &done); workset_touch(&t->ws));
	return bad || done.res ? -EIO : 0;
}

SCENARIO(kworker) = {
	.name = "kworker",
	.summary = "task -> kworker -> task (AIO fsync on a memfd): the lazy switch",
	.params = params,
	.claim = claim,
	.possible = possible,
	.prepare = prepare,
	.round_trips = round_trips,
	.cleanup = cleanup,
};
