// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "bench/harness/child.h"
#include "bench/harness/trial.h"
#include "lib/base/refusal.h"
#include "lib/counters/pidns.h"

volatile int trial_stop;

#define INTRUDERS_KEPT 16
#define LEAD \
	2 /* untimed round trips after a look at the speed: what a yielding partner lags behind is used up in the first */
#define LEAD_BATCH 16 /* round trips of a batch that is worth a look of its own */

/* What the trial's process leaves behind for the driver, in shared memory. */
struct shared {
	struct error error, unobserved;
	int done;
	int left_cpu;
	int own_unknown; /* /proc does not show the own tasks */
	uint64_t own_switches, own_involuntary, module_loads;
	uint64_t start, stop;
	struct counter_value counters[COUNTER_NR], remote[COUNTER_NR];
	int remote_counted;
	struct figure figures[FIGURES_MAX];
	unsigned int nfigures;
	struct company {
		struct intruder list[INTRUDERS_KEPT]; /* those with most time */
		unsigned int n;
	} company, remote_company;
	int remote_watched;
	unsigned int nbatches;
	struct batch batches[3 * TRIAL_BATCHES + 1];
	uint64_t warmup, sampled;
	uint64_t stamps[TRIAL_SAMPLES + 1];
	double speed[SPEED_KINDS]; /* sums of logarithms over the looks */
	unsigned int looks;
	uint64_t leads; /* round trips after them */
	struct trial_window window; /* with round trips: the trial does only these */
};

void trial_describe(const struct bench *b, const struct trial_order *order, struct trial *t)
{
	*t = (struct trial){
		.scenario = order->scenario,
		.params = order->params,
		.cpu = b->cpu.cpu,
		.helper = b->cpu.helper,
		.node = b->cpu.node,
		.cpus = { b->cpus[CPU_NEAR], b->cpus[CPU_PACKAGE], b->cpus[CPU_SPREAD] },
		.ncpus = b->ncpus,
		.arch = arch_here(),
		.pcid = b->pcid,
		.realtime = b->realtime,
		.idle_blind = b->idle_blind,
		.helper_blind = b->helper_blind,
		.reloads_unseen = b->reloads_unseen,
		.seed = order->seed,
		.clock = &b->clock,
	};
}

/* Switches away from the CPU of one own task so far, voluntary and not; adds to both sums. 0, or -errno where /proc does not tell. */
static int own_switches(pid_t tid, uint64_t *all, uint64_t *involuntary)
{
	char path[64], *line = NULL;
	unsigned long long v;
	size_t cap = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/status", (int)tid, (int)tid);
	f = fopen(path, "re");
	if (!f) { /* a thread of this process */
		snprintf(path, sizeof(path), "/proc/self/task/%d/status", (int)tid);
		f = fopen(path, "re");
	}
	if (!f)
		return -errno;
	while (getline(&line, &cap, f) > 0) {
		if (sscanf(line, "voluntary_ctxt_switches: %llu", &v) == 1)
			*all += v;
		if (sscanf(line, "nonvoluntary_ctxt_switches: %llu", &v) == 1) {
			*all += v;
			*involuntary += v;
		}
	}
	free(line);
	fclose(f);
	return 0;
}

static int own_switches_sum(const struct trial *t, uint64_t *all, uint64_t *involuntary)
{
	int rc, first = 0;

	*all = *involuntary = 0;
	for (unsigned int i = 0; i < t->ntasks; i++) {
		rc = own_switches(t->tasks[i], all, involuntary);
		/* A task that has ended is none to ask for. */
		if (!first && rc != -ENOENT && rc != -ESRCH)
			first = rc;
	}
	return first;
}

static void batches_cut(struct batch *batches, unsigned int parts, enum batch_kind kind, uint64_t n)
{
	for (unsigned int i = 0; i < parts; i++)
		batches[i] = (struct batch){ .kind = kind, .n = n / parts + (i < n % parts) };
}

