// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A -> kworker -> B -> kworker -> A: borrowing that saves nothing, because the CPU goes on to another mm. Each side submits
 * an AIO fsync and blocks; the kworker that does it signals the other side's eventfd (IOCB_FLAG_RESFD).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/harness/aio.h"
#include "bench/harness/scenario.h"
#include "lib/base/refusal.h"
#include "lib/machine/policy.h"

/* What io_setup() maps at the address it returns (fs/aio.c, and in use by libaio since 0.3.110). */
struct ring {
	unsigned int id, nr, head, tail, magic;
};

#define RING_MAGIC 0xa10a10a1

struct side {
	aio_context_t ctx;
	int turn; /* eventfd: this side's turn */
	int other; /* eventfd that the kworker signals */
	struct iocb cb;
	struct iocb *list[1];
};

struct pair {
	int file;
	int turn[2];
	struct side me;
};

static const struct param params[] = { PARAM_IBPB, PARAM_L1D, PARAMS_WORKSET };

static struct claim claim(const struct trial *t)
{
	double flushes = t->pcid ? 0 : 2;

	return (struct claim){ .switches = CLAIM_EXACT(4),
			       .cr3_loads = CLAIM_EXACT(2),
			       .cr3_flushes = CLAIM_EXACT(flushes),
			       .own_switches = 2,
			       .kworkers = true };
}

static int possible(const struct trial *t, struct error *e)
{
	int rc = aio_available(e);

	(void)t;
	return rc ? rc : policy_possible(SCHED_FIFO, 1, e);
}

static int side_open(struct side *s, int file, int turn, int other)
{
	*s = (struct side){ .turn = turn, .other = other };
	if (syscall(SYS_io_setup, 8, &s->ctx) < 0)
		return -errno;
	if (((const struct ring *)s->ctx)->magic != RING_MAGIC)
		return -EPROTO;
	s->cb = (struct iocb){ .aio_fildes = (uint32_t)file,
			       .aio_lio_opcode = IOCB_CMD_FSYNC,
			       .aio_flags = IOCB_FLAG_RESFD,
			       .aio_resfd = (uint32_t)other };
	s->list[0] = &s->cb;
	return 0;
}

/* Hands over through the kworker; the completion has been put in the ring before the other side was woken. */
static always_inline long side_step(struct side *s)
{
	volatile struct ring *r = (struct ring *)s->ctx;
	uint64_t token;
	long bad = syscall(SYS_io_submit, s->ctx, 1, s->list) ^ 1;

	bad |= syscall(SYS_read, s->turn, &token, sizeof(token)) ^ (long)sizeof(token);
	r->head = r->tail;
	return bad;
}

static void partner(struct trial *t, unsigned int index)
{
	struct pair *p = t->state;
	struct side s;
	uint64_t token = 1;

	(void)index;
	if (side_open(&s, p->file, p->turn[1], p->turn[0]) ||
	    write(p->turn[0], &token, sizeof(token)) < 0 || read(s.turn, &token, sizeof(token)) < 0)
		_exit(1);
	while (!side_step(&s))
		;
	_exit(1);
}

static int prepare(struct trial *t, struct error *e)
{
	struct pair *p = calloc(1, sizeof(*p));
	struct pollfd ready = { .events = POLLIN };
	uint64_t token;
	int rc;

	if (!p)
		return error_set(e, ENOMEM, "out of memory");
	t->state = p;
	p->file = memfd_create("activemm", MFD_CLOEXEC);
	p->turn[0] = eventfd(0, EFD_CLOEXEC);
	p->turn[1] = eventfd(0, EFD_CLOEXEC);
	if (p->file < 0 || p->turn[0] < 0 || p->turn[1] < 0)
		return refusal_set(e, REFUSED_CALL, errno, "the hand-over's descriptors");
	rc = side_open(&p->me, p->file, p->turn[0], p->turn[1]);
	if (rc)
		return refusal_set(e, REFUSED_AIO, -rc, "AIO on a memfd");
	/*
	 * The kworker must not preempt who wakes it: the order is submit, block, kworker, other side. Only real-time tasks
	 * are safe from that; the kworker gets the CPU because both block.
	 */
	rc = policy_set(SCHED_FIFO, 1, e);
	if (rc)
		return rc;
	rc = trial_fork(t, t->cpu, partner, 1, e);
	if (rc < 0)
		return rc;
	ready.fd = p->turn[0];
	if (poll(&ready, 1, 5000) != 1 || read(p->turn[0], &token, sizeof(token)) < 0)
		return error_set(e, EIO, "the second process could not set up AIO");
	return 0;
}

static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	struct side *me = &((struct pair *)t->state)->me;
	long bad = 0;

	ROUND_TRIPS(t, n, stamps, bad |= side_step(me); workset_touch(&t->ws));
	return bad ? -EIO : 0;
}

SCENARIO(interposed) = {
	.name = "interposed",
	.summary = "A -> kworker -> B -> kworker -> A: borrowing that saves nothing",
	.params = params,
	.claim = claim,
	.possible = possible,
	.prepare = prepare,
	.round_trips = round_trips,
	.cleanup = trial_reap,
};
