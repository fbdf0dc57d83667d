// SPDX-License-Identifier: GPL-2.0-or-later
/* Many sets: opened and read on all CPUs, and sessions of one kernel put into one. */
#include <errno.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "lib/results/scan-private.h"

#define AT_ONCE	     256 /* sets whose trials are in memory before they are joined */
#define THREADS_MOST 64

/* Work on each of @n sets. */
struct crowd {
	struct scan_set *sets;
	char *const *dirs; /* NULL: they are open, and their trials are read */
	void (*trim)(json_t *machine);
	struct error *errors;
	int *rc;
	size_t n;
	atomic_size_t next;
};

static void *crowd_work(void *p)
{
	struct crowd *c = p;
	size_t i;

	while ((i = atomic_fetch_add(&c->next, 1)) < c->n) {
		if (!c->dirs) {
			c->rc[i] = c->sets[i].unread ? scan_set_trials(&c->sets[i], &c->errors[i])
						     : 0;
			continue;
		}
		c->rc[i] = scan_set_open(&c->sets[i], c->dirs[i], &c->errors[i]);
		if (!c->rc[i] && c->trim)
			c->trim(c->sets[i].machine);
	}
	return NULL;
}

static size_t threads_wanted(size_t n)
{
	cpu_set_t cpus;
	size_t most = 1;

	if (!sched_getaffinity(0, sizeof(cpus), &cpus))
		most = (size_t)CPU_COUNT(&cpus);
	most = most > THREADS_MOST ? THREADS_MOST : most;
	return most > n ? n : most;
}

/* The first error in the sets' order. */
static int crowd_run(struct crowd *c, struct error *e)
{
	pthread_t threads[THREADS_MOST];
	size_t wanted = threads_wanted(c->n), started = 0;
	int rc = 0;

	c->errors = calloc(c->n + 1, sizeof(*c->errors));
	c->rc = calloc(c->n + 1, sizeof(*c->rc));
	if (!c->errors || !c->rc) {
		rc = error_set(e, ENOMEM, "out of memory");
	} else {
		while (started + 1 < wanted &&
		       !pthread_create(&threads[started], NULL, crowd_work, c))
			started++;
		crowd_work(c);
		while (started)
			pthread_join(threads[--started], NULL);
	}
	for (size_t i = 0; i < c->n && !rc; i++) {
		rc = c->rc[i];
		if (rc && e)
			*e = c->errors[i];
	}
	free(c->errors);
	free(c->rc);
	return rc;
}

int scan_sets_open(struct scan_set *sets, char *const *dirs, size_t n,
		   void (*trim)(json_t *machine), struct error *e)
{
	struct crowd c = { .sets = sets, .dirs = dirs, .trim = trim, .n = n };

	return crowd_run(&c, e);
}

/* Up to number @i: that many values. Of a session that lacks them there are none. */
static int end_put(size_t **ends, size_t i, size_t sessions, size_t n)
{
	if (!*ends)
		*ends = calloc(sessions, sizeof(**ends));
	if (!*ends)
		return -ENOMEM;
	(*ends)[i] = n;
	return 0;
}

/* Every group's values so far are those of the sessions up to number @i. */
static int session_end(struct scan_set *set, size_t i, size_t sessions)
{
	int rc = 0;

	for (size_t k = 0; k < set->n && !rc; k++) {
		struct scan_group *g = &set->groups[k];

		rc = end_put(&g->ends, i, sessions, g->ns.n);
		for (size_t c = 0; c < g->counters && !rc; c++)
			rc = end_put(&g->counter[c].ends, i, sessions, g->counter[c].n);
		free(g->start);
		g->start = NULL;
	}
	return rc;
}

static int session_join(struct part *all, struct scan_set *set, size_t i, size_t sessions)
{
	struct part one = { .set = *set };
	int rc;

	all->set.session[i] = strdup(i ? set->dir : all->set.dir);
	all->set.sessions = i + 1;
	rc = all->set.session[i] ? part_merge(all, &one) : -ENOMEM;
	memcpy(one.set.notice, set->notice, sizeof(set->notice));
	*set = one.set;
	return rc ? rc : session_end(&all->set, i, sessions);
}

int scan_set_join(struct scan_set *into, struct scan_set *sets, size_t n, struct error *e)
{
	struct part all = { .set.verified = true };
	int rc = 0;

	*into = (struct scan_set){ 0 };
	all.set.session = calloc(n, sizeof(*all.set.session));
	if (!all.set.session)
		return error_set(e, ENOMEM, "out of memory");
	for (size_t from = 0; from < n && !rc; from += AT_ONCE) {
		size_t to = from + AT_ONCE < n ? from + AT_ONCE : n;
		struct crowd c = { .sets = sets + from, .n = to - from };

		rc = crowd_run(&c, e);
		if (!rc && !from) {
			all.set.dir = sets[0].dir;
			all.set.machine = sets[0].machine;
			sets[0].dir = NULL;
			sets[0].machine = NULL;
		}
		for (size_t i = from; i < to && !rc; i++) {
			rc = session_join(&all, &sets[i], i, n);
			if (rc)
				error_set(e, -rc, "out of memory");
		}
	}
	*into = all.set;
	part_free(&all);
	return rc;
}