/* Cuts the round trips into batches: half of the unobserved ones, shuffled, then the counted ones, then the other half. */
static void batches_plan(struct shared *s, const struct bench *b, const struct trial_order *order)
{
	unsigned int parts = order->iterations < TRIAL_BATCHES ? (unsigned int)order->iterations
							       : TRIAL_BATCHES;
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	unsigned int half, counted = b->pmu ? 2 * parts : parts;

	batches_cut(s->batches, parts, BATCH_TIMED, order->iterations);
	s->nbatches = parts;
	s->sampled = order->iterations / 10 < TRIAL_SAMPLES ? order->iterations / 10
							    : TRIAL_SAMPLES;
	if (s->sampled)
		s->batches[s->nbatches++] = (struct batch){ .kind = BATCH_SAMPLED,
							    .n = s->sampled };
	s->warmup = order->iterations / 50 + 20;
	gsl_rng_set(rng, order->seed);
	gsl_ran_shuffle(rng, s->batches, s->nbatches, sizeof(*s->batches));
	gsl_rng_free(rng);
	if (!b->count)
		return;
	half = s->nbatches / 2;
	memmove(s->batches + half + counted, s->batches + half,
		(s->nbatches - half) * sizeof(*s->batches));
	batches_cut(s->batches + half, parts, BATCH_COUNTED, order->iterations);
	if (b->pmu)
		batches_cut(s->batches + half + parts, parts, BATCH_PMU, order->iterations);
	s->nbatches += counted;
}

/* The events of one trial, open only while its counted batches run: the kernel's, then the CPU's. */
struct watch {
	enum batch_kind kind;
	struct counter_set *counters;
	struct counter_set *remote; /* on the helper CPU, NULL where that is no part of the claim */
	struct observer *observer, *remote_observer;
};

/* Who is at home on the helper CPU: by name, since the trial's threads there are in no list. */
static struct claim remote_claim(char name[16])
{
	prctl(PR_GET_NAME, name);
	return (struct claim){ .comm = name, .idle = true, .kworkers = true, .stopper = true };
}

static int watch_open(struct watch *w, const struct trial *t, const struct bench *b,
		      const struct claim *claim, struct error *unobserved, struct error *e)
{
	enum counters_part part = w->kind == BATCH_PMU ? COUNTERS_PMU
				  : b->pmu	       ? COUNTERS_KERNEL
						       : COUNTERS_ALL;
	struct counter_source src = counter_kernel;
	int rc;

	src.doubts = &b->doubts;
	rc = counters_open(&w->counters, &src, part, t->cpu, e);

	if (!rc && t->scenario->remote && t->helper >= 0)
		rc = counters_open(&w->remote, &src, part, t->helper, e);
	if (w->kind == BATCH_PMU)
		return rc;
	/* What cannot be seen leaves the trial unverified, not undone. */
	if (!rc && b->observe &&
	    (observer_open(&w->observer, t->cpu, unobserved) ||
	     observer_own(w->observer, t, claim, unobserved))) {
		observer_close(w->observer);
		w->observer = NULL;
	}
	if (!rc && w->remote && b->observe) {
		char name[16] = "";
		struct claim at_home = remote_claim(name);

		/* Without it nobody there can be named, nor said to be absent. */
		if (observer_open(&w->remote_observer, t->helper, NULL) ||
		    observer_own(w->remote_observer, t, &at_home, NULL)) {
			observer_close(w->remote_observer);
			w->remote_observer = NULL;
		}
	}
	return rc;
}

static void company_keep(struct company *c, struct observer *o, const struct claim *claim)
{
	struct intruders in = { 0 };

	observer_collect(o, claim, &in);
	c->n = in.n < INTRUDERS_KEPT ? in.n : INTRUDERS_KEPT;
	if (in.n)
		memcpy(c->list, in.list, c->n * sizeof(*in.list));
	free(in.list);
	observer_close(o);
}

/* The CPU's own counts come beside those that the kernel's events gave before. */
static void watch_read(const struct watch *w, const struct counter_set *set,
		       struct counter_value values[COUNTER_NR])
{
	struct counter_value v[COUNTER_NR];

	if (!set)
		return;
	counters_read(set, v);
	for (int id = 0; id < COUNTER_NR; id++)
		if (w->kind == BATCH_COUNTED || counter_of_pmu(id))
			values[id] = v[id];
}

/* Reads what was counted, and closes all. */
static void watch_close(struct watch *w, const struct claim *claim, struct shared *s)
{
	char name[16] = "";
	struct claim at_home = remote_claim(name);

	watch_read(w, w->counters, s->counters);
	watch_read(w, w->remote, s->remote);
	if (w->kind == BATCH_COUNTED) {
		s->remote_counted = w->remote != NULL;
		s->remote_watched = w->remote_observer != NULL;
		company_keep(&s->company, w->observer, claim);
		company_keep(&s->remote_company, w->remote_observer, &at_home);
	}
	counters_close(w->remote);
	counters_close(w->counters);
}

