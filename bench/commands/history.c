// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/commands/commands.h"
#include "config.h"
#ifdef HAVE_SQLITE
#include "bench/history/history.h"
#endif

static const char help[] =
	"usage: activemm history add DIR... [--db FILE]\n"
	"       activemm history rebuild DIR... [--db FILE]\n"
	"       activemm history list | spread | check [OPTION]...\n"
	"       activemm history trend SCENARIO[:key=value,...] [OPTION]...\n"
	"       activemm history changes [SCENARIO[:key=value,...]] [OPTION]...\n"
	"       activemm history compare KERNEL KERNEL [--machine M] [-- OPTIONS of compare]\n"
	"       activemm history export [SCENARIO[:key=value,...]] --csv [--machine M]\n\n"
	"What all result sets say together, kept in one SQLite file. The sets stay the truth: "
	"adding one\n"
	"again changes nothing, and rebuild makes the file anew from them.\n\n"
	"  add      the sets in these folders and below them\n"
	"  rebuild  the same, after forgetting all others; a damaged file is kept beside the new "
	"one\n"
	"  list     machines and sets, in order of time\n"
	"  trend    a scenario by kernel, or by time\n"
	"  changes  between which kernels (or when) times and counts changed, and how to find the "
	"commit\n"
	"  compare  what `compare' says of two kernels' sets; a kernel is a release or its "
	"beginning\n"
	"  spread   how far sessions of one kernel are apart, by machine and scenario\n"
	"  export   a table in the form that Apache Otava reads\n"
	"  check    whether the file is sound\n\n"
	"  --db FILE      the file (default $XDG_DATA_HOME/activemm-bench/history.db)\n"
	"  --machine M    of one machine: its name, or a part of it\n"
	"  --by BY        kernel or time: a point for each kernel, or for each set (default: "
	"kernel, of\n"
	"                 trend time where there is but one)\n"
	"  --false-alarms RATE  changes of times: how often a history without any is said to have "
	"one\n"
	"                 (default 0.05)\n"
	"  --least PERCENT  changes of times below it are left out (default 2)\n"
	"  --seed N       of the permutations (default 1999)\n"
	"  --csv          export: the form\n"
	"  -o, --output DIR  trend, changes: also a picture (SVG and PNG, by gnuplot) and "
	"history.html\n";

struct arguments {
	const char *action, *db, *machine, *by, *dir;
	double alpha, least;
	long seed;
	bool csv;
	char **rest; /* what is no option */
	int nrest;
};

enum { DB = 256, MACHINE, BY, ALARMS, LEAST, SEED, CSV };

static int number(const char *option, double low, double high, double *value)
{
	char *end;

	*value = strtod(optarg, &end);
	if (end == optarg || *end || !(*value >= low && *value <= high))
		return complain(EXIT_USAGE, "history: %s %s: it must be a number from %g to %g",
				option, optarg, low, high);
	return -1;
}

/* -1 to go on, or the exit status. */
static int option_take(int c, struct arguments *a, const char *given)
{
	switch (c) {
	case DB:
		a->db = optarg;
		if (!*optarg || strlen(optarg) > 3000)
			return complain(EXIT_USAGE,
					"history: --db needs the name of a file, of at most 3000 "
					"characters");
		return -1;
	case MACHINE:
		a->machine = optarg;
		return -1;
	case BY:
		a->by = optarg;
		if (strcmp(optarg, "kernel") && strcmp(optarg, "time"))
			return complain(EXIT_USAGE, "history: --by %s: it must be kernel or time",
					optarg);
		return -1;
	case ALARMS:
		return number("--false-alarms", 1e-6, 0.5, &a->alpha);
	case LEAST:
		return number("--least", 0, 1000, &a->least);
	case SEED:
		return option_number("history: --seed", optarg, 0, 2147483647, &a->seed)
			       ? EXIT_USAGE
			       : -1;
	case CSV:
		a->csv = true;
		return -1;
	case 'o':
		a->dir = optarg;
		if (!*optarg || strlen(optarg) > 3000)
			return complain(EXIT_USAGE,
					"history: -o needs the name of a folder, of at most 3000 "
					"characters");
		return -1;
	case 'h':
		fputs(help, stdout);
		return EXIT_DONE;
	default:
		return complain(
			EXIT_USAGE,
			"history: option '%s' is unknown or lacks its value: see `activemm history "
			"--help'",
			given);
	}
}

