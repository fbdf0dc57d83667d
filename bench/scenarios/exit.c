// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The zombie mm. A thread of a process runs on the measured CPU and ends, so that the CPU, idle, goes on borrowing the process's
 * mm; then the process exits on another CPU: mm_users falls to 0, and mm_count stays above 0 until the borrower switches away
 * (mmput(), exit_mmap() and __mmdrop(), kernel/fork.c; Documentation/mm/active_mm.rst). Freeing the page tables sends the lazy CPU
 * an IPI, on which it leaves for init_mm. Timed is the exit, from the call until the parent has reaped it.
 */
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench/harness/log.h"
#include "bench/harness/scenario.h"
#include "lib/base/refusal.h"
#include "lib/machine/cpu.h"

#define COMM	  "activemm-zombie"
#define SETTLE_NS 30000 /* from the end of the thread until its CPU is surely idle */

enum { BORROW_LAZY, BORROW_NONE };

static const char *const borrow_choices[] = { "lazy", "none", NULL };

static const struct param params[] = {
	{ "borrow", "does the measured CPU borrow the exiting process's mm", borrow_choices, 0, 0,
	  BORROW_LAZY },
	{ "hold", "microseconds that the CPU stays idle after the exit", NULL, 0, 100000, 200 },
	PARAMS_END
};

/* What the processes share. */
struct shared {
	int failed;
	uint64_t exit_stamp, reaped_stamp; /* of the clock */
	uint64_t exit_ns; /* CLOCK_MONOTONIC, as the log of switches has it */
};

struct story {
	struct shared *shared;
	int go, back; /* eventfds: the round trip to the parent of the exiting process and back */
	int cpu; /* where the exiting process's thread runs */
	pid_t tid; /* of that thread */
	struct trial_log log;
	/* Sums over the zombies that were seen in the log. */
	uint64_t seen;
	double life_ns, users, count;
	/* The zombie of the round trip under way, and sums over those before. */
	uint64_t mm, exit_begin_ns, exit_end_ns;
	uint64_t exits, freed, freed_here;
	double exit_mmap_ns, to_free_ns;
};

static struct claim claim(const struct trial *t)
{
	bool lazy = trial_param(t, "borrow", 0) == BORROW_LAZY;

	/*
	 * Lazy: in comes the thread, out by idle; the IPI loads init_mm, the way back the measured task's own mm. Kernel threads
	 * that free what exited switch, too, and load nothing. Where invalidations are broadcast there is no IPI.
	 */
	double loads = t->arch->broadcast ? 2 : 3;

	return (struct claim){ .switches = { true, lazy ? 4 : 2, 12 },
			       .cr3_loads = CLAIM_EXACT(lazy ? loads : 0),
			       .own_switches = 1,
			       .interrupts = lazy && !t->arch->broadcast ? 4 : 2,
			       .idle = true,
			       .comm = COMM,
			       .kworkers = true,
			       .softirqs = true };
}

static int possible(const struct trial *t, struct error *e)
{
	if (scenario_needs_helper(t, e))
		return -ENODEV;
	if (scenario_needs_reloads(t, e))
		return -EOPNOTSUPP;
	return scenario_needs_idle_events(t, false, e);
}

static void wait_ns(uint64_t ns)
{
	for (uint64_t end = clock_monotonic_ns() + ns; clock_monotonic_ns() < end;)
		cpu_relax();
}

/* Runs on the measured CPU for a moment and leaves its mm there. */
static void *visit(void *arg)
{
	struct story *s = arg;

	s->tid = (pid_t)syscall(SYS_gettid);
	if (cpu_pin(s->cpu, NULL))
		s->shared->failed = 1;
	return NULL;
}

/* The process whose mm becomes a zombie. */
static void __attribute__((noreturn)) live(struct trial *t, struct story *s)
{
	pthread_t thread;
	char path[64];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	prctl(PR_SET_NAME, COMM);
	if (pthread_create(&thread, NULL, visit, s))
		_exit(1);
	pthread_join(thread, NULL);
	/* What is joined is not gone yet; when it is gone it may still be about to switch. */
	snprintf(path, sizeof(path), "/proc/self/task/%d", (int)s->tid);
	while (!access(path, F_OK))
		cpu_relax();
	wait_ns(SETTLE_NS);
	s->shared->exit_ns = clock_monotonic_ns();
	s->shared->exit_stamp = clock_stamp(t->clock);
	_exit(s->shared->failed);
}

/* On the other CPU: makes the process and reaps it, round trip by round trip. */
static void parent(struct trial *t, unsigned int index)
{
	struct story *s = t->state;
	uint64_t hold = (uint64_t)trial_param(t, "hold", 0) * 1000, token;
	int status;

	(void)index;
	s->cpu = trial_param(t, "borrow", 0) == BORROW_LAZY ? t->cpu : t->helper;
	while (read(s->go, &token, sizeof(token)) == sizeof(token)) {
		pid_t pid = fork();

		if (pid == 0)
			live(t, s);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			s->shared->failed = 1;
		s->shared->reaped_stamp = clock_stamp(t->clock);
		wait_ns(hold);
		if (write(s->back, &token, sizeof(token)) < 0)
			return;
	}
}

