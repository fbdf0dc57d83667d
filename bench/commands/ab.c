// SPDX-License-Identifier: GPL-2.0-or-later
/* Two settings of one machine, trial by trial in turns: what drifts hits both alike. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/compare/pairs.h"
#include "bench/commands/commands.h"
#include "bench/harness/shell.h"
#include "bench/commands/run-options.h"
#include "bench/summary/summary.h"
#include "lib/base/member.h"

#define PAIRS_QUICK 10
#define PAIRS	    30
#define PAIRS_LEAST 6 /* with --time: fewer cannot tell anything apart */

static const char help[] =
	"usage: activemm ab 'PREPARE-A' 'PREPARE-B' SCENARIO[:key=value,...]... [OPTIONS]\n\n"
	"Measures two settings of this machine in turns. Before every trial the setting's command\n"
	"is run by sh -c; each pair of trials is in random order. Writes the result sets DIR/a "
	"and\n"
	"DIR/b, and prints how B differs from A: pair by pair, then as `activemm compare' does.\n\n"
	"  --restore CMD    run at the end, however it comes about\n"
	"  --cpu N          measure on CPU N (default: the quietest allowed one)\n"
	"  --trials N       pairs of each scenario and parameter set (default 30, --quick 10)\n"
	"  --iterations N   round trips of a trial (default: as many as take 0.1 s, --quick 0.02 "
	"s)\n"
	"  --time SECONDS   pairs until SECONDS have passed, at least six\n"
	"  --seed N         seed of every random order (default: the time)\n"
	"  --quick          fewer and shorter trials\n"
	"  -o, --output DIR where the two sets go (default: results/ab-DATE-TIME)\n\n"
	"The commands find ACTIVEMM_CPU (the measured CPU), ACTIVEMM_SIDE (a or b) and "
	"ACTIVEMM_ROUND.\n"
	"What one leaves running in the background is ended before the next.\n"
	"Exit status: 0 done, 1 a command or the run failed, or a trial stayed invalid, 2 wrong "
	"usage,\n"
	"128+N stopped by signal N (finished trials are kept).\n";

struct side {
	const char *name; /* of its folder and in the commands' environment */
	const char *what; /* in messages */
	const char *command;
	char *dir;
	struct run_set set;
};

struct ab {
	struct run_options o;
	const char *restore;
	struct bench b;
	struct plan plan;
	struct prepare prepare;
	struct side sides[2];
	struct run_tally tally;
	unsigned int pairs;
	bool usage; /* it is the user's arguments that are wrong */
	bool changed; /* a command has begun: there is something to restore */
};

enum { OPT_RESTORE = RUN_OPT_OWN };

static const struct option options[] = {
	RUN_OPTIONS,
	{ "restore", required_argument, NULL, OPT_RESTORE },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

/* Returns -1 to go on, or the exit status. */
static int options_parse(int argc, char **argv, struct ab *ab)
{
	int c, rc;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		if (c == 'h') {
			fputs(help, stdout);
			return EXIT_DONE;
		}
		if (c == OPT_RESTORE) {
			ab->restore = optarg;
			continue;
		}
		rc = run_option(c, optarg, &ab->o);
		if (rc == -ENOENT)
			return complain(EXIT_USAGE,
					"ab: option '%s' is unknown or lacks its value: see "
					"`activemm ab --help'",
					argv[optind - 1]);
		if (rc)
			return EXIT_USAGE;
	}
	if (argc - optind < 3)
		return complain(EXIT_USAGE, "ab: name the two commands and at least one scenario: "
					    "see `activemm ab --help'");
	return -1;
}

static int side_prepare(struct ab *ab, const struct side *s, unsigned int round, struct error *e)
{
	ab->changed = true;
	prepare_environment(ab->b.cpu.cpu, s->name, round);
	return prepare_run(&ab->prepare, s->what, s->command, e);
}

/* The machine as this side's command leaves it, and the plan as it can run there. */
static int side_open(struct ab *ab, struct side *s, struct cpu_topology *topo, struct error *e)
{
	int rc = side_prepare(ab, s, 0, e);

	if (!rc) {
		s->set.machine = bench_machine(&ab->b, topo);
		rc = s->set.machine ? run_possible(&ab->b, &ab->plan, &s->set, e)
				    : error_set(e, ENOMEM, "out of memory");
	}
	/* The second side's look keeps the first one's number of round trips. */
	if (!rc)
		rc = run_look(&ab->b, &ab->plan, &ab->o, &s->set, HUGE_VAL, e);
	return rc ? rc : run_fit(&ab->b, &ab->plan, &ab->o, &s->set, HUGE_VAL, false, e);
}

/* Both sides are told by the same words, where and when the first one's record was made. */
static void turns_name(struct ab *ab, json_t *session)
{
	const json_t *first = json_object_get(ab->sides[0].set.machine, "session");

	member_set(session, "turns",
		   member_printf("%s %lld", member_text(first, "boot_id"),
				 (long long)json_integer_value(json_object_get(first, "started"))));
}

