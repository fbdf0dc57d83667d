// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/harness/child.h"
#include "bench/harness/shell.h"
#include "lib/base/refusal.h"

#define END_MS 2000 /* from SIGTERM to SIGKILL */

void prepare_init(struct prepare *p, int measured)
{
	memset(p, 0, sizeof(*p));
	if (sched_getaffinity(0, sizeof(p->cpus), &p->cpus))
		return;
	if (CPU_COUNT(&p->cpus) > 1)
		CPU_CLR(measured, &p->cpus);
}

void prepare_environment(int cpu, const char *side, unsigned int round)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", cpu);
	setenv("ACTIVEMM_CPU", number, 1);
	setenv("ACTIVEMM_SIDE", side, 1);
	snprintf(number, sizeof(number), "%u", round);
	setenv("ACTIVEMM_ROUND", number, 1);
}

/* True while the group has members; those that are this process's and ended are reaped. */
static bool group_lives(pid_t group)
{
	while (waitpid(-group, NULL, WNOHANG) > 0)
		;
	return kill(-group, 0) == 0 || errno == EPERM;
}

void prepare_end(struct prepare *p)
{
	pid_t group = p->group;

	p->group = 0;
	if (!group)
		return;
	kill(-group, SIGTERM);
	kill(-group, SIGCONT);
	for (int ms = 0; ms < END_MS && group_lives(group); ms += 5)
		usleep(5000);
	kill(-group, SIGKILL);
	while (waitpid(-group, NULL, 0) > 0 || errno == EINTR)
		;
}

static void __attribute__((noreturn))
child(const struct prepare *p, const char *command, int errors, pid_t parent)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ };
	int null = open("/dev/null", O_RDWR);

	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		signal(signals[i], SIG_DFL);
	if (CPU_COUNT(&p->cpus))
		sched_setaffinity(0, sizeof(p->cpus), &p->cpus);
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	dup2(errors, STDERR_FILENO);
	execl("/bin/sh", "sh", "-c", command, NULL);
	_exit(127);
}

/* The last line of what the command wrote to @errors, after ": "; "" if it wrote nothing. */
static void last_line(int errors, char *buf, size_t len)
{
	char text[256], *line;
	off_t end = lseek(errors, 0, SEEK_END);
	off_t at = end > (off_t)sizeof(text) - 1 ? end - (off_t)sizeof(text) + 1 : 0;
	ssize_t n = pread(errors, text, sizeof(text) - 1, at);

	*buf = '\0';
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		n--;
	if (n <= 0)
		return;
	text[n] = '\0';
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	for (char *c = line; *c; c++)
		if ((unsigned char)*c < ' ')
			*c = ' ';
	snprintf(buf, len, ": %s", line);
}

static int status_error(int status, const char *what, const char *command, int errors,
			struct error *e)
{
	char line[260];

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	last_line(errors, line, sizeof(line));
	if (WIFSIGNALED(status))
		return error_set(e, ECHILD, "%s '%.120s' was killed by signal %d%s", what, command,
				 WTERMSIG(status), line);
	return error_set(e, ECHILD, "%s '%.120s' failed with exit status %d%s", what, command,
			 WEXITSTATUS(status), line);
}

int prepare_run(struct prepare *p, const char *what, const char *command, struct error *e)
{
	pid_t parent = getpid(), pid;
	int errors, status = 0, rc;

	prepare_end(p);
	errors = memfd_create("errors", MFD_CLOEXEC);
	if (errors < 0)
		return error_set(e, errno, "cannot keep a command's errors: %s", strerror(errno));
	pid = fork();
	if (pid == 0)
		child(p, command, errors, parent);
	if (pid < 0) {
		rc = refusal_set(e, REFUSED_CALL, errno, "cannot fork");
		close(errors);
		return rc;
	}
	setpgid(pid, pid);
	p->group = pid;
	rc = child_wait(pid, 0);
	if (rc) {
		prepare_end(p);
	} else {
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		rc = status_error(status, what, command, errors, e);
		if (!group_lives(p->group))
			p->group = 0; /* the number may be another's soon */
	}
	close(errors);
	return rc;
}