/* How many words each action takes, and whether it takes any others. */
static const struct {
	const char *name;
	int least, most;
	const char *what;
} actions[] = {
	{ "add", 1, 1 << 30, "name folders with result sets" },
	{ "rebuild", 1, 1 << 30, "name folders with result sets" },
	{ "list", 0, 0, "it takes no more words" },
	{ "trend", 1, 1, "name one scenario, as process:pages=64" },
	{ "changes", 0, 1, "name one scenario, or none for all" },
	{ "compare", 2, 1 << 30, "name two kernels" },
	{ "spread", 0, 0, "it takes no more words" },
	{ "export", 0, 1, "name one scenario, or none for all" },
	{ "check", 0, 0, "it takes no more words" },
};

static int words_check(const struct arguments *a)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++) {
		if (strcmp(actions[i].name, a->action))
			continue;
		if (a->nrest < actions[i].least || a->nrest > actions[i].most)
			return complain(EXIT_USAGE, "history %s: %s: see `activemm history --help'",
					a->action, actions[i].what);
		if (!strcmp(a->action, "export") && !a->csv)
			return complain(EXIT_USAGE, "history export: name the form: --csv");
		return -1;
	}
	return complain(EXIT_USAGE, "history: no action '%s': see `activemm history --help'",
			a->action);
}

static int arguments_read(int argc, char **argv, struct arguments *a)
{
	static const struct option options[] = {
		{ "db", required_argument, NULL, DB },
		{ "machine", required_argument, NULL, MACHINE },
		{ "by", required_argument, NULL, BY },
		{ "false-alarms", required_argument, NULL, ALARMS },
		{ "least", required_argument, NULL, LEAST },
		{ "seed", required_argument, NULL, SEED },
		{ "csv", no_argument, NULL, CSV },
		{ "output", required_argument, NULL, 'o' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 }
	};
	int c;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		int status = option_take(c, a, argv[optind - 1]);

		if (status >= 0)
			return status;
	}
	if (optind == argc)
		return complain(EXIT_USAGE,
				"history: name an action: see `activemm history --help'");
	a->action = argv[optind];
	a->rest = argv + optind + 1;
	a->nrest = argc - optind - 1;
	return words_check(a);
}

#ifdef HAVE_SQLITE
static int add(struct history *h, const struct arguments *a, struct error *e)
{
	struct history_tally t;
	int rc = history_collect(h, a->rest, a->nrest, !strcmp(a->action, "rebuild"), &t, e);

	printf("%zu added, %zu there already, %zu replaced", t.added, t.known, t.replaced);
	if (t.bad)
		printf(", %zu not read", t.bad);
	putchar('\n');
	if (rc)
		return rc;
	if (!t.added && !t.known && !t.replaced && !t.bad)
		return error_set(e, ENOENT, "history: there is no result set in %.300s",
				 a->rest[0]);
	/* Each was complained of. */
	return t.bad ? EXIT_FAILED : 0;
}

static int list(const struct history_view *v, struct error *e)
{
	struct history_set *sets;
	size_t n;
	int rc = history_sets(v->h, v->machine, &sets, &n, e);

	if (rc)
		return rc;
	history_print_sets(v, sets, n, stdout);
	history_sets_free(sets, n);
	return 0;
}

