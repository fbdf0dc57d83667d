// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The bare loop that scripts/figures sets the harness against: two pinned processes hand over by the same system calls,
 * and nothing else is there. Prints nanoseconds per round trip. Arguments: pipe|yield, CPU, round trips.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static void round_trips_pipe(const int *there, const int *back, long n)
{
	int token = 0;

	for (; n; n--) {
		syscall(SYS_write, there[1], &token, sizeof(token));
		syscall(SYS_read, back[0], &token, sizeof(token));
	}
}

static void partner(const int *there, const int *back, int pipes)
{
	int token;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		if (!pipes) {
			sched_yield();
			continue;
		}
		syscall(SYS_read, there[0], &token, sizeof(token));
		syscall(SYS_write, back[1], &token, sizeof(token));
	}
}

int main(int argc, char **argv)
{
	struct timespec a, b;
	int there[2], back[2], pipes;
	cpu_set_t set;
	pid_t pid;
	long n;

	if (argc != 4 || pipe(there) || pipe(back)) {
		fprintf(stderr, "usage: bare-loop pipe|yield CPU ROUND-TRIPS\n");
		return 2;
	}
	pipes = !strcmp(argv[1], "pipe");
	n = atol(argv[3]);
	CPU_ZERO(&set);
	CPU_SET(atoi(argv[2]), &set);
	if (sched_setaffinity(0, sizeof(set), &set) || (pid = fork()) < 0) {
		perror("bare-loop");
		return 1;
	}
	if (pid == 0)
		partner(there, back, pipes);
	for (int pass = 0; pass < 2; pass++) { /* the first warms up */
		long count = pass ? n : n / 20 + 1;

		clock_gettime(CLOCK_MONOTONIC_RAW, &a);
		if (pipes)
			round_trips_pipe(there, back, count);
		else
			for (long i = count; i; i--)
				sched_yield();
		clock_gettime(CLOCK_MONOTONIC_RAW, &b);
	}
	kill(pid, SIGKILL);
	printf("%.2f\n",
	       ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / (double)n);
	return 0;
}
