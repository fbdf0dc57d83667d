/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tracepoints' ids and formats, also where tracefs is not mounted. */
#ifndef LIB_COUNTERS_TRACEFS_H
#define LIB_COUNTERS_TRACEFS_H

#include "lib/base/error.h"

/* Opens a file below the tracefs root ("events/tlb/tlb_flush/id") for reading. A descriptor, or -errno with the remedy. */
int tracefs_open(const char *path, struct error *e);

/* The tracepoint's perf id, or -errno with the remedy. */
int tracepoint_id(const char *system, const char *event, struct error *e);

/* The offset of field @name in the tracepoint's raw record, or -errno. */
int tracepoint_field(const char *system, const char *event, const char *name, struct error *e);

#endif