/* Prints @text, and where it is asked for draws the lines. */
static int show(const struct history_view *v, const struct arguments *a,
		const struct history_lines *lines, size_t left_out, const char *heading,
		const char *text, struct error *e)
{
	int rc = 0;

	fputs(text, stdout);
	if (a->dir)
		rc = history_draw(v, lines, left_out, heading, text, a->dir, e);
	if (a->dir && !rc)
		printf("Drawn: %s/history.html\n", a->dir);
	return rc;
}

static int trend(struct history_view *v, const struct arguments *a, struct error *e)
{
	struct history_lines all, few;
	char *text = NULL;
	size_t len;
	FILE *f;
	int rc;

	v->q.by_time = a->by ? !strcmp(a->by, "time") : v->names.nkernels < 2;
	rc = view_all(v, &all, e);
	f = rc ? NULL : open_memstream(&text, &len);
	if (!rc && !f)
		rc = error_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < all.n && f; i++)
		history_print_trend(v, &all.list[i], f);
	if (f && (fclose(f) || !text))
		rc = error_set(e, ENOMEM, "out of memory");
	few = (struct history_lines){ all.list, all.n < 12 ? all.n : 12 };
	if (!rc)
		rc = show(v, a, &few, all.n - few.n, "What a scenario cost", text, e);
	free(text);
	lines_free(&all);
	return rc;
}

static int changes(struct history_view *v, const struct arguments *a, struct error *e)
{
	struct history_changes c;
	char *text = NULL;
	size_t len;
	FILE *f;
	int rc;

	v->q.by_time = a->by && !strcmp(a->by, "time");
	rc = changes_find(v, &c, e);
	if (rc)
		return rc;
	f = open_memstream(&text, &len);
	if (f)
		history_print_changes(v, &c, f);
	if (!f || fclose(f))
		rc = error_set(e, ENOMEM, "out of memory");
	else
		rc = show(v, a, &c.shown, c.left_out, "What changed", text, e);
	free(text);
	changes_free(&c);
	return rc;
}

/* Is @release called by @name: itself, or its beginning up to what ends a part? */
static bool kernel_like(const char *release, const char *name)
{
	size_t len = strlen(name);

	return !strncmp(release, name, len) &&
	       !strchr("0123456789", release[len] ? release[len] : 'x');
}

/* Adds the folders of @name's sets to @argv from *@n on. */
static int kernel_sets(const struct history_view *v, const struct history_set *sets, size_t nsets,
		       const char *name, char **argv, int *n, struct error *e)
{
	int before = *n;

	for (size_t i = 0; i < nsets; i++) {
		const struct history_kernel *k = history_kernel(&v->names, sets[i].kernel);

		if (k && kernel_like(k->release, name))
			argv[(*n)++] = sets[i].dir;
	}
	return *n > before ? 0
			   : error_set(e, ENOENT,
				       "history: no set of a kernel %.80s%s: `activemm history "
				       "list' has them",
				       name, v->machine ? " on that machine" : "");
}

/* `compare' of the sets' folders: the first kernel's sets are the base. Its exit status. */
static int compare(const struct history_view *v, const struct arguments *a)
{
	struct history_set *sets;
	struct error e = { 0 };
	char **argv, name[] = "compare";
	size_t nsets;
	int n = 0, rc = history_sets(v->h, v->machine, &sets, &nsets, &e);

	if (rc)
		return complain(EXIT_FAILED, "%s", e.text);
	argv = calloc(2 * nsets + (size_t)a->nrest + 2, sizeof(*argv));
	if (!argv) {
		history_sets_free(sets, nsets);
		return complain(EXIT_FAILED, "out of memory");
	}
	argv[n++] = name;
	for (int i = 2; i < a->nrest; i++)
		argv[n++] = a->rest[i];
	rc = kernel_sets(v, sets, nsets, a->rest[0], argv, &n, &e);
	if (!rc)
		rc = kernel_sets(v, sets, nsets, a->rest[1], argv, &n, &e);
	rc = rc ? complain(EXIT_FAILED, "%s", e.text) : cmd_compare(n, argv);
	free(argv);
	history_sets_free(sets, nsets);
	return rc;
}

