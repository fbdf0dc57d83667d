// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For LD_PRELOAD: lets one system call fail, at its Nth time or from there on, counted over the whole process tree and from main() on.
 * (strace's injection counts in each process anew, the loader's calls too, and its stops at other calls disturb what is measured.)
 * INJECT="CALL ERRNO FIRST LAST REPORT": the call's number, the error's, the first and last time; REPORT gets how often it was called and
 * failed. A kill() of every process, which a wrong pid may become, ends the caller instead.
 */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define TAKEN	-1
#define REFUSED -2

struct order {
	int call, error;
	unsigned long first, last;
	char report[256];
};

static int filter_install(int call)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_kill, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)-1, 3, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned int)call, 2, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
	};
	struct sock_fprog program = { sizeof(code) / sizeof(*code), code };

	if (geteuid())
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER,
			    &program);
}

/* Answers each call until the last process with the filter has ended. */
static void answer(int fd, const struct order *o)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	unsigned long seen = 0, failed = 0;
	FILE *f;

	while (poll(&p, 1, -1) > 0 && !(p.revents & POLLHUP)) {
		struct seccomp_notif call = { 0 };
		struct seccomp_notif_resp reply = { 0 };

		if (ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &call))
			continue; /* it was killed meanwhile */
		seen++;
		reply.id = call.id;
		if (seen >= o->first && seen <= o->last) {
			reply.error = -o->error;
			failed++;
		} else {
			reply.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		}
		ioctl(fd, SECCOMP_IOCTL_NOTIF_SEND, &reply);
	}
	f = fopen(o->report, "we");
	if (f) {
		fprintf(f, "%lu %lu\n", seen, failed);
		fclose(f);
	}
}

/* The listener comes by way of shared memory: any call that told of it might be the one that waits for an answer. */
static void __attribute__((noreturn)) supervise(pid_t pid, volatile int *shared, const struct order *o)
{
	int process = (int)syscall(SYS_pidfd_open, pid, 0), fd = -1;

	setsid();
	for (int i = 0; i < 3; i++)
		close(i);
	while (!*shared)
		usleep(100);
	if (process >= 0 && *shared >= 0)
		fd = (int)syscall(SYS_pidfd_getfd, process, *shared, 0);
	*shared = fd >= 0 ? TAKEN : REFUSED;
	if (fd >= 0)
		answer(fd, o);
	_exit(fd < 0);
}

static void __attribute__((constructor)) inject(void)
{
	const char *text = getenv("INJECT");
	volatile int *shared;
	struct order o;
	pid_t self = getpid(), child;
	int fd;

	if (!text || sscanf(text, "%d %d %lu %lu %255[^\n]", &o.call, &o.error, &o.first, &o.last,
			    o.report) != 5)
		return;
	unsetenv("INJECT");
	unsetenv("LD_PRELOAD");
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	child = fork();
	if (shared == MAP_FAILED || child < 0)
		_exit(99);
	if (child == 0) {
		if (fork() == 0)
			supervise(self, shared, &o);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	fd = filter_install(o.call);
	*shared = fd < 0 ? REFUSED : fd;
	while (*shared >= 0)
		; /* no call before there is somebody to answer */
	if (*shared == REFUSED)
		_exit(99);
	syscall(SYS_close_range, fd, fd, 0);
}