static int side_create(struct ab *ab, struct side *s, struct error *e)
{
	turns_name(ab, json_object_get(s->set.machine, "session"));
	member_set(s->set.machine, "run", run_plan_json(&ab->plan, &ab->o));
	member_set(
		s->set.machine, "ab",
		member_pack("{s:s, s:o}", "side", s->name, "prepare", member_string(s->command)));
	return result_create(&s->set.w, s->dir, s->set.machine, false, e);
}

static int sides_name(struct ab *ab, char **commands, struct error *e)
{
	static const char *const names[] = { "a", "b" };
	static const char *const whats[] = { "PREPARE-A", "PREPARE-B" };
	char *file = NULL;
	int rc = 0;

	if (mkdir(ab->o.dir, 0777) && errno != EEXIST)
		return error_set(e, errno, "cannot make %s: %s", ab->o.dir, strerror(errno));
	for (int i = 0; i < 2 && !rc; i++) {
		struct side *s = &ab->sides[i];

		s->name = names[i];
		s->what = whats[i];
		s->command = commands[i];
		if (asprintf(&s->dir, "%s/%s", ab->o.dir, s->name) < 0 ||
		    asprintf(&file, "%s/trials.jsonl", s->dir) < 0)
			return error_set(e, ENOMEM, "out of memory");
		s->set.dir = s->dir;
		/* Known before the first command changes anything. */
		if (!access(file, F_OK))
			rc = error_set(e, EEXIST,
				       "%s already holds a result set: name another folder with -o "
				       "DIR",
				       s->dir);
		free(file);
	}
	return rc;
}

/* One trial of @item on each side, one right after the other. */
static int pair_do(struct ab *ab, const struct plan_item *item, unsigned int round, bool b_first,
		   struct error *e)
{
	int rc = 0;

	for (int i = 0; i < 2 && !rc; i++) {
		struct side *s = &ab->sides[i ^ (int)b_first];

		rc = side_prepare(ab, s, round, e);
		if (!rc)
			rc = run_trial(&ab->b, item, round, &ab->o, &s->set, &ab->tally, e);
	}
	return rc;
}

static int pairs_do(struct ab *ab, struct error *e)
{
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	unsigned int *order = malloc(ab->plan.n * sizeof(*order) + 1);
	int rc = rng && order ? 0 : error_set(e, ENOMEM, "out of memory");
	double began = clock_monotonic_s(), told = began;

	if (!rc)
		gsl_rng_set(rng, ab->o.seed);
	for (unsigned int round = 0; round < (unsigned int)ab->o.trials && !rc; round++) {
		if (ab->o.seconds && round >= PAIRS_LEAST &&
		    clock_monotonic_s() - began > (double)ab->o.seconds)
			break;
		plan_shuffle(&ab->plan, rng, order);
		for (unsigned int i = 0; i < ab->plan.n && !rc; i++)
			rc = pair_do(ab, &ab->plan.items[order[i]], round,
				     gsl_rng_uniform_int(rng, 2), e);
		ab->pairs += !rc;
		if (!rc && clock_monotonic_s() - told > 5) {
			told = clock_monotonic_s();
			fprintf(stderr, "round %u: %u trials done, %u repeated, %.0f s\n",
				round + 1, ab->tally.trials - ab->tally.invalid, ab->tally.invalid,
				told - began);
		}
	}
	free(order);
	gsl_rng_free(rng);
	return rc;
}

/* Everything between the options and the output. 0, -EINTR or -errno. */
static int measure(struct ab *ab, char **arguments, int n, struct error *e)
{
	struct cpu_topology *topo = NULL;
	int rc = 0;

	for (int i = 2; i < n && !rc; i++)
		rc = plan_add(&ab->plan, arguments[i], e);
	ab->usage = rc == -EINVAL;
	if (!rc)
		rc = sides_name(ab, arguments, e);
	if (!rc)
		rc = cpu_topology_load(&topo, e);
	if (!rc) {
		rc = bench_open(&ab->b, topo, (int)ab->o.cpu, e);
		ab->usage = rc == -EINVAL && ab->o.cpu >= 0;
	}
	if (rc)
		goto done;
	prepare_init(&ab->prepare, ab->b.cpu.cpu);
	if (ab->b.cpu.helper >= 0)
		cpu_pin(ab->b.cpu.helper, NULL);
	fprintf(stderr, "CPU %d (%s), %s\n", ab->b.cpu.cpu, ab->b.cpu.why,
		ab->b.count ? "claims verified by the kernel's events"
			    : "UNVERIFIED: the kernel's events are out of reach");
	for (int i = 0; i < 2 && !rc; i++)
		rc = side_open(ab, &ab->sides[i], topo, e);
	for (int i = 0; i < 2 && !rc; i++)
		rc = side_create(ab, &ab->sides[i], e);
	if (!rc)
		rc = pairs_do(ab, e);
done:
	bench_close(&ab->b);
	cpu_topology_free(topo);
	return rc;
}