static int export(const struct history_view *v, struct error *e)
{
	size_t left_out;
	int rc = history_csv(v, stdout, &left_out, e);

	if (!rc && left_out)
		complain(0,
			 "history: %zu columns are left out, which not every set has: name a "
			 "scenario to export its "
			 "sets alone",
			 left_out);
	return rc;
}

/* What reads. Returns the exit status. */
static int look(struct history *h, const struct arguments *a)
{
	bool scenario = strcmp(a->action, "compare");
	const struct history_query q = { .spec = scenario && a->nrest ? a->rest[0] : NULL,
					 .few = !strcmp(a->action, "trend"),
					 .machine = a->machine,
					 .alpha = a->alpha,
					 .share = a->least / 100,
					 .seed = (unsigned long)a->seed };
	struct history_view v;
	struct error e = { 0 };
	int rc = view_make(&v, h, &q, !strcmp(a->action, "trend"), &e);

	if (rc)
		return complain(EXIT_FAILED, "%s", e.text);
	if (!strcmp(a->action, "compare")) {
		rc = compare(&v, a);
		view_free(&v);
		return rc;
	}
	if (!strcmp(a->action, "list"))
		rc = list(&v, &e);
	else if (!strcmp(a->action, "trend"))
		rc = trend(&v, a, &e);
	else if (!strcmp(a->action, "changes"))
		rc = changes(&v, a, &e);
	else if (!strcmp(a->action, "spread"))
		rc = history_print_spread(&v, stdout, &e);
	else
		rc = export(&v, &e);
	view_free(&v);
	return rc ? complain(EXIT_FAILED, "%s", e.text) : EXIT_DONE;
}

/* Opens the file; a damaged one is put aside for a new one where it is to be rebuilt. */
static int store_open(struct history **h, const char *file, const struct arguments *a,
		      struct error *e)
{
	bool anew = !strcmp(a->action, "rebuild"), write = anew || !strcmp(a->action, "add");
	char *kept;
	int rc = history_open(h, file, write ? HISTORY_WRITE : HISTORY_READ, e);

	if (!rc && (write || !strcmp(a->action, "check")))
		rc = history_check(*h, e);
	if (!rc || rc != -EBADMSG || !anew)
		return rc;
	history_close(*h);
	*h = NULL;
	rc = history_set_aside(file, &kept, e);
	if (!rc) {
		complain(0, "history: the damaged file is now %s", kept);
		rc = history_open(h, file, HISTORY_WRITE, e);
	}
	free(kept);
	return rc;
}

static int act(const struct arguments *a)
{
	char file[4096];
	struct history *h = NULL;
	struct error e = { 0 };
	int rc = 0;

	if (a->db)
		snprintf(file, sizeof(file), "%s", a->db);
	else
		rc = history_default_file(file, sizeof(file), &e);
	if (!rc)
		rc = store_open(&h, file, a, &e);
	if (rc) {
		rc = complain(EXIT_FAILED, "%s", e.text);
	} else if (!strcmp(a->action, "check")) {
		printf("%s is sound\n", file);
	} else if (!strcmp(a->action, "add") || !strcmp(a->action, "rebuild")) {
		rc = add(h, a, &e);
		if (rc < 0)
			rc = complain(EXIT_FAILED, "%s", e.text);
	} else {
		rc = look(h, a);
	}
	history_close(h);
	return rc;
}
#else
static int act(const struct arguments *a)
{
	(void)a;
	return complain(
		EXIT_FAILED,
		"history: this program was built without SQLite: install libsqlite3-dev (Fedora: "
		"sqlite-devel), configure and build again");
}
#endif

int cmd_history(int argc, char **argv)
{
	struct arguments a = { .alpha = 0.05, .least = 2, .seed = 1999 };
	int status = arguments_read(argc, argv, &a);

	return status >= 0 ? status : act(&a);
}
