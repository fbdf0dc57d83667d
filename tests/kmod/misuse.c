// SPDX-License-Identifier: GPL-2.0-or-later
/* Calls that must be refused, and random ones that must do no harm. */
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static void check_refused(int expected, const struct activemm_setup *setup, const char *what)
{
	struct activemm_setup copy = *setup;
	int fd = open(ACTIVEMM_DEVICE, O_RDWR | O_CLOEXEC);
	int err = call(fd, ACTIVEMM_SET_UP, &copy);

	check(err == expected, "set-up with %s: %s", what, strerror(-err));
	close(fd);
}

static int open_unprivileged(void *unused)
{
	(void)unused;
	if (setgid(65534) || setuid(65534))
		return 98;
	return open(ACTIVEMM_DEVICE, O_RDWR | O_CLOEXEC) < 0 ? errno : 0;
}

static void check_setup_errors(void)
{
	pid_t gone = sleeper_start();

	sleeper_stop(gone);
	check_refused(-EINVAL, &(struct activemm_setup){ .mode = ACTIVEMM_MODES },
		      "an unknown mode");
	check_refused(-EINVAL, &(struct activemm_setup){ .cpu = 4096 }, "a CPU there is not");
	check_refused(-EINVAL, &(struct activemm_setup){ .cpu = UINT32_MAX }, "no CPU at all");
	check_refused(-EINVAL, &(struct activemm_setup){ .reserved = 1 }, "a reserved field set");
	check_refused(-EINVAL, &(struct activemm_setup){ .pid = 1 },
		      "a task that lazy has no use for");
	check_refused(-EINVAL, &(struct activemm_setup){ .mode = ACTIVEMM_ISOLATED },
		      "no task for isolated");
	check_refused(-EINVAL, &(struct activemm_setup){ .mode = ACTIVEMM_ISOLATED, .pid = -1 },
		      "a negative task");
	check_refused(-EINVAL,
		      &(struct activemm_setup){ .mode = ACTIVEMM_ISOLATED, .pid = getpid() },
		      "the caller's own address space");
	check_refused(-ESRCH, &(struct activemm_setup){ .mode = ACTIVEMM_ISOLATED, .pid = gone },
		      "a task that is gone");
	check_refused(-ESRCH, &(struct activemm_setup){ .mode = ACTIVEMM_ISOLATED, .pid = 2 },
		      "a kernel thread's address space");
	for (int mode = 0; mode < ACTIVEMM_MODES; mode++)
		if (!mode_is_here(mode))
			check_refused(-EOPNOTSUPP, &(struct activemm_setup){ .mode = mode },
				      "a mode that this architecture has not");
}

void check_errors(void)
{
	struct activemm_setup setup = { .cpu = TEST_CPU };
	struct activemm_report report;
	struct activemm_info info = { 0 };
	int fd = open(ACTIVEMM_DEVICE, O_RDWR | O_CLOEXEC);
	int err;

	check_setup_errors();
	err = call(fd, ACTIVEMM_INFO, &info);
	check(!err && info.abi_version == ACTIVEMM_ABI_VERSION && info.modes == MODES_HERE &&
		      info.reserved == 0,
	      "info: version %u, modes %#x, features %#x", info.abi_version, info.modes,
	      info.features);
	check(call(fd, ACTIVEMM_ROUND_TRIP, NULL) == -ENXIO &&
		      call(fd, ACTIVEMM_OBSERVE, NULL) == -ENXIO &&
		      call(fd, ACTIVEMM_REPORT, &report) == -ENXIO,
	      "without a set-up there are no round trips and no report");
	check(call(fd, ACTIVEMM_SET_UP, (void *)8) == -EFAULT &&
		      call(fd, ACTIVEMM_INFO, (void *)8) == -EFAULT,
	      "bad pointers are refused");
	check(call(fd, 0xdead, NULL) == -ENOTTY, "an unknown call is refused");
	check(!call(fd, ACTIVEMM_SET_UP, &setup), "set-up");
	check(call(fd, ACTIVEMM_SET_UP, &setup) == -EBUSY, "a second set-up is refused");
	check(call(fd, ACTIVEMM_ROUND_TRIP, NULL) == -EINVAL,
	      "a round trip from another CPU is refused");
	pin(TEST_CPU);
	check(call(fd, ACTIVEMM_ROUND_TRIP, (void *)1) == -EINVAL,
	      "a round trip takes no argument");
	err = call(fd, ACTIVEMM_ROUND_TRIP, NULL);
	check(!err, "a round trip from its CPU succeeds (%s)", strerror(-err));
	pin(0);
	close(fd);

	chmod(ACTIVEMM_DEVICE, 0666);
	err = in_child(0, open_unprivileged, NULL);
	check(err == EPERM, "opening takes CAP_SYS_ADMIN, whatever the node's mode (%s)",
	      strerror(err));
	chmod(ACTIVEMM_DEVICE, 0600);
}

