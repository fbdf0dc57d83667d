/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All switches, by the kernel's own count: what a watch in turns extrapolates to. Of the whole machine it is "ctxt" in
 * /proc/stat, which costs nothing; of some CPUs, perf's context-switches. The caller's own switches are left out: it wakes
 * at the edges of its windows, so that none of them is seen there.
 */
#ifndef LIB_SWITCHES_TOTAL_H
#define LIB_SWITCHES_TOTAL_H

#include <stdint.h>
#include <hwloc.h>
#include "lib/base/error.h"

struct switch_total;

/* Begin to count on `cpus`, NULL: all, also those that come online later. 0, or -errno: -EPERM with how to get the permission. */
int switch_total_open(struct switch_total **total, hwloc_const_bitmap_t cpus, struct error *error);

/* Switches since open. Call it after each sleep, that the CPU is known on which the caller slept. 0 or -errno. */
int switch_total_read(struct switch_total *total, uint64_t *count, struct error *error);

/* What it reads, for who wonders: "/proc/stat" or "perf's context-switches". */
const char *switch_total_source(const struct switch_total *total);

/* NULL is allowed. */
void switch_total_close(struct switch_total *total);

#endif
