// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench/commands/commands.h"
#include "bench/explain/explain.h"
#include "bench/harness/plan.h"
#include "bench/report/report.h"
#include "bench/harness/prepare.h"
#include "lib/switches/log-perf.h"
#include "lib/base/member.h"

static const char help[] =
	"usage: activemm explain SCENARIO[:key=value,...] [OPTION]...\n\n"
	"Does a few round trips of a scenario and tells them switch by switch: which task leaves "
	"and which comes,\n"
	"its mm, its active_mm, mm_users and mm_count, and what happened to CR3.\n\n"
	"  --cpu N          do it on CPU N (default: the best allowed one)\n"
	"  --round-trips N  so many, 1 to 100 (default 4)\n"
	"  --json           the story as JSON\n"
	"  --source WHICH   bpf, perf (tells less, and needs less), or auto\n"
	"  --perfetto FILE  the story as a trace, too, for Perfetto and chrome://tracing\n"
	"  -o, --output DIR draw a timeline, too (DIR/explain.svg and .png), and write a page to "
	"step "
	"through:\n"
	"                   DIR/explain.html\n";

enum source { SOURCE_AUTO, SOURCE_BPF, SOURCE_PERF };

struct explain_options {
	long cpu, round_trips;
	bool json;
	enum source source;
	const char *dir;
	const char *perfetto;
	const char *spec;
};

/* Whichever of the two could be opened. */
struct source_log {
	struct log_bpf *bpf, *bpf_remote;
	struct log_perf *perf, *perf_remote;
	struct error why; /* BPF cannot be had: why */
};

enum { OPT_CPU = 256, OPT_ROUND_TRIPS, OPT_JSON, OPT_SOURCE, OPT_PERFETTO, OPT_HELP };

static const struct option options[] = {
	{ "cpu", required_argument, NULL, OPT_CPU },
	{ "round-trips", required_argument, NULL, OPT_ROUND_TRIPS },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "source", required_argument, NULL, OPT_SOURCE },
	{ "perfetto", required_argument, NULL, OPT_PERFETTO },
	{ "output", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};

static int source_parse(struct explain_options *o, const char *text)
{
	static const char *const names[] = { "auto", "bpf", "perf" };

	for (int i = 0; i < 3; i++) {
		if (strcmp(text, names[i]))
			continue;
		o->source = i;
		return 0;
	}
	complain(0, "--source %s: it must be one of auto, bpf, perf", text);
	return -EINVAL;
}

/* Returns -1 to go on, or the exit status. */
static int options_parse(int argc, char **argv, struct explain_options *o)
{
	int c, rc = 0;

	opterr = 0;
	optind = 1;
	while (!rc && (c = getopt_long(argc, argv, "o:h", options, NULL)) != -1) {
		switch (c) {
		case OPT_CPU:
			rc = option_number("--cpu", optarg, 0, 1 << 20, &o->cpu);
			break;
		case OPT_ROUND_TRIPS:
			rc = option_number("--round-trips", optarg, 1, 100, &o->round_trips);
			break;
		case OPT_JSON:
			o->json = true;
			break;
		case OPT_SOURCE:
			rc = source_parse(o, optarg);
			break;
		case OPT_PERFETTO:
			o->perfetto = optarg;
			break;
		case 'o':
			o->dir = optarg;
			break;
		case 'h':
		case OPT_HELP:
			fputs(help, stdout);
			return EXIT_DONE;
		default:
			return complain(EXIT_USAGE,
					"explain: option '%s' is unknown or lacks its value: see "
					"`activemm explain --help'",
					argv[optind - 1]);
		}
	}
	if (rc)
		return EXIT_USAGE;
	if (optind != argc - 1)
		return complain(EXIT_USAGE, "explain: name one scenario: `activemm list' shows "
					    "them");
	if (o->dir && (!*o->dir || strlen(o->dir) > 3000))
		return complain(EXIT_USAGE, "explain: -o needs the name of a folder");
	o->spec = argv[optind];
	return -1;
}

static void on_signal(int number)
{
	trial_stop = number;
}

static int bpf_open(struct source_log *log, unsigned int cpu, int remote)
{
	int rc = log_bpf_open(&log->bpf, cpu, &log->why);

	if (!rc && remote >= 0)
		rc = log_bpf_open(&log->bpf_remote, (unsigned int)remote, &log->why);
	return rc;
}

static int perf_open(struct source_log *log, unsigned int cpu, int remote, struct error *e)
{
	int rc = log_perf_open(&log->perf, cpu, e);

	if (!rc && remote >= 0)
		rc = log_perf_open(&log->perf_remote, (unsigned int)remote, e);
	return rc;
}

