/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One AIO request on a memfd, done again and again: what takes a task to a kworker and back (IOCB_CMD_FSYNC), or nowhere. */
#ifndef BENCH_HARNESS_AIO_H
#define BENCH_HARNESS_AIO_H

#include <linux/aio_abi.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/error.h"

struct aio {
	aio_context_t ctx;
	int fd;
	struct iocb cb;
	struct iocb *list[1];
};

/* 0 if this process may use AIO, else -errno with the remedy. */
int aio_available(struct error *e);

/* Prepares @opcode (IOCB_CMD_...) on a new, empty memfd, for aio_close(). 0, or -errno with @a empty. */
int aio_open(struct aio *a, uint16_t opcode, struct error *e);

/* An @a that was never opened must have fd -1 and no context. */
void aio_close(struct aio *a);

/* Submits the request and waits for it. 0, or not where a call failed; @done->res is the request's own result. */
static inline __attribute__((always_inline)) long aio_round(const struct aio *a,
							    struct io_event *done)
{
	long bad = syscall(SYS_io_submit, a->ctx, 1, a->list) ^ 1;

	return bad | (syscall(SYS_io_getevents, a->ctx, 1, 1, done, NULL) ^ 1);
}

#endif