static void speed_add(struct shared *s, const struct bench *b)
{
	double ns[SPEED_KINDS];

	speed_look(&b->clock, ns);
	for (int k = 0; k < SPEED_KINDS; k++)
		s->speed[k] += log(ns[k]);
	s->looks++;
}

static int lead(struct trial *t, struct shared *s)
{
	s->leads += LEAD;
	t->kind = BATCH_WARMUP;
	return t->scenario->round_trips(t, LEAD, NULL);
}

/* A look before a timed batch, which it must not be felt in. */
static int look_first(struct trial *t, const struct bench *b, struct shared *s,
		      const struct batch *batch)
{
	if (batch->kind != BATCH_TIMED || batch->n < LEAD_BATCH)
		return 0;
	speed_add(s, b);
	return lead(t, s);
}

static int batch_do(struct trial *t, const struct bench *b, const struct watch *w, struct shared *s,
		    struct batch *batch)
{
	uint64_t loads, outside;
	int rc = look_first(t, b, s, batch);

	if (rc)
		return rc;
	loads = t->module_loads;
	outside = t->outside;
	t->kind = batch->kind;
	if (w->counters) {
		observer_enable(w->observer);
		observer_enable(w->remote_observer);
		if (w->remote)
			counters_enable(w->remote);
		counters_enable(w->counters);
	}
	batch->start = clock_stamp(&b->clock);
	rc = t->scenario->round_trips(t, batch->n, batch->kind == BATCH_SAMPLED ? s->stamps : NULL);
	batch->stop = clock_stamp(&b->clock);
	if (w->counters) {
		counters_disable(w->counters);
		if (w->remote)
			counters_disable(w->remote);
		observer_disable(w->observer);
		observer_disable(w->remote_observer);
		if (w->kind == BATCH_COUNTED)
			s->module_loads += t->module_loads - loads;
	}
	batch->outside = t->outside - outside;
	if (sched_getcpu() != t->cpu)
		s->left_cpu = 1;
	return rc;
}

static enum batch_kind phase_of(enum batch_kind kind)
{
	return kind == BATCH_COUNTED || kind == BATCH_PMU ? kind : BATCH_TIMED;
}

/*
 * Warms up and does batches of the same sort from @i on and returns the index behind them. The own tasks' switches are summed up here:
 * opening and closing events makes others, which are no round trip's.
 */
static unsigned int phase_do(struct trial *t, const struct bench *b, const struct watch *w,
			     struct shared *s, unsigned int i, int *rc)
{
	uint64_t all, involuntary, all0, involuntary0;
	int unknown;

	if (w->kind == BATCH_TIMED)
		speed_add(s, b);
	handover_go();
	/* Caches warm up, and yielding tasks come to alternate. */
	t->observed = w->kind == BATCH_COUNTED;
	t->kind = BATCH_WARMUP;
	*rc = t->scenario->round_trips(t, s->warmup, NULL);
	unknown = own_switches_sum(t, &all0, &involuntary0);
	if (!*rc && handover_yields())
		*rc = lead(t, s);
	for (; i < s->nbatches && !*rc && phase_of(s->batches[i].kind) == w->kind; i++)
		*rc = batch_do(t, b, w, s, &s->batches[i]);
	if (!unknown)
		unknown = own_switches_sum(t, &all, &involuntary);
	handover_rest(t->tasks, t->ntasks);
	if (w->kind == BATCH_TIMED)
		speed_add(s, b);
	if (unknown) {
		s->own_unknown = 1;
		refusal_set(&s->unobserved, REFUSED_CALL, -unknown,
			    "the own tasks' switches in /proc");
		return i;
	}
	s->own_switches += all - all0;
	s->own_involuntary += involuntary - involuntary0;
	return i;
}

