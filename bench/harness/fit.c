// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>

#include "bench/harness/fit.h"

#define ITERATIONS_MAX	 20000000
#define ITERATIONS_EXTRA 200 /* so that also slow round trips make a trial */
#define HALVINGS	 30

double fit_trial_s(const struct fit_row *row)
{
	return row->overhead_s + row->per_ns * 1e-9 * (double)row->iterations;
}

static uint64_t iterations(const struct fit_row *row, double target_ns, double wanted_ns)
{
	double n = target_ns / row->expected_ns + ITERATIONS_EXTRA * target_ns / wanted_ns;

	return (uint64_t)fmin(fmax(n, FIT_ITERATIONS), ITERATIONS_MAX);
}

/* Seconds of a round with trials of @target_ns, but for rows whose length is given. */
static double round_s(const struct fit_row *rows, unsigned int n, double target_ns,
		      double wanted_ns)
{
	double s = 0;

	for (unsigned int i = 0; i < n; i++) {
		struct fit_row row = rows[i];

		if (row.dropped)
			continue;
		if (!row.iterations)
			row.iterations = iterations(&row, target_ns, wanted_ns);
		s += fit_trial_s(&row);
	}
	return s;
}

int fit_drop(struct fit_row *rows, unsigned int n)
{
	unsigned int left = 0;
	int at = -1;

	for (unsigned int i = 0; i < n; i++) {
		if (rows[i].dropped)
			continue;
		left++;
		if (at < 0 || rows[i].rank >= rows[at].rank)
			at = (int)i;
	}
	if (left < 2)
		return -1;
	rows[at].dropped = true;
	return at;
}

void fit_rows(struct fit_row *rows, unsigned int n, struct fit *f)
{
	double room = f->seconds * (1 - FIT_RETRIES), wanted = f->target_ns, low, one;

	f->dropped = 0;
	if (f->trials_least > f->trials)
		f->trials_least = f->trials;
	f->target_least_ns = fmin(f->target_least_ns, wanted);
	one = round_s(rows, n, wanted, wanted);
	if (one * (double)f->trials > room)
		f->trials = (long)fmax(floor(room / one), (double)f->trials_least);
	if (one * (double)f->trials > room) {
		/* The greatest length that fits, or the least. */
		low = f->target_least_ns;
		for (int i = 0; i < HALVINGS; i++) {
			double middle = (low + f->target_ns) / 2;

			if (round_s(rows, n, middle, wanted) * (double)f->trials > room)
				f->target_ns = middle;
			else
				low = middle;
		}
		f->target_ns = low;
	}
	while (round_s(rows, n, f->target_ns, wanted) * (double)f->trials > room &&
	       fit_drop(rows, n) >= 0)
		f->dropped++;
	for (unsigned int i = 0; i < n; i++)
		if (!rows[i].iterations)
			rows[i].iterations = iterations(&rows[i], f->target_ns, wanted);
	f->needs_s = round_s(rows, n, f->target_ns, wanted) * (double)f->trials;
}