#define FDS 6

struct fuzz {
	unsigned int seed;
	unsigned int calls;
	pid_t sleeper;
};

static int32_t some_pid(struct fuzz *fuzz)
{
	const int32_t pids[] = { 0, 0,	fuzz->sleeper,	    fuzz->sleeper, getpid(), 1,
				 2, -1, rand_r(&fuzz->seed) };

	return pids[rand_r(&fuzz->seed) % (sizeof(pids) / sizeof(pids[0]))];
}

static void *some_argument(struct fuzz *fuzz, void *buffer)
{
	switch (rand_r(&fuzz->seed) % 8) {
	case 0:
		return (void *)(uintptr_t)rand_r(&fuzz->seed);
	case 1:
		return (void *)(UINTPTR_MAX - rand_r(&fuzz->seed) % 4096);
	case 2:
	case 3:
		return NULL;
	default:
		return buffer;
	}
}

static unsigned long some_request(struct fuzz *fuzz)
{
	const unsigned long requests[] = {
		ACTIVEMM_INFO,	 ACTIVEMM_SET_UP, ACTIVEMM_ROUND_TRIP, ACTIVEMM_ROUND_TRIP,
		ACTIVEMM_REPORT, ACTIVEMM_SET_UP, ACTIVEMM_OBSERVE,
	};
	unsigned int n = sizeof(requests) / sizeof(requests[0]);
	unsigned int which = rand_r(&fuzz->seed) % (n + 1);

	if (which < n)
		return requests[which];
	return _IOC(rand_r(&fuzz->seed) % 4, 0xa7, rand_r(&fuzz->seed) % 8,
		    rand_r(&fuzz->seed) % 128);
}

static int fuzz_body(void *arg)
{
	struct fuzz *fuzz = arg;
	int fds[FDS];

	for (int i = 0; i < FDS; i++)
		fds[i] = open(ACTIVEMM_DEVICE, O_RDWR | O_CLOEXEC);
	for (unsigned int i = 0; i < fuzz->calls; i++) {
		int *fd = &fds[rand_r(&fuzz->seed) % FDS];
		struct activemm_report buffer;
		struct activemm_setup *setup = (struct activemm_setup *)&buffer;

		memset(&buffer, rand_r(&fuzz->seed) % 2 ? 0 : rand_r(&fuzz->seed), sizeof(buffer));
		setup->mode = rand_r(&fuzz->seed) % (ACTIVEMM_MODES + 1);
		setup->cpu = rand_r(&fuzz->seed) % 3;
		setup->pid = some_pid(fuzz);
		if (rand_r(&fuzz->seed) % 16 == 0)
			pin(rand_r(&fuzz->seed) % 2);
		if (rand_r(&fuzz->seed) % 32 == 0) {
			close(*fd);
			*fd = open(ACTIVEMM_DEVICE, O_RDWR | O_CLOEXEC);
		}
		call(*fd, some_request(fuzz), some_argument(fuzz, &buffer));
	}
	return 0;
}

void check_fuzz(unsigned int seed, unsigned int calls)
{
	struct fuzz fuzz = { .seed = seed, .calls = calls, .sleeper = sleeper_start() };
	int status = in_child(TEST_CPU, fuzz_body, &fuzz);

	check(status == 0, "%u random calls, seed %u, come back", calls, seed);
	check(await_kernel_threads(0), "and their threads are gone");
	sleeper_stop(fuzz.sleeper);
}
