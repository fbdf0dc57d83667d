// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Watching in turns: the BPF programs are attached for short windows at random times only, and what they count there is
 * extrapolated to all switches of the kernel's own count.
 */
#include "config.h"
#include <errno.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_rng.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "bench/watch/watch.h"
#include "lib/machine/clock.h"

/*
 * Patching the tracepoints in or out takes the watch a fifth of a millisecond on 2 CPUs, and each CPU some 30 interrupts of 2 us:
 * with windows of 5 ms a CPU spends an eighth of a percent of its time on that, at a share of 5 %. Where work changes every
 * tenth of a second, as many windows of 25 ms as have the same share know it four times less well.
 */
#define WINDOW_NS     5000000ull
#define WINDOW_MIN_NS 2500000ull

/* Attached so long before a window begins, that neither the patching nor our own waking is in it. */
#define LEAD_NS	 500000ull
#define AFTER_NS 50000ull

/*
 * So much longer a switch takes in a window, at most of what was measured: work that is bound by switches gets so many fewer done,
 * and counts for so much less than what waits for a disk, a timer or a user.
 */
#define PROGRAMS_NS 220

/* Strata in memory: 100 kB. */
#define STRATA 1024

struct watch_turns {
	struct counts_bpf *trace;
	gsl_rng *rng;
	uint64_t seed;
	unsigned int cells; /* in a stratum, of which two are windows */
	uint64_t stratum_ns, window_ns;
	uint64_t stratum; /* when it began */
	uint64_t all; /* the kernel's count then */
	uint64_t starts[2];
	int look[2]; /* which of the stratum's looks the window is */
	int done;
	bool attached, open;
	uint64_t opened, end;
	struct switch_snapshot edge;
	struct switch_snapshot counted; /* when the latest window ended */
	double crowd[WATCH_KINDS],
		crowd_all; /* events, each times the switches a nanosecond about it */
	uint64_t sum[WATCH_KINDS];
	uint64_t bases[2], kinds[2][WATCH_KINDS];
	struct stats_ratio *ratio;
	uint64_t begun_ns, open_ns, windows;
	uint64_t attach_ns, detach_ns, attaches;
};

double watch_turns_least(double share)
{
	return 2 * WINDOW_MIN_NS * 1e-9 / share;
}

/* In order of time, but which is which look is chance: see stats_ratio_add(). */
static void windows_draw(struct watch_turns *turns)
{
	unsigned long first = gsl_rng_uniform_int(turns->rng, turns->cells);
	unsigned long second = gsl_rng_uniform_int(turns->rng, turns->cells - 1);

	if (second >= first)
		second++;
	turns->look[0] = first > second;
	turns->look[1] = !turns->look[0];
	turns->starts[turns->look[0]] = turns->stratum + first * turns->window_ns;
	turns->starts[turns->look[1]] = turns->stratum + second * turns->window_ns;
	turns->done = 0;
}

int watch_turns_open(struct watch_turns **out, const struct watch_options *options,
		     struct counts_bpf *trace, struct error *error)
{
	struct watch_turns *turns = calloc(1, sizeof(*turns));
	double strata;

	if (!turns)
		return error_set(error, ENOMEM, "no memory for the windows");
	/* A bound that cannot be computed is NaN, and no reason to end a watch. */
	gsl_set_error_handler_off();
	turns->trace = trace;
	turns->seed = options->seed;
	turns->cells = lround(2 / options->share);
	strata = floor(options->interval * 1e9 / turns->cells / WINDOW_NS);
	turns->stratum_ns = options->interval * 1e9 / fmax(1, strata);
	turns->window_ns = turns->stratum_ns / turns->cells;
	turns->rng = gsl_rng_alloc(gsl_rng_mt19937);
	turns->ratio = stats_ratio_new(WATCH_KINDS, 2.0 / turns->cells, STRATA);
	if (!turns->rng || !turns->ratio) {
		watch_turns_close(turns);
		return error_set(error, ENOMEM, "no memory for the windows");
	}
	gsl_rng_set(turns->rng, turns->seed);
	*out = turns;
	return 0;
}