/* Runs --restore, if there is something to restore; what stopped the run does not stop it, a second signal does. */
static int restore(struct ab *ab, struct error *e)
{
	int stopped = trial_stop, rc = 0;

	prepare_end(&ab->prepare);
	if (!ab->restore || !ab->changed)
		return 0;
	trial_stop = 0;
	prepare_environment(ab->b.cpu.cpu, "", ab->pairs);
	rc = prepare_run(&ab->prepare, "--restore", ab->restore, e);
	if (rc == -EINTR)
		error_set(e, EINTR, "--restore '%.120s' was stopped by signal %d", ab->restore,
			  trial_stop);
	/* What it left running was asked for. */
	if (stopped)
		trial_stop = stopped;
	return rc;
}

static int side_finish(struct side *s, struct result_set *set, struct error *e)
{
	json_t *summary;
	int rc;

	result_close(s->set.w);
	s->set.w = NULL;
	rc = result_read(set, s->dir, e);
	if (rc)
		return rc;
	summary = summary_make(set, e);
	rc = summary ? result_write_json(s->dir, "summary.json", summary, e) : -ENOMEM;
	json_decref(summary);
	return rc;
}

/* Summaries of both sets and paired.json; with @print the comparison. */
static int finish(struct ab *ab, bool print, struct error *e)
{
	struct result_set sets[2] = { 0 };
	json_t *paired = NULL;
	int rc = 0;

	for (int i = 0; i < 2 && !rc; i++)
		rc = side_finish(&ab->sides[i], &sets[i], e);
	if (!rc) {
		paired = pairs_make(&sets[0], &sets[1], e);
		rc = paired ? result_write_json(ab->o.dir, "paired.json", paired, e) : -ENOMEM;
	}
	if (!rc && print) {
		pairs_print(paired, stdout);
		printf("\n");
	}
	json_decref(paired);
	for (int i = 0; i < 2; i++)
		if (sets[i].dir)
			result_free(&sets[i]);
	return rc;
}

static int compare(const struct ab *ab)
{
	char *argv[] = { (char *)"compare", ab->sides[0].dir, ab->sides[1].dir, NULL };

	return cmd_compare(3, argv);
}

static void ab_free(struct ab *ab)
{
	for (int i = 0; i < 2; i++) {
		result_close(ab->sides[i].set.w);
		findings_free(&ab->sides[i].set.findings);
		pace_free(&ab->sides[i].set.pace);
		json_decref(ab->sides[i].set.machine);
		free(ab->sides[i].dir);
	}
	plan_free(&ab->plan);
}

/* The sets and the output, after the trials ended with @rc. */
static int conclude(struct ab *ab, int rc, struct error *e)
{
	bool stopped = rc == -EINTR, measured = ab->tally.trials > 0;
	struct error other = { 0 };
	int status = EXIT_DONE;

	if (restore(ab, &other))
		status = complain(EXIT_FAILED, "%s", other.text);
	if (measured && finish(ab, ab->pairs && (!rc || stopped), &other))
		return complain(EXIT_FAILED, "%s", rc && !stopped ? e->text : other.text);
	if (rc && !stopped) {
		return complain(ab->usage ? EXIT_USAGE : EXIT_FAILED,
				measured ? "%s; finished trials are in %s" : "%s", e->text,
				ab->o.dir);
	}
	if (ab->pairs && compare(ab) == EXIT_FAILED)
		status = EXIT_FAILED;
	if (ab->pairs)
		printf("\nResult sets: %s/a, %s/b (%u trials, %u of them invalid and repeated)\n",
		       ab->o.dir, ab->o.dir, ab->tally.trials, ab->tally.invalid);
	if (stopped) {
		complain(0, "stopped by signal %d after %u rounds", trial_stop, ab->pairs);
		return 128 + trial_stop;
	}
	if (ab->tally.given_up)
		return complain(EXIT_FAILED,
				"%u trials stayed invalid after %d attempts: `activemm report' on "
				"the sets says why",
				ab->tally.given_up, RUN_ATTEMPTS);
	return status;
}

int cmd_ab(int argc, char **argv)
{
	struct ab ab = { .o = { .cpu = -1, .seed = (unsigned long)time(NULL) & 0x7fffffff } };
	struct error e = { 0 };
	char dir[64];
	int rc, status = options_parse(argc, argv, &ab);

	if (status >= 0)
		return status;
	if (!ab.o.trials)
		ab.o.trials = ab.o.seconds ? 1000000 : ab.o.quick ? PAIRS_QUICK : PAIRS;
	if (!ab.o.dir) {
		if (run_default_dir(dir, sizeof(dir), "ab", &e))
			return complain(EXIT_FAILED, "%s", e.text);
		ab.o.dir = dir;
	}
	run_catch_signals();
	if (run_recover(&e))
		return complain(EXIT_FAILED, "%s", e.text);
	rc = measure(&ab, argv + optind, argc - optind, &e);
	status = conclude(&ab, rc, &e);
	ab_free(&ab);
	return status;
}
