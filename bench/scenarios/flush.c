// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How many flushes of TLBs there can be a second: n tasks, each on a CPU of its own, take rights or pages from themselves at once and
 * again and again, as will-it-scale's tlb_flush tests do. Threads of one mm interrupt each other at every flush (flush_tlb_multi(),
 * arch/x86/mm/tlb.c), take turns with its mmap_lock (not for madvise) and pass its generation around; processes with an mm each flush
 * their own CPU and ask nobody. A round trip is the pages' touching, the operation, and giving back what was taken.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/harness/crew.h"
#include "bench/harness/flushed.h"
#include "bench/harness/scenario.h"
#include "lib/machine/cpu.h"
#include "lib/machine/irq-row.h"

#define RELAX	  64 /* operations */
#define IN_TIME_S 5 /* for the others to be at it */
#define SOME	  0.1 /* of the operations: more than none, and as much as a visitor may take */

enum { MM_SHARED, MM_OWN };

static const char *const mm_choices[] = { "shared", "own", NULL };

static const struct param params[] = {
	{ "n", "tasks, the measured one included, each on a CPU of its own", NULL, 1, 8192, 2 },
	{ "mm", "one for all, or each its own", mm_choices, 0, 0, MM_SHARED },
	{ "op", "what flushes", flush_op_choices, 0, 0, FLUSH_MADVISE },
	{ "pages", "pages it is done to", NULL, 1, 4096, 1 },
	PARAM_PLACE(.later = false),
	PARAMS_END
};

struct flush {
	struct crew crew;
	enum flush_op op;
	struct flushed pages; /* the measured task's */
	int *columns; /* of the tasks' CPUs in /proc/interrupts */
	struct irq_row interrupts; /* row TLB */
	/* Over the timed batches: */
	uint64_t timed, others_timed;
	double ns;
	/* From the first counted batch on to the end of the last one: */
	bool begun;
	uint64_t counted;
	double others_at, others_counted; /* as they were in the middle of reading the interrupts */
	uint64_t arrived_at, arrived;
};

/* The CPU of task @i: near ones begin with the helper CPU, whose events are counted. */
static int cpu_of(const struct trial *t, unsigned int i)
{
	long place = trial_param(t, "place", CPU_NEAR);
	unsigned int next = 0;

	if (place != CPU_NEAR || t->helper < 0)
		return t->cpus[place][i];
	if (i < 2)
		return i ? t->helper : t->cpu;
	for (unsigned int left = i - 1; left; next++)
		left -= t->cpus[place][next] != t->cpu && t->cpus[place][next] != t->helper;
	return t->cpus[place][next - 1];
}

/* One mm, and more than one CPU has it. */
static bool shares(const struct trial *t)
{
	return trial_param(t, "mm", 0) == MM_SHARED && trial_param(t, "n", 1) > 1;
}

static struct claim claim(const struct trial *t)
{
	long op = trial_param(t, "op", 0);
	/* Giving the rights back may flush too (pte_needs_flush(), from Linux 5.19 on not always). */
	double flushes = op == FLUSH_MPROTECT ? 2 : 1;
	bool sleeps = shares(t) && op != FLUSH_MADVISE; /* where another has the mmap_lock */
	struct claim c = { .own_switches = -1, .softirqs = true, .idle = sleeps };

	if (!sleeps) {
		c.switches =
			(struct claim_range)CLAIM_UP_TO(0.05); /* RCU's threads, which free pages */
		c.cr3_loads = c.cr3_flushes = (struct claim_range)CLAIM_EXACT(0);
	}
	if (shares(t))
		c.interrupts = INFINITY;
	if (t->arch->broadcast)
		return c;
	if (!shares(t)) {
		c.tlb_ipis = c.remote_shootdowns = (struct claim_range)CLAIM_EXACT(0);
		return c;
	}
	/*
	 * Of two tasks the other may be off its CPU for a moment, and then nobody is asked. Who sleeps for the lock leaves its CPU lazy: spared,
	 * or, once page tables were freed, out of mm_cpumask. And an IPI for which the other's own flush has made up does nothing, and is not
	 * told.
	 */
	c.tlb_ipis = (struct claim_range){ true, sleeps ? 0 : 1 - SOME, flushes };
	/* Old kernels (5.10) count the asking CPU's own flush as one that came, too. */
	if (trial_param(t, "n", 1) == 2 && trial_param(t, "place", 0) == CPU_NEAR && !sleeps)
		c.remote_shootdowns = (struct claim_range){ true, SOME, INFINITY };
	return c;
}