int watch_turns_start(struct watch_turns *turns, uint64_t start_ns, struct error *error)
{
	int ret = counts_bpf_read(turns->trace, &turns->edge, false, error);

	turns->all = turns->edge.cover.all;
	turns->stratum = turns->begun_ns = start_ns;
	windows_draw(turns);
	return ret;
}

uint64_t watch_turns_next(const struct watch_turns *turns)
{
	if (turns->open)
		return turns->end + AFTER_NS;
	if (turns->done < 2)
		return turns->starts[turns->done] - LEAD_NS;
	return turns->stratum + turns->stratum_ns;
}

static int window_open(struct watch_turns *turns, struct error *error)
{
	uint64_t before = clock_monotonic_ns(), now;
	int ret;

	if (!turns->attached) {
		ret = counts_bpf_attach(turns->trace, error);
		if (ret)
			return ret;
		turns->attached = true;
		turns->attach_ns += clock_monotonic_ns() - before;
		turns->attaches++;
	}
	/* A little later where we were late: long enough to be asleep by then. */
	now = clock_monotonic_ns() + LEAD_NS / 4;
	turns->opened = turns->starts[turns->done] > now ? turns->starts[turns->done] : now;
	turns->end = turns->opened + turns->window_ns;
	counts_bpf_window(turns->trace, turns->opened, turns->window_ns);
	turns->open = true;
	return 0;
}

static void programs_detach(struct watch_turns *turns)
{
	uint64_t before = clock_monotonic_ns();

	if (!turns->attached)
		return;
	counts_bpf_detach(turns->trace);
	turns->attached = false;
	turns->detach_ns += clock_monotonic_ns() - before;
}

static void kinds_fill(uint64_t kinds[WATCH_KINDS], const struct switch_counts *counts)
{
	for (int class = 0; class < SWITCH_CLASSES; class ++)
		kinds[class] = switch_counts_class(counts, class);
	kinds[WATCH_SAVED] = switch_counts_saved(counts);
	kinds[WATCH_KEPT] = switch_counts_loads(counts, LOAD_KEPT);
	kinds[WATCH_FLUSHED] = switch_counts_loads(counts, LOAD_FLUSHED);
	kinds[WATCH_SENT] = counts->flushes[FLUSH_REMOTE_SENT];
	kinds[WATCH_RECEIVED] = counts->flushes[FLUSH_REMOTE_RECEIVED];
}

/* How crowded with switches their CPU was about the events of the window. */
static void crowd_add(struct watch_turns *turns, double length)
{
	const struct switch_snapshot *now = &turns->edge, *before = &turns->counted;
	uint64_t kinds[WATCH_KINDS];

	for (unsigned int cpu = 0; cpu < now->cpu_count && length > 0; cpu++) {
		struct switch_counts counts = now->cpu[cpu];
		double seen = (double)(now->seen[cpu] - (before->seen ? before->seen[cpu] : 0));

		if (before->cpu)
			switch_counts_subtract(&counts, &before->cpu[cpu]);
		kinds_fill(kinds, &counts);
		turns->crowd_all += seen * seen / length;
		for (int kind = 0; kind < WATCH_KINDS; kind++) {
			turns->crowd[kind] += (double)kinds[kind] * seen / length;
			turns->sum[kind] += kinds[kind];
		}
	}
}

/* @end: when it closed. */
static int window_close(struct watch_turns *turns, uint64_t end, struct error *error)
{
	uint64_t length = end > turns->opened ? end - turns->opened : 0;
	struct switch_counts counts;
	struct switch_snapshot swap;
	int look = turns->look[turns->done], ret;

	ret = counts_bpf_look(turns->trace, &turns->edge, error);
	if (ret)
		return ret;
	counts = turns->edge.total;
	switch_counts_subtract(&counts, &turns->counted.total);
	kinds_fill(turns->kinds[look], &counts);
	turns->bases[look] = turns->edge.cover.seen - turns->counted.cover.seen;
	crowd_add(turns, (double)length);
	swap = turns->counted;
	turns->counted = turns->edge;
	turns->edge = swap;
	turns->open = false;
	turns->done++;
	turns->windows++;
	turns->open_ns += length;
	return 0;
}

