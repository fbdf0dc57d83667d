// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What flushing one's own page tables costs by what another CPU does with the mm: it runs a thread of it (active), it is idle
 * and has it still loaded (lazy), or it never had it (absent). Lazy CPUs are spared the IPI, but not where page tables
 * are freed (flush_tlb_multi() and tlb_flush_mmu_tlbonly(), arch/x86/mm/tlb.c and mm/mmu_gather.c). The state is made, and looked at,
 * before every operation; only the operation is timed.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench/scenario.h"
#include "lib/cpu.h"
#include "lib/taskstate.h"

#define PLACE	  (1UL << 36) /* where nothing else is mapped, so that munmap frees the page tables */
#define IN_TIME_S 5 /* for the other CPU to get into its state */

enum { STATE_ACTIVE, STATE_LAZY, STATE_ABSENT };
enum { OP_MPROTECT, OP_MADVISE, OP_MUNMAP };

static const char *const state_choices[] = { "active", "lazy", "absent", NULL };
static const char *const op_choices[] = { "mprotect", "madvise", "munmap", NULL };

static const struct param params[] = { { "state", "what the other CPU does with the mm",
					 state_choices, 0, 0, STATE_ACTIVE },
				       { "op", "what flushes", op_choices, 0, 0, OP_MPROTECT },
				       { "pages", "pages it is done to", NULL, 1, 4096, 1 },
				       PARAMS_END };

struct shootdown {
	long state, op;
	size_t len, page;
	char *at; /* the mapping, alone in the range of its page tables */
	int wake; /* eventfd on which the other thread sleeps */
	int helper;
	pid_t tid; /* of the other thread */
	int stat; /* its /proc stat */
	uint64_t alive; /* the other thread counts here while it runs */
	int interrupts; /* /proc/interrupts */
	char *text; /* what was read of it */
	size_t room;
	unsigned int column; /* the helper CPU's */
	uint64_t irqs,
		counted; /* TLB interrupts that the helper CPU counted, in so many operations */
	int failed;
};

static struct claim claim(const struct trial *t)
{
	long state = trial_param(t, "state", 0), op = trial_param(t, "op", 0);
	/* Giving the rights back may flush too (pte_needs_flush(), from Linux 5.19 on not always). */
	struct claim_range flush = { true, 1, op == OP_MPROTECT ? 2 : 1 };
	struct claim c = { .switches = CLAIM_UP_TO(
				   0.05), /* RCU's threads, which free what was unmapped */
			   .cr3_loads = CLAIM_EXACT(0),
			   .cr3_flushes = CLAIM_EXACT(0),
			   .softirqs = true };

	if (state == STATE_ABSENT) {
		c.tlb_ipis = (struct claim_range)CLAIM_EXACT(0);
		c.remote_shootdowns = (struct claim_range)CLAIM_EXACT(0);
		return c;
	}
	c.tlb_ipis = flush;
	if (state == STATE_ACTIVE) {
		c.remote_shootdowns = flush;
		return c;
	}
	c.remote_shootdowns = (struct claim_range)CLAIM_EXACT(0);
	/* Spared, it flushes on its way back; not spared, it leaves for init_mm and comes back. */
	c.remote_loads = (struct claim_range)CLAIM_EXACT(op == OP_MUNMAP ? 2 : 1);
	return c;
}

static int possible(const struct trial *t, struct error *e)
{
	if (scenario_needs_helper(t, e))
		return -ENODEV;
	if (trial_param(t, "state", 0) == STATE_LAZY)
		return scenario_needs_idle_events(t, true, e);
	return 0;
}

static int supported(const struct trial *t, const struct seen *seen, struct error *e)
{
	if (trial_param(t, "state", 0) == STATE_LAZY && seen->tlb_ipis > 0.9 &&
	    seen->remote_loads < 0.1 && seen->remote_shootdowns < 0.1)
		return error_set(
			e, EOPNOTSUPP,
			"a flush was asked of the lazy CPU %.1f times per operation, and it "
			"neither got an IPI nor loaded CR3 afterwards: the hypervisor "
			"flushes for it; run on hardware or a full virtual machine",
			seen->tlb_ipis);
	return 0;
}

