/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Time stamps: the TSC, serialised as in Intel's "How to Benchmark Code Execution Times"
 * (white paper 324264), where it is invariant; CLOCK_MONOTONIC_RAW elsewhere.
 */
#ifndef LIB_MACHINE_CLOCK_H
#define LIB_MACHINE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "lib/base/error.h"

struct clock {
	bool tsc; /* stamps are TSC ticks, else nanoseconds */
	double ticks_per_ns; /* 1 when !tsc */
	double cost_ns; /* median time between two stamps taken back to back */
	double drift_ppm; /* disagreement of two calibrations, parts per million */
	char source[64]; /* "tsc" or "CLOCK_MONOTONIC_RAW (why not tsc)" */
};

/*
 * Chooses and calibrates the clock on the calling thread's CPU (pin first). Takes about 50 ms.
 * A TSC that is not invariant, or whose two calibrations disagree by more than 500 ppm, is not used.
 */
int clock_init(struct clock *c, struct error *e);

/* Ticks to nanoseconds. */
static inline double clock_ns(const struct clock *c, uint64_t ticks)
{
	return (double)ticks / c->ticks_per_ns;
}

/*
 * One time stamp in ticks of @c. Earlier instructions have completed, later ones have not begun.
 */
static inline uint64_t clock_stamp(const struct clock *c)
{
#if defined(__x86_64__) || defined(__i386__)
	if (c->tsc) {
		uint32_t lo, hi;

		__asm__ volatile("rdtscp\n\tlfence" : "=a"(lo), "=d"(hi)::"rcx", "memory");
		return (uint64_t)hi << 32 | lo;
	}
#else
	(void)c;
#endif
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

/* CLOCK_MONOTONIC in nanoseconds, and in seconds: what the kernel's logs and deadlines are in. */
uint64_t clock_monotonic_ns(void);
double clock_monotonic_s(void);

#endif
