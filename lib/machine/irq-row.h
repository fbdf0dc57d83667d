/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one row of /proc/interrupts counted on each CPU, read again and again. */
#ifndef LIB_MACHINE_IRQ_ROW_H
#define LIB_MACHINE_IRQ_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

struct irq_row {
	int fd;
	char name[16]; /* "TLB:" */
	char *text; /* what was read last */
	size_t room;
	unsigned int columns; /* one for each CPU that was online */
	uint64_t *counts; /* by column; 0 where there is no such row */
	bool there; /* the row was found when it was read last */
};

/* Opens /proc/interrupts for row @name ("TLB") and reads it. 0, or -errno with the remedy. */
int irq_row_open(struct irq_row *r, const char *name, struct error *e);

/* The column of @cpu, or -1: it was not online. */
int irq_row_column(const struct irq_row *r, int cpu);

/* Fills counts. Allocates nothing: a fresh page of the reader could be a flush of its own. */
void irq_row_read(struct irq_row *r);

#endif
