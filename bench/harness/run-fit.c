// SPDX-License-Identifier: GPL-2.0-or-later
/* Between the look and the first round: the plan is fitted to the time there is. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/harness/run.h"

#define TARGET_NS_QUICK 20e6 /* timed part of a trial; the counted part takes about as long again */
#define TARGET_NS	100e6
#define TARGET_LEAST	0.1 /* of it, where time is short */

/* Of a quota's slice, for the round trips; the rest is set-up, and what CPUs that the trial left hold of it for a while. */
#define SLICE_SHARE 0.25

/* A trial that the quota does not stop. */
static void slice_fit(double slice_s, struct fit_row *row)
{
	double most = SLICE_SHARE * 1e9 * slice_s / row->per_ns;

	if (slice_s > 0 && (double)row->iterations > most)
		row->iterations = (uint64_t)fmax(most, FIT_ITERATIONS);
}

static void duration_text(double s, char *buf, size_t len)
{
	if (s < 90)
		snprintf(buf, len, "%.0f s", fmax(s, 1));
	else
		snprintf(buf, len, "%.0f min", s / 60);
}

static void say_how_long(const struct plan *plan, const struct run_options *o, const struct fit *f)
{
	char text[32];

	if (o->seconds) {
		fprintf(stderr, "%u rows, rounds of trials for %ld s\n", plan->n, o->seconds);
		return;
	}
	duration_text(f->needs_s, text, sizeof(text));
	fprintf(stderr, "%u row%s of %ld trial%s: about %s", plan->n, plan->n == 1 ? "" : "s",
		f->trials, f->trials == 1 ? "" : "s", text);
	if (isfinite(f->seconds)) {
		duration_text(f->seconds + RUN_LATE_S, text, sizeof(text));
		fprintf(stderr, ", at most %s with what has to be repeated", text);
	}
	fprintf(stderr, "\n");
}

long run_trials_least(const struct run_options *o)
{
	return o->trials_least ? o->trials_least : FIT_TRIALS_LEAST;
}

int run_fit(const struct bench *b, struct plan *plan, struct run_options *o, struct run_set *set,
	    double end, bool say, struct error *e)
{
	struct fit_row *rows = calloc(plan->n + 1, sizeof(*rows));
	double target = o->trial_s ? 1e9 * o->trial_s : o->quick ? TARGET_NS_QUICK : TARGET_NS;
	struct fit f = { .seconds = o->seconds ? HUGE_VAL : end - clock_monotonic_s(),
			 .trials = o->trials,
			 .trials_least = o->trials_given ? o->trials : run_trials_least(o),
			 .target_ns = target,
			 .target_least_ns = o->trial_s ? target : TARGET_LEAST * target };
	unsigned int kept = 0;

	if (!rows)
		return error_set(e, ENOMEM, "out of memory");
	for (unsigned int i = 0; i < plan->n; i++) {
		struct plan_item *item = &plan->items[i];

		if (o->iterations)
			item->row.iterations = (uint64_t)o->iterations;
		item->row.rank = item->named ? 0 : plan_rank(item);
		rows[i] = item->row;
	}
	fit_rows(rows, plan->n, &f);
	for (unsigned int i = 0; i < plan->n; i++) {
		struct plan_item *item = &plan->items[i];

		item->row = rows[i];
		if (!o->iterations)
			slice_fit(trial_slice_s(b), &item->row);
		if (item->row.dropped)
			run_skip(set, item, ETIME,
				 "no time was left for it: name fewer scenarios, or give the run "
				 "its "
				 "time (--time)");
		else
			plan->items[kept++] = *item;
	}
	plan->n = kept;
	o->trials = f.trials;
	free(rows);
	if (trial_slice_s(b) > 0 && say)
		fprintf(stderr,
			"a CPU quota grants %g ms each %g ms: trials wait for that, and are "
			"short\n",
			1e3 * trial_slice_s(b), 1e3 * b->quota.period_s);
	if (say)
		say_how_long(plan, o, &f);
	return 0;
}
