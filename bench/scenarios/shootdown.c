// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What flushing one's own page tables costs by what other CPUs do with the mm: they run threads of it (active), are idle and
 * have it still loaded (lazy), ran it and went on to another mm (left), or never had it (absent). Lazy CPUs are spared the IPI, but not
 * where page tables are freed (flush_tlb_multi() and tlb_flush_mmu_tlbonly(), arch/x86/mm/tlb.c and mm/mmu_gather.c). A CPU that left is
 * out of mm_cpumask at once up to Linux 6.13, and later stays until an IPI finds it elsewhere (209954cbc7d0). The state is
 * made, and looked at, before every operation; only the operation is timed. Where invalidations are broadcast (struct arch) no other CPU
 * notices any.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/harness/flushed.h"
#include "bench/harness/scenario.h"
#include "lib/base/refusal.h"
#include "lib/machine/cpu.h"
#include "lib/machine/irq-row.h"
#include "lib/machine/policy.h"
#include "lib/machine/task-state.h"

#define IN_TIME_S 5 /* for the other CPUs to get into their states */
#define STRIDE	  128 /* between what different CPUs write: no prefetcher pairs two CPUs' lines */

enum { STATE_ACTIVE, STATE_LAZY, STATE_ABSENT, STATE_LEFT };
enum { FLUSH_FIRST, FLUSH_LATER };

static const char *const state_choices[] = { "active", "lazy", "absent", "left", NULL };
static const char *const flush_choices[] = { "first", "later", NULL };

static const struct param params[] = {
	{ "state", "what the other CPU does with the mm", state_choices, 0, 0, STATE_ACTIVE },
	{ "op", "what flushes", flush_op_choices, 0, 0, FLUSH_MPROTECT },
	{ "pages", "pages it is done to", NULL, 1, 4096, 1 },
	{ "flush", "state=left: each is the first since then, or a later one", flush_choices, 0, 0,
	  FLUSH_FIRST, .later = true },
	{ "pause", "milliseconds before each", NULL, 0, 20, 0, .later = true },
	{ "cpus", "other CPUs in that state", NULL, 1, 8191, 1, .later = true },
	{ "lazy", "and so many lazy ones", NULL, 0, 8191, 0, .later = true },
	PARAM_PLACE(.later = true),
	PARAMS_END
};

/* Another CPU. */
struct other {
	uint64_t alive; /* its thread counts here while it runs */
	uint64_t before; /* what @alive was when the CPU was to get into its state */
	uint64_t irqs; /* TLB interrupts that it counted in the counted batches */
	int state, cpu;
	int wake; /* eventfd on which its thread sleeps */
	int stat; /* its thread's /proc stat */
	pid_t tid;
	int failed;
	int column; /* its one in /proc/interrupts */
	uint64_t *stranger; /* shared: a process of its own counts here while it has the CPU */
} __attribute__((aligned(STRIDE)));

struct shootdown {
	long state, flush;
	enum flush_op op;
	double pause_ns;
	struct flushed pages;
	struct other *others; /* the helper CPU first */
	long n;
	char *strangers; /* STRIDE apart */
	struct irq_row interrupts; /* row TLB */
	uint64_t counted; /* operations in the counted batches */
	bool left; /* the other CPUs have left already */
};

/* Other CPUs that the kernel has in mm_cpumask, or had. */
static bool anybody(const struct trial *t)
{
	return trial_param(t, "state", 0) != STATE_ABSENT || trial_param(t, "lazy", 0);
}

static struct claim claim(const struct trial *t)
{
	long state = trial_param(t, "state", 0), op = trial_param(t, "op", 0);
	/* Giving the rights back may flush too (pte_needs_flush(), from Linux 5.19 on not always). */
	struct claim_range flush = { true, 1, op == FLUSH_MPROTECT ? 2 : 1 };
	struct claim c = { .switches = CLAIM_UP_TO(
				   0.05), /* RCU's threads, which free what was unmapped */
			   .cr3_loads = CLAIM_EXACT(0),
			   .cr3_flushes = CLAIM_EXACT(0),
			   .tlb_ipis = CLAIM_EXACT(0),
			   .remote_shootdowns = CLAIM_EXACT(0),
			   .softirqs = true };

