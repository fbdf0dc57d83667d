/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How tasks on one CPU hand it to each other: a ring of @parties, each waits for its turn and gives it to the next.
 * give and wait are inlined with a constant kind, so that a measured loop holds the system calls and nothing else;
 * syscall(2) because libc's read() and write() are cancellation points and cost more in a threaded process.
 */
#ifndef BENCH_HARNESS_HANDOVER_H
#define BENCH_HARNESS_HANDOVER_H

#include <linux/futex.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/base/error.h"

enum handover_kind {
	HANDOVER_YIELD, /* sched_yield: no wake-up at all, one system call per switch; same CPU only */
	HANDOVER_EVENTFD,
	HANDOVER_PIPE,
	HANDOVER_FUTEX,
};

extern const char *const handover_choices[];

#define PARAM_HANDOVER                                                                           \
	{                                                                                        \
		"handover", "how the CPU is handed over", handover_choices, 0, 0, HANDOVER_YIELD \
	}

/*
 * The one to take where yielding tasks do not alternate. With PREEMPT_RT an eventfd's lock sleeps: who is woken at once
 * blocks on it, two more switches a side.
 */
static inline enum handover_kind handover_fallback(bool realtime)
{
	return realtime ? HANDOVER_FUTEX : HANDOVER_EVENTFD;
}

struct handover_seat {
	int in; /* what this party reads: pipe or eventfd */
	int out; /* where others write to reach it */
	uint32_t *turn; /* futex word in shared memory: 1 when it is this party's turn */
};

struct handover {
	enum handover_kind kind;
	unsigned int parties;
	struct handover_seat *seats;
	void *shared; /* futex words */
	size_t shared_len;
};

/* Makes seats for @parties tasks that share memory or come from one fork. 0 or -errno. */
int handover_make(struct handover *h, enum handover_kind kind, unsigned int parties, int node,
		  struct error *e);
void handover_free(struct handover *h);

#define always_inline inline __attribute__((always_inline))

static always_inline void handover_give(enum handover_kind kind, const struct handover_seat *to)
{
	static const uint64_t one = 1;

	switch (kind) {
	case HANDOVER_YIELD: /* the yield is the wait */
		break;
	case HANDOVER_EVENTFD:
		syscall(SYS_write, to->out, &one, sizeof(one));
		break;
	case HANDOVER_PIPE:
		syscall(SYS_write, to->out, &one, sizeof(int));
		break;
	case HANDOVER_FUTEX:
		__atomic_store_n(to->turn, 1, __ATOMIC_RELEASE);
		syscall(SYS_futex, to->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
		break;
	}
}

static always_inline void handover_wait(enum handover_kind kind, const struct handover_seat *me)
{
	uint64_t token;

	switch (kind) {
	case HANDOVER_YIELD:
		sched_yield();
		break;
	case HANDOVER_EVENTFD:
		syscall(SYS_read, me->in, &token, sizeof(token));
		break;
	case HANDOVER_PIPE:
		syscall(SYS_read, me->in, &token, sizeof(int));
		break;
	case HANDOVER_FUTEX:
		while (!__atomic_load_n(me->turn, __ATOMIC_ACQUIRE))
			syscall(SYS_futex, me->turn, FUTEX_WAIT, 0, NULL, NULL, 0);
		__atomic_store_n(me->turn, 0, __ATOMIC_RELAXED);
		break;
	}
}

/* Runs @loop(kind, ...) with the kind as a constant. */
#define HANDOVER_SPECIALISE(kind, loop)         \
	do {                                    \
		switch (kind) {                 \
		case HANDOVER_YIELD:            \
			loop(HANDOVER_YIELD);   \
			break;                  \
		case HANDOVER_EVENTFD:          \
			loop(HANDOVER_EVENTFD); \
			break;                  \
		case HANDOVER_PIPE:             \
			loop(HANDOVER_PIPE);    \
			break;                  \
		case HANDOVER_FUTEX:            \
			loop(HANDOVER_FUTEX);   \
			break;                  \
		}                               \
	} while (0)

/*
 * Yielding partners never block by themselves: while the trial opens events they would take the CPU from it, and the scheduler would owe
 * the trial's task that time afterwards. So they are at rest until handover_go() and from handover_rest() on, by a signal: their loop
 * has nothing in it for that. Both do nothing for other kinds. @tids: the trial's tasks, the caller's own may be among them.
 */
void handover_rest(const pid_t *tids, unsigned int n);
void handover_go(void);

/* Are there such partners? */
bool handover_yields(void);

/* A partner's whole life: wait for its turn, give it on. Never returns. */
void handover_serve(const struct handover *h, unsigned int seat) __attribute__((noreturn));

#endif
