// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tasks on n CPUs enter and leave borrowing at once: each switch to a kernel thread or to idle takes a reference on mm_count and
 * each switch back drops it (mmgrab_lazy_tlb(), include/linux/sched/mm.h; not with MMU_LAZY_TLB_SHOOTDOWN). With one mm
 * the tasks pass that cache line around, each with its own mm they do not.
 */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "bench/harness/aio.h"
#include "bench/harness/scenario.h"
#include "lib/machine/cpu.h"

#define SLEEP_NS 50000
#define STRIDE	 128 /* of the tasks' counters: no prefetcher pairs two tasks' lines */

enum { MM_SHARED, MM_PRIVATE };
enum { VIA_IDLE, VIA_KWORKER };

static const char *const mm_choices[] = { "shared", "private", NULL };
static const char *const via_choices[] = { "idle", "kworker", NULL };

static const struct param params[] = {
	{ "n", "tasks, the measured one included; more than CPUs share them", NULL, 1, 65536, 2 },
	{ "mm", "one for all, or each its own", mm_choices, 0, 0, MM_SHARED },
	{ "via", "who borrows it: idle, or a kworker", via_choices, 0, 0, VIA_IDLE },
	PARAM_PLACE(.later = false),
	PARAMS_END
};

/* One task's means of giving up its CPU. */
struct task {
	struct aio aio;
	struct io_event done;
};

struct start { /* of a thread */
	struct trial *t;
	unsigned int index;
};

struct refcount {
	long n;
	struct task me;
	char *counts; /* shared: each task's round trips, STRIDE apart */
	uint64_t own, others; /* round trips of the timed batches */
	double ns; /* and how long they took */
};

static uint64_t *count_of(const struct refcount *r, long i)
{
	return (uint64_t *)(r->counts + i * STRIDE);
}

/* Tasks that share the measured CPU with the measured one. */
static long company(const struct trial *t)
{
	long n = trial_param(t, "n", 1);

	return t->ncpus ? (n - 1) / (long)t->ncpus : 0;
}

static struct claim claim(const struct trial *t)
{
	bool kworker = trial_param(t, "via", 0) == VIA_KWORKER;
	bool shared = trial_param(t, "mm", 0) == MM_SHARED;
	struct claim c = { .own_switches = -1, .kworkers = kworker, .idle = !kworker };

	c.interrupts = kworker ? 0 : 2;
	/* The others' timers expire as often as they come to run, which is not as often as the measured task does. */
	if (!kworker && company(t))
		c.interrupts = INFINITY;
	if (!company(t)) {
		/* The third is to PREEMPT_RT's thread for timers. */
		c.switches = (struct claim_range){ true, 2, t->realtime && !kworker ? 3 : 2 };
		c.own_switches = 1;
	}
	/* Idle states may leave the mm; and nothing is known where no event shows the way out of idle. */
	if (!kworker && !t->idle_blind && !company(t))
		c.cr3_loads = (struct claim_range)CLAIM_UP_TO(2);
	if (kworker && (shared || !company(t)))
		c.cr3_loads = c.cr3_flushes = (struct claim_range)CLAIM_EXACT(0);
	return c;
}

static int possible(const struct trial *t, struct error *e)
{
	if (trial_param(t, "via", 0) == VIA_KWORKER && aio_available(e))
		return -e->code;
	return scenario_needs_place(t, e);
}

static int task_open(struct task *k, long via, struct error *e)
{
	if (via == VIA_KWORKER)
		return aio_open(&k->aio, IOCB_CMD_FSYNC, e);
	prctl(PR_SET_TIMERSLACK, 1);
	return 0;
}

static always_inline long task_step(struct task *k, long via)
{
	static const struct timespec nap = { .tv_nsec = SLEEP_NS };

	if (via == VIA_IDLE)
		return clock_nanosleep(CLOCK_MONOTONIC, 0, &nap, NULL);
	return aio_round(&k->aio, &k->done);
}

/* Another task's whole life. */
static void other(struct trial *t, unsigned int index)
{
	struct refcount *r = t->state;
	uint64_t *count = count_of(r, index);
	long via = trial_param(t, "via", 0);
	struct task k = { 0 };

	if (task_open(&k, via, NULL))
		return;
	__atomic_store_n(count, 1, __ATOMIC_RELEASE);
	while (!task_step(&k, via))
		__atomic_store_n(count, *count + 1, __ATOMIC_RELAXED);
}

