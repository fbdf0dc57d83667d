// SPDX-License-Identifier: GPL-2.0-or-later
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/commands/commands.h"
#include "bench/compare/repetitions.h"
#include "lib/base/member.h"

static const char help[] =
	"usage: activemm plan DIR... [--percent D] [--power P] [--between SECONDS] [--db FILE] "
	"[--json]\n\n"
	"How many sessions, trials a session and seconds a trial tell two kernels D % apart at "
	"least\n"
	"cost, and how long that takes here, for each scenario by itself and for all in the same\n"
	"sessions: from how sessions, trials and the halves of a trial varied in these result sets "
	"and\n"
	"what each took (Kalibera and Jones, ISMM 2013). A kernel with two sets or more shows how\n"
	"sessions vary; where none has, the history is asked (`activemm history').\n\n"
	"  --percent D        the difference to be told (default 2)\n"
	"  --power P          in P of 100 tries (default 90)\n"
	"  --between SECONDS  what a session takes beside its run: a boot, a pause (default: what "
	"the "
	"sets'\n"
	"                     boots took where each has its own, else 60)\n"
	"  --db FILE          the history (default $XDG_DATA_HOME/activemm-bench/history.db)\n"
	"  --json             the same as JSON, with the variances and costs\n";

enum { PERCENT = 256, POWER, BETWEEN, DB, JSON };

struct arguments {
	double percent, power, between;
	const char *db;
	bool json;
};

static int number(const char *option, double low, double high, double *value)
{
	char *end;

	*value = strtod(optarg, &end);
	if (end == optarg || *end || !(*value >= low && *value <= high))
		return complain(EXIT_USAGE, "plan: %s %s: it must be a number from %g to %g",
				option, optarg, low, high);
	return -1;
}

/* -1 to go on, or the exit status. */
static int arguments_read(int argc, char **argv, struct arguments *a)
{
	static const struct option options[] = { { "percent", required_argument, NULL, PERCENT },
						 { "power", required_argument, NULL, POWER },
						 { "between", required_argument, NULL, BETWEEN },
						 { "db", required_argument, NULL, DB },
						 { "json", no_argument, NULL, JSON },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	int c, status = -1;

	opterr = 0;
	optind = 1;
	while (status < 0 && (c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case PERCENT:
			status = number("--percent", 0.01, 1000, &a->percent);
			break;
		case POWER:
			status = number("--power", 50, 99.9, &a->power);
			break;
		case BETWEEN:
			status = number("--between", 0, 1e6, &a->between);
			break;
		case DB:
			a->db = optarg;
			break;
		case JSON:
			a->json = true;
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_DONE;
		default:
			return complain(EXIT_USAGE,
					"plan: option '%s' is unknown or lacks its value: see "
					"`activemm plan --help'",
					argv[optind - 1]);
		}
	}
	if (status < 0 && optind == argc)
		return complain(EXIT_USAGE,
				"plan: name one result set or more: see `activemm plan --help'");
	return status;
}

/* Any row that can be planned? */
static bool any_plan(const json_t *plan)
{
	const json_t *row;
	size_t i;

	json_array_foreach (json_object_get(plan, "rows"), i, row)
		if (json_object_get(row, "plan"))
			return true;
	return false;
}

static int show(const json_t *plan, const struct arguments *a)
{
	struct error e = { 0 };

	if (a->json && member_print(plan, stdout, JSON_INDENT(1), &e))
		return complain(EXIT_FAILED, "%s", e.text);
	if (!a->json && any_plan(plan))
		repetitions_print(plan, stdout);
	if (any_plan(plan))
		return EXIT_DONE;
	return complain(EXIT_FAILED, "plan: %s",
			*member_text(json_object_get(plan, "all"), "unavailable")
				? member_text(json_object_get(plan, "all"), "unavailable")
				: "the sets have no valid trial");
}

int cmd_plan(int argc, char **argv)
{
	struct arguments a = { .percent = 2, .power = 90, .between = NAN };
	int status = arguments_read(argc, argv, &a);
	size_t n = (size_t)(argc - optind), read = 0;
	struct result_set *sets;
	struct error e = { 0 };
	json_t *spreads = NULL, *plan = NULL;

	if (status >= 0)
		return status;
	sets = calloc(n, sizeof(*sets));
	if (!sets)
		return complain(EXIT_FAILED, "plan: out of memory");
	for (; read < n && !result_read(&sets[read], argv[optind + (int)read], &e); read++)
		if (sets[read].notice[0])
			complain(0, "%s", sets[read].notice);
	if (read == n && !spreads_known(a.db, sets[0].machine, &spreads, &e))
		plan = repetitions_make(sets, n,
					&(struct repetitions_options){ .percent = a.percent,
								       .power = a.power / 100,
								       .between_s = a.between,
								       .spreads = spreads },
					&e);
	status = plan ? show(plan, &a) : complain(EXIT_FAILED, "%s", e.text);
	json_decref(plan);
	json_decref(spreads);
	while (read)
		result_free(&sets[--read]);
	free(sets);
	return status;
}
