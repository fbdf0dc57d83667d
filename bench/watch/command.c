// SPDX-License-Identifier: GPL-2.0-or-later
/* The command that is watched: started once the counters run, and ended with them. */
#include "config.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "bench/watch/watch.h"

static void command_run(const struct watch_options *options, int gate, int report)
{
	sigset_t none;
	char byte;
	int code;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* JSON stays readable by machines: what the command prints goes beside it. */
	if (options->json)
		dup2(STDERR_FILENO, STDOUT_FILENO);
	if (read(gate, &byte, 1) != 1)
		_exit(127);
	execvp(options->command[0], options->command);
	code = errno;
	if (write(report, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

int watch_command_start(struct watch_command *command, const struct watch_options *options,
			struct error *error)
{
	int gate[2], report[2], code;

	command->name = options->command[0];
	if (pipe2(gate, O_CLOEXEC))
		return error_set(error, errno, "pipe: %s", strerror(errno));
	if (pipe2(report, O_CLOEXEC)) {
		code = errno;
		close(gate[0]);
		close(gate[1]);
		return error_set(error, code, "pipe: %s", strerror(code));
	}
	command->pid = fork();
	code = errno;
	if (!command->pid) {
		/* Else the child would not see the end of a parent that was killed. */
		close(gate[1]);
		command_run(options, gate[0], report[1]);
	}
	close(gate[0]);
	close(report[1]);
	command->gate = gate[1];
	command->report = report[0];
	if (command->pid < 0) {
		command->pid = 0;
		return error_set(error, code, "fork: %s", strerror(code));
	}
	return 0;
}

int watch_command_release(struct watch_command *command, struct error *error)
{
	int code = 0;

	if (!command->pid)
		return 0;
	if (write(command->gate, "", 1) == 1 &&
	    read(command->report, &code, sizeof(code)) == sizeof(code))
		return error_set(error, code, "%s: %s", command->name, strerror(code));
	return 0;
}

static bool command_reap(struct watch_command *command, int options)
{
	int status;

	if (waitpid(command->pid, &status, options) != command->pid)
		return false;
	command->pid = 0;
	command->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return true;
}

bool watch_command_ended(struct watch_command *command)
{
	return command->pid && command_reap(command, WNOHANG);
}

void watch_command_stop(struct watch_command *command)
{
	sigset_t none;

	if (command->pid) {
		/* A command that does not listen must not keep a second Ctrl-C from us. */
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		kill(command->pid, SIGTERM);
		if (command_reap(command, 0) && command->status == 128 + SIGTERM)
			command->status = 0;
	}
	if (command->gate >= 0)
		close(command->gate);
	if (command->report >= 0)
		close(command->report);
	command->gate = command->report = -1;
}