	if (t->arch->broadcast) {
		c.tlb_ipis = c.remote_shootdowns = (struct claim_range){ 0 };
		/* A CPU that is left is so each time anew. */
		if (state != STATE_LEFT)
			c.remote_loads = (struct claim_range)CLAIM_EXACT(0);
		return c;
	}
	/* A CPU that left may still be in mm_cpumask, until an IPI finds it elsewhere. */
	if (state == STATE_LEFT)
		c.remote_left = (struct claim_range)CLAIM_EXACT(0);
	if (state == STATE_LEFT && trial_param(t, "flush", 0) == FLUSH_LATER)
		c.tlb_ipis = (struct claim_range)CLAIM_UP_TO(flush.max);
	if (trial_param(t, "lazy", 0) || state == STATE_ACTIVE || state == STATE_LAZY)
		c.tlb_ipis = flush;
	if (state == STATE_ACTIVE)
		c.remote_shootdowns = flush;
	/* Spared, it flushes on its way back; not spared, it leaves for init_mm and comes back. */
	if (state == STATE_LAZY)
		c.remote_loads = (struct claim_range)CLAIM_EXACT(op == FLUSH_MUNMAP ? 2 : 1);
	return c;
}

static int possible(const struct trial *t, struct error *e)
{
	long state = trial_param(t, "state", 0);
	long need = 1 + trial_param(t, "cpus", 1) + trial_param(t, "lazy", 0);

	if (scenario_needs_helper(t, e))
		return -ENODEV;
	if (t->ncpus && need > (long)t->ncpus)
		return error_set(e, ENODEV,
				 "it needs %ld CPUs and only %u are allowed: widen the cpuset",
				 need, t->ncpus);
	if (state != STATE_LEFT && trial_param(t, "flush", 0) != FLUSH_FIRST)
		return error_set(e, EINVAL, "flush=later is of state=left only");
	if (state == STATE_LAZY && scenario_needs_reloads(t, e))
		return -EOPNOTSUPP;
	if (state == STATE_LAZY && scenario_needs_idle_events(t, true, e))
		return -EOPNOTSUPP;
	return scenario_needs_place(t, e);
}

/* Some time after an mm has become active on more than a few CPUs INVLPGB takes over, and from then on nobody is asked. */
static bool invlpgb(const struct trial *t)
{
	return arch_invlpgb() && trial_param(t, "state", 0) == STATE_ACTIVE &&
	       trial_param(t, "cpus", 1) >= ARCH_INVLPGB_CPUS;
}

static bool form_broadcast(const struct trial *t, const struct seen *seen, struct claim *c)
{
	if (!invlpgb(t) || seen->tlb_ipis > 0.9)
		return false;
	*c = claim(t);
	c->tlb_ipis.min = c->remote_shootdowns.min = 0;
	return true;
}

/* From Linux 6.14 on a CPU that left is asked all the same, and who frees page tables interrupts it, unless the hypervisor flushes. */
static bool form(const struct trial *t, const struct seen *seen, struct claim *c)
{
	long op = trial_param(t, "op", 0);

	if (form_broadcast(t, seen, c))
		return true;
	/* Lazy CPUs are asked anyway. */
	if (trial_param(t, "state", 0) != STATE_LEFT || trial_param(t, "flush", 0) != FLUSH_FIRST ||
	    (trial_param(t, "lazy", 0) ? seen->remote_left : seen->tlb_ipis) < 0.9)
		return false;
	*c = claim(t);
	c->tlb_ipis = (struct claim_range){ true, 1, op == FLUSH_MPROTECT ? 2 : 1 };
	if (op == FLUSH_MUNMAP && seen->remote_left > 0.9)
		c->remote_left = (struct claim_range)CLAIM_EXACT(1);
	return true;
}

