// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A scenario to start from, which works as it is: two processes pass a message through a pipe. Say here in a line or two
 * which path of the kernel it takes, and what that shows. Copy this file to NAME.c, replace "skeleton" by NAME, and add a
 * line to local.mk. `list', `run', `explain', claims and tables take it from here.
 *
 * The tests build this one into a program of its own (with-skeleton) and run it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/harness/scenario.h"

#define MESSAGE_MOST 4096

/* What the partners share: made by prepare(), found in t->state, gone with the trial's process. */
struct talk {
	int there[2], back[2];
	size_t bytes;
	char message[MESSAGE_MOST];
};

/* Parameters, as `activemm run skeleton:bytes=64,pages=8' gives them. Those of the working set (pages, pagesize) end the list. */
static const struct param params[] = {
	{ "bytes", "length of the message", NULL, 1, MESSAGE_MOST, 1 }, PARAMS_WORKSET
};

/*
 * What the kernel must do on the measured CPU in each round trip, for these parameters: think it through in its source and say
 * why. A trial that does anything else is invalid. Leave out what may be anything; CLAIM_UP_TO() where it may be less.
 */
static struct claim claim(const struct trial *t)
{
	/* There and back are two switches, each to the other's mm; with PCIDs a load keeps what the TLB holds of both. */
	double flushes = t->pcid ? 0 : 2;

	return (struct claim){ .switches = CLAIM_EXACT(2),
			       .cr3_loads = CLAIM_EXACT(2),
			       .cr3_flushes = CLAIM_EXACT(flushes),
			       .own_switches =
				       2 }; /* times that tasks of the trial leave the CPU */
}

/*
 * syscall(2): libc's read() and write() are cancellation points and do more. Only one message is under way, and a pipe holds it
 * whole: it comes in one piece.
 */
static inline void message_send(int fd, struct talk *talk)
{
	syscall(SYS_write, fd, talk->message, talk->bytes);
}

static inline void message_get(int fd, struct talk *talk)
{
	syscall(SYS_read, fd, talk->message, talk->bytes);
}

/* The partner's whole life. It need not end by itself: .cleanup ends it. */
static void partner(struct trial *t, unsigned int index)
{
	struct talk *talk = t->state;

	(void)index; /* of several partners that share this function */
	for (;;) {
		message_get(talk->there[0], talk);
		message_send(talk->back[1], talk);
	}
}

/* Makes partners and what they share, in the trial's own process, which is pinned to the measured CPU. */
static int prepare(struct trial *t, struct error *e)
{
	struct talk *talk = calloc(1, sizeof(*talk));
	int rc;

	if (!talk)
		return error_set(e, ENOMEM, "out of memory");
	t->state = talk;
	talk->bytes = (size_t)trial_param(t, "bytes", 1);
	if (pipe(talk->there) || pipe(talk->back))
		return error_set(e, errno, "pipe: %s", strerror(errno));
	/* On the measured CPU it becomes one of the trial's own tasks; a thread is told of by trial_add_task(). */
	rc = trial_fork(t, t->cpu, partner, 1, e);
	return rc < 0 ? rc : 0;
}

/* The measured path: nothing but the round trip and the touches of the working set. Checks belong before or after the loop. */
static int round_trips(struct trial *t, uint64_t n, uint64_t *stamps)
{
	struct talk *talk = t->state;

	ROUND_TRIPS(t, n, stamps, message_send(talk->there[1], talk);
		    message_get(talk->back[0], talk); workset_touch(&t->ws));
	return 0;
}

/* What else a scenario can say (possible, supported, conclude, remote, ...) is in bench/harness/scenario.h. */
SCENARIO(skeleton) = {
	.name = "skeleton",
	.summary = "two processes and a message through a pipe: where a new scenario starts",
	.params = params,
	.claim = claim,
	.prepare = prepare,
	.round_trips = round_trips,
	.cleanup = trial_reap,
};