/* @remote: the second CPU to log, or -1. */
static int log_open(struct source_log *log, const struct explain_options *o, unsigned int cpu,
		    int remote, struct error *e)
{
	int rc = -ENOTSUP;

	if (o->source == SOURCE_PERF)
		error_set(&log->why, ENOTSUP, "not asked for (--source perf)");
	else
		rc = bpf_open(log, cpu, remote);
	if (!rc)
		return 0;
	if (o->source == SOURCE_BPF) {
		*e = log->why;
		return rc;
	}
	rc = perf_open(log, cpu, remote, e);
	if (rc && o->source == SOURCE_AUTO) {
		struct error perf = *e;

		return error_set(e, -rc,
				 "switches can be seen neither by BPF (%.200s) nor by perf events "
				 "(%.200s)",
				 log->why.text, perf.text);
	}
	return rc;
}

static int bpf_read(struct log_bpf *log, struct story *story, struct story_log *entries,
		    struct error *e)
{
	uint64_t lost = 0;
	int rc = log ? log_bpf_read(log, story_log, entries, &lost, e) : 0;

	story->lost += lost;
	return rc;
}

static int perf_read(struct log_perf *steps, struct story *story, struct story_log *entries,
		     const struct trial_window *w, struct error *e)
{
	uint64_t lost = 0;
	int rc;

	if (!steps)
		return 0;
	for (unsigned int i = 0; i < w->ntasks; i++)
		if (log_perf_own(steps, (uint32_t)w->tasks[i].tid, (uint32_t)w->tasks[i].tgid))
			return error_set(e, ENOMEM, "no memory for the tasks");
	rc = log_perf_read(steps, story_log, entries, &lost, &story->loads_seen, e);
	story->lost += lost;
	return rc;
}

static int log_read(struct source_log *log, struct story *story, struct story_log *entries,
		    const struct trial_window *w, struct error *e)
{
	int rc;

	story->exact = log->perf == NULL;
	story->loads_seen = true;
	if (story->exact) {
		rc = bpf_read(log->bpf, story, entries, e);
		return rc ? rc : bpf_read(log->bpf_remote, story, entries, e);
	}
	snprintf(story->missing, sizeof(story->missing),
		 "Not seen: mm, active_mm, mm_users and mm_count, which only BPF can read: %.511s. "
		 "An mm is here a process, and what a kernel thread borrows is the rule's word; "
		 "switches and CR3 loads are the kernel's own events, sampled, which stretches "
		 "the times.",
		 log->why.text);
	rc = perf_read(log->perf, story, entries, w, e);
	return rc ? rc : perf_read(log->perf_remote, story, entries, w, e);
}

/* Loads that no event would have shown are not said to be none. */
static void missing_add(struct story *story)
{
	size_t used = strlen(story->missing);

	snprintf(story->missing + used, sizeof(story->missing) - used, "%s",
		 story->loads_seen
			 ? " Here perf gets no tracepoints from the idle task, so CR3 loads in it "
			   "are not seen either."
			 : " This kernel has no tlb:tlb_flush event, so CR3 loads are not "
			   "seen either.");
}

static void log_close(struct source_log *log)
{
	log_bpf_close(log->bpf);
	log_bpf_close(log->bpf_remote);
	log_perf_close(log->perf);
	log_perf_close(log->perf_remote);
}

/* The round trips, and the story of what the log saw. */
static int story_make(struct story *story, const struct bench *bench, const struct plan_item *item,
		      const struct explain_options *o, struct error *e)
{
	struct bench seeing = *bench, *b = &seeing;
	struct trial_order order = { .scenario = item->scenario, .params = item->params };
	struct trial_window *w = calloc(1, sizeof(*w));
	struct story_log entries = { 0 };
	struct source_log log = { 0 };
	struct trial t;
	int rc;

	if (!w)
		return error_set(e, ENOMEM, "out of memory");
	story->scenario = item->scenario;
	scenario_params_text(item->scenario, item->params, false, story->params,
			     sizeof(story->params));
	story->cpu = b->cpu.cpu;
	story->remote.cpu = item->scenario->remote ? b->cpu.helper : -1;
	story->round_trips = w->round_trips = (uint64_t)o->round_trips;
	rc = log_open(&log, o, (unsigned int)b->cpu.cpu, story->remote.cpu, e);
	/* BPF sees the idle task also where perf events do not. */
	if (!log.perf)
		b->idle_blind = b->helper_blind = false;
	trial_describe(b, &order, &t);
	story->claim = item->scenario->claim(&t);
	if (!rc)
		rc = scenario_possible(&t, e);
	if (!rc)
		rc = trial_window(b, &order, w, e);
	if (!rc)
		rc = log_read(&log, story, &entries, w, e);
	story_log_sort(&entries);
	log_close(&log);
	if (!rc)
		rc = story_tell(story, &entries, w, b, e);
	if (!rc && story->blind)
		missing_add(story);
	if (!rc)
		story_words(story);
	free(entries.entries);
	free(w);
	return rc;
}

