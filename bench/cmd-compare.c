// SPDX-License-Identifier: GPL-2.0-or-later
#include <getopt.h>
#include <math.h>
#include <stdlib.h>

#include "bench/commands.h"
#include "bench/compare.h"

static const char help[] =
	"usage: activemm compare BASE DIR... [--json | --csv | --markdown] [--fail-above PERCENT] "
	"[--force]\n\n"
	"Compares result sets with the first. Counts come first; then what differs between the\n"
	"machines; then times, by trial: difference and ratio of medians with 95 % bootstrap "
	"intervals,\n"
	"the Mann-Whitney test corrected for all rows of all sets (Holm), and a verdict. Times of "
	"sets from\n"
	"emulation, from different CPU models, or of which only one is verified are not compared "
	"unless\n"
	"--force is given.\n\n"
	"Exit status: 0; 3 where --fail-above is given and a time grew significantly and its "
	"ratio's whole\n"
	"interval lies above that, or a count of switches, CR3 loads or flushes grew, or a "
	"scenario is\n"
	"missing; 1 a set cannot be read; 2 wrong usage.\n";

enum format { TABLE, JSON, CSV, MARKDOWN };

struct arguments {
	enum format format;
	bool gate;
	double percent;
	struct compare_options compare;
};

/* -1 to go on, or the exit status. */
static int arguments_read(int argc, char **argv, struct arguments *a)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
						 { "csv", no_argument, NULL, 'c' },
						 { "markdown", no_argument, NULL, 'm' },
						 { "fail-above", required_argument, NULL, 'f' },
						 { "force", no_argument, NULL, 'F' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	char *end;
	int c;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			a->format = JSON;
			break;
		case 'c':
			a->format = CSV;
			break;
		case 'm':
			a->format = MARKDOWN;
			break;
		case 'F':
			a->compare.force = true;
			break;
		case 'f':
			a->gate = true;
			a->percent = strtod(optarg, &end);
			if (end == optarg || *end || !(a->percent >= 0) || !isfinite(a->percent))
				return complain(EXIT_USAGE,
						"compare: --fail-above %s: it must be a "
						"percentage, 0 or more",
						optarg);
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_DONE;
		default:
			return complain(EXIT_USAGE,
					"compare: option '%s' is unknown or lacks its value: see "
					"`activemm compare --help'",
					argv[optind - 1]);
		}
	}
	if (argc - optind < 2)
		return complain(
			EXIT_USAGE,
			"compare: name two result sets or more: see `activemm compare --help'");
	return -1;
}

static void print(const json_t *all, enum format format)
{
	switch (format) {
	case TABLE:
		compare_print(all, stdout);
		break;
	case JSON:
		json_dumpf(all, stdout, JSON_INDENT(1));
		printf("\n");
		break;
	case CSV:
		compare_print_csv(all, stdout);
		break;
	case MARKDOWN:
		compare_print_markdown(all, stdout);
		break;
	}
}

/* The exit status that the gate asks for. */
static int gate(const json_t *all, double percent)
{
	char line[400];

	if (compare_fails(all, percent, line, sizeof(line)))
		return complain(EXIT_REGRESSION, "regression: %s", line);
	if (compare_blind(all, line, sizeof(line)))
		complain(0, "%s", line);
	return EXIT_DONE;
}

int cmd_compare(int argc, char **argv)
{
	struct arguments a = { .compare.share = 0.02 };
	struct trial_set *sets;
	struct error e = { 0 };
	int status = arguments_read(argc, argv, &a);
	size_t n, read = 0;
	json_t *all = NULL;

	if (status >= 0)
		return status;
	status = EXIT_DONE;
	n = (size_t)(argc - optind);
	sets = calloc(n, sizeof(*sets));
	if (!sets)
		return complain(EXIT_FAILED, "compare: out of memory");
	for (; read < n && !trial_set_read(&sets[read], argv[optind + (int)read], &e); read++)
		if (sets[read].notice[0])
			complain(0, "%s", sets[read].notice);
	if (read == n)
		all = compare_sets(sets, n, &a.compare, &e);
	if (all) {
		print(all, a.format);
		if (fflush(stdout) || ferror(stdout))
			status = complain(EXIT_FAILED, "compare: cannot write the comparison");
		else if (a.gate)
			status = gate(all, a.percent);
	} else {
		status = complain(EXIT_FAILED, "%s", e.text);
	}
	json_decref(all);
	while (read)
		trial_set_free(&sets[--read]);
	free(sets);
	return status;
}