static int prepare(struct trial *t, struct error *e)
{
	struct story *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return error_set(e, ENOMEM, "out of memory");
	t->state = s;
	log_init(&s->log);
	s->go = eventfd(0, EFD_CLOEXEC);
	s->back = eventfd(0, EFD_CLOEXEC);
	s->shared = mem_shared(sizeof(*s->shared), t->node, e);
	if (!s->shared)
		return -ENOMEM;
	if (s->go < 0 || s->back < 0)
		return refusal_set(e, REFUSED_CALL, errno, "eventfd");
	cpu_stay_shallow();
	rc = trial_fork(t, t->helper, parent, 1, e);
	return rc < 0 ? rc : 0;
}

struct seen_by {
	struct trial *t;
	struct story *s;
};

/* The switch back to the measured task: what it borrowed from is what idle had as active_mm. */
static void look(void *context, const struct switch_log_entry *entry)
{
	const struct seen_by *by = context;
	struct story *s = by->s;

	if (entry->kind != LOG_SWITCH || (pid_t)entry->next.pid != s->log.measured ||
	    entry->prev.pid != 0 || entry->prev.active_mm == entry->next.mm ||
	    entry->time_ns < s->shared->exit_ns)
		return;
	s->seen++;
	s->life_ns += (double)(entry->time_ns - s->shared->exit_ns);
	s->users += entry->mm_users;
	s->count += entry->mm_count;
}

/* One zombie at a time: its exit_mmap() begins and ends, and only then may it be freed. */
static void look_at_end(void *context, const struct mm_life_entry *entry)
{
	const struct seen_by *by = context;
	struct story *s = by->s;

	switch (entry->kind) {
	case MM_EXIT_BEGIN:
		if (strncmp(entry->comm, COMM, sizeof(entry->comm)))
			return;
		s->mm = entry->mm;
		s->exit_begin_ns = entry->time_ns;
		s->exit_end_ns = 0;
		s->exits++;
		break;
	case MM_EXIT_END:
		if (entry->mm != s->mm)
			return;
		s->exit_end_ns = entry->time_ns;
		s->exit_mmap_ns += (double)(entry->time_ns - s->exit_begin_ns);
		break;
	case MM_DROP:
		if (!s->mm || entry->mm != s->mm)
			return;
		/* One freed before its exit_mmap() ended is none of those that count as freed. */
		if (s->exit_end_ns && entry->time_ns >= s->exit_end_ns) {
			s->freed++;
			s->freed_here += entry->cpu == (uint32_t)by->t->cpu;
			s->to_free_ns += (double)(entry->time_ns - s->exit_end_ns);
		}
		s->mm = 0;
		break;
	}
}

static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	struct story *s = t->state;
	struct seen_by by = { t, s };
	uint64_t begin = clock_stamp(t->clock), inside = 0;
	const uint64_t one = 1;
	uint64_t token;
	int rc = 0;

	log_follow(&s->log, t);
	for (uint64_t i = 0; i < n && !rc; i++) {
		if (stamps)
			stamps[i] = inside;
		if (write(s->go, &one, sizeof(one)) < 0 ||
		    read(s->back, &token, sizeof(token)) < 0 || s->shared->failed)
			rc = -EIO;
		inside += s->shared->reaped_stamp - s->shared->exit_stamp;
		log_read(&s->log, look, look_at_end, &by);
	}
	if (stamps)
		stamps[n] = inside;
	t->outside += clock_stamp(t->clock) - begin - inside;
	return rc;
}

/* Nobody's zombie is freed at once, and on the CPU where its process exited. */
static void conclude_ends(struct trial *t, const struct story *s)
{
	double exits = s->exits ? (double)s->exits : NAN, freed = s->freed ? (double)s->freed : NAN;
	const char *why = s->log.no_ends;

	trial_figure(t, "exit-mmap", "ns", s->exit_mmap_ns / exits,
		     s->exits ? "BPF on exit_mmap's begin and end, in the exiting task" : why);
	trial_figure(t, "zombie-freed", "ns", s->to_free_ns / freed,
		     s->freed ? "BPF: from the end of exit_mmap to __mmdrop" : why);
	trial_figure(t, "freed-by-borrower", "", (double)s->freed_here / exits,
		     s->exits ? "BPF on __mmdrop: the share that the measured CPU freed" : why);
}

static void conclude(struct trial *t)
{
	static const char source[] = "BPF on sched_switch, at the switch that ends the borrowing";
	struct story *s = t->state;
	bool lazy = trial_param(t, "borrow", 0) == BORROW_LAZY;
	double n = lazy && s->seen ? (double)s->seen : NAN;
	const char *from = isfinite(n) ? source
			   : lazy      ? s->log.no_switches
				       : "borrow=none leaves no zombie on this CPU";

	trial_figure(t, "zombie-life", "ns", s->life_ns / n, from);
	trial_figure(t, "zombie-mm-users", "", s->users / n, from);
	trial_figure(t, "zombie-mm-count", "", s->count / n, from);
	trial_figure(t, "zombies-seen", "", isfinite(n) ? n : NAN, from);
	conclude_ends(t, s);
	log_close(&s->log);
}

SCENARIO(exit_) = {
	.name = "exit",
	.summary = "a process exits elsewhere while this CPU borrows its mm: the zombie mm",
	.params = params,
	.claim = claim,
	.possible = possible,
	.prepare = prepare,
	.round_trips = round_trips,
	.conclude = conclude,
	.cleanup = trial_reap,
};
