// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "bench/harness/handover.h"
#include "lib/base/refusal.h"
#include "lib/machine/mem.h"

const char *const handover_choices[] = { "yield", "eventfd", "pipe", "futex", NULL };

#define FUTEX_STRIDE 128 /* two cache lines: no prefetcher pairs two parties' words */

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
	*h = (struct handover){ 0 };
}

void handover_serve(const struct handover *h, unsigned int seat)
{
	const struct handover_seat *me = &h->seats[seat];
	const struct handover_seat *next = &h->seats[(seat + 1) % h->parties];

#define SERVE(kind)                        \
	for (;;) {                         \
		handover_wait(kind, me);   \
		handover_give(kind, next); \
	}
	HANDOVER_SPECIALISE(h->kind, SERVE);
#undef SERVE
	_exit(1);
}
