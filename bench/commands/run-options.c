// SPDX-License-Identifier: GPL-2.0-or-later
/* The options that `run' and `ab' share. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "bench/commands/commands.h"
#include "bench/commands/run-options.h"

int run_option(int option, const char *value, struct run_options *o)
{
	long v;
	int rc;

	switch (option) {
	case RUN_OPT_CPU:
		return option_number("--cpu", value, 0, 1 << 20, &o->cpu);
	case RUN_OPT_TRIALS:
		o->trials_given = true;
		return option_number("--trials", value, 1, 1000000, &o->trials);
	case RUN_OPT_ITERATIONS:
		return option_number("--iterations", value, 1, 100000000, &o->iterations);
	case RUN_OPT_TIME:
		return option_number("--time", value, 1, 1000000, &o->seconds);
	case RUN_OPT_SEED:
		rc = option_number("--seed", value, 0, 2147483647, &v);
		if (!rc)
			o->seed = (unsigned long)v;
		return rc;
	case RUN_OPT_QUICK:
		o->quick = true;
		return 0;
	case 'o':
		o->dir = value;
		return 0;
	default:
		return -ENOENT;
	}
}

int run_default_dir(char *buf, size_t len, const char *command, struct error *e)
{
	time_t now = time(NULL);
	char date[32];
	struct tm tm;

	if (mkdir("results", 0777) && errno != EEXIST)
		return error_set(e, errno,
				 "cannot make results/ here: %s: name another place with -o DIR",
				 strerror(errno));
	strftime(date, sizeof(date), "%Y%m%d-%H%M%S", localtime_r(&now, &tm));
	snprintf(buf, len, "results/%s-%s", command, date);
	return 0;
}