static int possible(const struct trial *t, struct error *e)
{
	long n = trial_param(t, "n", 1);

	if (t->ncpus && n > (long)t->ncpus)
		return error_set(e, ENODEV,
				 "it needs %ld CPUs and only %u %s allowed: widen the cpuset", n,
				 t->ncpus, t->ncpus == 1 ? "is" : "are");
	return scenario_needs_place(t, e);
}

/* Some time after an mm has become active on more than a few CPUs INVLPGB takes over, and from then on nobody is asked. */
static bool invlpgb(const struct trial *t)
{
	return shares(t) && arch_invlpgb() && trial_param(t, "n", 1) > ARCH_INVLPGB_CPUS;
}

static bool form(const struct trial *t, const struct seen *seen, struct claim *c)
{
	if (!invlpgb(t) || seen->tlb_ipis > 0.9)
		return false;
	*c = claim(t);
	c->tlb_ipis.min = 0;
	return true;
}

static void found(const struct trial *t, const struct seen *seen, char *text, size_t len)
{
	if (!shares(t))
		return;
	if (seen->tlb_ipis < 0.9)
		snprintf(text, len,
			 "other CPUs were asked for %.2f flushes per operation: %s flushes there",
			 seen->tlb_ipis,
			 invlpgb(t) ? "an instruction (AMD INVLPGB)"
				    : "a hypervisor's call (Hyper-V, Xen)");
	else if (seen->remote_shootdowns < 0.1)
		snprintf(text, len,
			 "asked for %.2f flushes per operation, none arrived: the hypervisor "
			 "flushes for the guest",
			 seen->tlb_ipis);
}

static always_inline int step(const struct flushed *pages, enum flush_op op)
{
	int bad = flushed_populate(pages, op);

	bad |= flushed_operate(pages, op);
	return bad | flushed_restore(pages, op);
}

/* Another task's whole life. */
static void other(struct trial *t, unsigned int index)
{
	struct flush *f = t->state;
	uint64_t *count = crew_count(&f->crew, index);
	struct flushed pages, first;

	/*
	 * A forked task's mm was first on the measured CPU, and may stay in its mm_cpumask (from Linux 6.14 on): an operation that frees page
	 * tables finds that out.
	 */
	if (flushed_make(&first, (unsigned int)f->crew.n + index, 1, FLUSH_MUNMAP, NULL) ||
	    step(&first, FLUSH_MUNMAP) ||
	    flushed_make(&pages, index, trial_param(t, "pages", 1), f->op, NULL))
		return;
	__atomic_store_n(count, 1, __ATOMIC_RELEASE);
	while (!step(&pages, f->op)) {
		__atomic_store_n(count, *count + 1, __ATOMIC_RELAXED);
		/* Seldom enough to cost nothing: an emulator's other CPUs want the time. */
		if (!(*count % RELAX))
			cpu_relax();
	}
}

static int prepare(struct trial *t, struct error *e)
{
	struct flush *f = calloc(1, sizeof(*f));
	long n = trial_param(t, "n", 1);
	int rc;

	if (!f)
		return error_set(e, ENOMEM, "out of memory");
	t->state = f;
	f->crew.n = n;
	f->crew.own_mm = trial_param(t, "mm", 0) == MM_OWN;
	f->crew.cpu_of = cpu_of;
	f->crew.life = other;
	f->op = (enum flush_op)trial_param(t, "op", 0);
	f->columns = calloc((size_t)n, sizeof(*f->columns));
	if (!f->columns)
		return error_set(e, ENOMEM, "out of memory");
	rc = irq_row_open(&f->interrupts, "TLB", e);
	for (long i = 0; i < n && !rc; i++)
		f->columns[i] = irq_row_column(&f->interrupts, cpu_of(t, (unsigned int)i));
	if (!rc)
		rc = crew_start(&f->crew, t, e);
	if (!rc)
		rc = flushed_make(&f->pages, 0, trial_param(t, "pages", 1), f->op, e);
	for (long i = 1; i < n && !rc; i++)
		rc = crew_wait(&f->crew, i,
			       "processes or mappings are limited (ulimit -u, -v), or its "
			       "CPU is busy",
			       e);
	return rc;
}

