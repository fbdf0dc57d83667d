/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries into a kernel function, counted by perf's kprobe PMU: it takes no tracefs, and a tracepoint on no architecture. */
#ifndef LIB_COUNTERS_KPROBE_H
#define LIB_COUNTERS_KPROBE_H

#include <linux/perf_event.h>

#include "lib/base/error.h"

/* perf's number of that PMU, or -errno with the reason: kernels are built without it, too. */
int kprobe_type(struct error *e);

/* Makes @attr count entries into @function, which must outlive it. @type: kprobe_type()'s. */
void kprobe_describe(struct perf_event_attr *attr, int type, const char *function);

#endif