static int trial_measure(struct trial *t, const struct bench *b, struct shared *s,
			 const struct claim *claim, struct error *e)
{
	const enum batch_kind kinds[] = { BATCH_COUNTED, BATCH_PMU };
	const bool counted[] = { b->count, b->pmu };
	const struct watch none = { .kind = BATCH_TIMED };
	unsigned int i;
	int rc = 0;

	/* Their switches are read by the caller's numbers: elsewhere /proc shows a stranger's, or nothing. */
	s->own_unknown = !pidns_proc_is_own() || (t->kthread && !pidns_is_initial());
	s->start = clock_stamp(&b->clock);
	i = phase_do(t, b, &none, s, 0, &rc);
	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds) && !rc && counted[k]; k++) {
		struct watch w = { .kind = kinds[k] };
		int opened = watch_open(&w, t, b, claim, &s->unobserved, e);

		if (!opened)
			i = phase_do(t, b, &w, s, i, &rc);
		watch_close(&w, claim, s);
		if (opened)
			return opened;
	}
	if (!rc && i < s->nbatches)
		phase_do(t, b, &none, s, i, &rc);
	s->stop = clock_stamp(&b->clock);
	if (rc)
		return error_set(e, -rc, "a round trip failed: %s", strerror(-rc));
	return 0;
}

/* Only a scenario with PARAMS_WORKSET has one. */
static int trial_workset(struct trial *t, struct error *e)
{
	long size = trial_param(t, "pagesize", -1);

	if (size < 0)
		return 0;
	return workset_make(&t->ws, (unsigned int)trial_param(t, "pages", 0),
			    size ? MEM_PAGE_2M : MEM_PAGE_4K, t->node, t->seed, e);
}

/* The own tasks as a log names them. */
static int window_tasks(const struct trial *t, struct trial_window *w, struct error *e)
{
	pid_t *numbers = calloc(t->ntasks + 1, sizeof(*numbers)), self = getpid(), tgid = 0;
	int rc = numbers ? trial_numbers(t, numbers, e) : error_set(e, ENOMEM, "out of memory");

	if (!rc)
		rc = pidns_numbers(&self, 1, &tgid, e);
	for (unsigned int i = 0; i < t->ntasks && i < WINDOW_TASKS && !rc; i++) {
		bool thread = !syscall(SYS_tgkill, self, t->tasks[i], 0);

		w->tasks[w->ntasks].tid = numbers[i];
		w->tasks[w->ntasks++].tgid = thread ? tgid : numbers[i];
	}
	free(numbers);
	return rc;
}

static int window_do(struct trial *t, struct shared *s, struct error *e)
{
	const struct timespec pause = { .tv_nsec = 100000 };
	struct trial_window *w = &s->window;
	uint64_t loads;
	int rc;

	rc = window_tasks(t, w, e);
	if (rc)
		return rc;
	handover_go();
	rc = t->scenario->round_trips(t, s->warmup, NULL);
	loads = t->module_loads;
	w->start_ns = clock_monotonic_ns();
	if (!rc)
		rc = t->scenario->round_trips(t, w->round_trips, NULL);
	w->stop_ns = clock_monotonic_ns();
	w->module_loads = t->module_loads - loads;
	/* A last switch that a log can show, with the address space still there. */
	nanosleep(&pause, NULL);
	return rc ? error_set(e, -rc, "a round trip failed: %s", strerror(-rc)) : 0;
}

/* The trial's process. Everything it leaves is in @s; partners are its own and end with it. */
static void __attribute__((noreturn))
trial_process(const struct bench *b, const struct trial_order *order, struct shared *s,
	      const struct claim *claim)
{
	struct trial t;
	int rc;

	trial_describe(b, order, &t);
	rc = cpu_pin(t.cpu, &s->error);
	if (!rc)
		rc = trial_add_task(&t, (pid_t)syscall(SYS_gettid));
	if (!rc)
		rc = trial_workset(&t, &s->error);
	if (!rc)
		rc = trial_ask(&t, &s->error);
	if (!rc)
		rc = t.scenario->prepare(&t, &s->error);
	if (!rc) {
		rc = s->window.round_trips ? window_do(&t, s, &s->error)
					   : trial_measure(&t, b, s, claim, &s->error);
		if (!rc && t.scenario->conclude)
			t.scenario->conclude(&t);
		memcpy(s->figures, t.figures, sizeof(s->figures));
		s->nfigures = t.nfigures;
		if (t.scenario->cleanup)
			t.scenario->cleanup(&t);
	}
	if (rc && !s->error.code)
		error_set(&s->error, -rc, "%s", strerror(-rc));
	s->done = !rc;
	_exit(rc ? 1 : 0);
}

