// SPDX-License-Identifier: GPL-2.0-or-later
/* Sessions shared, several at once, losing their owner or their CPU; and what they leave behind. */
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int one_trip(void *fd)
{
	return -call(*(int *)fd, ACTIVEMM_ROUND_TRIP, NULL);
}

static int many_trips(void *fd)
{
	int err = 0;

	for (int i = 0; i < 1000 && !err; i++)
		err = call(*(int *)fd, ACTIVEMM_ROUND_TRIP, NULL);
	return -err;
}

static void *many_trips_pinned(void *fd)
{
	int err = pin(TEST_CPU);

	return (void *)(intptr_t)(err ? -err : many_trips(fd));
}

void check_sharing(void)
{
	int fd = session_open_on(ACTIVEMM_LAZY, TEST_CPU, 0);
	int copy = dup(fd);
	struct activemm_report report;
	pthread_t threads[4];
	void *failed = NULL;

	check(in_child(TEST_CPU, one_trip, &fd) == EPERM, "a forked child may not use the session");
	close(fd);
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, many_trips_pinned, &copy);
	for (int i = 0; i < 4; i++) {
		void *err;

		pthread_join(threads[i], &err);
		failed = err ? err : failed;
	}
	check(!failed && !call(copy, ACTIVEMM_REPORT, &report) && report.round_trips == 4000,
	      "four threads share a duplicate of its descriptor: 4000 round trips, none lost");
	close(copy);
	check(await_kernel_threads(0), "the thread goes with the last descriptor");
}

struct pair {
	int fds[2];
};

static int trips_in_turn(void *arg)
{
	struct pair *pair = arg;
	int err = 0;

	for (int i = 0; i < 1000 && !err; i++)
		err = call(pair->fds[i % 2], ACTIVEMM_ROUND_TRIP, NULL);
	return -err;
}

static int session_of_its_own(void *cpu)
{
	int fd = session_open_on(ACTIVEMM_LAZY, *(unsigned int *)cpu, 0);

	return fd < 0 ? -fd : many_trips(&fd);
}

void check_two_sessions(void)
{
	pid_t sleeper = sleeper_start();
	struct pair pair = {
		{ session_open_on(ACTIVEMM_LAZY, TEST_CPU, 0),
		  session_open_on(ACTIVEMM_ISOLATED, TEST_CPU, sleeper) },
	};
	unsigned int cpus[2] = { 0, TEST_CPU };
	pid_t other;
	int status;

	pin(TEST_CPU);
	check(kernel_threads(NULL) == 2 && trips_in_turn(&pair) == 0,
	      "two sessions on one CPU take turns");
	pin(0);
	close(pair.fds[0]);
	close(pair.fds[1]);
	sleeper_stop(sleeper);

	other = fork();
	if (other == 0)
		_exit(in_child(cpus[0], session_of_its_own, &cpus[0]));
	status = in_child(cpus[1], session_of_its_own, &cpus[1]);
	check(status == 0 && waitpid(other, &status, 0) == other && status == 0,
	      "two processes' sessions run on two CPUs at once");
	check(await_kernel_threads(0), "and end with their processes");
}

static char state_of(pid_t pid)
{
	char path[40], state = '?';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	file = fopen(path, "r");
	if (!file)
		return '?';
	if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1)
		state = '?';
	fclose(file);
	return state;
}

/* Keeps the CPU from a thread of policy SCHED_IDLE. */
static pid_t busy_start(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		pin(TEST_CPU);
		for (;;)
			;
	}
	return pid;
}

static pid_t owner_start(enum activemm_mode mode, pid_t sleeper)
{
	pid_t pid = fork();
	int fd, err = 0;

	if (pid)
		return pid;
	pin(TEST_CPU);
	fd = session_open_on(mode, TEST_CPU, sleeper);
	if (fd < 0)
		_exit(1);
	while (!err)
		err = call(fd, ACTIVEMM_ROUND_TRIP, NULL);
	_exit(1);
}

static void check_killed_in(enum activemm_mode mode)
{
	struct sched_param param = { 0 };
	pid_t sleeper = mode == ACTIVEMM_ISOLATED ? sleeper_start() : 0;
	pid_t busy = busy_start();
	pid_t owner = owner_start(mode, sleeper);
	pid_t thread = 0;
	bool between = false;
	int status = 0;

	await_kernel_threads(1);
	kernel_threads(&thread);
	sched_setscheduler(thread, SCHED_IDLE, &param);
	/* The owner waits for its thread, and the thread for the CPU. */
	for (int i = 0; i < 2000 && !between; i++) {
		sleep_ms(1);
		between = state_of(owner) == 'D' && state_of(thread) == 'R';
	}
	kill(owner, SIGKILL);
	waitpid(owner, &status, 0);
	kill(busy, SIGKILL);
	waitpid(busy, NULL, 0);
	check(between && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL,
	      "%s: an owner is killed in mid round trip", mode_name(mode));
	check(await_kernel_threads(0), "%s: and its thread ends", mode_name(mode));
	if (sleeper)
		sleeper_stop(sleeper);
}

