// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The CPU is lazy (idle, the measured task's mm still loaded) while another CPU takes rights or pages from that mm. No IPI
 * is sent to a lazy CPU (should_flush_tlb(), arch/x86/mm/tlb.c): it finds the mm's generation newer than its own on the
 * way back, and flushes with a CR3 load; where invalidations are broadcast there is nothing to make up for. mm=other changes a stranger's mm instead: the same work, and no load.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench/harness/scenario.h"
#include "lib/base/refusal.h"
#include "lib/machine/cpu.h"
#include "lib/machine/task-state.h"

enum { MM_OWN, MM_OTHER };
enum { OP_MPROTECT, OP_MADVISE };

static const char *const mm_choices[] = { "own", "other", NULL };
static const char *const op_choices[] = { "mprotect", "madvise", NULL };

static const struct param params[] = {
	{ "mm", "whose page tables are changed meanwhile", mm_choices, 0, 0, MM_OWN },
	{ "op", "how", op_choices, 0, 0, OP_MPROTECT },
	PARAMS_WORKSET,
};

struct stale {
	uint32_t *
		asleep; /* shared: 1 from before the measured task sleeps until its page tables were changed */
	int wake; /* eventfd it sleeps on */
	pid_t task;
	int helper;
	long op;
};

static struct claim claim(const struct trial *t)
{
	/* Broadcast, the invalidation reached this CPU's TLB, too. */
	double loads = trial_param(t, "mm", 0) == MM_OWN && !t->arch->broadcast ? 1 : 0;

	return (struct claim){ .switches = CLAIM_EXACT(2),
			       .cr3_loads = CLAIM_EXACT(loads),
			       .cr3_flushes = CLAIM_EXACT(loads),
			       .own_switches = 1,
			       .interrupts = 2,
			       .idle = true };
}

static int possible(const struct trial *t, struct error *e)
{
	if (scenario_needs_helper(t, e))
		return -ENODEV;
	if (scenario_needs_reloads(t, e))
		return -EOPNOTSUPP;
	return scenario_needs_idle_events(t, false, e);
}

/* Changes page tables so that the TLB has to be flushed, but frees none. */
static int change(char *page, long op)
{
	long size = sysconf(_SC_PAGESIZE);

	*(volatile char *)page = 1;
	if (op == OP_MADVISE)
		return madvise(page, (size_t)size, MADV_DONTNEED);
	return mprotect(page, (size_t)size, PROT_READ) |
	       mprotect(page, (size_t)size, PROT_READ | PROT_WRITE);
}

/* The other CPU's side, a thread of the trial (mm=own) or a process (mm=other). */
static void *meddle(void *arg)
{
	struct stale *s = arg;
	uint64_t token = 1;
	char path[64], *page;
	int stat;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)s->task);
	stat = open(path, O_RDONLY | O_CLOEXEC);
	page = mmap(NULL, (size_t)sysconf(_SC_PAGESIZE), PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stat < 0 || page == MAP_FAILED || cpu_pin(s->helper, NULL))
		_exit(1);
	for (;;) {
		while (!__atomic_load_n(s->asleep, __ATOMIC_ACQUIRE))
			cpu_relax();
		while (!taskstate_sleeps(stat))
			cpu_relax();
		if (change(page, s->op))
			_exit(1);
		__atomic_store_n(s->asleep, 0, __ATOMIC_RELEASE);
		if (write(s->wake, &token, sizeof(token)) < 0)
			_exit(1);
	}
	return NULL;
}

static void meddler(struct trial *t, unsigned int index)
{
	(void)index;
	meddle(t->state);
}

static int prepare(struct trial *t, struct error *e)
{
	struct stale *s = calloc(1, sizeof(*s));
	pthread_t thread;
	int rc;

	if (!s)
		return error_set(e, ENOMEM, "out of memory");
	*s = (struct stale){ .wake = eventfd(0, EFD_CLOEXEC),
			     .task = t->tasks[0],
			     .helper = t->helper,
			     .op = trial_param(t, "op", 0),
			     .asleep = mem_shared(sizeof(*s->asleep), t->node, e) };
	t->state = s;
	if (!s->asleep)
		return -ENOMEM;
	if (s->wake < 0)
		return refusal_set(e, REFUSED_CALL, errno, "eventfd");
	cpu_stay_shallow();
	if (trial_param(t, "mm", 0) == MM_OTHER) {
		rc = trial_fork(t, t->helper, meddler, 1, e);
		return rc < 0 ? rc : 0;
	}
	rc = pthread_create(&thread, NULL, meddle, s);
	return rc ? refusal_set(e, REFUSED_CALL, rc, "cannot start the second thread") : 0;
}

static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	const struct stale *s = t->state;
	uint64_t token;

	ROUND_TRIPS(t, n, stamps, __atomic_store_n(s->asleep, 1, __ATOMIC_RELEASE);
		    syscall(SYS_read, s->wake, &token, sizeof(token)); workset_touch(&t->ws));
	return 0;
}

SCENARIO(stale) = {
	.name = "stale",
	.summary = "lazy while another CPU changes the mm's page tables: the flush on the way back",
	.params = params,
	.claim = claim,
	.possible = possible,
	.prepare = prepare,
	.round_trips = round_trips,
	.cleanup = trial_reap,
};
