// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The task gives up its CPU's affinity: migration/N, the stopper thread, takes the CPU from it, borrows its mm and moves
 * it away; then it comes back. A thread of the same process has the CPU meanwhile, so that no idle state leaves the mm.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/harness/scenario.h"
#include "lib/base/refusal.h"
#include "lib/machine/cpu.h"
#include "lib/machine/policy.h"
#include "lib/machine/record.h"

struct stopper {
	size_t len; /* of the masks, bytes */
	cpu_set_t *home, *away;
	int cpu;
	pid_t filler;
	int failed;
};

static const struct param params[] = { PARAMS_WORKSET };

static struct claim claim(const struct trial *t)
{
	/*
	 * Away to migration/N, from it to the thread that stays, and back. With PREEMPT_RT the scheduler's balancing, which
	 * the move sets off, is ksoftirqd's.
	 */
	return (struct claim){ .switches = CLAIM_EXACT(3),
			       .cr3_loads = CLAIM_EXACT(0),
			       .cr3_flushes = CLAIM_EXACT(0),
			       .migrations = CLAIM_EXACT(1),
			       .own_switches = -1,
			       .interrupts = 1, /* by which the other CPU hands the task back */
			       .softirqs = t->realtime,
			       .stopper = true };
}

static int possible(const struct trial *t, struct error *e)
{
	if (t->helper < 0)
		return error_set(e, ENODEV,
				 "it needs a second CPU to be pushed to and only one is allowed: "
				 "widen the cpuset");
	return policy_possible(SCHED_IDLE, 0, e);
}

/* Keeps the CPU, at the lowest priority there is: whoever comes back takes it at once. */
static void *filler(void *arg)
{
	struct stopper *s = arg;
	/* An emulator runs the other CPU when this one relaxes; a hypervisor may take the CPU from who relaxes for long. */
	bool emulated = machine_emulated();

	if (cpu_pin(s->cpu, NULL) || policy_set(SCHED_IDLE, 0, NULL))
		__atomic_store_n(&s->failed, 1, __ATOMIC_RELAXED);
	__atomic_store_n(&s->filler, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	for (;;)
		if (emulated)
			cpu_relax();
	return NULL;
}

static int prepare(struct trial *t, struct error *e)
{
	struct stopper *s = calloc(1, sizeof(*s));
	int most = (t->cpu > t->helper ? t->cpu : t->helper) + 1;
	pthread_t thread;
	int rc;

	if (!s)
		return error_set(e, ENOMEM, "out of memory");
	*s = (struct stopper){ .cpu = t->cpu,
			       .len = CPU_ALLOC_SIZE(most),
			       .home = CPU_ALLOC(most),
			       .away = CPU_ALLOC(most) };
	if (!s->home || !s->away)
		return error_set(e, ENOMEM, "out of memory");
	CPU_ZERO_S(s->len, s->home);
	CPU_ZERO_S(s->len, s->away);
	CPU_SET_S(t->cpu, s->len, s->home);
	CPU_SET_S(t->helper, s->len, s->away);
	t->state = s;
	rc = pthread_create(&thread, NULL, filler, s);
	if (rc)
		return refusal_set(e, REFUSED_CALL, rc, "cannot start the second thread");
	while (!__atomic_load_n(&s->filler, __ATOMIC_ACQUIRE))
		usleep(100);
	if (s->failed)
		return error_set(e, EPERM,
				 "the second thread could not become SCHED_IDLE on CPU %d", t->cpu);
	return trial_add_task(t, s->filler);
}

static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	const struct stopper *s = t->state;
	long bad = 0;

	ROUND_TRIPS(t, n, stamps, bad |= syscall(SYS_sched_setaffinity, 0, s->len, s->away);
		    bad |= syscall(SYS_sched_setaffinity, 0, s->len, s->home);
		    workset_touch(&t->ws));
	return bad ? -errno : 0;
}

SCENARIO(stopper) = {
	.name = "stopper",
	.summary = "task -> migration/N, which pushes it to another CPU, and back: the stopper "
		   "borrows",
	.params = params,
	.claim = claim,
	.possible = possible,
	.prepare = prepare,
	.round_trips = round_trips, /* the other thread ends with the trial's process */
};
