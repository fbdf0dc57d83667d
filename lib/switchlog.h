/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every switch and TLB event of one CPU, one by one and in order, with `mm`, `active_mm` and the
 * counts of the mm at that moment: what a story told switch by switch needs. Needs BPF and a kernel
 * with ring buffers (5.8); for hours or busy systems use switchtrace.h, which only counts.
 */
#ifndef LIB_SWITCHLOG_H
#define LIB_SWITCHLOG_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/error.h"
#include "lib/bpf/switchtrace-abi.h"

struct switchlog;

/* Called for each entry, oldest first; the entry is valid during the call only. */
typedef void (*switchlog_visit)(void *context, const struct switch_log_entry *entry);

/* Start logging CPU `cpu`. 0, or -errno with the reason, as switchtrace_open(). */
int switchlog_open(struct switchlog **log, unsigned int cpu, struct error *error);

/*
 * Visit what was logged since the last call, without waiting. The buffer holds some 20 000 entries;
 * those that did not fit are counted in *lost, if it is not NULL. 0 or -errno.
 */
int switchlog_read(struct switchlog *log, switchlog_visit visit, void *context, uint64_t *lost,
		   struct error *error);

/* Stop and free; NULL is allowed. */
void switchlog_close(struct switchlog *log);

#endif
