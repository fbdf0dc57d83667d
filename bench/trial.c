// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "bench/trial.h"

volatile int trial_stop;

#define INTRUDERS_KEPT 16

/* What the trial's process leaves behind for the driver, in shared memory. */
struct shared {
	struct error error;
	int done;
	int left_cpu;
	uint64_t own_switches, own_involuntary, module_loads;
	uint64_t start, stop;
	struct counter_value counters[COUNTER_NR], remote[COUNTER_NR];
	int remote_counted;
	struct figure figures[FIGURES_MAX];
	unsigned int nfigures;
	struct intruder intruders[INTRUDERS_KEPT]; /* those with most time */
	unsigned int nintruders;
	unsigned int nbatches;
	struct batch batches[2 * TRIAL_BATCHES + 1];
	uint64_t warmup, sampled;
	uint64_t stamps[TRIAL_SAMPLES + 1];
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
		.pcid = b->pcid,
		.idle_blind = b->idle_blind,
		.helper_blind = b->helper_blind,
		.seed = order->seed,
		.clock = &b->clock,
	};
}

/* Switches away from the CPU of one own task so far, voluntary and not; adds to both sums. */
static void own_switches(pid_t tid, uint64_t *all, uint64_t *involuntary)
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
	while (f && getline(&line, &cap, f) > 0) {
		if (sscanf(line, "voluntary_ctxt_switches: %llu", &v) == 1)
			*all += v;
		if (sscanf(line, "nonvoluntary_ctxt_switches: %llu", &v) == 1) {
			*all += v;
			*involuntary += v;
		}
	}
	free(line);
	if (f)
		fclose(f);
}

static void own_switches_sum(const struct trial *t, uint64_t *all, uint64_t *involuntary)
{
	*all = *involuntary = 0;
	for (unsigned int i = 0; i < t->ntasks; i++)
		own_switches(t->tasks[i], all, involuntary);
}

/* Cuts the round trips into batches: half of the unobserved ones, shuffled, then the counted ones, then the other half. */
static void batches_plan(struct shared *s, const struct bench *b, const struct trial_order *order)
{
	unsigned int parts = order->iterations < TRIAL_BATCHES ? (unsigned int)order->iterations
							       : TRIAL_BATCHES;
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	unsigned int half;

	for (unsigned int i = 0; i < parts; i++)
		s->batches[s->nbatches++] = (struct batch){ .kind = BATCH_TIMED,
							    .n = order->iterations / parts +
								 (i < order->iterations % parts) };
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
	memmove(s->batches + half + parts, s->batches + half,
		(s->nbatches - half) * sizeof(*s->batches));
	for (unsigned int i = 0; i < parts; i++)
		s->batches[half + i] = (struct batch){ .kind = BATCH_COUNTED,
						       .n = order->iterations / parts +
							    (i < order->iterations % parts) };
	s->nbatches += parts;
}

/* The events of one trial, open only while its counted batches run. */
struct watch {
	struct counter_set *counters;
	struct counter_set *remote; /* on the helper CPU, NULL where that is no part of the claim */
	struct observer *observer;
};

static int watch_open(struct watch *w, const struct trial *t, const struct bench *b,
		      const struct claim *claim, struct error *e)
{
	int rc = counters_open(&w->counters, &counter_kernel, t->cpu, e);

	if (!rc && t->scenario->remote && t->helper >= 0)
		rc = counters_open(&w->remote, &counter_kernel, t->helper, e);
	if (!rc && b->observe)
		rc = observer_open(&w->observer, t->cpu, e);
	if (!rc)
		rc = observer_own(w->observer, t, claim, e);
	return rc;
}

static void watch_close(struct watch *w, const struct trial *t, const struct claim *claim,
			struct shared *s)
{
	struct intruders in = { 0 };

