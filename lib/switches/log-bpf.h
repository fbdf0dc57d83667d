/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every switch and TLB event of one CPU, one by one and in order, with `mm`, `active_mm` and the
 * counts of the mm at that moment: what a story told switch by switch needs. Needs BPF and a kernel
 * with ring buffers (5.8); for hours or busy systems use counts.h, which only counts.
 */
#ifndef LIB_SWITCHES_LOG_BPF_H
#define LIB_SWITCHES_LOG_BPF_H

#include <stdbool.h>
#include <stdint.h>
#include "lib/base/error.h"
#include "lib/switches/abi.h"

struct log_bpf;

/* Called for each entry, oldest first; the entry is valid during the call only. */
typedef void (*switch_visit)(void *context, const struct switch_log_entry *entry);

/* Start logging CPU `cpu`. 0, or -errno with the reason, as counts_bpf_open(). */
int log_bpf_open(struct log_bpf **log, unsigned int cpu, struct error *error);

/*
 * Visit what was logged since the last call, without waiting. The buffer holds some 20 000 entries;
 * those that did not fit are counted in *lost, if it is not NULL. 0 or -errno.
 */
int log_bpf_read(struct log_bpf *log, switch_visit visit, void *context, uint64_t *lost,
		 struct error *error);

/* Stop and free; NULL is allowed. */
void log_bpf_close(struct log_bpf *log);

#endif