/*
 * Before a batch in one mm: all others are at it. While something else has their CPU nobody is asked, and the batch would tell of one
 * task alone. 0 or -ETIMEDOUT.
 */
static int others_run(const struct flush *f, const struct clock *clock)
{
	uint64_t begin = clock_stamp(clock);

	for (long i = 1; i < f->crew.n; i++) {
		uint64_t before = crew_now(&f->crew, i);

		while (crew_now(&f->crew, i) == before) {
			cpu_relax();
			if (clock_ns(clock, clock_stamp(clock) - begin) > IN_TIME_S * 1e9)
				return -ETIMEDOUT;
		}
	}
	return 0;
}

/* TLB interrupts on the tasks' CPUs so far, and the others' operations, which go on meanwhile: those of the middle of it. */
static uint64_t arrived(struct flush *f, double *operations)
{
	uint64_t before = crew_others(&f->crew), sum = 0;

	irq_row_read(&f->interrupts);
	*operations = ((double)before + (double)crew_others(&f->crew)) / 2;
	for (long i = 0; i < f->crew.n; i++)
		sum += f->columns[i] < 0 ? 0 : f->interrupts.counts[f->columns[i]];
	return sum;
}

static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	struct flush *f = t->state;
	uint64_t enter = clock_stamp(t->clock), before, begin, end;
	double now;
	int bad = 0, rc = shares(t) ? others_run(f, t->clock) : 0;

	if (rc)
		return rc;
	if (t->kind == BATCH_COUNTED && !f->begun) {
		f->begun = true;
		f->arrived_at = arrived(f, &f->others_at);
	}
	before = crew_others(&f->crew);
	begin = clock_stamp(t->clock);
	switch (f->op) {
	case FLUSH_MPROTECT:
		ROUND_TRIPS(t, n, stamps, bad |= step(&f->pages, FLUSH_MPROTECT));
		break;
	case FLUSH_MADVISE:
		ROUND_TRIPS(t, n, stamps, bad |= step(&f->pages, FLUSH_MADVISE));
		break;
	default:
		ROUND_TRIPS(t, n, stamps, bad |= step(&f->pages, FLUSH_MUNMAP));
	}
	end = clock_stamp(t->clock);
	if (t->kind == BATCH_TIMED) {
		f->timed += n;
		f->others_timed += crew_others(&f->crew) - before;
		f->ns += clock_ns(t->clock, end - begin);
	}
	if (t->kind == BATCH_COUNTED) {
		f->counted += n;
		f->arrived = arrived(f, &now) - f->arrived_at;
		f->others_counted = now - f->others_at;
	}
	t->outside += begin - enter + clock_stamp(t->clock) - end;
	return bad ? -EIO : 0;
}

static void conclude(struct trial *t)
{
	static const char source[] = "the tasks' own counts, over the timed batches";
	const struct flush *f = t->state;
	double all = f->ns > 0 ? (double)(f->timed + f->others_timed) * 1e9 / f->ns : NAN;
	double operations = (double)f->counted + f->others_counted;

	trial_figure(t, "operations", "1/s, all tasks", all, source);
	trial_figure(t, "operations-per-cpu", "1/s", all / (double)f->crew.n, source);
	trial_figure(t, "tlb-interrupts", "per operation",
		     f->interrupts.there && f->counted ? (double)f->arrived / operations : NAN,
		     !f->interrupts.there ? "/proc/interrupts has no row TLB here"
		     : f->counted	  ? "/proc/interrupts, row TLB of all the tasks' CPUs"
					  : "nothing was counted");
}

SCENARIO(flush) = {
	.name = "flush",
	.summary = "tasks on n CPUs flush TLBs at once, in one mm or each in its own: throughput",
	.params = params,
	.claim = claim,
	.possible = possible,
	.found = found,
	.form = form,
	.remote = true,
	.prepare = prepare,
	.round_trips = round_trips,
	.conclude = conclude,
	.cleanup = trial_reap,
};