/* The other CPU had the mm and left. */
static void found_left(const struct trial *t, const struct seen *seen, char *text, size_t len)
{
	if (seen->remote_left > 0.9)
		snprintf(text, len,
			 "asked for %.2f flushes per operation, and the CPU that had left was "
			 "interrupted %.2f times to find another mm loaded: since Linux 6.14 a CPU "
			 "that leaves stays in mm_cpumask, and who frees page tables spares nobody",
			 seen->tlb_ipis, seen->remote_left);
	else if (trial_param(t, "lazy", 0))
		return;
	else if (seen->tlb_ipis > 0.9 && trial_param(t, "op", 0) == FLUSH_MUNMAP)
		snprintf(text, len,
			 "asked for %.2f flushes per operation of a CPU that had left, none "
			 "arrived: since Linux 6.14 it stays in mm_cpumask, and the hypervisor "
			 "flushes for the guest",
			 seen->tlb_ipis);
	else if (seen->tlb_ipis > 0.9)
		snprintf(text, len,
			 "asked for %.2f flushes per operation in vain, none arrived at the CPU "
			 "that had left: since Linux 6.14 it stays in mm_cpumask and is spared, "
			 "but for a flush a second that takes it out",
			 seen->tlb_ipis);
}

/* Whoever flushes without an interrupt, the operation and its time are the caller's own. */
static void found(const struct trial *t, const struct seen *seen, char *text, size_t len)
{
	long state = trial_param(t, "state", 0);

	if (state == STATE_LEFT)
		found_left(t, seen, text, len);
	if (state == STATE_LEFT || !anybody(t) ||
	    (seen->remote_shootdowns > 0.1 && seen->tlb_ipis > 0.9))
		return;
	if (seen->tlb_ipis > 0.9 && state != STATE_LAZY)
		snprintf(text, len,
			 "asked for %.2f flushes per operation, none arrived: the hypervisor "
			 "flushes for the guest",
			 seen->tlb_ipis);
	else if (seen->tlb_ipis > 0.9)
		snprintf(text, len,
			 "asked for %.2f flushes of the lazy CPU per operation, none arrived and "
			 "it loaded CR3 %.2f times on its way back: the hypervisor flushes for "
			 "the guest",
			 seen->tlb_ipis, seen->remote_loads);
	else if (seen->tlb_ipis < 0.1 || invlpgb(t))
		snprintf(text, len, "other CPUs were asked for %.2f flushes per operation: %s",
			 seen->tlb_ipis,
			 invlpgb(t) ? "an instruction (AMD INVLPGB) flushes there, from soon "
				      "after the mm became active on more than three CPUs on"
				    : "a hypervisor's call (Hyper-V, Xen) flushes there");
}

/* The thread of a CPU that is lazy or leaves runs each time it is woken; an active one's all the time. */
static bool sleeps(const struct other *o)
{
	return o->state == STATE_LAZY || o->state == STATE_LEFT;
}

static void *other(void *arg)
{
	struct other *o = arg;
	uint64_t token;

	if (cpu_pin(o->cpu, NULL))
		__atomic_store_n(&o->failed, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&o->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	for (;;) {
		if (sleeps(o) && read(o->wake, &token, sizeof(token)) < 0)
			return NULL;
		__atomic_fetch_add(&o->alive, 1, __ATOMIC_ACQ_REL);
		cpu_relax();
	}
}

/* The other mm of a CPU that leaves: there whenever the thread sleeps, and gone at once when that wakes. */
static void stranger(struct trial *t, unsigned int index)
{
	uint64_t *count = ((struct shootdown *)t->state)->others[index].stranger;

	policy_set(SCHED_IDLE, 0, NULL);
	for (;;) {
		__atomic_fetch_add(count, 1, __ATOMIC_ACQ_REL);
		cpu_relax();
	}
}

/* It ran after @before was read; and then, if it is to, it sleeps: the second look gives it the time to switch. */
static bool settled(const struct other *o)
{
	return __atomic_load_n(&o->alive, __ATOMIC_ACQUIRE) != o->before &&
	       (!sleeps(o) || (taskstate_sleeps(o->stat) && taskstate_sleeps(o->stat)));
}

static int wait_until(bool (*yes)(const struct other *o), const struct other *o,
		      const struct timespec *end)
{
	struct timespec now;

	while (!yes(o)) {
		cpu_relax();
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec > end->tv_sec)
			return -ETIMEDOUT;
	}
	return 0;
}

static bool stranger_came(const struct other *o)
{
	return __atomic_load_n(o->stranger, __ATOMIC_ACQUIRE) != o->before;
}

