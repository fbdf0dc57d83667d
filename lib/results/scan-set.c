// SPDX-License-Identifier: GPL-2.0-or-later
/* A set read in parts at the same time, and put together in the file's order. */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/results/set.h"
#include "lib/results/scan-private.h"

#define PART_LEAST (4 << 20) /* bytes for which a thread is worth its start */
#define PARTS_MOST 64

static struct line_text text_of(const char *s)
{
	return (struct line_text){ s, strlen(s) };
}

/* Appends @from to @to, and leaves it empty. */
static int values_move(struct scan_values *to, struct scan_values *from)
{
	if (!to->n) {
		free(to->v);
		to->v = from->v;
		to->n = from->n;
		to->room = from->room;
		from->v = NULL;
		from->n = from->room = 0;
		return 0;
	}
	/* By halves: thousands of sets are joined one by one. */
	if (to->n + from->n > to->room) {
		size_t room = to->n + from->n + to->n / 2;
		double *more = reallocarray(to->v, room, sizeof(*more));

		if (!more)
			return -ENOMEM;
		to->v = more;
		to->room = room;
	}
	if (from->n)
		memcpy(to->v + to->n, from->v, from->n * sizeof(*to->v));
	to->n += from->n;
	free(from->v);
	from->v = NULL;
	from->n = from->room = 0;
	return 0;
}

/* The first trials in the file's order are kept, however many parts it is read in. */
static void start_move(struct scan_group *to, struct scan_group *from)
{
	struct scan_start *a = to->start, *b = from->start;
	size_t n;

	if (!a) {
		to->start = b;
		from->start = NULL;
		return;
	}
	if (!b)
		return;
	n = b->trials < TRIAL_SERIES - a->trials ? b->trials : TRIAL_SERIES - a->trials;
	memcpy(a->above + a->trials, b->above, n * sizeof(*b->above));
	memcpy(a->below + a->trials, b->below, n * sizeof(*b->below));
	memcpy(a->first + a->trials, b->first, n * sizeof(*b->first));
	a->trials += n;
}

void scan_start_count(const struct scan_start *start, unsigned int above[], unsigned int below[])
{
	for (size_t k = 0; k < TRIAL_BATCHES_MOST / 2; k++) {
		above[k] = below[k] = 0;
		for (size_t i = 0; i < start->trials; i++) {
			above[k] += start->above[i] >> k & 1;
			below[k] += start->below[i] >> k & 1;
		}
	}
}

int part_merge(struct part *to, struct part *from)
{
	struct scan_set *set = &from->set;
	int rc = 0;

	for (size_t i = 0; i < set->n && !rc; i++) {
		struct scan_group *g = &set->groups[i], *into;
		struct line_text scenario = text_of(g->scenario), params = text_of(g->params);

		rc = part_group(to, &scenario, &params, &into);
		if (rc)
			break;
		into->trials += g->trials;
		into->valid += g->valid;
		into->counted = counted_least(into->counted, g->counted);
		rc = values_move(&into->ns, &g->ns);
		for (int k = 0; k <= SPEED_KINDS && !rc; k++)
			rc = values_move(&into->speed[k], &g->speed[k]);
		for (size_t k = 0; k < g->counters && !rc; k++) {
			struct line_text name = text_of(set->counter[k]);
			ssize_t at = part_counter(to, "", &name, k);

			rc = at < 0 ? (int)at : group_counters(into, (size_t)at + 1);
			if (rc)
				break;
			to->set.share[at] = counted_least(to->set.share[at], set->share[k]);
			rc = values_move(&into->counter[at], &g->counter[k]);
		}
		start_move(into, g);
	}
	to->set.trials += set->trials;
	to->set.verified &= set->verified;
	scan_set_free(set);
	return rc;
}

static void *part_thread(void *p)
{
	part_read(p);
	return NULL;
}

static size_t parts_wanted(off_t size)
{
	size_t n = (size_t)size / PART_LEAST;
	cpu_set_t cpus;

	if (!sched_getaffinity(0, sizeof(cpus), &cpus) && n > (size_t)CPU_COUNT(&cpus))
		n = (size_t)CPU_COUNT(&cpus);
	return n < 1 ? 1 : n > PARTS_MOST ? PARTS_MOST : n;
}

/* Which line of the file, and what is wrong with it. */
static int part_error(const struct part *p, const char *path, size_t before, struct error *e)
{
	size_t number = before + p->lines.number;
	json_t *trial;

	if (p->rc == -E2BIG)
		return error_set(
			e, EINVAL,
			"%s:%zu: with this line it has more than %d scenario and parameter "
			"sets, or more than %d counters: no result set of this suite",
			path, number, TRIAL_GROUPS_MOST, TRIAL_COUNTERS);
	if (p->bad && result_parse_trial(path, number, p->bad, p->bad_len, &trial, e))
		return p->rc;
	return result_line_error(path, number, p->rc, e);
}

