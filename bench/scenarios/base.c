// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The same work without a switch: the system calls of a round trip's hand-over, which here find nobody to hand over to,
 * and the touches of the working set. What another scenario takes beyond this is the switch's own (its net cost).
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "bench/harness/aio.h"
#include "bench/harness/scenario.h"

enum kind { KIND_TOUCH, KIND_YIELD, KIND_EVENTFD, KIND_PIPE, KIND_FUTEX, KIND_AIO };

static const char *const kind_choices[] = { "touch", "yield", "eventfd", "pipe",
					    "futex", "aio",   NULL };

static const struct param params[] = {
	{ "kind", "whose system calls", kind_choices, 0, 0, KIND_YIELD },
	{ "sides", "tasks whose system calls one round trip holds", NULL, 1, 16, 2 },
	PARAMS_WORKSET,
};

struct base {
	struct handover h; /* one seat: what is given is waited for by the giver */
	struct aio aio;
};

static struct claim claim(const struct trial *t)
{
	(void)t;
	return (struct claim){ .switches = CLAIM_EXACT(0),
			       .cr3_loads = CLAIM_EXACT(0),
			       .cr3_flushes = CLAIM_EXACT(0),
			       .own_switches = 0 };
}

static int possible(const struct trial *t, struct error *e)
{
	return trial_param(t, "kind", 0) == KIND_AIO ? aio_available(e) : 0;
}

static void cleanup(struct trial *t)
{
	struct base *b = t->state;

	handover_free(&b->h);
	aio_close(&b->aio);
	free(b);
}

static int prepare(struct trial *t, struct error *e)
{
	long kind = trial_param(t, "kind", 0);
	struct base *b = calloc(1, sizeof(*b));
	int rc = 0;

	if (!b)
		return error_set(e, ENOMEM, "out of memory");
	t->state = b;
	b->aio.fd = -1;
	if (kind == KIND_AIO) {
		/* Nothing to read: the kernel is done with it before io_submit returns. */
		rc = aio_open(&b->aio, IOCB_CMD_PREAD, e);
	} else if (kind != KIND_TOUCH) {
		rc = handover_make(&b->h, kind - KIND_YIELD + HANDOVER_YIELD, 1, t->node, e);
	}
	if (rc)
		cleanup(t);
	return rc;
}

/* A futex that is awaited with its turn taken already comes back at once: a system call as the blocking one is. */
static always_inline void calls(enum handover_kind kind, const struct handover_seat *me, long sides)
{
	for (; sides; sides--) {
		handover_give(kind, me);
		if (kind == HANDOVER_FUTEX)
			syscall(SYS_futex, me->turn, FUTEX_WAIT, 0, NULL, NULL, 0);
		handover_wait(kind, me);
	}
}

static always_inline long aio_calls(const struct aio *a, struct io_event *done, long sides)
{
	long bad = 0;

	for (; sides; sides--)
		bad |= aio_round(a, done);
	return bad;
}

static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	long kind = trial_param(t, "kind", 0), sides = trial_param(t, "sides", 1), bad = 0;
	struct base *b = t->state;
	const struct handover_seat *me = b->h.seats;
	struct io_event done = { 0 };

	if (kind == KIND_TOUCH) {
		ROUND_TRIPS(t, n, stamps, workset_touch(&t->ws));
	} else if (kind == KIND_AIO) {
		ROUND_TRIPS(t, n, stamps, bad |= aio_calls(&b->aio, &done, sides);
			    workset_touch(&t->ws));
	} else {
#define LOOP(kind) ROUND_TRIPS(t, n, stamps, calls(kind, me, sides); workset_touch(&t->ws))
		HANDOVER_SPECIALISE(b->h.kind, LOOP);
#undef LOOP
	}
	return bad || done.res ? -EIO : 0;
}

SCENARIO(base) = {
	.name = "base",
	.summary = "the same system calls and touches without a switch: what net costs are net of",
	.params = params,
	.claim = claim,
	.possible = possible,
	.prepare = prepare,
	.round_trips = round_trips,
	.cleanup = cleanup,
};