/* Brings the other CPUs into their states and sees that they are there. 0 or -ETIMEDOUT. */
static int establish(struct shootdown *s)
{
	const uint64_t token = 1;
	struct timespec end;
	int rc = 0;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += IN_TIME_S;
	for (struct other *o = s->others; o < s->others + s->n; o++) {
		o->before = __atomic_load_n(&o->alive, __ATOMIC_ACQUIRE);
		if (sleeps(o) && write(o->wake, &token, sizeof(token)) < 0)
			return -errno;
	}
	for (struct other *o = s->others; o < s->others + s->n && !rc; o++) {
		if (o->state != STATE_ABSENT)
			rc = wait_until(settled, o, &end);
		if (rc || o->state != STATE_LEFT)
			continue;
		/* Its thread sleeps: once the stranger counts again, that one's mm is loaded. */
		o->before = __atomic_load_n(o->stranger, __ATOMIC_ACQUIRE);
		rc = wait_until(stranger_came, o, &end);
	}
	return rc;
}

static void release(struct trial *t)
{
	struct shootdown *s = t->state;

	for (long i = 0; i < s->n; i++)
		if (s->others[i].stat >= 0)
			close(s->others[i].stat);
	trial_reap(t);
}

static int other_start(struct other *o, struct error *e)
{
	char path[64];
	pthread_t thread;
	int rc;

	if (o->state == STATE_ABSENT)
		return 0;
	rc = pthread_create(&thread, NULL, other, o);
	if (rc)
		return refusal_set(e, REFUSED_CALL, rc, "cannot start the thread of CPU %d",
				   o->cpu);
	while (!__atomic_load_n(&o->tid, __ATOMIC_ACQUIRE))
		usleep(100);
	if (o->failed)
		return error_set(e, EINVAL, "the second thread could not be pinned to CPU %d",
				 o->cpu);
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)o->tid);
	o->stat = open(path, O_RDONLY | O_CLOEXEC);
	return o->stat < 0 ? refusal_set(e, REFUSED_CALL, errno, "%s", path) : 0;
}

/* Adds @sign times the TLB interrupts that the other CPUs have had. */
static void interrupts_add(struct shootdown *s, int sign)
{
	irq_row_read(&s->interrupts);
	for (struct other *o = s->others; o < s->others + s->n; o++)
		if (o->column >= 0)
			o->irqs += (uint64_t)sign * s->interrupts.counts[o->column];
}

static int interrupts_open(struct shootdown *s, struct error *e)
{
	int rc = irq_row_open(&s->interrupts, "TLB", e);

	for (struct other *o = s->others; o < s->others + s->n && !rc; o++)
		o->column = irq_row_column(&s->interrupts, o->cpu);
	return rc;
}

/* The other CPUs by place, the helper, whose events are counted, before all; first those in the state, then the lazy ones. */
static int others_choose(const struct trial *t, struct shootdown *s, struct error *e)
{
	const int *cpus = t->cpus[trial_param(t, "place", CPU_NEAR)];
	long in_state = trial_param(t, "cpus", 1);
	unsigned int next = 0;

	s->n = in_state + trial_param(t, "lazy", 0);
	s->others = aligned_alloc(STRIDE, (size_t)s->n * sizeof(*s->others));
	if (!s->others)
		return error_set(e, ENOMEM, "out of memory");
	memset(s->others, 0, (size_t)s->n * sizeof(*s->others));
	for (long i = 0; i < s->n; i++) {
		struct other *o = &s->others[i];

		while (i && next < t->ncpus && (cpus[next] == t->cpu || cpus[next] == t->helper))
			next++;
		o->cpu = i ? cpus[next++] : t->helper;
		o->state = i < in_state ? (int)s->state : STATE_LAZY;
		o->stat = -1;
		o->stranger = (uint64_t *)(s->strangers + i * STRIDE);
		o->wake = sleeps(o) ? eventfd(0, EFD_CLOEXEC) : -1;
		if (sleeps(o) && o->wake < 0)
			return refusal_set(e, REFUSED_CALL, errno, "eventfd");
	}
	return 0;
}