	if (w->counters)
		counters_read(w->counters, s->counters);
	if (w->remote)
		counters_read(w->remote, s->remote);
	s->remote_counted = w->remote != NULL;
	observer_collect(w->observer, t, claim, &in);
	s->nintruders = in.n < INTRUDERS_KEPT ? in.n : INTRUDERS_KEPT;
	if (in.n)
		memcpy(s->intruders, in.list, s->nintruders * sizeof(*in.list));
	free(in.list);
	observer_close(w->observer);
	counters_close(w->remote);
	counters_close(w->counters);
	*w = (struct watch){ 0 };
}

static int batch_do(struct trial *t, const struct bench *b, const struct watch *w, struct shared *s,
		    struct batch *batch)
{
	uint64_t loads = t->module_loads, outside = t->outside;
	int rc;

	t->kind = batch->kind;
	if (w->counters) {
		observer_enable(w->observer);
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
		s->module_loads += t->module_loads - loads;
	}
	batch->outside = t->outside - outside;
	if (sched_getcpu() != t->cpu)
		s->left_cpu = 1;
	return rc;
}

/*
 * Warms up and does batches of the same sort from @i on and returns the index behind them. The own tasks' switches are summed up here:
 * opening and closing events makes others, which are no round trip's.
 */
static unsigned int phase_do(struct trial *t, const struct bench *b, const struct watch *w,
			     struct shared *s, unsigned int i, int *rc)
{
	bool counted = w->counters != NULL;
	uint64_t all, involuntary, all0, involuntary0;

	/*
	 * Caches warm up; and while events were opened one side of a yielding pair had the CPU for itself: the scheduler
	 * lets the other catch up before they alternate again.
	 */
	t->observed = counted;
	t->kind = BATCH_WARMUP;
	*rc = t->scenario->round_trips(t, s->warmup, NULL);
	own_switches_sum(t, &all0, &involuntary0);
	for (; i < s->nbatches && !*rc && (s->batches[i].kind == BATCH_COUNTED) == counted; i++)
		*rc = batch_do(t, b, w, s, &s->batches[i]);
	own_switches_sum(t, &all, &involuntary);
	s->own_switches += all - all0;
	s->own_involuntary += involuntary - involuntary0;
	return i;
}

