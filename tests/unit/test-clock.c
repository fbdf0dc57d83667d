// SPDX-License-Identifier: GPL-2.0-or-later
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "lib/machine/clock.h"

static uint64_t raw_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void rate_agrees_with_the_kernels_raw_clock(void **state)
{
	struct timespec pause = { .tv_nsec = 20000000 };
	double best = INFINITY;
	struct clock c;
	struct error e;

	(void)state;
	assert_int_equal(clock_init(&c, &e), 0);
	/* preemption between two of the reads spoils a try, not the best of some */
	for (int i = 0; i < 10; i++) {
		uint64_t ticks = clock_stamp(&c), ns = raw_ns();

		nanosleep(&pause, NULL);
		ticks = clock_stamp(&c) - ticks;
		ns = raw_ns() - ns;
		best = fmin(best, fabs(clock_ns(&c, ticks) - (double)ns) / (double)ns * 1e6);
	}
	assert_true(best < 1000);
}

static void source_says_what_stamps_are(void **state)
{
	struct clock c;
	struct error e;

	(void)state;
	assert_int_equal(clock_init(&c, &e), 0);
	if (c.tsc) {
		assert_string_equal(c.source, "tsc");
		assert_true(c.ticks_per_ns > 0.1 && c.ticks_per_ns < 10);
		assert_true(c.drift_ppm <= 500);
	} else {
		assert_ptr_equal(strstr(c.source, "CLOCK_MONOTONIC_RAW ("), c.source);
		assert_true(c.ticks_per_ns == 1);
	}
}

static void cost_is_a_plausible_time_between_two_stamps(void **state)
{
	uint64_t before, after, n = 100000;
	struct clock c;
	struct error e;
	double mean;

	(void)state;
	assert_int_equal(clock_init(&c, &e), 0);
	before = clock_stamp(&c);
	for (uint64_t i = 0; i < n; i++)
		clock_stamp(&c);
	after = clock_stamp(&c);
	mean = clock_ns(&c, after - before) / (double)n;
	assert_true(c.cost_ns > 0);
	/* the mean holds interrupts and preemption that a median does not: only a loose bound is safe */
	assert_true(c.cost_ns < 5 * mean);
}

static void stamps_never_go_backwards(void **state)
{
	struct clock c;
	struct error e;
	uint64_t last;

	(void)state;
	assert_int_equal(clock_init(&c, &e), 0);
	last = clock_stamp(&c);
	for (int i = 0; i < 100000; i++) {
		uint64_t now = clock_stamp(&c);

		assert_true(now >= last);
		last = now;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rate_agrees_with_the_kernels_raw_clock),
		cmocka_unit_test(source_says_what_stamps_are),
		cmocka_unit_test(cost_is_a_plausible_time_between_two_stamps),
		cmocka_unit_test(stamps_never_go_backwards),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