static void *other_thread(void *arg)
{
	struct start *s = arg;
	int cpu = s->t->cpus[trial_param(s->t, "place", 0)][s->index % s->t->ncpus];

	if (!cpu_pin(cpu, NULL)) {
		/* The observer needs to know who belongs to the trial; read again once the task runs. */
		*(count_of(s->t->state, s->index) + 1) = (uint64_t)syscall(SYS_gettid);
		other(s->t, s->index);
	}
	return NULL;
}

static int other_start(struct trial *t, struct start *s, struct error *e)
{
	int cpu = t->cpus[trial_param(t, "place", 0)][s->index % t->ncpus], rc;
	pthread_attr_t attr;
	pthread_t thread;

	if (trial_param(t, "mm", 0) == MM_PRIVATE) {
		rc = trial_fork(t, cpu, other, s->index, e);
		return rc < 0 ? rc : 0;
	}
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	rc = pthread_create(&thread, &attr, other_thread, s);
	pthread_attr_destroy(&attr);
	return rc ? error_set(e, rc, "cannot start task %u: %s", s->index, strerror(rc)) : 0;
}

/* Waits until task @i does round trips, and takes it among the own ones where it shares the measured CPU. */
static int other_wait(struct trial *t, const struct refcount *r, long i, struct error *e)
{
	for (int tries = 0; !__atomic_load_n(count_of(r, i), __ATOMIC_ACQUIRE); tries++) {
		if (tries == 50000)
			return error_set(e, ETIMEDOUT,
					 "task %ld of %ld did not start: AIO contexts or processes "
					 "are limited (fs.aio-max-nr, ulimit -u)",
					 i, r->n);
		usleep(100);
	}
	if (trial_param(t, "mm", 0) == MM_SHARED && i % t->ncpus == 0)
		return trial_add_task(t, (pid_t)count_of(r, i)[1]);
	return 0;
}

static int prepare(struct trial *t, struct error *e)
{
	struct refcount *r = calloc(1, sizeof(*r));
	struct start *starts;
	int rc;

	if (!r)
		return error_set(e, ENOMEM, "out of memory");
	t->state = r;
	r->n = trial_param(t, "n", 1);
	r->counts = mem_shared((size_t)r->n * STRIDE, -1, e);
	starts = calloc((size_t)r->n, sizeof(*starts));
	if (!r->counts || !starts)
		return error_set(e, ENOMEM, "out of memory");
	rc = task_open(&r->me, trial_param(t, "via", 0), e);
	for (long i = 1; i < r->n && !rc; i++) {
		starts[i] = (struct start){ t, (unsigned int)i };
		rc = other_start(t, &starts[i], e);
	}
	for (long i = 1; i < r->n && !rc; i++)
		rc = other_wait(t, r, i, e);
	return rc;
}

static uint64_t others(const struct refcount *r)
{
	uint64_t sum = 0;

	for (long i = 1; i < r->n; i++)
		sum += __atomic_load_n(count_of(r, i), __ATOMIC_RELAXED);
	return sum;
}

static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	struct refcount *r = t->state;
	uint64_t enter = clock_stamp(t->clock), before = others(r);
	uint64_t begin = clock_stamp(t->clock), end;
	long bad = 0;

	if (trial_param(t, "via", 0) == VIA_IDLE)
		ROUND_TRIPS(t, n, stamps, bad |= task_step(&r->me, VIA_IDLE));
	else
		ROUND_TRIPS(t, n, stamps, bad |= task_step(&r->me, VIA_KWORKER));
	end = clock_stamp(t->clock);
	if (t->kind == BATCH_TIMED) {
		r->own += n;
		r->others += others(r) - before;
		r->ns += clock_ns(t->clock, end - begin);
	}
	t->outside += begin - enter + clock_stamp(t->clock) - end;
	return bad ? -EIO : 0;
}

static void conclude(struct trial *t)
{
	static const char source[] = "the tasks' own counts, over the timed batches";
	const struct refcount *r = t->state;
	double all = r->ns > 0 ? (double)(r->own + r->others) * 1e9 / r->ns : NAN;
	double cpus = fmin((double)r->n, (double)t->ncpus);

	trial_figure(t, "round-trips", "1/s, all tasks", all, source);
	trial_figure(t, "round-trips-per-cpu", "1/s", all / cpus, source);
}

static double excluded_ns(const struct trial *t)
{
	return trial_param(t, "via", 0) == VIA_IDLE ? SLEEP_NS : 0;
}

SCENARIO(refcount) = {
	.name = "refcount",
	.summary = "tasks on n CPUs start and end borrowing at once: contention on mm_count",
	.params = params,
	.claim = claim,
	.possible = possible,
	.prepare = prepare,
	.round_trips = round_trips,
	.conclude = conclude,
	.cleanup = trial_reap,
	.excluded_ns = excluded_ns,
};
