// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kmod-test MODULE [SEED]: loads activemm.ko, proves what its header promises, unloads it. As
 * root, on two CPUs or more, in a kernel that may be lost; TAP on standard output.
 */
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

static int load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, "", 0) ? -errno : 0;
	close(fd);
	/* The node appears with the module, where devtmpfs is mounted. */
	return err;
}

static int unload(void)
{
	return syscall(SYS_delete_module, "activemm", O_NONBLOCK) ? -errno : 0;
}

static void check_unload(void)
{
	int fd = session_open_on(ACTIVEMM_LAZY, TEST_CPU, 0);
	int err = unload();

	check(fd >= 0 && (err == -EBUSY || err == -EWOULDBLOCK),
	      "unloading is refused while a session is open (%s)", strerror(-err));
	close(fd);
	err = unload();
	check(!err, "the module unloads (%s)", strerror(-err));
	check(kernel_threads(NULL) == 0, "no thread is left");
}

int main(int argc, char **argv)
{
	unsigned int seed = argc > 2 ? strtoul(argv[2], NULL, 0) : 20;
	struct utsname kernel;
	const char *complaint;
	int err;

	if (argc < 2) {
		fprintf(stderr, "usage: kmod-test MODULE [SEED]\n");
		return 2;
	}
	uname(&kernel);
	check_note("%s", kernel.release);
	log_mark();
	pin(0);
	err = load(argv[1]);
	if (!check(!err, "the module loads (%s)", strerror(-err)))
		return check_finish();
	check_counts();
	check_reports();
	check_pace();
	check_errors();
	check_sharing();
	check_two_sessions();
	check_killed_owner();
	check_fuzz(seed, 5000);
	check_leaks();
	check_hotplug();
	check_unload();
	err = load(argv[1]);
	check(!err && !unload(), "it loads and unloads again");
	complaint = log_complaint();
	check(!complaint, "the kernel's log has no complaint%s%s", complaint ? ": " : "",
	      complaint ? complaint : "");
	return check_finish();
}
