/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why the kernel refused, and the remedy, in words: an errno means one thing here and another there. */
#ifndef LIB_BASE_REFUSAL_H
#define LIB_BASE_REFUSAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

enum refused {
	REFUSED_CALL, /* whatever is not told of below */
	REFUSED_EVENT, /* a perf event of software, or a tracepoint's */
	REFUSED_PMU, /* one of the CPU */
	REFUSED_TRACEFS,
	REFUSED_BPF,
	REFUSED_AIO,
	REFUSED_HUGE, /* huge pages */
};

/* What tells one cause from another. */
struct refusal_state {
	bool root; /* user 0, here */
	bool user_namespace; /* not the first one: its root is none to the kernel */
	bool confidential; /* locked down so that nobody sees into the kernel */
	bool seccomp; /* system calls are filtered */
	bool guest; /* of a hypervisor */
	bool tracing; /* the kernel knows tracefs */
	uint64_t capabilities; /* effective */
	int paranoid; /* kernel.perf_event_paranoid */
	uint64_t descriptors; /* that this process may have */
	uint64_t aio_used, aio_most; /* contexts, of all */
	uint64_t huge_free, huge_all; /* pages in the pool */
};

/* The state of this process and kernel. What cannot be read is as on a machine that refuses nothing. */
void refusal_read(struct refusal_state *s);

/* The reason for @err of @what and its remedy, one clause without a capital, into @buf. */
void refusal_words(const struct refusal_state *s, enum refused what, int err, char *buf,
		   size_t len);

/* "SUBJECT: reason: remedy" into @e, by the state as it is now. Returns -@err. */
int refusal_set(struct error *e, enum refused what, int err, const char *subject, ...)
	__attribute__((format(printf, 4, 5)));

#endif
