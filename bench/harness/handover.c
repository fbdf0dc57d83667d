// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "bench/harness/handover.h"
#include "lib/base/refusal.h"
#include "lib/machine/mem.h"

const char *const handover_choices[] = { "yield", "eventfd", "pipe", "futex", NULL };

#define FUTEX_STRIDE 128 /* two cache lines: no prefetcher pairs two parties' words */

#define REST_SIGNAL SIGUSR2

static uint32_t *resting; /* 1: yielding partners are at rest; this process's and its children's */

static void rest(int number)
{
	/* Where the wake-up is refused, a partner comes by itself. */
	const struct timespec tick = { .tv_nsec = 10000000 };
	int kept = errno;

	(void)number;
	while (__atomic_load_n(resting, __ATOMIC_ACQUIRE))
		syscall(SYS_futex, resting, FUTEX_WAIT, 1, &tick, NULL, 0);
	errno = kept;
}

void handover_rest(const pid_t *tids, unsigned int n)
{
	pid_t self;

	if (!resting)
		return;
	self = (pid_t)syscall(SYS_gettid);
	__atomic_store_n(resting, 1, __ATOMIC_RELEASE);
	for (unsigned int i = 0; i < n; i++)
		if (tids[i] != self)
			syscall(SYS_tkill, tids[i], REST_SIGNAL);
}

void handover_go(void)
{
	if (!resting)
		return;
	__atomic_store_n(resting, 0, __ATOMIC_RELEASE);
	syscall(SYS_futex, resting, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

bool handover_yields(void)
{
	return resting;
}

static int rest_make(int node, struct error *e)
{
	struct sigaction sa = { .sa_handler = rest };

	resting = mem_shared(sizeof(*resting), node, e);
	if (!resting)
		return -ENOMEM;
	*resting = 1;
	return sigaction(REST_SIGNAL, &sa, NULL)
		       ? refusal_set(e, REFUSED_CALL, errno, "the signal that partners rest by")
		       : 0;
}

int handover_make(struct handover *h, enum handover_kind kind, unsigned int parties, int node,
		  struct error *e)
{
	int fds[2];

	*h = (struct handover){ .kind = kind, .parties = parties };
	h->seats = calloc(parties, sizeof(*h->seats));
	if (!h->seats)
		return error_set(e, ENOMEM, "out of memory");
	for (unsigned int i = 0; i < parties; i++)
		h->seats[i].in = h->seats[i].out = -1;
	if (kind == HANDOVER_YIELD && parties > 1 && rest_make(node, e)) {
		handover_free(h);
		return -e->code;
	}
	if (kind == HANDOVER_FUTEX) {
		h->shared_len = (size_t)parties * FUTEX_STRIDE;
		h->shared = mem_shared(h->shared_len, node, e);
		if (!h->shared) {
			handover_free(h);
			return -ENOMEM;
		}
	}
	for (unsigned int i = 0; i < parties; i++) {
		struct handover_seat *s = &h->seats[i];

		if (kind == HANDOVER_FUTEX) {
			s->turn = (uint32_t *)((char *)h->shared + (size_t)i * FUTEX_STRIDE);
		} else if (kind == HANDOVER_EVENTFD) {
			s->in = s->out = eventfd(0, EFD_CLOEXEC);
		} else if (kind == HANDOVER_PIPE && pipe(fds) == 0) {
			s->in = fds[0];
			s->out = fds[1];
		}
		if ((kind == HANDOVER_EVENTFD || kind == HANDOVER_PIPE) && s->in < 0) {
			int err = errno;

			handover_free(h);
			return refusal_set(e, REFUSED_CALL, err, "the hand-over's descriptors");
		}
	}
	return 0;
}

void handover_free(struct handover *h)
{
	for (unsigned int i = 0; h->seats && i < h->parties; i++) {
		if (h->seats[i].out >= 0 && h->seats[i].out != h->seats[i].in)
			close(h->seats[i].out);
		if (h->seats[i].in >= 0)
			close(h->seats[i].in);
	}
	free(h->seats);
	if (h->shared)
		mem_shared_free(h->shared, h->shared_len);
	if (h->kind == HANDOVER_YIELD && resting) {
		mem_shared_free(resting, sizeof(*resting));
		resting = NULL;
	}
	*h = (struct handover){ 0 };
}

void handover_serve(const struct handover *h, unsigned int seat)
{
	const struct handover_seat *me = &h->seats[seat];
	const struct handover_seat *next = &h->seats[(seat + 1) % h->parties];

	if (resting)
		rest(0);
#define SERVE(kind)                        \
	for (;;) {                         \
		handover_wait(kind, me);   \
		handover_give(kind, next); \
	}
	HANDOVER_SPECIALISE(h->kind, SERVE);
#undef SERVE
	_exit(1);
}
