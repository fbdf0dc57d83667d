// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/commands/commands.h"
#include "commit.h"
#include "config.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "list", cmd_list, "scenarios, parameters, claims, and whether each can run here" },
	{ "info", cmd_info, "machine, kernel, mitigations, counters: each available, or why not" },
	{ "run", cmd_run, "measure: trials of scenarios into a result set" },
	{ "explain", cmd_explain, "a few round trips, told switch by switch" },
	{ "export", cmd_export, "a result set in other tools' formats" },
	{ "report", cmd_report, "summary, plots and one HTML page of a result set" },
	{ "compare", cmd_compare, "what changed between result sets: counts first, then times" },
	{ "ab", cmd_ab, "compare two settings of this machine, trial by trial in turns" },
	{ "plan", cmd_plan, "how many sessions, trials and seconds would tell two kernels apart" },
	{ "history", cmd_history, "what all result sets say: trends, changes, spread" },
	{ "watch", cmd_watch, "how many CR3 loads active_mm saves on the running system" },
};

#define COMMANDS (sizeof(commands) / sizeof(*commands))

int option_number(const char *option, const char *text, long min, long max, long *value)
{
	char *end;
	long v;

	errno = 0;
	v = strtol(text, &end, 10);
	if (errno || end == text || *end || v < min || v > max) {
		complain(0, "%s %s: it must be a whole number from %ld to %ld", option, text, min,
			 max);
		return -EINVAL;
	}
	*value = v;
	return 0;
}

static void usage(FILE *out)
{
	fprintf(out, "usage: activemm COMMAND [ARGUMENTS]\n\n"
		     "What a context switch costs, and how much of it the kernel saves with "
		     "active_mm.\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
	fprintf(out, "\n`activemm COMMAND --help' tells more; the manual is activemm(1).\n");
}

int main(int argc, char **argv)
{
	int status;

	signal(SIGPIPE, SIG_IGN);
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return EXIT_DONE;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("%s%s%s%s\n", PACKAGE_STRING, *ACTIVEMM_COMMIT ? " (" : "", ACTIVEMM_COMMIT,
		       *ACTIVEMM_COMMIT ? ")" : "");
		return EXIT_DONE;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(argv[1], commands[i].name))
			continue;
		status = commands[i].run(argc - 1, argv + 1);
		if ((fflush(stdout) || ferror(stdout)) && status == EXIT_DONE)
			status = complain(EXIT_FAILED, "cannot write to standard output: %s",
					  strerror(errno));
		return status;
	}
	return complain(EXIT_USAGE, "no command '%s': `activemm --help' shows them", argv[1]);
}
