/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shell commands of the user's that change the machine before a trial. */
#ifndef BENCH_HARNESS_SHELL_H
#define BENCH_HARNESS_SHELL_H

#include <sched.h>
#include <sys/types.h>

#include "lib/base/error.h"

struct prepare {
	cpu_set_t cpus; /* where commands may run */
	pid_t group; /* process group in which the last command left something running, or 0 */
};

/* Commands may run on the CPUs allowed to the caller now, but for @measured where another is left. */
void prepare_init(struct prepare *p, int measured);

/*
 * Ends what the last command left running, then runs @command by sh -c and waits for it: its input and output are
 * /dev/null, its environment gets ACTIVEMM_CPU, ACTIVEMM_SIDE and ACTIVEMM_ROUND (see prepare_environment()). 0; -EINTR when trial_stop
 * was set (the command is ended then); or -errno, -ECHILD when it failed: @e names @what, the status and its last line of errors.
 */
int prepare_run(struct prepare *p, const char *what, const char *command, struct error *e);

/* What the next command finds in its environment. */
void prepare_environment(int cpu, const char *side, unsigned int round);

/* Ends what the last command left running in its process group: SIGTERM, after two seconds SIGKILL; and reaps it. */
void prepare_end(struct prepare *p);

#endif
