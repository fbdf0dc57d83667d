// SPDX-License-Identifier: GPL-2.0-or-later
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/commands/commands.h"
#include "bench/report/compare.h"
#include "lib/base/member.h"

static const char help[] =
	"usage: activemm compare DIR DIR... [--by KEY] [--base NAME] [--nodes KEY] [--json | "
	"--csv | --markdown]\n"
	"                        [--fail-above PERCENT [--one-session]] [--force] [-o OUT]\n\n"
	"Compares kernels by result sets, each of them a session: one run in one boot. Sets of "
	"one\n"
	"kernel, command line and CPU model stand on one side; the first one's is the base. "
	"Counts\n"
	"come first; then what differs between the machines; then times: difference and ratio "
	"with\n"
	"95 % intervals, p corrected for all rows of all sides (Holm), and a verdict. With two "
	"sessions\n"
	"a side or more they are of sessions (Student's t, permutations where there are enough). "
	"One\n"
	"session a side is compared by its trials (Mann-Whitney), which tells whether the runs "
	"differ,\n"
	"not whether the kernels do. Times of sets from emulation, from different CPU models, or "
	"of which\n"
	"only one is verified are not compared unless --force is given.\n\n"
	"Of several machines each is a block: what a kernel changes is taken within each machine "
	"that has\n"
	"both, and pooled over them by random effects, by CPU model and over all; one that "
	"answers\n"
	"differently is named, with what is different in it.\n\n"
	"  --by KEY         what tells sides apart: kernel, folder (the one that the sets are "
	"in), set\n"
	"                   (each by itself), or a member of machine.json, as cpu.microcode\n"
	"  --base NAME      the base's kernel release, or a folder of it\n"
	"  --nodes KEY      what tells machines apart: machine (host and CPU model), folder, a "
	"member of\n"
	"                   machine.json, or none\n"
	"  --one-session    call kernels slower and faster by one session a side, and let the "
	"gate fire\n"
	"  -o, --output OUT also draw trends, a heat map of change, every session, a forest plot "
	"of\n"
	"                   machines and curves over the working set (SVG and PNG, by gnuplot) "
	"into the "
	"folder\n"
	"                   OUT, with their data, comparison.json and compare.html, one page that "
	"holds all\n\n"
	"Exit status: 0; 3 where --fail-above is given and a time grew significantly and its "
	"ratio's whole\n"
	"interval lies above that, or a count of switches, CR3 loads, flushes or TLB IPIs grew, or "
	"a "
	"scenario is\n"
	"missing; 1 a set cannot be read, OUT not be written, or machines not be pooled (emulated "
	"and real\n"
	"ones, two architectures); 2 wrong usage.\n";

#define WHOLE 100 /* sets whose machine records are kept whole */

enum format { TABLE, JSON, CSV, MARKDOWN };

struct arguments {
	enum format format;
	bool gate;
	double percent;
	const char *dir; /* for pictures and page, or NULL */
	struct compare_by by;
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
						 { "by", required_argument, NULL, 'b' },
						 { "base", required_argument, NULL, 'B' },
						 { "nodes", required_argument, NULL, 'n' },
						 { "one-session", no_argument, NULL, '1' },
						 { "output", required_argument, NULL, 'o' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	char *end;
	int c;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
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
		case 'b':
			a->by.sides = optarg;
			break;
		case 'B':
			a->by.base = optarg;
			break;
		case 'n':
			a->by.nodes = optarg;
			break;
		case '1':
			a->compare.one_session = true;
			break;
		case 'o':
			a->dir = optarg;
			if (!*a->dir || strlen(a->dir) > 3000)
				return complain(EXIT_USAGE,
						"compare: -o needs the name of a folder, of at "
						"most 3000 characters");
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

static int print(const json_t *all, enum format format, struct error *e)
{
	switch (format) {
	case TABLE:
		compare_print(all, stdout);
		break;
	case JSON:
		return member_print(all, stdout, JSON_INDENT(1), e);
	case CSV:
		compare_print_csv(all, stdout);
		break;
	case MARKDOWN:
		compare_print_markdown(all, stdout);
		break;
	}
	return 0;
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

/* Prints the comparison, and draws it where that is asked for. Returns the exit status. */
static int show(const struct comparison *c, const struct arguments *a)
{
	struct error e = { 0 };

	if (c->dir && compare_folder(c->dir, &e))
		return complain(EXIT_FAILED, "%s", e.text);
	if (print(c->all, a->format, &e))
		return complain(EXIT_FAILED, "%s", e.text);
	/* What another program reads must stay alone on standard output. */
	if (c->dir && compare_report(c, a->format == TABLE ? stdout : stderr, &e))
		return complain(EXIT_FAILED, "%s", e.text);
	if (fflush(stdout) || ferror(stdout))
		return complain(EXIT_FAILED, "compare: cannot write the comparison");
	return a->gate ? gate(c->all, a->percent) : EXIT_DONE;
}

/* Is none of what tells sets apart a part of machine records that could be missed? */
static bool may_trim(const struct compare_by *by)
{
	static const char *const words[] = { "kernel", "folder", "set", "machine", "none" };
	bool sides = !by->sides, nodes = !by->nodes;

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		sides |= by->sides && !strcmp(by->sides, words[i]);
		nodes |= by->nodes && !strcmp(by->nodes, words[i]);
	}
	return sides && nodes;
}

int cmd_compare(int argc, char **argv)
{
	struct arguments a = { .compare.share = 0.02 };
	struct scan_set *sets;
	struct error e = { 0 };
	int status = arguments_read(argc, argv, &a);
	struct compare_nodes nodes = { 0 };
	size_t n, named;
	json_t *all = NULL, *spreads = NULL;

	if (status >= 0)
		return status;
	status = EXIT_DONE;
	n = named = (size_t)(argc - optind);
	sets = calloc(n, sizeof(*sets));
	if (!sets)
		return complain(EXIT_FAILED, "compare: out of memory");
	if (!scan_sets_open(sets, argv + optind, named,
			    named > WHOLE && may_trim(&a.by) ? compare_trim : NULL, &e) &&
	    !compare_sides(sets, &n, &a.by, &nodes, &e) &&
	    !spreads_known(NULL, sets[0].machine, &spreads, &e)) {
		a.compare.spreads = spreads;
		a.compare.nodes = &nodes;
		all = compare_sets(sets, n, &a.compare, &e);
	}
	if (all)
		status = show(&(struct comparison){ all, sets, n, a.dir }, &a);
	else
		status = complain(EXIT_FAILED, "%s", e.text);
	json_decref(all);
	json_decref(spreads);
	compare_nodes_free(&nodes);
	for (size_t i = 0; i < named; i++)
		scan_set_free(&sets[i]); /* joined ones are empty */
	free(sets);
	return status;
}