static int trial_measure(struct trial *t, const struct bench *b, struct shared *s,
			 const struct claim *claim, struct error *e)
{
	struct watch w = { 0 };
	unsigned int i;
	int rc = 0;

	s->start = clock_stamp(&b->clock);
	i = phase_do(t, b, &w, s, 0, &rc);
	if (!rc && b->count) {
		rc = watch_open(&w, t, b, claim, e);
		if (rc) {
			watch_close(&w, t, claim, s);
			return rc;
		}
		i = phase_do(t, b, &w, s, i, &rc);
		watch_close(&w, t, claim, s);
	}
	if (!rc && i < s->nbatches)
		phase_do(t, b, &w, s, i, &rc);
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

static int window_do(struct trial *t, struct shared *s, struct error *e)
{
	const struct timespec pause = { .tv_nsec = 100000 };
	struct trial_window *w = &s->window;
	uint64_t loads;
	char path[64];
	int rc;

	for (unsigned int i = 0; i < t->ntasks && i < WINDOW_TASKS; i++) {
		snprintf(path, sizeof(path), "/proc/self/task/%d", (int)t->tasks[i]);
		w->tasks[w->ntasks].tid = t->tasks[i];
		w->tasks[w->ntasks++].tgid = access(path, F_OK) ? t->tasks[i] : getpid();
	}
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
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	while (waitpid(-pid, NULL, 0) > 0 || errno == EINTR)
		;
}

/* Waits for the trial, at most @limit_s seconds. 0, -ETIMEDOUT or -EINTR. */
static int trial_wait(pid_t pid, double limit_s)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct timespec now, end;
	int rc = -ETIMEDOUT;

	clock_gettime(CLOCK_MONOTONIC, &now);
	end = now;
	end.tv_sec += (time_t)limit_s + 1;
	while (!trial_stop && now.tv_sec < end.tv_sec) {
		int got = poll(&p, 1, 500);

		if (got > 0 || (got < 0 && errno != EINTR)) {
			rc = 0;
			break;
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
	}
	if (trial_stop)
		rc = -EINTR;
	if (fd >= 0)
		close(fd);
	return rc;
}

static int outcome_fill(const struct bench *b, const struct shared *s, struct trial_outcome *out)
{
	out->nbatches = s->nbatches;
	out->batches = malloc(s->nbatches * sizeof(*out->batches) + 1);
	out->latency_ns = malloc(s->sampled * sizeof(double) + 1);
	out->intruders.list = calloc(s->nintruders + 1, sizeof(*s->intruders));
	if (!out->batches || !out->latency_ns || !out->intruders.list)
		return -ENOMEM;
	out->intruders.n = s->nintruders;
	memcpy(out->intruders.list, s->intruders, s->nintruders * sizeof(*s->intruders));
	memcpy(out->counters, s->counters, sizeof(out->counters));
	memcpy(out->remote, s->remote, sizeof(out->remote));
	out->remote_counted = s->remote_counted;
	memcpy(out->figures, s->figures, sizeof(out->figures));
	out->nfigures = s->nfigures;
	memcpy(out->batches, s->batches, s->nbatches * sizeof(*out->batches));
	out->warmup = out->total = s->warmup * (b->count ? 3 : 1); /* before each phase */
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
	out->left_cpu = s->left_cpu;
	out->elapsed_ns = clock_ns(&b->clock, s->stop - s->start);
	return 0;
}

/* Forks the trial's process, waits for it and takes what it left. */
static int trial_fork_and_wait(const struct bench *b, const struct trial_order *order,
			       struct shared *s, struct trial_outcome *out, struct error *e)
{
	double limit_s = 20 + 60e-9 * order->expected_ns * (double)order->iterations;
	pid_t parent = getpid(), pid;
	int rc;

	/*
	 * The child begins where it will measure: its mm must never have been on another CPU, which would stay in its
	 * mm_cpumask (from Linux 6.14 on for up to a second after it left, should_trim_cpumask()).
	 */
	cpu_pin(b->cpu.cpu, NULL);
	pid = fork();
	if (pid != 0 && b->cpu.helper >= 0)
		cpu_pin(b->cpu.helper, NULL);
	if (pid < 0)
		return error_set(e, errno, "cannot fork the trial: %s", strerror(errno));
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
	rc = trial_wait(pid, order->expected_ns > 0 ? limit_s : 60);
	if (rc == 0 && !s->done && !s->error.code) {
		siginfo_t info = { 0 };

		waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT);
		error_set(&s->error, ECHILD, "its process was killed by signal %d", info.si_status);
	}
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

int trial_run(const struct bench *b, const struct trial_order *order, struct trial_outcome *out,
	      struct error *e)
{
	struct interrupts before = { 0 }, after = { 0 };
	uint64_t begin;
	double busy;
	struct trial t;
	struct shared *s;
	int rc;

	memset(out, 0, sizeof(*out));
	s = mem_shared(sizeof(*s), -1, e);
	if (!s)
		return -ENOMEM;
	trial_describe(b, order, &t);
	out->claim = order->scenario->claim(&t);
	if (order->scenario->excluded_ns)
		out->excluded_ns = order->scenario->excluded_ns(&t);
	batches_plan(s, b, order);
	interrupts_read(&before, b->cpu.cpu);
	busy = b->cpu.sibling >= 0 ? cpu_busy_ns(b->cpu.sibling) : 0;
	begin = clock_monotonic_ns();
	rc = trial_fork_and_wait(b, order, s, out, e);
	if (rc)
		goto done;
	interrupts_read(&after, b->cpu.cpu);
	out->interrupts = after.total - before.total;
	out->steal_ns = after.steal_ns - before.steal_ns;
	interrupts_culprit(&before, &after, out->interrupt, sizeof(out->interrupt));
	out->nlines = interrupts_grown(&before, &after, out->lines, TRIAL_INTERRUPTS);
	if (b->cpu.sibling >= 0)
		out->sibling_share = (cpu_busy_ns(b->cpu.sibling) - busy) /
				     (double)(clock_monotonic_ns() - begin + 1);
	out->error = s->error;
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
	memset(out, 0, sizeof(*out));
}
