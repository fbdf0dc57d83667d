// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tasks on n CPUs enter and leave borrowing at once: each switch to a kernel thread or to idle takes a reference on mm_count and
 * each switch back drops it (mmgrab_lazy_tlb(), include/linux/sched/mm.h; not with MMU_LAZY_TLB_SHOOTDOWN). With one mm
 * the tasks pass that cache line around, each with its own mm they do not.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "bench/harness/aio.h"
#include "bench/harness/crew.h"
#include "bench/harness/scenario.h"

#define SLEEP_NS 50000

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

struct refcount {
	struct crew crew;
	struct task me;
	uint64_t own, others; /* round trips of the timed batches */
	double ns; /* and how long they took */
};

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
	uint64_t *count = crew_count(&r->crew, index);
	long via = trial_param(t, "via", 0);
	struct task k = { 0 };

	if (task_open(&k, via, NULL))
		return;
	__atomic_store_n(count, 1, __ATOMIC_RELEASE);
	while (!task_step(&k, via))
		__atomic_store_n(count, *count + 1, __ATOMIC_RELAXED);
}

static int cpu_of(const struct trial *t, unsigned int i)
{
	return t->cpus[trial_param(t, "place", 0)][i % t->ncpus];
}

/* Waits until task @i does round trips, and takes it among the own ones where it shares the measured CPU. */
static int other_wait(struct trial *t, const struct refcount *r, long i, struct error *e)
{
	int rc = crew_wait(&r->crew, i,
			   "AIO contexts or processes are limited (fs.aio-max-nr, ulimit -u)", e);

	if (!rc && !r->crew.own_mm && i % t->ncpus == 0)
		rc = trial_add_task(t, crew_thread(&r->crew, i));
	return rc;
}

static int prepare(struct trial *t, struct error *e)
{
	struct refcount *r = calloc(1, sizeof(*r));
	int rc;

	if (!r)
		return error_set(e, ENOMEM, "out of memory");
	t->state = r;
	r->crew.n = trial_param(t, "n", 1);
	r->crew.own_mm = trial_param(t, "mm", 0) == MM_PRIVATE;
	r->crew.cpu_of = cpu_of;
	r->crew.life = other;
	rc = task_open(&r->me, trial_param(t, "via", 0), e);
	if (!rc)
		rc = crew_start(&r->crew, t, e);
	for (long i = 1; i < r->crew.n && !rc; i++)
		rc = other_wait(t, r, i, e);
	return rc;
}

static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	struct refcount *r = t->state;
	uint64_t enter = clock_stamp(t->clock), before = crew_others(&r->crew);
	uint64_t begin = clock_stamp(t->clock), end;
	long bad = 0;

	if (trial_param(t, "via", 0) == VIA_IDLE)
		ROUND_TRIPS(t, n, stamps, bad |= task_step(&r->me, VIA_IDLE));
	else
		ROUND_TRIPS(t, n, stamps, bad |= task_step(&r->me, VIA_KWORKER));
	end = clock_stamp(t->clock);
	if (t->kind == BATCH_TIMED) {
		r->own += n;
		r->others += crew_others(&r->crew) - before;
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
	double cpus = fmin((double)r->crew.n, (double)t->ncpus);

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