void check_killed_owner(void)
{
	int killed = 0, n = 50;

	check_killed_in(ACTIVEMM_LAZY);
	check_killed_in(ACTIVEMM_ISOLATED);
	if (mode_is_here(ACTIVEMM_LEAVE))
		check_killed_in(ACTIVEMM_LEAVE);
	for (int i = 0; i < n; i++) {
		pid_t owner = owner_start(ACTIVEMM_LAZY, 0);
		int status = 0;

		sleep_ms(1 + i % 7);
		kill(owner, SIGKILL);
		waitpid(owner, &status, 0);
		killed += WIFSIGNALED(status);
	}
	check(killed == n && await_kernel_threads(0),
	      "%d owners killed at any moment leave no thread", n);
}

static bool online(bool on)
{
	char path[60];
	FILE *file;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", TEST_CPU);
	file = fopen(path, "w");
	if (!file)
		return false;
	fprintf(file, "%d\n", on);
	return fclose(file) == 0;
}

static void check_offline_in(enum activemm_mode mode)
{
	pid_t sleeper = mode == ACTIVEMM_ISOLATED ? sleeper_start() : 0;
	int fd = session_open_on(mode, TEST_CPU, sleeper);
	struct activemm_report report;
	pid_t runner;
	int status = -1;

	runner = fork();
	if (runner == 0) {
		int mine, err = 0;

		alarm(60);
		pin(TEST_CPU);
		mine = session_open_on(mode, TEST_CPU, sleeper);
		while (!err)
			err = call(mine, ACTIVEMM_ROUND_TRIP, NULL);
		_exit(-err);
	}
	sleep_ms(200);
	check(online(false), "%s: CPU %d goes offline under a running session", mode_name(mode),
	      TEST_CPU);
	waitpid(runner, &status, 0);
	check(WIFEXITED(status) && WEXITSTATUS(status) == ENODEV,
	      "%s: its round trips end with ENODEV", mode_name(mode));
	check(session_open_on(mode, TEST_CPU, sleeper) == -EINVAL,
	      "%s: a session on a CPU that is offline is refused", mode_name(mode));
	check(online(true), "%s: CPU %d comes back", mode_name(mode), TEST_CPU);
	pin(TEST_CPU);
	check(call(fd, ACTIVEMM_ROUND_TRIP, NULL) == -ENODEV && !call(fd, ACTIVEMM_REPORT, &report),
	      "%s: a session from before stays ended, and reports", mode_name(mode));
	close(fd);
	fd = session_open_on(mode, TEST_CPU, sleeper);
	check(fd >= 0 && many_trips(&fd) == 0, "%s: a new one works", mode_name(mode));
	pin(0);
	close(fd);
	if (sleeper)
		sleeper_stop(sleeper);
}

void check_hotplug(void)
{
	check_offline_in(ACTIVEMM_LAZY);
	check_offline_in(ACTIVEMM_ISOLATED);
	if (mode_is_here(ACTIVEMM_LEAVE))
		check_offline_in(ACTIVEMM_LEAVE);
	check(await_kernel_threads(0), "and their threads are gone");
}

static long active_objects(const char *slab)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	char line[300], name[64];
	long active, found = -1;

	if (!file)
		return -1;
	while (found < 0 && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %ld", name, &active) == 2 && strcmp(name, slab) == 0)
			found = active;
	}
	fclose(file);
	return found;
}

static void check_kmemleak(void)
{
	FILE *file = fopen("/sys/kernel/debug/kmemleak", "r+");
	char line[200] = "";

	if (!file) {
		check_skip("kmemleak finds nothing", "this kernel has no kmemleak");
		return;
	}
	/* It reports an object that two scans in a row, some seconds old, found no pointer to. */
	for (int i = 0; i < 3; i++) {
		fputs("scan", file);
		fflush(file);
		sleep_ms(6000);
	}
	rewind(file);
	while (fgets(line, sizeof(line), file) && !strstr(line, "activemm"))
		line[0] = '\0';
	check(!line[0], "kmemleak finds nothing%s", line);
	fclose(file);
}

/* In a process of its own: an address space that the session holds must go with it too. */
static int short_session(void *arg)
{
	enum activemm_mode mode = *(enum activemm_mode *)arg;
	pid_t sleeper = mode == ACTIVEMM_ISOLATED ? sleeper_start() : 0;
	int fd = session_open_on(mode, TEST_CPU, sleeper);

	return fd < 0 ? -fd : one_trip(&fd);
}

void check_leaks(void)
{
	const char *const slabs[] = { "mm_struct", "task_struct" };
	long before[2], after[2];
	const int cycles = 300;
	int err = 0;

	for (int i = 0; i < 2; i++)
		before[i] = active_objects(slabs[i]);
	for (int i = 0; i < cycles && !err; i++) {
		enum activemm_mode mode = i % ACTIVEMM_MODES;

		if (!mode_is_here(mode))
			mode = ACTIVEMM_LAZY;
		err = in_child(TEST_CPU, short_session, &mode);
	}
	check(!err, "%d sessions open and close (%s)", cycles, strerror(err));
	sleep_ms(500);
	for (int i = 0; i < 2; i++) {
		after[i] = active_objects(slabs[i]);
		if (before[i] < 0)
			check_skip(slabs[i], "/proc/slabinfo does not count it alone");
		else
			check(after[i] - before[i] < cycles / ACTIVEMM_MODES / 2,
			      "and leave no %s behind (%ld, then %ld)", slabs[i], before[i],
			      after[i]);
	}
	check_kmemleak();
}
