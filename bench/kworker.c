// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Task -> per-CPU kworker -> task: the lazy switch. fs/aio.c hands an fsync to a work item on the submitting CPU;
 * on a memfd the work itself is nothing. The kworker has no mm and borrows the one that is loaded.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/scenario.h"

struct aio {
	aio_context_t ctx;
	int fd;
	struct iocb cb;
	struct iocb *list[1];
};

static const struct param params[] = { PARAMS_WORKSET };

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
	aio_context_t ctx = 0;

	(void)t;
	if (syscall(SYS_io_setup, 1, &ctx) < 0)
		return error_set(e, errno,
				 "io_setup: %s: the kernel needs CONFIG_AIO, and seccomp must "
				 "allow it (containers often do not)",
				 strerror(errno));
	syscall(SYS_io_destroy, ctx);
	return 0;
}

static void cleanup(struct trial *t)
{
	struct aio *a = t->state;

	if (a->fd >= 0)
		close(a->fd);
	if (a->ctx)
		syscall(SYS_io_destroy, a->ctx);
	free(a);
}

static int prepare(struct trial *t, struct error *e)
{
	struct aio *a = calloc(1, sizeof(*a));

	if (!a)
		return error_set(e, ENOMEM, "out of memory");
	t->state = a;
	a->fd = memfd_create("activemm", MFD_CLOEXEC);
	if (a->fd < 0 || syscall(SYS_io_setup, 1, &a->ctx) < 0) {
		int err = errno;

		cleanup(t);
		return error_set(e, err, "cannot set up AIO on a memfd: %s", strerror(err));
	}
	a->cb = (struct iocb){ .aio_fildes = (uint32_t)a->fd, .aio_lio_opcode = IOCB_CMD_FSYNC };
	a->list[0] = &a->cb;
	return 0;
}

static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	struct aio *a = t->state;
	struct io_event done = { 0 };
	long bad = 0;

	ROUND_TRIPS(t, n, stamps, bad |= syscall(SYS_io_submit, a->ctx, 1, a->list) ^ 1;
		    bad |= syscall(SYS_io_getevents, a->ctx, 1, 1, &done, NULL) ^ 1;
		    workset_touch(&t->ws));
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