/* The other CPU's thread: runs all the time, or each time it is woken. */
static void *other(void *arg)
{
	struct shootdown *s = arg;
	uint64_t token;

	if (cpu_pin(s->helper, NULL))
		__atomic_store_n(&s->failed, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&s->tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	for (;;) {
		if (s->state == STATE_LAZY && read(s->wake, &token, sizeof(token)) < 0)
			return NULL;
		__atomic_fetch_add(&s->alive, 1, __ATOMIC_ACQ_REL);
	}
}

/* Brings the other CPU into its state and sees that it is there. 0 or -ETIMEDOUT. */
static int establish(struct shootdown *s)
{
	const uint64_t token = 1;
	uint64_t before = __atomic_load_n(&s->alive, __ATOMIC_ACQUIRE);
	struct timespec now, end;

	if (s->state == STATE_ABSENT)
		return 0;
	if (s->state == STATE_LAZY && write(s->wake, &token, sizeof(token)) < 0)
		return -errno;
	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += IN_TIME_S;
	/* It ran after this call began; and then, to be lazy, it sleeps: the second look gives it the time to switch. */
	while (__atomic_load_n(&s->alive, __ATOMIC_ACQUIRE) == before ||
	       (s->state == STATE_LAZY &&
		(!taskstate_sleeps(s->stat) || !taskstate_sleeps(s->stat)))) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		if (now.tv_sec > end.tv_sec)
			return -ETIMEDOUT;
	}
	return 0;
}

static int map(struct shootdown *s)
{
	char *p = mmap(s->at, s->len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	return p == s->at ? 0 : -EEXIST;
}

/* Before an operation: all pages are there and may be written. */
static int populate(struct shootdown *s)
{
	if (s->op == OP_MUNMAP && map(s))
		return -EEXIST;
	for (size_t i = 0; i < s->len; i += s->page)
		((volatile char *)s->at)[i] = 1;
	return 0;
}

static always_inline int operate(const struct shootdown *s)
{
	switch (s->op) {
	case OP_MPROTECT:
		return mprotect(s->at, s->len, PROT_READ);
	case OP_MADVISE:
		return madvise(s->at, s->len, MADV_DONTNEED);
	default:
		return munmap(s->at, s->len);
	}
}

static void release(struct trial *t)
{
	struct shootdown *s = t->state;

	if (s->stat >= 0)
		close(s->stat);
}

static int other_start(struct trial *t, struct shootdown *s, struct error *e)
{
	char path[64];
	pthread_t thread;
	int rc;

	if (s->state == STATE_ABSENT)
		return 0;
	rc = pthread_create(&thread, NULL, other, s);
	if (rc)
		return error_set(e, rc, "cannot start the second thread: %s", strerror(rc));
	while (!__atomic_load_n(&s->tid, __ATOMIC_ACQUIRE))
		usleep(100);
	if (s->failed)
		return error_set(e, EINVAL, "the second thread could not be pinned to CPU %d",
				 t->helper);
	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)s->tid);
	s->stat = open(path, O_RDONLY | O_CLOEXEC);
	return s->stat < 0 ? error_set(e, errno, "%s: %s", path, strerror(errno)) : 0;
}

/*
 * TLB interrupts that the other CPU has had: its column in row "TLB" of /proc/interrupts. Allocates nothing: a fresh page
 * of this process would be a flush of its own.
 */
static uint64_t tlb_interrupts(const struct shootdown *s)
{
	size_t len = 0;
	ssize_t n;
	char *at, *end;

	while ((n = pread(s->interrupts, s->text + len, s->room - 1 - len, (off_t)len)) > 0)
		len += (size_t)n;
	s->text[len] = '\0';
	at = strstr(s->text, "TLB:");
	if (!at)
		return 0;
	at += 4;
	for (unsigned int i = 0; i < s->column; i++, at = end)
		strtoull(at, &end, 10);
	return strtoull(at, NULL, 10);
}