/*
 * The story, and where yielding tasks do not take turns exactly (older kernels) the same by eventfd, as a run would do it:
 * unless the user asked for the one that was told first.
 */
static int story_make_best(struct story *story, const struct bench *b, struct plan_item *item,
			   const struct explain_options *o, struct error *e)
{
	int handover = scenario_param(item->scenario, "handover"), rc;
	struct story other = { 0 };

	rc = story_make(story, b, item, o, e);
	if (rc || story->kept || story->intrusions || handover < 0 || item->handover_given)
		return rc;
	item->params[handover] = handover_fallback(b->realtime);
	rc = story_make(&other, b, item, o, e);
	if (!rc && other.kept) {
		story_free(story);
		*story = other;
	} else {
		story_free(&other);
	}
	return rc;
}

/* The timeline as two pictures, and the page that has it. A timeline that cannot be drawn is missed on the page, and said. */
static int story_pages(const struct story *story, const struct explain_options *o,
		       const json_t *machine, struct error *e)
{
	const struct result_set set = { .machine = (json_t *)machine };
	struct picture timeline = {
		.name = "explain",
		.title = "Timeline",
		.caption = "A row per task; a bar's colour is the mm that CR3 holds; ticks are CR3 "
			   "loads and shootdowns.",
	};
	char subject[160];
	int rc;

	report_subject(&set, subject, sizeof(subject));
	rc = story_draw(story, o->dir, subject, e);
	timeline.has_data = story->nsteps > 0;
	timeline.drawn = !rc && story->nsteps;
	timeline.why = rc ? e->text : "nothing was switched";
	if (rc && access(o->dir, W_OK))
		return rc;
	return story_page(story, o->dir, subject, &timeline, machine, e) ? -EIO : rc;
}

static int story_show(const struct story *story, const struct explain_options *o,
		      const struct bench *b, struct cpu_topology *topo, struct error *e)
{
	json_t *json, *machine;
	int rc = 0;

	if (o->json) {
		json = story_json(story);
		rc = member_print(json, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9), e);
		json_decref(json);
	} else {
		story_print(story, stdout);
	}
	if (!rc && o->perfetto)
		rc = story_perfetto(story, o->perfetto, e);
	if (rc || !o->dir)
		return rc;
	machine = bench_machine(b, topo);
	rc = story_pages(story, o, machine, e);
	if (!rc && !o->json && story->nsteps)
		printf("Timeline: %s/explain.svg\nPage: %s/explain.html\n", o->dir, o->dir);
	json_decref(machine);
	return rc;
}

/* Everything behind the options. *@usage: it is the user's arguments that are wrong. */
static int explain(const struct explain_options *o, bool *usage, struct error *e)
{
	struct cpu_topology *topo = NULL;
	struct story story = { 0 };
	struct plan plan = { 0 };
	struct bench b = { 0 };
	int rc;

	rc = plan_add(&plan, o->spec, e);
	*usage = rc == -EINVAL;
	if (!rc)
		rc = cpu_topology_load(&topo, e);
	if (!rc) {
		rc = bench_open(&b, topo, (int)o->cpu, e);
		*usage = rc == -EINVAL && o->cpu >= 0;
	}
	if (!rc) {
		/* On one CPU the driver shares it, and is an intruder that the story shows. */
		if (b.cpu.helper >= 0)
			cpu_pin(b.cpu.helper, NULL);
	}
	if (!rc)
		rc = story_make_best(&story, &b, &plan.items[0], o, e);
	if (!rc)
		rc = story_show(&story, o, &b, topo, e);
	story_free(&story);
	plan_free(&plan);
	bench_close(&b);
	cpu_topology_free(topo);
	return rc;
}

int cmd_explain(int argc, char **argv)
{
	struct explain_options o = { .cpu = -1, .round_trips = 4 };
	struct sigaction sa = { .sa_handler = on_signal };
	struct error e = { 0 };
	bool usage = false;
	int rc, status = options_parse(argc, argv, &o);

	if (status >= 0)
		return status;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	/* Partners whose parent was killed come to this process to be reaped. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	rc = explain(&o, &usage, &e);
	if (rc == -EINTR)
		return 128 + trial_stop;
	return rc ? complain(usage ? EXIT_USAGE : EXIT_FAILED, "%s", e.text) : EXIT_DONE;
}