/* Kills the trial's whole process group and reaps what this process inherited of it as a subreaper. */
static void trial_kill(pid_t pid)
{
	bool refused = kill(-pid, SIGKILL) && errno != ESRCH;

	refused |= kill(pid, SIGKILL) && errno != ESRCH;
	/* Where nothing may be killed, nothing that goes on is waited for. */
	while (waitpid(-pid, NULL, refused ? WNOHANG : 0) > 0 || errno == EINTR)
		;
}

static int company_fill(const struct company *c, struct intruders *in)
{
	in->list = calloc(c->n + 1, sizeof(*in->list));
	if (!in->list)
		return -ENOMEM;
	in->n = c->n;
	memcpy(in->list, c->list, c->n * sizeof(*in->list));
	return 0;
}

static int outcome_fill(const struct bench *b, const struct shared *s, struct trial_outcome *out)
{
	out->nbatches = s->nbatches;
	out->batches = malloc(s->nbatches * sizeof(*out->batches) + 1);
	out->latency_ns = malloc(s->sampled * sizeof(double) + 1);
	if (!out->batches || !out->latency_ns || company_fill(&s->company, &out->intruders) ||
	    company_fill(&s->remote_company, &out->remote_intruders))
		return -ENOMEM;
	out->remote_watched = s->remote_watched;
	memcpy(out->counters, s->counters, sizeof(out->counters));
	memcpy(out->remote, s->remote, sizeof(out->remote));
	out->remote_counted = s->remote_counted;
	memcpy(out->figures, s->figures, sizeof(out->figures));
	out->nfigures = s->nfigures;
	memcpy(out->batches, s->batches, s->nbatches * sizeof(*out->batches));
	out->warmup = out->total = s->warmup *
				   (1 + (b->count ? 2 : 0) + b->pmu); /* before each phase */
	out->total += s->leads;
	for (int k = 0; k < SPEED_KINDS; k++)
		out->speed_ns[k] = s->looks ? exp(s->speed[k] / s->looks) : NAN;
	for (unsigned int i = 0; i < s->nbatches; i++) {
		out->total += s->batches[i].n;
		if (s->batches[i].kind == BATCH_TIMED)
			out->timed += s->batches[i].n;
		else if (s->batches[i].kind == BATCH_COUNTED)
			out->counted += s->batches[i].n;
	}
	out->sampled = s->sampled;
	for (uint64_t i = 0; i < s->sampled; i++)
		out->latency_ns[i] = clock_ns(&b->clock, s->stamps[i + 1] - s->stamps[i]) -
				     b->clock.cost_ns;
	out->own_switches = s->own_switches;
	out->own_involuntary = s->own_involuntary;
	out->module_loads = s->module_loads;
	out->own_unknown = s->own_unknown;
	out->left_cpu = s->left_cpu;
	out->elapsed_ns = clock_ns(&b->clock, s->stop - s->start);
	return 0;
}

/* How a trial ended that left no word itself; @kills: mem_oom_kills() before it began. */
static void end_explain(pid_t pid, uint64_t kills, struct error *e)
{
	siginfo_t info = { 0 };

	if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT))
		error_set(e, errno, "how its process ended is not known: waitid: %s",
			  strerror(errno));
	else if (info.si_code == CLD_EXITED)
		error_set(e, ECHILD, "its process ended too early, with status %d", info.si_status);
	else if (info.si_status == SIGKILL && mem_oom_kills() > kills)
		error_set(
			e, ENOMEM,
			"its process was killed by the kernel's out-of-memory killer: choose fewer "
			"pages or tasks, or raise the memory limit of its control group");
	else
		error_set(e, ECHILD, "its process was killed by signal %d", info.si_status);
}

/* Forks the trial's process, waits for it and takes what it left. */
static int trial_fork_and_wait(const struct bench *b, const struct trial_order *order,
			       struct shared *s, struct trial_outcome *out, struct error *e)
{
	double limit_s = order->expected_ns > 0
				 ? 20 + 60e-9 * order->expected_ns * (double)order->iterations
				 : 60;
	uint64_t kills = mem_oom_kills();
	pid_t parent = getpid(), pid;
	int rc;

