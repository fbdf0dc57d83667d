// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Two sides as they would be at one speed of the machine: what the work beside each trial (lib/machine/speed.h) explains of the
 * trials' times within sessions is taken off between them, too. None of that work enters the kernel, so that nothing of what
 * kernels differ by is taken off with it.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/private.h"
#include "lib/base/member.h"
#include "lib/stats/covariate.h"
#include "lib/stats/stats.h"

#define EXPLAINS 0.001 /* level at which slopes are believed */

/* All trials of both sides, session after session. */
struct both {
	double *value; /* logarithms of the round trips' mean: each speed that a trial saw has its part in it */
	double *measured; /* those of ns, which are medians */
	double *x[SPEED_KINDS]; /* those of the work's that every trial has, by @which */
	int which[SPEED_KINDS];
	size_t kinds, n;
	size_t *ends, sessions;
	double *room;
};

static void both_add(struct both *t, const struct scan_group *g, size_t sessions)
{
	const size_t *ends = g->ends ? g->ends : &g->ns.n, before = t->n;

	for (size_t i = 0; i < g->ns.n; i++, t->n++) {
		t->measured[t->n] = log(g->ns.v[i]);
		t->value[t->n] = log(g->speed[SPEED_KINDS].v[i]);
		for (int k = 0; k < SPEED_KINDS; k++)
			t->x[k][t->n] = log(g->speed[k].v[i]);
	}
	for (size_t i = 0; i < sessions; i++)
		t->ends[t->sessions++] = before + ends[i];
}

static void kinds_seen(struct both *t)
{
	for (int k = 0; k < SPEED_KINDS; k++) {
		double *x = t->x[k];
		bool all = t->n > 0;

		for (size_t i = 0; i < t->n && all; i++)
			all = isfinite(x[i]);
		if (!all)
			continue;
		t->x[k] = t->x[t->kinds];
		t->x[t->kinds] = x;
		t->which[t->kinds++] = k;
	}
}

static void both_free(struct both *t)
{
	free(t->value);
	free(t->measured);
	for (int k = 0; k < SPEED_KINDS; k++)
		free(t->x[k]);
	free(t->ends);
	free(t->room);
}

/* @na, @nb: sessions. 0 or -ENOMEM; free it in either case. */
static int both_make(struct both *t, const struct scan_group *a, size_t na,
		     const struct scan_group *b, size_t nb)
{
	size_t n = a->ns.n + b->ns.n + 1;
	bool room = true;

	*t = (struct both){ .value = malloc(n * sizeof(double)),
			    .measured = malloc(n * sizeof(double)),
			    .room = malloc(n * sizeof(double)),
			    .ends = malloc((na + nb) * sizeof(size_t)) };
	for (int k = 0; k < SPEED_KINDS; k++) {
		t->x[k] = malloc(n * sizeof(double));
		room &= t->x[k] != NULL;
	}
	if (!room || !t->value || !t->measured || !t->room || !t->ends)
		return -ENOMEM;
	both_add(t, a, na);
	both_add(t, b, nb);
	kinds_seen(t);
	return 0;
}

/* Puts every trial at the speed @middle. */
static void trials_at(struct both *t, const struct stats_slopes *s, const double middle[])
{
	for (size_t i = 0; i < t->n; i++) {
		double apart[SPEED_KINDS];

		for (size_t j = 0; j < t->kinds; j++)
			apart[j] = t->x[j][i] - middle[j];
		t->value[i] -= stats_slopes_part(s, apart);
	}
}

/* How far @v lie from their sessions' medians. */
static double scatter(const struct both *t, const double *v)
{
	size_t from = 0;

	for (size_t g = 0; g < t->sessions; from = t->ends[g++]) {
		double middle = stats_percentile(v + from, t->ends[g] - from, 50);

		for (size_t i = from; i < t->ends[g]; i++)
			t->room[i] = fabs(v[i] - middle);
	}
	return stats_percentile(t->room, t->n, 50);
}

