/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A CPU for the run alone: movable interrupts, unbound work and movable tasks go elsewhere, and come back exactly as they
 * were. What was changed is written down first, so that what a killed run leaves is put back at the next start.
 */
#ifndef LIB_ISOLATE_ISOLATE_H
#define LIB_ISOLATE_ISOLATE_H

#include <stddef.h>

#include "lib/base/error.h"

struct isolation;

/*
 * Moves what can be moved away from @cpu: interrupts (/proc/irq/N/smp_affinity_list), unbound workqueues, the tasks of other
 * control groups (cpuset of cgroup v2, where it is enabled) and each other task by its affinity, which is also what is done with
 * cgroup v1. @left gets one clause of what stays ("nothing" if nothing does). -EPERM without root, -EBUSY when another run
 * isolates, -EINVAL where there is no other CPU; then nothing was changed. End with isolate_end().
 */
int isolate_begin(struct isolation **iso, int cpu, char *left, size_t len, struct error *e);

/* At the end of a run, before isolate_end(): a sentence on what others moved back meanwhile, malloc'ed; NULL if all stayed away. */
char *isolate_returned(const struct isolation *iso);

/* Puts everything back and frees; NULL is allowed. 0, or -errno with what could not be put back. */
int isolate_end(struct isolation *iso, struct error *e);

/*
 * Puts back what a run that was killed had moved. 1 if it did, with the CPU in *@cpu; 0 if there is nothing, or its run still
 * goes on; -errno where the record cannot be trusted or something could not be put back.
 */
int isolate_recover(int *cpu, struct error *e);

#endif
