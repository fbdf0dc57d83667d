// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/machine/policy.h"
#include "lib/base/refusal.h"

static const char *policy_name(int policy)
{
	switch (policy) {
	case SCHED_FIFO:
		return "SCHED_FIFO";
	case SCHED_BATCH:
		return "SCHED_BATCH";
	case SCHED_IDLE:
		return "SCHED_IDLE";
	default:
		return "a scheduling policy";
	}
}

static int refused(int policy, int err, struct error *e)
{
	if (policy == SCHED_FIFO && err == EPERM)
		return error_set(
			e, err,
			"SCHED_FIFO was refused (%s): run as root, or give CAP_SYS_NICE or "
			"ulimit -r 1, in a cgroup with real-time bandwidth",
			strerror(err));
	return error_set(e, err, "%s was refused (%s): does seccomp or the sandbox forbid it?",
			 policy_name(policy), strerror(err));
}

/* The system call itself: musl's sched_setscheduler() only says ENOSYS. */
static int set(int policy, int priority)
{
	struct sched_param param = { .sched_priority = priority };

	return syscall(SYS_sched_setscheduler, 0, policy, &param) ? errno : 0;
}

int policy_set(int policy, int priority, struct error *e)
{
	int err = set(policy, priority);

	return err ? refused(policy, err, e) : 0;
}

int policy_possible(int policy, int priority, struct error *e)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(set(policy, priority));
	if (pid < 0)
		return refusal_set(e, REFUSED_CALL, errno, "cannot fork");
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) && !WEXITSTATUS(status)
		       ? 0
		       : refused(policy, WIFEXITED(status) ? WEXITSTATUS(status) : EPERM, e);
}
