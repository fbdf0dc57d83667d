// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "bench/harness/aio.h"
#include "lib/base/refusal.h"

int aio_available(struct error *e)
{
	aio_context_t ctx = 0;

	if (syscall(SYS_io_setup, 1, &ctx) < 0)
		return refusal_set(e, REFUSED_AIO, errno, "AIO");
	syscall(SYS_io_destroy, ctx);
	return 0;
}

int aio_open(struct aio *a, uint16_t opcode, struct error *e)
{
	*a = (struct aio){ .fd = memfd_create("activemm", MFD_CLOEXEC) };
	if (a->fd < 0 || syscall(SYS_io_setup, 1, &a->ctx) < 0) {
		int err = errno;

		aio_close(a);
		return refusal_set(e, REFUSED_AIO, err, "AIO on a memfd");
	}
	a->cb = (struct iocb){ .aio_fildes = (uint32_t)a->fd, .aio_lio_opcode = opcode };
	a->list[0] = &a->cb;
	return 0;
}

void aio_close(struct aio *a)
{
	if (a->fd >= 0)
		close(a->fd);
	if (a->ctx)
		syscall(SYS_io_destroy, a->ctx);
	*a = (struct aio){ .fd = -1 };
}
