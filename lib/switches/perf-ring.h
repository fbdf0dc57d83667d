/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One CPU's perf events for switches and TLB flushes: the ring of records, and the counters. */
#ifndef LIB_SWITCHES_PERF_RING_H
#define LIB_SWITCHES_PERF_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <hwloc.h>
#include "lib/base/error.h"

enum {
	SWITCH_RING_KEPT,
	SWITCH_RING_FLUSHED,
	SWITCH_RING_SENT,
	SWITCH_RING_RECEIVED,
	SWITCH_RING_FLUSHES
};

/* Where the running kernel keeps the tracepoints and their fields. */
struct switch_events {
	uint64_t switch_id, flush_id;
	bool has_flush; /* wanted, and there: not every architecture has tlb:tlb_flush */
	int prev_comm, prev_pid, prev_state, next_comm, next_pid; /* offsets in the raw record */
};

struct switch_record {
	uint32_t prev_pid, next_pid;
	uint64_t prev_state;
	const char *prev_comm, *next_comm; /* COMM_LEN bytes */
};

struct switch_ring {
	int fd, flush_fd[SWITCH_RING_FLUSHES];
	void *map;
	size_t size; /* of the data, a power of two */
	uint64_t head; /* end of what was looked through for forks */
};

struct perf_event_attr;

/* A perf event on all that a CPU runs: its descriptor, or -EPERM with how to get the permission, or another -errno. */
int switch_event_open(struct perf_event_attr *attr, unsigned int cpu, struct error *error);

typedef void (*switch_ring_visit)(void *context, unsigned int cpu,
				  const struct switch_record *record);

/* 0, or -ENOTSUP (in a PID namespace), -ENOENT (no tracefs), -EACCES (not readable), -EINVAL (fields that we do not know). */
int switch_events_find(struct switch_events *events, bool want_flush, struct error *error);

/* Before anything else is done with a ring. */
void switch_ring_init(struct switch_ring *ring);

/* 0, or -EPERM with how to get the permission, -ENODEV: the CPU is offline, or another -errno. */
int switch_ring_open(struct switch_ring *ring, unsigned int cpu, const struct switch_events *events,
		     struct error *error);
bool switch_ring_is_open(const struct switch_ring *ring);
void switch_ring_close(struct switch_ring *ring);

/* A task that was made: `tid` belongs to process `tgid`; `parent` is the task that made it. */
typedef void (*switch_ring_fork)(void *context, uint32_t tid, uint32_t tgid, uint32_t parent);

/*
 * Visit each fork recorded since the last call, and leave the records where they are. Look through the
 * rings of all CPUs before any is drained: a task often runs on another CPU than where it was made.
 */
void switch_ring_look(struct switch_ring *ring, switch_ring_fork visit, void *context);

/* Visit each switch recorded up to where switch_ring_look() came. */
void switch_ring_drain(struct switch_ring *ring, unsigned int cpu,
		       const struct switch_events *events, switch_ring_visit visit, void *context);

/* Switches counted since open, recorded or lost, and flushes by kind. */
uint64_t switch_ring_count(const struct switch_ring *ring, uint64_t flushes[SWITCH_RING_FLUSHES]);

#endif
