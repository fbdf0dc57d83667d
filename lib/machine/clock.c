// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/machine/clock.h"

#include <errno.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#define CALIBRATION_NS 25000000
#define MAX_DRIFT_PPM  500
#define COST_SAMPLES   4001

static const struct clock raw_clock = { .tsc = false, .ticks_per_ns = 1 };

#if defined(__x86_64__) || defined(__i386__)
static const struct clock tsc_clock = { .tsc = true, .ticks_per_ns = 1 };

/* Both clocks at one moment: the tightest of some brackets, so that an interrupt does not skew the rate. */
struct moment {
	uint64_t ticks;
	uint64_t ns;
};

static struct moment moment_take(void)
{
	struct moment best = { 0, 0 };
	uint64_t width = UINT64_MAX;

	for (int i = 0; i < 20; i++) {
		uint64_t before = clock_stamp(&tsc_clock);
		uint64_t ns = clock_stamp(&raw_clock);
		uint64_t after = clock_stamp(&tsc_clock);

		if (after - before < width) {
			width = after - before;
			best = (struct moment){ before + width / 2, ns };
		}
	}
	return best;
}

static double moment_rate(struct moment from, struct moment to)
{
	return (double)(to.ticks - from.ticks) / (double)(to.ns - from.ns);
}

static void pause_ns(long ns)
{
	struct timespec t = { .tv_nsec = ns };

	while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) == EINTR)
		;
}

/* NULL if the TSC can be trusted, else why not. */
static const char *tsc_refused(char *buf, size_t len)
{
	static const char *const on_tsc[] = { "tsc", "kvm-clock", "hyperv_clocksource_tsc_page" };
	unsigned int a, b, c, d;
	char name[40] = "";
	FILE *f;

	if (!__get_cpuid(0x80000007, &a, &b, &c, &d) || !(d & 1u << 8))
		return "no invariant TSC";
	if (!__get_cpuid(0x80000001, &a, &b, &c, &d) || !(d & 1u << 27))
		return "no rdtscp";
	/* The kernel watches the TSC and leaves it for another clocksource when it misbehaves. */
	f = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "re");
	if (!f)
		return NULL;
	if (fscanf(f, "%39s", name) != 1)
		name[0] = '\0';
	fclose(f);
	for (size_t i = 0; i < sizeof(on_tsc) / sizeof(on_tsc[0]); i++)
		if (!strcmp(name, on_tsc[i]))
			return NULL;
	snprintf(buf, len, "clocksource is %.20s", name[0] ? name : "unknown");
	return buf;
}

static void clock_try_tsc(struct clock *c)
{
	struct moment m[3];
	const char *why;
	char buf[40];
	double a, b;

	why = tsc_refused(buf, sizeof(buf));
	if (!why) {
		m[0] = moment_take();
		pause_ns(CALIBRATION_NS);
		m[1] = moment_take();
		pause_ns(CALIBRATION_NS);
		m[2] = moment_take();
		a = moment_rate(m[0], m[1]);
		b = moment_rate(m[1], m[2]);
		c->drift_ppm = fabs(a - b) / ((a + b) / 2) * 1e6;
		/* written so that a NaN is refused, too */
		if (!(c->drift_ppm <= MAX_DRIFT_PPM) || !(a > 0)) {
			snprintf(buf, sizeof(buf), "TSC rate off by %.0f ppm", c->drift_ppm);
			why = buf;
		}
	}
	if (why) {
		snprintf(c->source, sizeof(c->source), "CLOCK_MONOTONIC_RAW (%s)", why);
		return;
	}
	c->tsc = true;
	c->ticks_per_ns = moment_rate(m[0], m[2]);
	snprintf(c->source, sizeof(c->source), "tsc");
}
#else
static void clock_try_tsc(struct clock *c)
{
	snprintf(c->source, sizeof(c->source), "CLOCK_MONOTONIC_RAW (no TSC on this architecture)");
}
#endif

static double clock_measure_cost(const struct clock *c)
{
	double sample[COST_SAMPLES];

	/* The first round warms caches, branch predictors and the vDSO's page. */
	for (int round = 0; round < 2; round++) {
		for (int i = 0; i < COST_SAMPLES; i++) {
			uint64_t before = clock_stamp(c);
			uint64_t after = clock_stamp(c);

			sample[i] = (double)(after - before);
		}
	}
	gsl_sort(sample, 1, COST_SAMPLES);
	return gsl_stats_median_from_sorted_data(sample, 1, COST_SAMPLES) / c->ticks_per_ns;
}

int clock_init(struct clock *c, struct error *e)
{
	struct timespec t;

	*c = raw_clock;
	if (clock_gettime(CLOCK_MONOTONIC_RAW, &t))
		return error_set(e, errno, "CLOCK_MONOTONIC_RAW cannot be read: %s",
				 strerror(errno));
	clock_try_tsc(c);
	c->cost_ns = clock_measure_cost(c);
	return 0;
}

uint64_t clock_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

double clock_monotonic_s(void)
{
	return 1e-9 * (double)clock_monotonic_ns();
}