static void parts_read(struct part *parts, size_t n, int fd, off_t size)
{
	for (size_t i = 0; i < n; i++) {
		struct part *p = &parts[i];
		off_t from = size / (off_t)n * (off_t)i,
		      to = i + 1 < n ? size / (off_t)n * (off_t)(i + 1) : size;

		p->set.verified = true;
		p->rc = lines_open(&p->lines, fd, from, to);
		/* The first part, and any that gets no thread, is this one's. */
		p->started = i && !p->rc && !pthread_create(&p->thread, NULL, part_thread, p);
	}
	for (size_t i = 0; i < n; i++) {
		if (parts[i].started)
			pthread_join(parts[i].thread, NULL);
		else if (!parts[i].rc)
			part_read(&parts[i]);
	}
}

static int trials_read(struct scan_set *set, int fd, off_t size, const char *path, struct error *e)
{
	size_t n = parts_wanted(size), before = 0;
	struct part *parts = calloc(n, sizeof(*parts));
	int rc = 0;

	if (!parts)
		return error_set(e, ENOMEM, "out of memory");
	parts_read(parts, n, fd, size);
	for (size_t i = 0; i < n && !rc; i++) {
		struct part *p = &parts[i];

		if (p->rc)
			rc = part_error(p, path, before, e);
		before += p->lines.number;
		if (p->half)
			snprintf(set->notice, sizeof(set->notice), RESULT_HALF_LINE, path, before);
		if (!rc && i && (p->rc = part_merge(&parts[0], p)))
			rc = part_error(p, path, before - p->lines.number, e);
	}
	for (size_t i = 0; i < n; i++) {
		part_free(&parts[i]);
		if (i || rc)
			scan_set_free(&parts[i].set);
	}
	if (!rc) {
		struct scan_set *got = &parts[0].set;

		got->dir = set->dir;
		got->machine = set->machine;
		memcpy(got->notice, set->notice, sizeof(set->notice));
		got->verified &= got->trials > 0;
		*set = *got;
	}
	free(parts);
	return rc;
}

int scan_set_open(struct scan_set *set, const char *dir, struct error *e)
{
	int rc;

	*set = (struct scan_set){ .dir = strdup(dir), .unread = true };
	rc = set->dir ? result_read_machine(dir, &set->machine, e)
		      : error_set(e, ENOMEM, "out of memory");
	if (rc)
		scan_set_free(set);
	return rc;
}

int scan_set_trials(struct scan_set *set, struct error *e)
{
	char *path = NULL;
	off_t size;
	int fd = result_open_trials(set->dir, &path, &size, e), rc;

	rc = fd < 0 ? fd : trials_read(set, fd, size, path, e);
	if (fd >= 0)
		close(fd);
	free(path);
	if (rc)
		scan_set_free(set);
	return rc;
}

int scan_set_read(struct scan_set *set, const char *dir, struct error *e)
{
	int rc = scan_set_open(set, dir, e);

	return rc ? rc : scan_set_trials(set, e);
}

static void group_free(struct scan_group *g)
{
	free(g->scenario);
	free(g->params);
	json_decref(g->parsed);
	free(g->ns.v);
	for (int k = 0; k <= SPEED_KINDS; k++)
		free(g->speed[k].v);
	for (size_t i = 0; i < g->counters; i++) {
		free(g->counter[i].v);
		free(g->counter[i].ends);
	}
	free(g->counter);
	free(g->ends);
	free(g->start);
}

void scan_set_free(struct scan_set *set)
{
	for (size_t i = 0; i < set->n; i++)
		group_free(&set->groups[i]);
	free(set->groups);
	for (size_t i = 0; i < set->counters; i++)
		free(set->counter[i]);
	for (size_t i = 0; i < set->sessions; i++)
		free(set->session[i]);
	free(set->session);
	free(set->node);
	json_decref(set->machine);
	free(set->dir);
	*set = (struct scan_set){ 0 };
}

const struct scan_group *scan_set_find(const struct scan_set *set, const char *scenario,
				       const char *params)
{
	for (size_t i = 0; i < set->n; i++)
		if (!strcmp(set->groups[i].params, params) &&
		    !strcmp(set->groups[i].scenario, scenario))
			return &set->groups[i];
	return NULL;
}

double scan_share(const struct scan_set *set, const char *name)
{
	for (size_t i = 0; i < set->counters; i++)
		if (!strcmp(set->counter[i], name) && set->share[i] > 0)
			return set->share[i];
	return 1;
}

const struct scan_values *scan_counter(const struct scan_set *set, const struct scan_group *g,
				       const char *name)
{
	static const struct scan_values none;

	for (size_t i = 0; i < g->counters; i++)
		if (!strcmp(set->counter[i], name))
			return &g->counter[i];
	return &none;
}