static int prepare(struct trial *t, struct error *e)
{
	struct shootdown *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return error_set(e, ENOMEM, "out of memory");
	s->state = trial_param(t, "state", 0);
	s->op = (enum flush_op)trial_param(t, "op", 0);
	s->flush = trial_param(t, "flush", 0);
	s->pause_ns = (double)trial_param(t, "pause", 0) * 1e6;
	t->state = s;
	s->strangers = mem_shared(
		(size_t)(trial_param(t, "cpus", 1) + trial_param(t, "lazy", 0)) * STRIDE, -1, e);
	rc = s->strangers ? others_choose(t, s, e) : -ENOMEM;
	/* Before anything else is there that a fork would share. */
	for (long i = 0; i < s->n && rc >= 0; i++)
		if (s->others[i].state == STATE_LEFT)
			rc = trial_fork(t, s->others[i].cpu, stranger, (unsigned int)i, e);
	if (rc < 0)
		return rc;
	cpu_stay_shallow();
	rc = flushed_make(&s->pages, 0, trial_param(t, "pages", 1), s->op, e);
	if (!rc)
		rc = interrupts_open(s, e);
	for (long i = 0; i < s->n && !rc; i++)
		rc = other_start(&s->others[i], e);
	return rc;
}

/* For flushes that are to be later ones: the other CPUs leave, and have their first. */
static int leave(struct shootdown *s)
{
	int rc = flushed_populate(&s->pages, s->op);

	s->left = true;

	rc = rc ? rc : establish(s);
	rc = rc ? rc : flushed_operate(&s->pages, s->op);
	return rc ? rc : flushed_restore(&s->pages, s->op);
}

static void pause_do(const struct clock *clock, double ns)
{
	uint64_t begin = clock_stamp(clock);

	while (clock_ns(clock, clock_stamp(clock) - begin) < ns)
		cpu_relax();
}

static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	struct shootdown *s = t->state;
	uint64_t begin = clock_stamp(t->clock), inside = 0, before, took;
	uint64_t cost = (uint64_t)(t->clock->cost_ns * t->clock->ticks_per_ns);
	int rc = 0;

	/* Where nothing counts it. */
	if (s->flush == FLUSH_LATER && (t->kind == BATCH_WARMUP || !s->left))
		rc = leave(s);
	if (t->kind == BATCH_COUNTED)
		interrupts_add(s, -1);
	for (uint64_t i = 0; i < n && !rc; i++) {
		rc = flushed_populate(&s->pages, s->op);
		if (!rc && s->flush == FLUSH_FIRST)
			rc = establish(s);
		if (s->pause_ns > 0)
			pause_do(t->clock, s->pause_ns);
		before = clock_stamp(t->clock);
		rc |= flushed_operate(&s->pages, s->op);
		took = clock_stamp(t->clock) - before;
		rc |= flushed_restore(&s->pages, s->op);
		if (stamps)
			stamps[i] = inside;
		inside += took;
	}
	if (stamps)
		stamps[n] = inside;
	if (t->kind == BATCH_COUNTED) {
		interrupts_add(s, 1);
		s->counted += n;
	}
	/* Two stamps per operation cost the time between them: that is not the operation's. */
	t->outside += clock_stamp(t->clock) - begin - (inside > n * cost ? inside - n * cost : 0);
	return rc;
}

static void conclude(struct trial *t)
{
	const struct shootdown *s = t->state;
	uint64_t all = 0, lazy = 0;
	double n = s->counted ? (double)s->counted : NAN;

	for (const struct other *o = s->others; o < s->others + s->n; o++) {
		all += o->irqs;
		lazy += o->state == STATE_LAZY ? o->irqs : 0;
	}
	trial_figure(t, "tlb-interrupts", "per operation", (double)s->others->irqs / n,
		     s->counted ? "/proc/interrupts, row TLB of the other CPU"
				: "nothing was counted");
	if (s->n == 1)
		return;
	trial_figure(t, "tlb-interrupts-all", "per operation", (double)all / n,
		     s->counted ? "/proc/interrupts, row TLB of all other CPUs of the trial"
				: "nothing was counted");
	trial_figure(t, "tlb-interrupts-lazy", "per operation", (double)lazy / n,
		     s->counted ? "/proc/interrupts, row TLB of its lazy CPUs"
				: "nothing was counted");
}

SCENARIO(shootdown) = {
	.name = "shootdown",
	.summary =
		"flushing page tables while other CPUs are active or lazy in the mm, left it, or "
		"never had it",
	.params = params,
	.claim = claim,
	.possible = possible,
	.found = found,
	.form = form,
	.remote = true,
	.prepare = prepare,
	.round_trips = round_trips,
	.conclude = conclude,
	.cleanup = release,
};
