// SPDX-License-Identifier: GPL-2.0-or-later
/* Task -> idle -> task: the idle task borrows the mm, and gives it up in deep idle states (leave_mm). */
#include <errno.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>

#include "bench/harness/scenario.h"

enum wake { WAKE_TIMER, WAKE_REMOTE };

static const char *const wake_choices[] = { "timer", "remote", NULL };

static const struct param params[] = {
	{ "wake", "what ends the idling", wake_choices, 0, 0, WAKE_TIMER },
	{ "sleep", "microseconds until the timer", NULL, 1, 100000, 50 },
	PARAMS_WORKSET,
};

static struct claim claim(const struct trial *t)
{
	/* With PREEMPT_RT an ordinary task's timer expires in a thread, ktimers, if that is not busy with the last one. */
	double most = t->realtime && trial_param(t, "wake", 0) == WAKE_TIMER ? 3 : 2;

	/* A CPU whose way out of idle no event shows proves nothing about loads. */
	return (struct claim){
		.switches = { true, 2, most },
		.cr3_loads = { !t->idle_blind, 0, 2 },
		.cr3_flushes = { !t->idle_blind, 0, 2 },
		.own_switches = 1,
		.interrupts =
			2, /* the timer's or the partner's, and the tick's own reprogramming */
		.idle = true
	};
}

static int possible(const struct trial *t, struct error *e)
{
	if (trial_param(t, "wake", 0) == WAKE_REMOTE && t->helper < 0)
		return error_set(e, ENODEV,
				 "wake=remote needs a second CPU and only one is allowed: widen "
				 "the cpuset, or use wake=timer");
	return 0;
}

static void partner(struct trial *t, unsigned int index)
{
	handover_serve(t->state, index);
}

static int prepare(struct trial *t, struct error *e)
{
	struct handover *h;
	int rc;

	prctl(PR_SET_TIMERSLACK, 1);
	if (trial_param(t, "wake", 0) == WAKE_TIMER)
		return 0;
	h = calloc(1, sizeof(*h));
	if (!h)
		return error_set(e, ENOMEM, "out of memory");
	rc = handover_make(h, HANDOVER_EVENTFD, 2, t->node, e);
	if (rc) {
		free(h);
		return rc;
	}
	t->state = h;
	rc = trial_fork(t, t->helper, partner, 1, e);
	return rc < 0 ? rc : 0;
}

static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	if (trial_param(t, "wake", 0) == WAKE_TIMER) {
		const struct timespec sleep = { .tv_nsec = trial_param(t, "sleep", 50) * 1000 };

		ROUND_TRIPS(t, n, stamps, clock_nanosleep(CLOCK_MONOTONIC, 0, &sleep, NULL);
			    workset_touch(&t->ws));
	} else {
		const struct handover *h = t->state;
		const struct handover_seat *me = &h->seats[0], *other = &h->seats[1];

		ROUND_TRIPS(t, n, stamps, handover_give(HANDOVER_EVENTFD, other);
			    handover_wait(HANDOVER_EVENTFD, me); workset_touch(&t->ws));
	}
	return 0;
}

static double excluded_ns(const struct trial *t)
{
	return trial_param(t, "wake", 0) == WAKE_TIMER ? (double)trial_param(t, "sleep", 50) * 1000
						       : 0;
}

SCENARIO(idle) = {
	.name = "idle",
	.summary =
		"task -> idle -> task: entering and leaving idle, woken by a timer or another CPU",
	.params = params,
	.claim = claim,
	.possible = possible,
	.prepare = prepare,
	.round_trips = round_trips,
	.cleanup = trial_reap,
	.excluded_ns = excluded_ns,
};
