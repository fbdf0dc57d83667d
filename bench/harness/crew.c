// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/harness/crew.h"
#include "lib/machine/cpu.h"

struct start { /* of a thread */
	const struct crew *crew;
	struct trial *t;
	unsigned int index;
};

uint64_t crew_others(const struct crew *c)
{
	uint64_t sum = 0;

	for (long i = 1; i < c->n; i++)
		sum += crew_now(c, i);
	return sum;
}

pid_t crew_thread(const struct crew *c, long i)
{
	return (pid_t)crew_count(c, i)[1];
}

static void *thread_do(void *arg)
{
	const struct start *s = arg;
	const struct crew *c = s->crew;

	if (!cpu_pin(c->cpu_of(s->t, s->index), NULL)) {
		/* The observer needs to know who belongs to the trial; read once the task runs. */
		crew_count(c, s->index)[1] = (uint64_t)syscall(SYS_gettid);
		c->life(s->t, s->index);
	}
	return NULL;
}

static int task_start(const struct crew *c, struct start *s, struct error *e)
{
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	if (c->own_mm) {
		rc = trial_fork(s->t, c->cpu_of(s->t, s->index), c->life, s->index, e);
		return rc < 0 ? rc : 0;
	}
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	rc = pthread_create(&thread, &attr, thread_do, s);
	pthread_attr_destroy(&attr);
	return rc ? error_set(e, rc, "cannot start task %u: %s", s->index, strerror(rc)) : 0;
}

int crew_start(struct crew *c, struct trial *t, struct error *e)
{
	struct start *starts = calloc((size_t)c->n, sizeof(*starts)); /* the threads keep theirs */
	int rc = 0;

	c->counts = mem_shared((size_t)c->n * CREW_STRIDE, -1, e);
	if (!c->counts || !starts)
		return error_set(e, ENOMEM, "out of memory");
	for (long i = 1; i < c->n && !rc; i++) {
		starts[i] = (struct start){ c, t, (unsigned int)i };
		rc = task_start(c, &starts[i], e);
	}
	return rc;
}

int crew_wait(const struct crew *c, long i, const char *why, struct error *e)
{
	for (int tries = 0; !crew_now(c, i); tries++) {
		if (tries == 50000)
			return error_set(e, ETIMEDOUT, "task %ld of %ld did not start: %s", i, c->n,
					 why);
		usleep(100);
	}
	return 0;
}
