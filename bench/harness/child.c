// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/harness/child.h"
#include "bench/harness/trial.h"

#define POLL_MS	  500 /* trial_stop may be set just before a wait begins */
#define LOOK_MS	  2 /* how often to look where the kernel or seccomp has no pidfd */
#define LOOK_MOST 50 /* a long trial is looked at less often */

static bool ended(pid_t pid)
{
	siginfo_t info = { 0 };

	/* A child that cannot be waited for is no longer there. */
	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT))
		return errno != EINTR;
	return info.si_pid == pid;
}

int child_wait(pid_t pid, double limit_s)
{
	double end = limit_s > 0 ? clock_monotonic_s() + limit_s : 0;
	int fd = (int)syscall(SYS_pidfd_open, pid, 0), look = LOOK_MS;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int rc = 0;

	while (!ended(pid)) {
		if (trial_stop)
			rc = -EINTR;
		else if (end > 0 && clock_monotonic_s() >= end)
			rc = -ETIMEDOUT;
		if (rc)
			break;
		poll(&p, fd >= 0, fd >= 0 ? POLL_MS : look);
		look = look < LOOK_MOST ? look + 1 : LOOK_MOST;
	}
	if (fd >= 0)
		close(fd);
	return rc;
}
