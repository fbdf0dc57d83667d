// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/base/refusal.h"
#include "lib/switches/perf-ring.h"
#include "lib/counters/pidns.h"
#include "lib/counters/tracefs.h"

/* Room for some 10 000 switches; less where the limit on locked memory is low. */
#define RING_MAX (1 << 20)
#define RING_MIN (1 << 14)

static const char *const flush_filters[SWITCH_RING_FLUSHES] = {
	[SWITCH_RING_KEPT] = "reason==0 && pages==0",
	[SWITCH_RING_FLUSHED] = "reason==0 && pages!=0",
	[SWITCH_RING_SENT] = "reason==4",
	[SWITCH_RING_RECEIVED] = "reason==1",
};

int switch_events_find(struct switch_events *events, bool want_flush, struct error *error)
{
	static const char *const names[] = { "prev_comm", "prev_pid", "prev_state", "next_comm",
					     "next_pid" };
	int *offsets[] = { &events->prev_comm, &events->prev_pid, &events->prev_state,
			   &events->next_comm, &events->next_pid };
	int id;

	/* Whoever takes these events asks /proc what a task is. */
	if (!pidns_is_initial())
		return pidns_refuse("perf's events do not tell what a task is", error);
	id = tracepoint_id("sched", "sched_switch", error);
	if (id < 0)
		return id;
	events->switch_id = id;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		*offsets[i] = tracepoint_field("sched", "sched_switch", names[i], error);
		if (*offsets[i] < 0)
			return *offsets[i];
	}
	id = want_flush ? tracepoint_id("tlb", "tlb_flush", NULL) : -ENOENT;
	events->has_flush = id >= 0;
	events->flush_id = id >= 0 ? id : 0;
	return 0;
}

void switch_ring_init(struct switch_ring *ring)
{
	*ring = (struct switch_ring){ .fd = -1 };
	for (int i = 0; i < SWITCH_RING_FLUSHES; i++)
		ring->flush_fd[i] = -1;
}

int switch_event_open(struct perf_event_attr *attr, unsigned int cpu, struct error *error)
{
	int fd = syscall(SYS_perf_event_open, attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd >= 0)
		return fd;
	return refusal_set(error, REFUSED_EVENT, errno == EACCES ? EPERM : errno,
			   "perf events of CPU %u", cpu);
}

static int ring_map(struct switch_ring *ring, unsigned int cpu, struct error *error)
{
	long page = sysconf(_SC_PAGESIZE);

	for (ring->size = RING_MAX; ring->size >= RING_MIN; ring->size /= 2) {
		ring->map = mmap(NULL, page + ring->size, PROT_READ | PROT_WRITE, MAP_SHARED,
				 ring->fd, 0);
		if (ring->map != MAP_FAILED)
			return 0;
	}
	ring->map = NULL;
	return error_set(error, errno, "the buffer of CPU %u's events: %s", cpu, strerror(errno));
}

static int flushes_open(struct switch_ring *ring, unsigned int cpu,
			const struct switch_events *events, struct error *error)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = events->flush_id,
	};

	for (int i = 0; events->has_flush && i < SWITCH_RING_FLUSHES; i++) {
		ring->flush_fd[i] = switch_event_open(&attr, cpu, error);
		if (ring->flush_fd[i] < 0)
			return ring->flush_fd[i];
		if (ioctl(ring->flush_fd[i], PERF_EVENT_IOC_SET_FILTER, flush_filters[i]))
			return error_set(error, errno, "filtering tlb:tlb_flush by %s: %s",
					 flush_filters[i], strerror(errno));
	}
	return 0;
}

int switch_ring_open(struct switch_ring *ring, unsigned int cpu, const struct switch_events *events,
		     struct error *error)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = events->switch_id,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_RAW,
		.task = 1,
		.disabled = 1,
		.watermark = 1,
		.wakeup_watermark = RING_MAX / 2,
	};
	int ret;

	ring->fd = switch_event_open(&attr, cpu, error);
	ret = ring->fd < 0 ? ring->fd : ring_map(ring, cpu, error);
	if (!ret)
		ret = flushes_open(ring, cpu, events, error);
	if (!ret && ioctl(ring->fd, PERF_EVENT_IOC_ENABLE, 0))
		ret = error_set(error, errno, "enabling the events of CPU %u: %s", cpu,
				strerror(errno));
	if (ret)
		switch_ring_close(ring);
	return ret;
}

