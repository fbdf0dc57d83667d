// SPDX-License-Identifier: GPL-2.0-or-later
/* Known context switches on one CPU: two processes, two threads, a task and a kworker or the idle task in turn. */
#include "config.h"
#include <linux/aio_abi.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int there[2], back[2];
static long rounds;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void *answer(void *unused)
{
	char byte;

	for (long i = 0; i < rounds; i++)
		if (read(there[0], &byte, 1) != 1 || write(back[1], &byte, 1) != 1)
			fail("answer");
	return unused;
}

static void ask(void)
{
	char byte = 0;

	for (long i = 0; i < rounds; i++)
		if (write(there[1], &byte, 1) != 1 || read(back[0], &byte, 1) != 1)
			fail("ask");
}

static void processes(void)
{
	pid_t child = fork();

	if (child < 0)
		fail("fork");
	if (!child) {
		answer(NULL);
		_exit(0);
	}
	ask();
	waitpid(child, NULL, 0);
}

static void threads(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, answer, NULL))
		fail("pthread_create");
	ask();
	pthread_join(thread, NULL);
}

/* fsync of a memfd by AIO is handed to a kworker of this CPU, and has nothing to write. */
static void kworker(void)
{
	aio_context_t context = 0;
	struct iocb control = { .aio_lio_opcode = IOCB_CMD_FSYNC };
	struct iocb *list = &control;
	struct io_event event;

	control.aio_fildes = memfd_create("workload", MFD_CLOEXEC);
	if ((int)control.aio_fildes < 0 || syscall(SYS_io_setup, 1, &context))
		fail("io_setup");
	for (long i = 0; i < rounds; i++)
		if (syscall(SYS_io_submit, context, 1, &list) != 1 ||
		    syscall(SYS_io_getevents, context, 1, 1, &event, NULL) != 1)
			fail("aio");
}

/* To the idle task and back, if nothing else wants the CPU. */
static void timers(void)
{
	struct timespec pause = { .tv_nsec = 2000000 };

	for (long i = 0; i < rounds; i++)
		nanosleep(&pause, NULL);
}

static void short_lived(void)
{
	for (long i = 0; i < rounds; i++) {
		pid_t child = fork();

		if (child < 0)
			fail("fork");
		if (!child)
			_exit(0);
		waitpid(child, NULL, 0);
	}
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} kinds[] = {
		{ "process", processes },
		{ "thread", threads },
		{ "kworker", kworker },
		{ "timer", timers },
		{ "fork", short_lived },
	};
	struct timespec start, end;
	cpu_set_t cpu;

	if (argc != 4) {
		fprintf(stderr, "usage: workload process|thread|kworker|timer|fork CPU ROUNDS\n");
		return 2;
	}
	CPU_ZERO(&cpu);
	CPU_SET(atoi(argv[2]), &cpu);
	rounds = atol(argv[3]);
	if (sched_setaffinity(0, sizeof(cpu), &cpu) || pipe(there) || pipe(back))
		fail("workload");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(argv[1], kinds[i].name))
			continue;
		prctl(PR_SET_NAME, "wl-measured");
		clock_gettime(CLOCK_MONOTONIC, &start);
		kinds[i].run();
		clock_gettime(CLOCK_MONOTONIC, &end);
		printf("elapsed_ns %lld\n",
		       (end.tv_sec - start.tv_sec) * 1000000000ll + end.tv_nsec - start.tv_nsec);
		return 0;
	}
	return 2;
}