	if (order->limit_s > 0)
		limit_s = order->limit_s;
	/*
	 * The child begins where it will measure: its mm must never have been on another CPU, which would stay in its
	 * mm_cpumask (from Linux 6.14 on for up to a second after it left, should_trim_cpumask()).
	 */
	cpu_pin(b->cpu.cpu, NULL);
	pid = fork();
	if (pid != 0 && b->cpu.helper >= 0)
		cpu_pin(b->cpu.helper, NULL);
	if (pid < 0)
		return refusal_set(e, REFUSED_CALL, errno, "cannot fork the trial");
	if (pid == 0) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		signal(SIGHUP, SIG_DFL);
		trial_process(b, order, s, &out->claim);
	}
	setpgid(pid, pid);
	rc = child_wait(pid, limit_s);
	if (rc == 0 && !s->done && !s->error.code)
		end_explain(pid, kills, &s->error);
	trial_kill(pid);
	if (rc == -EINTR)
		return rc;
	if (rc == -ETIMEDOUT) {
		out->timed_out = true;
		error_set(&s->error, ETIMEDOUT, "it did not end within %.0f s and was killed",
			  limit_s);
	}
	return 0;
}

double trial_slice_s(const struct bench *b)
{
	return b->quota.cpus > 0 && b->quota.cpus < 1 ? b->quota.cpus * b->quota.period_s : 0;
}

/* Less than a CPU: what is left of a slice is not known, but once a period has been slept through the next one is whole. */
static void slice_await(const struct bench *b)
{
	if (trial_slice_s(b) > 0)
		usleep((useconds_t)(1e6 * b->quota.period_s));
}

int trial_run(const struct bench *b, const struct trial_order *order, struct trial_outcome *out,
	      struct error *e)
{
	struct interrupts before = { 0 }, after = { 0 };
	uint64_t called = clock_monotonic_ns(), begin;
	struct quota granted, used;
	double busy;
	struct trial t;
	struct shared *s;
	int rc;

	memset(out, 0, sizeof(*out));
	s = mem_shared(sizeof(*s), -1, e);
	if (!s)
		return -ENOMEM;
	trial_describe(b, order, &t);
	out->claim = order->claim ? *order->claim : order->scenario->claim(&t);
	if (order->scenario->excluded_ns)
		out->excluded_ns = order->scenario->excluded_ns(&t);
	batches_plan(s, b, order);
	slice_await(b);
	interrupts_read(&before, b->cpu.cpu);
	quota_read(&granted);
	busy = b->cpu.sibling >= 0 ? cpu_busy_ns(b->cpu.sibling) : 0;
	begin = clock_monotonic_ns();
	rc = trial_fork_and_wait(b, order, s, out, e);
	if (rc)
		goto done;
	quota_read(&used);
	out->throttled = used.throttled - granted.throttled;
	out->throttled_ns = used.throttled_ns - granted.throttled_ns;
	out->wall_s = (double)(clock_monotonic_ns() - called) * 1e-9;
	interrupts_read(&after, b->cpu.cpu);
	out->interrupts = after.total - before.total;
	out->steal_ns = after.steal_ns - before.steal_ns;
	interrupts_culprit(&before, &after, out->interrupt, sizeof(out->interrupt));
	out->nlines = interrupts_grown(&before, &after, out->lines, TRIAL_INTERRUPTS);
	if (b->cpu.sibling >= 0)
		out->sibling_share = (cpu_busy_ns(b->cpu.sibling) - busy) /
				     (double)(clock_monotonic_ns() - begin + 1);
	out->error = s->error;
	out->unobserved = s->unobserved;
	rc = outcome_fill(b, s, out);
done:
	interrupts_free(&before);
	interrupts_free(&after);
	mem_shared_free(s, sizeof(*s));
	return rc;
}

#define WINDOW_WARMUP 200

int trial_window(const struct bench *b, const struct trial_order *order, struct trial_window *w,
		 struct error *e)
{
	struct trial_outcome out = { 0 };
	struct shared *s = mem_shared(sizeof(*s), -1, e);
	struct trial t;
	int rc;

	if (!s)
		return -ENOMEM;
	trial_describe(b, order, &t);
	out.claim = order->scenario->claim(&t);
	s->window.round_trips = w->round_trips;
	s->warmup = WINDOW_WARMUP;
	rc = trial_fork_and_wait(b, order, s, &out, e);
	if (!rc && s->error.code) {
		*e = s->error;
		rc = -s->error.code;
	}
	*w = s->window;
	mem_shared_free(s, sizeof(*s));
	return rc;
}

void trial_outcome_free(struct trial_outcome *out)
{
	free(out->batches);
	free(out->latency_ns);
	free(out->intruders.list);
	free(out->remote_intruders.list);
	memset(out, 0, sizeof(*out));
}
