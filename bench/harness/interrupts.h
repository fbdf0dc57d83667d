/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel counts on one CPU beside the switches: interrupts, steal, time in use. */
#ifndef BENCH_HARNESS_INTERRUPTS_H
#define BENCH_HARNESS_INTERRUPTS_H

#include <stdbool.h>
#include <stdint.h>

/* Interrupts and steal on one CPU, from /proc/interrupts and /proc/stat. */
struct interrupts {
	uint64_t total;
	uint64_t *lines; /* per row of /proc/interrupts, malloc'ed */
	char (*names)[48];
	unsigned int n;
	double steal_ns;
};

int interrupts_read(struct interrupts *irq, int cpu);
void interrupts_free(struct interrupts *irq);

/* The @most rows that grew most between two readings, the greatest first, into @lines; returns how many. */
struct interrupt_line {
	char name[48];
	uint64_t count;
};
unsigned int interrupts_grown(const struct interrupts *before, const struct interrupts *after,
			      struct interrupt_line *lines, unsigned int most);

/* Nanoseconds that @cpu was in use so far, from /proc/stat; 0 where it is not listed. */
double cpu_busy_ns(int cpu);

/* The row that grew most between two readings, into @name; returns the growth. */
uint64_t interrupts_culprit(const struct interrupts *before, const struct interrupts *after,
			    char *name, size_t len);

#endif