bool switch_ring_is_open(const struct switch_ring *ring)
{
	return ring->fd >= 0;
}

void switch_ring_close(struct switch_ring *ring)
{
	if (ring->map)
		munmap(ring->map, sysconf(_SC_PAGESIZE) + ring->size);
	if (ring->fd >= 0)
		close(ring->fd);
	for (int i = 0; i < SWITCH_RING_FLUSHES; i++)
		if (ring->flush_fd[i] >= 0)
			close(ring->flush_fd[i]);
	switch_ring_init(ring);
}

/* Records may wrap round the ring's end: copy one out as a whole. */
static void ring_copy(const struct switch_ring *ring, const char *data, uint64_t from, void *to,
		      size_t length)
{
	size_t at = from & (ring->size - 1), first = ring->size - at;

	if (first > length)
		first = length;
	memcpy(to, data + at, first);
	memcpy((char *)to + first, data, length - first);
}

void switch_ring_look(struct switch_ring *ring, switch_ring_fork visit, void *context)
{
	struct perf_event_mmap_page *page = ring->map;
	const char *data = (const char *)ring->map + sysconf(_SC_PAGESIZE);
	struct {
		struct perf_event_header header;
		uint32_t pid, ppid, tid, ptid;
	} fork;
	uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);

	/* What was looked through before and is not drained yet need not be again. */
	for (uint64_t at = ring->head; at < head; at += fork.header.size) {
		ring_copy(ring, data, at, &fork.header, sizeof(fork.header));
		if (fork.header.size < sizeof(fork.header))
			break;
		if (fork.header.type != PERF_RECORD_FORK)
			continue;
		ring_copy(ring, data, at, &fork, sizeof(fork));
		visit(context, fork.tid, fork.pid, fork.ptid);
	}
	ring->head = head;
}

static void record_visit(const char *bytes, const struct switch_events *events, unsigned int cpu,
			 switch_ring_visit visit, void *context)
{
	/* PERF_SAMPLE_RAW: a size of 32 bits, then the event's own layout. */
	const char *raw = bytes + sizeof(struct perf_event_header) + sizeof(uint32_t);
	struct switch_record record = {
		.prev_comm = raw + events->prev_comm,
		.next_comm = raw + events->next_comm,
	};

	memcpy(&record.prev_pid, raw + events->prev_pid, sizeof(record.prev_pid));
	memcpy(&record.next_pid, raw + events->next_pid, sizeof(record.next_pid));
	memcpy(&record.prev_state, raw + events->prev_state, sizeof(record.prev_state));
	visit(context, cpu, &record);
}

void switch_ring_drain(struct switch_ring *ring, unsigned int cpu,
		       const struct switch_events *events, switch_ring_visit visit, void *context)
{
	struct perf_event_mmap_page *page = ring->map;
	const char *data = (const char *)ring->map + sysconf(_SC_PAGESIZE);
	uint64_t head = ring->head;
	uint64_t tail = page->data_tail;
	char bytes[512] __attribute__((aligned(8)));

	while (tail < head) {
		struct perf_event_header header;

		ring_copy(ring, data, tail, &header, sizeof(header));
		if (header.size < sizeof(header))
			break;
		if (header.type == PERF_RECORD_SAMPLE && header.size <= sizeof(bytes)) {
			ring_copy(ring, data, tail, bytes, header.size);
			record_visit(bytes, events, cpu, visit, context);
		}
		tail += header.size;
		__atomic_store_n(&page->data_tail, tail, __ATOMIC_RELEASE);
	}
}

static uint64_t counter_read(int fd)
{
	uint64_t value;

	return fd >= 0 && read(fd, &value, sizeof(value)) == sizeof(value) ? value : 0;
}

uint64_t switch_ring_count(const struct switch_ring *ring, uint64_t flushes[SWITCH_RING_FLUSHES])
{
	for (int i = 0; i < SWITCH_RING_FLUSHES; i++)
		flushes[i] = counter_read(ring->flush_fd[i]);
	return counter_read(ring->fd);
}
