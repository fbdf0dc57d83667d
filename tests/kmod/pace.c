// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The module's hand-over must add no more than the lightest way user space has to reach a kernel
 * thread: an AIO fsync on a memfd, which a kworker of the same CPU carries out.
 */
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define TRIPS	200
#define BATCHES 20

struct kworker {
	aio_context_t context;
	int memfd;
};

static int kworker_trip(void *arg)
{
	struct kworker *kworker = arg;
	struct iocb request = {
		.aio_lio_opcode = IOCB_CMD_FSYNC,
		.aio_fildes = kworker->memfd,
	};
	struct iocb *requests[1] = { &request };
	struct io_event event;

	if (syscall(SYS_io_submit, kworker->context, 1, requests) != 1 ||
	    syscall(SYS_io_getevents, kworker->context, 1, 1, &event, NULL) != 1)
		return -errno;
	return 0;
}

static int session_trip(void *arg)
{
	return call(*(int *)arg, ACTIVEMM_ROUND_TRIP, NULL);
}

/* Of the fastest batch, the one least disturbed; 0 when a trip failed. */
static uint64_t ns_per_trip(int (*trip)(void *), void *arg)
{
	struct timespec start, end;
	uint64_t best = 0;

	for (int batch = 0; batch < BATCHES; batch++) {
		uint64_t ns;

		clock_gettime(CLOCK_MONOTONIC, &start);
		for (int i = 0; i < TRIPS; i++) {
			if (trip(arg))
				return 0;
		}
		clock_gettime(CLOCK_MONOTONIC, &end);
		ns = (end.tv_sec - start.tv_sec) * 1000000000ULL + end.tv_nsec - start.tv_nsec;
		if (!best || ns < best)
			best = ns;
	}
	return best / TRIPS;
}

void check_pace(void)
{
	struct kworker kworker = { .memfd = memfd_create("pace", MFD_CLOEXEC) };
	int fd = session_open_on(ACTIVEMM_LAZY, TEST_CPU, 0);
	uint64_t ours, theirs;

	if (kworker.memfd < 0 || syscall(SYS_io_setup, 1, &kworker.context)) {
		check_skip("no slower than a kworker", "this kernel has no AIO or no memfd");
		close(fd);
		return;
	}
	pin(TEST_CPU);
	theirs = ns_per_trip(kworker_trip, &kworker);
	ours = ns_per_trip(session_trip, &fd);
	pin(0);
	/* Best of several, in one run; an emulated CPU is still off by a few percent. */
	check(ours && 2 * ours <= 3 * theirs,
	      "a lazy round trip takes %llu ns, a kworker's %llu ns", (unsigned long long)ours,
	      (unsigned long long)theirs);
	syscall(SYS_io_destroy, kworker.context);
	close(kworker.memfd);
	close(fd);
}