static int stratum_end(struct watch_turns *turns, struct error *error)
{
	uint64_t now;
	int ret = counts_bpf_read(turns->trace, &turns->edge, false, error);

	if (ret)
		return ret;
	stats_ratio_add(turns->ratio, turns->edge.cover.all - turns->all, turns->bases,
			turns->kinds[0], 2);
	turns->all = turns->edge.cover.all;
	turns->stratum += turns->stratum_ns;
	/* Stopped or suspended meanwhile: go on from now. */
	now = clock_monotonic_ns();
	if (now > turns->stratum + turns->stratum_ns)
		turns->stratum = now;
	windows_draw(turns);
	return 0;
}

int watch_turns_act(struct watch_turns *turns, struct error *error)
{
	uint64_t now = clock_monotonic_ns();

	if (now < watch_turns_next(turns))
		return 0;
	if (turns->open) {
		/* Before it is read: reading takes its time. */
		if (turns->done || turns->starts[1] > now + 2 * LEAD_NS)
			programs_detach(turns);
		return window_close(turns, turns->end, error);
	}
	if (turns->done < 2)
		return window_open(turns, error);
	return stratum_end(turns, error);
}

int watch_turns_finish(struct watch_turns *turns, struct error *error)
{
	uint64_t now = clock_monotonic_ns();
	int ret = 0;

	if (turns->open) {
		counts_bpf_window(turns->trace, 0, 0);
		ret = window_close(turns, now < turns->end ? now : turns->end, error);
	}
	programs_detach(turns);
	/* The stratum is not complete: its looks stand each for itself. */
	for (int i = 0; !ret && i < turns->done; i++) {
		int look = turns->look[i];

		stats_ratio_add(turns->ratio, 0, &turns->bases[look], turns->kinds[look], 1);
	}
	turns->done = 0;
	return ret;
}

static struct stats_total estimate(const struct watch_turns *turns, int kind, int kinds, double all)
{
	/* Of switches there are no more than there are; loads may be many more. */
	struct stats_total total = stats_ratio_total(turns->ratio, kind, kinds, all,
						     kind < SWITCH_CLASSES, WATCH_LEVEL);
	double crowd = 0, sum = 0, slower;

	for (int i = 0; i < kinds; i++) {
		crowd += turns->crowd[kind + i];
		sum += (double)turns->sum[kind + i];
	}
	if (!(sum > 0) || !turns->counted.cover.seen)
		return total;
	/* Than all switches on average: then there are too few of it, else too many. */
	slower = PROGRAMS_NS * (crowd / sum - turns->crowd_all / (double)turns->counted.cover.seen);
	if (slower > 0)
		total.high += slower * total.value;
	else
		total.low = fmax(sum, total.low + slower * total.value);
	if (kind < SWITCH_CLASSES)
		total.high = fmin(total.high, all);
	return total;
}

void watch_turns_estimate(const struct watch_turns *turns, const struct switch_snapshot *now,
			  struct watch_estimates *to)
{
	uint64_t length = now->time_ns - turns->begun_ns;
	double all = (double)switch_counts_all(now, NULL);

	*to = (struct watch_estimates){
		.share = 2.0 / turns->cells,
		.windows = turns->windows,
		.window_s = turns->windows ? turns->open_ns * 1e-9 / turns->windows : 0,
		.seed = turns->seed,
		.seen = now->cover.seen,
		.all = now->cover.all,
		.open_share = length ? (double)turns->open_ns / (double)length : 0,
		.attach_ns = turns->attaches ? (double)turns->attach_ns / turns->attaches : 0,
		.detach_ns = turns->attaches ? (double)turns->detach_ns / turns->attaches : 0,
	};
	for (int kind = 0; kind < WATCH_KINDS; kind++)
		to->kinds[kind] = estimate(turns, kind, 1, all);
	to->lazy = estimate(turns, SWITCH_BORROW, SWITCH_ON - SWITCH_BORROW + 1, all);
	to->loads = estimate(turns, WATCH_KEPT, 2, all);
}

void watch_turns_close(struct watch_turns *turns)
{
	if (!turns)
		return;
	gsl_rng_free(turns->rng);
	stats_ratio_free(turns->ratio);
	switch_snapshot_free(&turns->edge);
	switch_snapshot_free(&turns->counted);
	free(turns);
}