/* The medians of the @n sessions from @first on, in @out: how many have one. */
static size_t sessions_medians(const struct both *t, size_t first, size_t n, double *out)
{
	size_t m = 0;

	for (size_t g = first; g < first + n; g++) {
		size_t from = g ? t->ends[g - 1] : 0;

		if (t->ends[g] > from)
			out[m++] = stats_percentile(t->value + from, t->ends[g] - from, 50);
	}
	return m;
}

/* The mean of the sessions' medians of @x. */
static double mean_of(const struct both *t, const double *x, size_t first, size_t n)
{
	double sum = 0;
	size_t m = 0;

	for (size_t g = first; g < first + n; g++) {
		size_t from = g ? t->ends[g - 1] : 0;

		if (t->ends[g] == from)
			continue;
		sum += stats_percentile(x + from, t->ends[g] - from, 50);
		m++;
	}
	return m ? sum / (double)m : 0;
}

static int adjust(struct adjusted *d, struct both *t, size_t na, size_t nb,
		  const struct stats_slopes *s)
{
	double middle[SPEED_KINDS], apart[SPEED_KINDS], before = scatter(t, t->measured), after;

	for (size_t j = 0; j < t->kinds; j++) {
		middle[j] = stats_percentile(t->x[j], t->n, 50);
		apart[j] = mean_of(t, t->x[j], na, nb) - mean_of(t, t->x[j], 0, na);
	}
	trials_at(t, s, middle);
	after = scatter(t, t->value);
	/* What makes trials scatter no less explains nothing. */
	if (!(after < before))
		return 0;
	d->explained = 1 - (after / before) * (after / before);
	d->x = malloc(na * sizeof(*d->x));
	d->y = malloc(nb * sizeof(*d->y));
	if (!d->x || !d->y)
		return -ENOMEM;
	for (size_t j = 0; j < t->kinds; j++) {
		d->apart[t->which[j]] = apart[j];
		d->slope[t->which[j]] = s->slope[j];
	}
	d->nx = sessions_medians(t, 0, na, d->x);
	d->ny = sessions_medians(t, na, nb, d->y);
	d->variance = stats_slopes_variance(s, apart);
	return 0;
}

int adjust_row(struct row *r)
{
	size_t na = r->a->group->ends ? r->a->sets : 1, nb = r->b->group->ends ? r->b->sets : 1;
	struct stats_slopes s;
	struct both t;
	int rc = both_make(&t, r->a->group, na, r->b->group, nb);

	for (int k = 0; k < SPEED_KINDS; k++)
		r->adjusted.slope[k] = r->adjusted.apart[k] = NAN;
	if (!rc)
		rc = stats_slopes(t.value, (const double *const *)t.x, t.kinds, t.ends, t.sessions,
				  &s);
	if (!rc && s.p < EXPLAINS)
		rc = adjust(&r->adjusted, &t, na, nb, &s);
	both_free(&t);
	return rc;
}

void adjusted_free(struct row *r)
{
	free(r->adjusted.x);
	free(r->adjusted.y);
}

static json_t *by_name(const double v[])
{
	static const char *const names[SPEED_KINDS] = { SPEED_NAMES };
	json_t *o = json_object();

	for (int k = 0; k < SPEED_KINDS; k++)
		if (isfinite(v[k]))
			member_set(o, names[k], member_real(v[k]));
	return o;
}

void adjusted_json(json_t *row, const struct row *r)
{
	const struct adjusted *d = &r->adjusted;
	json_t *o;

	if (!d->x || !isfinite(r->sessions.ratio))
		return;
	o = member_pack("{s:f, s:f, s:f, s:f, s:f}", "raw_ratio", r->raw.ratio, "raw_low",
			r->raw.low, "raw_high", r->raw.high, "raw_p", r->raw.p, "explained",
			d->explained);
	member_set(o, "slopes", by_name(d->slope));
	member_set(o, "apart", by_name(d->apart));
	member_set(row, "adjusted", o);
}
