// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdlib.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "lib/machine/speed.h"

#define MULTIPLIES 500 /* three or four cycles each */
#define ROUNDS	   500 /* of eight independent operations, as many as a core begins in a cycle or two */
#define TRIES	   5 /* of a microsecond or less: an interrupt hits one of them */

const char *speed_name(enum speed_kind kind)
{
	static const char *const names[SPEED_KINDS] = { SPEED_NAMES };

	return names[kind];
}

bool speed_has(enum speed_kind kind)
{
#if defined(__x86_64__) || defined(__i386__)
	unsigned int a, b, c, d;

	return kind != SPEED_EXIT || (__get_cpuid(1, &a, &b, &c, &d) && c & 1u << 31);
#else
	return kind != SPEED_EXIT;
#endif
}

static void multiply(void)
{
	uint64_t x = 3;

	for (int i = 0; i < MULTIPLIES; i++) {
		x *= 0x9e3779b97f4a7c15ull;
		__asm__ volatile("" : "+r"(x));
	}
}

static void operate(void)
{
	uint64_t a = 1, b = 2, c = 3, d = 4, e = 5, f = 6, g = 7, h = 8;

	for (int i = 0; i < ROUNDS; i++) {
		a += 5;
		b ^= 7;
		c += 9;
		d ^= 11;
		e += 13;
		f ^= 15;
		g += 17;
		h ^= 19;
		__asm__ volatile(""
				 : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e), "+r"(f), "+r"(g),
				   "+r"(h));
	}
}

static void leave(void)
{
#if defined(__x86_64__) || defined(__i386__)
	unsigned int a, b, c, d;

	__cpuid(0, a, b, c, d);
	(void)a, (void)b, (void)c, (void)d;
#endif
}

static double try(const struct clock *clock, void (*piece)(void))
{
	uint64_t start = clock_stamp(clock);

	piece();
	return clock_ns(clock, clock_stamp(clock) - start) - clock->cost_ns;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

void speed_look(const struct clock *clock, double ns[SPEED_KINDS])
{
	static void (*const pieces[SPEED_KINDS])(void) = { multiply, operate, leave };
	double tries[TRIES];

	for (int k = 0; k < SPEED_KINDS; k++) {
		ns[k] = NAN;
		if (!speed_has(k))
			continue;
		for (int i = 0; i < TRIES; i++)
			tries[i] = try(clock, pieces[k]);
		qsort(tries, TRIES, sizeof(*tries), by_value);
		ns[k] = tries[TRIES / 2];
	}
}
