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
#include "lib/stats/stats.h"

#define EXPLAINS 0.001 /* level at which slopes are believed */

/* All trials of both sides, session after session. */
struct both {
	double *value; /* logarithms of the round trips' mean: each speed that a trial saw has its part in it */
	double *measured; /* those of ns, which are medians */
	double *x[SPEED_KINDS]; /* of the work's */
	size_t n;
	size_t *ends, sessions;
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

int speed_slopes(const double *value, double *const x[SPEED_KINDS], const size_t *ends,
		 size_t groups, struct speed_slopes *s, bool *believed)
{
	size_t n = groups ? ends[groups - 1] : 0, kinds = 0;
	int rc;

	for (int k = 0; k < SPEED_KINDS; k++) {
		bool all = n > 0;

		for (size_t i = 0; i < n && all; i++)
			all = isfinite(x[k][i]) && isfinite(value[i]);
		if (!all)
			continue;
		s->x[kinds] = x[k];
		s->which[kinds++] = k;
	}
	rc = stats_slopes(value, s->x, kinds, ends, groups, &s->by);
	*believed = !rc && s->by.p < EXPLAINS;
	return rc;
}

double speed_part(const struct speed_slopes *s, size_t i, const double middle[SPEED_KINDS])
{
	double apart[SPEED_KINDS];

	for (size_t j = 0; j < s->by.kinds; j++)
		apart[j] = s->x[j][i] - middle[j];
	return stats_slopes_part(&s->by, apart);
}

static void both_free(struct both *t)
{
	free(t->value);
	free(t->measured);
	for (int k = 0; k < SPEED_KINDS; k++)
		free(t->x[k]);
	free(t->ends);
}

/* @na, @nb: sessions. 0 or -ENOMEM; free it in either case. */
static int both_make(struct both *t, const struct scan_group *a, size_t na,
		     const struct scan_group *b, size_t nb)
{
	size_t n = a->ns.n + b->ns.n + 1;
	bool room = true;

	*t = (struct both){ .value = malloc(n * sizeof(double)),
			    .measured = malloc(n * sizeof(double)),
			    .ends = malloc((na + nb) * sizeof(size_t)) };
	for (int k = 0; k < SPEED_KINDS; k++) {
		t->x[k] = malloc(n * sizeof(double));
		room &= t->x[k] != NULL;
	}
	if (!room || !t->value || !t->measured || !t->ends)
		return -ENOMEM;
	both_add(t, a, na);
	both_add(t, b, nb);
	return 0;
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
		  const struct speed_slopes *s)
{
	double middle[SPEED_KINDS], apart[SPEED_KINDS];

	for (size_t j = 0; j < s->by.kinds; j++) {
		middle[j] = stats_percentile(s->x[j], t->n, 50);
		apart[j] = mean_of(t, s->x[j], na, nb) - mean_of(t, s->x[j], 0, na);
	}
	for (size_t i = 0; i < t->n; i++)
		t->value[i] -= speed_part(s, i, middle);
	/* What makes trials scatter no less explains nothing. */
	d->explained = stats_explained(t->measured, t->value, t->ends, t->sessions);
	if (!(d->explained > 0))
		return 0;
	d->x = malloc(na * sizeof(*d->x));
	d->y = malloc(nb * sizeof(*d->y));
	if (!d->x || !d->y)
		return -ENOMEM;
	for (size_t j = 0; j < s->by.kinds; j++) {
		d->apart[s->which[j]] = apart[j];
		d->slope[s->which[j]] = s->by.slope[j];
	}
	d->nx = sessions_medians(t, 0, na, d->x);
	d->ny = sessions_medians(t, na, nb, d->y);
	d->variance = stats_slopes_variance(&s->by, apart);
	return 0;
}

int adjust_row(struct row *r)
{
	size_t na = r->a->group->ends ? r->a->sets : 1, nb = r->b->group->ends ? r->b->sets : 1;
	struct speed_slopes s;
	bool believed = false;
	struct both t;
	int rc = both_make(&t, r->a->group, na, r->b->group, nb);

	for (int k = 0; k < SPEED_KINDS; k++)
		r->adjusted.slope[k] = r->adjusted.apart[k] = NAN;
	if (!rc)
		rc = speed_slopes(t.value, t.x, t.ends, t.sessions, &s, &believed);
	if (believed)
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
