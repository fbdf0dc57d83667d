// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sf_gamma.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/stats/changes.h"
#include "lib/stats/rank.h"

#define ENOUGH \
	10 /* permutations that reach the observed: then it is no change, or not for so small an alpha */
#define MOST	     100000
#define LEAST	     999
#define WINDOW_LEAST 8 /* values */
#define SAME_PART    1e-9 /* sums in another order are the same */

/* Values of one part by rank; and sums and numbers of those seen so far, in trees by rank (Fenwick, 1994). */
struct work {
	const double *v;
	const struct stats_changes_options *o;
	gsl_rng *rng;
	double *sorted, *sums, *within;
	size_t *rank, *order, *counts;
	struct stats_change *found;
	size_t nfound;
};

/* The distances of the value of rank @r to all that were seen, of which there are @seen with the sum @total; sees it, too. */
static double distances(struct work *w, size_t n, size_t r, size_t seen, double total)
{
	double x = w->sorted[r], below = 0;
	size_t fewer = 0;

	for (size_t i = r; i > 0; i -= i & -i) {
		below += w->sums[i];
		fewer += w->counts[i];
	}
	for (size_t i = r + 1; i <= n; i += i & -i) {
		w->sums[i] += x;
		w->counts[i]++;
	}
	return x * (double)fewer - below + (total - below) - x * (double)(seen - fewer);
}

static void forget(struct work *w, size_t n)
{
	memset(w->sums, 0, (n + 1) * sizeof(*w->sums));
	memset(w->counts, 0, (n + 1) * sizeof(*w->counts));
}

/*
 * The largest scaled energy distance over the cuts of the window [@low, @high) of the part that begins at @from and has @n values, ordered
 * as w->rank; more than @best, or that. *@at: where in the part.
 */
static double window(struct work *w, size_t from, size_t n, size_t low, size_t high, double best,
		     size_t *at)
{
	double sum = 0, all = 0, behind = 0, total = 0;

	forget(w, n);
	for (size_t i = low; i < high; i++) {
		all += distances(w, n, w->rank[i], i - low, sum);
		sum += w->sorted[w->rank[i]];
		w->within[i] = all; /* of the pairs in [low, i] */
	}
	forget(w, n);
	for (size_t i = high; i-- > low + STATS_CHANGES_LEAST;) {
		double a = (double)(i - low), b = (double)(high - i), between, q;

		behind += distances(w, n, w->rank[i], high - 1 - i, total);
		total += w->sorted[w->rank[i]];
		if (high - i < STATS_CHANGES_LEAST || (w->o->cut && !w->o->cut[from + i]))
			continue;
		between = all - w->within[i - 1] - behind;
		q = 2 * between / (a * b) - 2 * w->within[i - 1] / (a * (a - 1)) -
		    2 * behind / (b * (b - 1));
		q *= a * b / (a + b);
		if (q > best) {
			best = q;
			*at = i;
		}
	}
	return best;
}

/* The same over the whole part and its halves and quarters, which overlap by half: a step up and down again hides in the whole. */
static double strongest(struct work *w, size_t from, size_t n, size_t *at)
{
	double best = window(w, from, n, 0, n, -1, at);

	for (size_t len = n / 2; len >= WINDOW_LEAST && len >= n / 4; len /= 2)
		for (size_t low = 0; low + len <= n; low += len / 2)
			best = window(w, from, n, low, low + len, best, at);
	return best;
}

/* p of the strongest cut *@at of a part, or 1 where it has none. */
static double test(struct work *w, size_t from, size_t n, size_t *at)
{
	double wanted = ceil(ENOUGH / w->o->alpha), best, most;
	size_t reached = 0, done, unused;

	gsl_sort_index(w->order, w->v + from, 1, n);
	for (size_t i = 0; i < n; i++) {
		w->sorted[i] = w->v[from + w->order[i]];
		w->rank[w->order[i]] = i;
	}
	best = strongest(w, from, n, at);
	if (!(best > 0))
		return 1;
	most = wanted < LEAST ? LEAST : wanted > MOST ? MOST : wanted;
	for (done = 0; done < (size_t)most && reached < ENOUGH; done++) {
		gsl_ran_shuffle(w->rng, w->rank, n, sizeof(*w->rank));
		reached += strongest(w, from, n, &unused) >= best * (1 - SAME_PART);
	}
	return reached == ENOUGH ? (double)reached / (double)done
				 : (double)(reached + 1) / (double)(done + 1);
}

static void part(struct work *w, size_t from, size_t n)
{
	size_t at = 0;
	double p;

	if (n < 2 * STATS_CHANGES_LEAST)
		return;
	p = test(w, from, n, &at);
	if (p > w->o->alpha)
		return;
	part(w, from, at);
	w->found[w->nfound++] = (struct stats_change){ .at = from + at, .p = p };
	part(w, from + at, n - at);
}

/* The medians between the changes. */
static void medians(struct work *w, size_t n)
{
	for (size_t i = 0; i <= w->nfound; i++) {
		size_t from = i ? w->found[i - 1].at : 0, to = i < w->nfound ? w->found[i].at : n;
		double median;

		memcpy(w->sorted, w->v + from, (to - from) * sizeof(*w->sorted));
		stats_sort(w->sorted, to - from);
		median = stats_sorted_median(w->sorted, to - from);
		if (i)
			w->found[i - 1].after = median;
		if (i < w->nfound)
			w->found[i].before = median;
	}
}

ssize_t stats_changes(const double *v, size_t n, const struct stats_changes_options *options,
		      struct stats_change **found)
{
	struct work w = {
		.v = v,
		.o = options,
		.rng = gsl_rng_alloc(gsl_rng_mt19937),
		.sorted = calloc(n + 1, sizeof(double)),
		.sums = calloc(n + 1, sizeof(double)),
		.within = calloc(n + 1, sizeof(double)),
		.rank = calloc(n + 1, sizeof(size_t)),
		.order = calloc(n + 1, sizeof(size_t)),
		.counts = calloc(n + 1, sizeof(size_t)),
		.found = calloc(n + 1, sizeof(struct stats_change)),
	};
	bool whole = w.rng && w.sorted && w.sums && w.within && w.rank && w.order && w.counts &&
		     w.found;

	if (whole) {
		gsl_rng_set(w.rng, options->seed);
		part(&w, 0, n);
		medians(&w, n);
	}
	if (w.rng)
		gsl_rng_free(w.rng);
	free(w.sorted);
	free(w.sums);
	free(w.within);
	free(w.rank);
	free(w.order);
	free(w.counts);
	*found = whole ? w.found : NULL;
	if (!whole) {
		free(w.found);
		return -ENOMEM;
	}
	return (ssize_t)w.nfound;
}

bool stats_changes_possible(size_t n, double alpha)
{
	/* Of all ways to choose the half that is before, only this one and its mirror image are as extreme. */
	return n >= 2 * STATS_CHANGES_LEAST &&
	       log(2) - gsl_sf_lnchoose((unsigned int)n, (unsigned int)n / 2) <= log(alpha);
}
