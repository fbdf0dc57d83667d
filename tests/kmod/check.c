// SPDX-License-Identifier: GPL-2.0-or-later
#define _GNU_SOURCE
#include "check.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int checks, failures;

bool check(bool ok, const char *format, ...)
{
	va_list args;

	if (!ok)
		failures++;
	printf("%s %d - ", ok ? "ok" : "not ok", ++checks);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	return ok;
}

void check_skip(const char *what, const char *why)
{
	printf("ok %d - %s # SKIP %s\n", ++checks, what, why);
	fflush(stdout);
}

void check_note(const char *format, ...)
{
	va_list args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

int check_finish(void)
{
	printf("1..%d\n", checks);
	if (failures)
		check_note("%d of %d failed", failures, checks);
	fflush(stdout);
	return failures ? 1 : 0;
}

const char *mode_name(enum activemm_mode mode)
{
	static const char *const names[ACTIVEMM_MODES] = {
		[ACTIVEMM_LAZY] = "lazy",   [ACTIVEMM_ISOLATED] = "isolated",
		[ACTIVEMM_LEAVE] = "leave", [ACTIVEMM_RELOAD] = "reload",
		[ACTIVEMM_FLUSH] = "flush",
	};

	return names[mode];
}

int call(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg) < 0 ? -errno : 0;
}

int session_open_on(enum activemm_mode mode, unsigned int cpu, pid_t pid)
{
	struct activemm_setup setup = { .mode = mode, .cpu = cpu, .pid = pid };
	int fd = open(ACTIVEMM_DEVICE, O_RDWR | O_CLOEXEC);
	int err;

	if (fd < 0)
		return -errno;
	err = call(fd, ACTIVEMM_SET_UP, &setup);
	if (err) {
		close(fd);
		return err;
	}
	return fd;
}

int pin(unsigned int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set) ? -errno : 0;
}

pid_t sleeper_start(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

void sleeper_stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int in_child(unsigned int cpu, int (*body)(void *), void *arg)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		alarm(30);
		_exit(pin(cpu) ? 99 : body(arg));
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static bool is_kernel_thread(const char *pid)
{
	char path[300], comm[32] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%s/comm", pid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(comm, sizeof(comm), file))
		comm[0] = '\0';
	fclose(file);
	return strncmp(comm, "activemm/", strlen("activemm/")) == 0;
}

int kernel_threads(pid_t *last)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int n = 0;

	if (!proc)
		return -1;
	while ((entry = readdir(proc))) {
		if (!isdigit((unsigned char)entry->d_name[0]) || !is_kernel_thread(entry->d_name))
			continue;
		n++;
		if (last)
			*last = atoi(entry->d_name);
	}
	closedir(proc);
	return n;
}

bool await_kernel_threads(int n)
{
	for (int i = 0; i < 500; i++) {
		if (kernel_threads(NULL) == n)
			return true;
		sleep_ms(10);
	}
	return false;
}

void sleep_ms(unsigned int ms)
{
	struct timespec wait = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	while (nanosleep(&wait, &wait) && errno == EINTR)
		;
}

static const char mark[] = "activemm tests start here";

void log_mark(void)
{
	int fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, mark, strlen(mark)) < 0)
		check_note("no mark in the kernel's log: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
}

const char *log_complaint(void)
{
	static const char *const signs[] = {
		"WARNING:",
		"BUG:",
		"Oops",
		"general protection",
		"blocked for more than",
		"detected stall",
		"soft lockup",
		"Call Trace",
		"refcount_t",
		"unreferenced object",
	};
	static char log[1 << 20];
	int length = klogctl(3 /* SYSLOG_ACTION_READ_ALL */, log, sizeof(log) - 1);
	char *start, *line;

	if (length < 0)
		return "the kernel's log cannot be read";
	log[length] = '\0';
	start = strstr(log, mark);
	for (line = strtok(start ? start : log, "\n"); line; line = strtok(NULL, "\n")) {
		for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
			if (strstr(line, signs[i]))
				return line;
		}
	}
	return NULL;
}