/* Room for /proc/interrupts as it is now and some more, and where the helper CPU is in it. */
static int interrupts_open(struct shootdown *s, struct error *e)
{
	char name[32];
	const char *at;

	s->interrupts = open("/proc/interrupts", O_RDONLY | O_CLOEXEC);
	if (s->interrupts < 0)
		return error_set(e, errno, "/proc/interrupts: %s", strerror(errno));
	for (s->room = 1 << 16; !s->text; s->room *= 2) {
		ssize_t len = 0, n;

		s->text = malloc(2 * s->room);
		if (!s->text)
			return error_set(e, ENOMEM, "out of memory");
		memset(s->text, 0, 2 * s->room);
		while ((n = pread(s->interrupts, s->text + len, s->room - (size_t)len, len)) > 0)
			len += n;
		if ((size_t)len < s->room)
			continue;
		free(s->text);
		s->text = NULL;
	}
	snprintf(name, sizeof(name), "CPU%d ", s->helper);
	at = strstr(s->text, name);
	for (const char *c = s->text; at && c < at; c++)
		s->column += c[0] == 'C' && c[1] == 'P';
	return 0;
}

static int prepare(struct trial *t, struct error *e)
{
	struct shootdown *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return error_set(e, ENOMEM, "out of memory");
	s->page = (size_t)sysconf(_SC_PAGESIZE);
	s->state = trial_param(t, "state", 0);
	s->op = trial_param(t, "op", 0);
	s->len = (size_t)trial_param(t, "pages", 1) * s->page;
	s->helper = t->helper;
	s->wake = eventfd(0, EFD_CLOEXEC);
	s->stat = -1;
	t->state = s;
	if (s->wake < 0)
		return error_set(e, errno, "eventfd: %s", strerror(errno));
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* as many page-table entries as were asked for */
	cpu_stay_shallow();
	s->at = (char *)PLACE;
	if (s->op != OP_MUNMAP && map(s))
		return error_set(e, EEXIST, "no room in the address space at %p", (void *)s->at);
	rc = interrupts_open(s, e);
	return rc ? rc : other_start(t, s, e);
}

static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	struct shootdown *s = t->state;
	uint64_t begin = clock_stamp(t->clock), inside = 0, before, took, irqs = 0;
	uint64_t cost = (uint64_t)(t->clock->cost_ns * t->clock->ticks_per_ns);
	int rc = 0;

	if (t->kind == BATCH_COUNTED)
		irqs = tlb_interrupts(s);
	for (uint64_t i = 0; i < n && !rc; i++) {
		rc = populate(s);
		if (!rc)
			rc = establish(s);
		before = clock_stamp(t->clock);
		rc |= operate(s);
		took = clock_stamp(t->clock) - before;
		if (s->op == OP_MPROTECT)
			rc |= mprotect(s->at, s->len, PROT_READ | PROT_WRITE);
		if (stamps)
			stamps[i] = inside;
		inside += took;
	}
	if (stamps)
		stamps[n] = inside;
	if (t->kind == BATCH_COUNTED) {
		s->irqs += tlb_interrupts(s) - irqs;
		s->counted += n;
	}
	/* Two stamps per operation cost the time between them: that is not the operation's. */
	t->outside += clock_stamp(t->clock) - begin - (inside > n * cost ? inside - n * cost : 0);
	return rc;
}

static void conclude(struct trial *t)
{
	const struct shootdown *s = t->state;

	trial_figure(t, "tlb-interrupts", "per operation",
		     s->counted ? (double)s->irqs / (double)s->counted : NAN,
		     s->counted ? "/proc/interrupts, row TLB of the other CPU"
				: "nothing was counted");
}

SCENARIO(shootdown) = {
	.name = "shootdown",
	.summary = "flushing page tables while another CPU is active or lazy in the mm, or never "
		   "had it",
	.params = params,
	.claim = claim,
	.possible = possible,
	.supported = supported,
	.remote = true,
	.prepare = prepare,
	.round_trips = round_trips,
	.conclude = conclude,
	.cleanup = release,
};
