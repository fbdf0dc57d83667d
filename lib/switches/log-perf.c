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
#include <time.h>
#include <unistd.h>
#include "lib/switches/kernel-flags.h"
#include "lib/switches/perf-ring.h"
#include "lib/switches/log-perf.h"
#include "lib/switches/task-table.h"
#include "lib/counters/tracefs.h"

#define RING_SIZE (1 << 20)

struct owned {
	uint32_t tid, tgid;
	char comm[COMM_LEN]; /* once it was seen */
};

struct log_perf {
	struct switch_events events;
	int flush_reason, flush_pages; /* offsets in tlb_flush's raw record */
	unsigned int cpu;
	int switch_fd, flush_fd;
	struct perf_event_mmap_page *page;
	struct task_table *tasks;
	struct owned *own;
	size_t own_count;
	uint32_t lender; /* process whose mm is loaded by the rule, 0: not known yet */
	uint32_t left, came; /* tasks of the latest switch */
	uint64_t lost;
};

/* What precedes the raw data of a sample with the fields asked for below. */
struct sample {
	struct perf_event_header header;
	uint32_t pid, tid;
	uint64_t time;
	uint32_t size;
	char raw[];
} __attribute__((packed));

/* PERF_RECORD_SWITCH_CPU_WIDE, with what event_open() asks for behind it. */
struct wide_switch {
	struct perf_event_header header;
	uint32_t other_pid, other_tid;
	uint32_t pid, tid;
	uint64_t time;
};

static int event_open(const struct log_perf *steps, uint64_t id, struct error *error)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = id,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.context_switch = id == steps->events.switch_id,
		.sample_id_all = 1,
		.watermark = 1,
		.wakeup_watermark = UINT32_MAX, /* nobody is to be woken */
		.disabled = 1,
	};

	return switch_event_open(&attr, steps->cpu, error);
}

static int events_open(struct log_perf *steps, struct error *error)
{
	long page = sysconf(_SC_PAGESIZE);

	steps->switch_fd = event_open(steps, steps->events.switch_id, error);
	if (steps->switch_fd < 0)
		return steps->switch_fd;
	steps->page = mmap(NULL, (size_t)page + RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			   steps->switch_fd, 0);
	if (steps->page == MAP_FAILED) {
		steps->page = NULL;
		return error_set(error, errno,
				 "the buffer of CPU %u's events: %s: raise "
				 "kernel.perf_event_mlock_kb",
				 steps->cpu, strerror(errno));
	}
	if (steps->events.has_flush) {
		steps->flush_fd = event_open(steps, steps->events.flush_id, error);
		if (steps->flush_fd < 0)
			return steps->flush_fd;
		/* One buffer for both: in the order in which they happened. */
		if (ioctl(steps->flush_fd, PERF_EVENT_IOC_SET_OUTPUT, steps->switch_fd) ||
		    ioctl(steps->flush_fd, PERF_EVENT_IOC_ENABLE, 0))
			return error_set(error, errno, "tlb:tlb_flush of CPU %u: %s", steps->cpu,
					 strerror(errno));
	}
	if (ioctl(steps->switch_fd, PERF_EVENT_IOC_ENABLE, 0))
		return error_set(error, errno, "sched:sched_switch of CPU %u: %s", steps->cpu,
				 strerror(errno));
	return 0;
}

int log_perf_open(struct log_perf **out, unsigned int cpu, struct error *error)
{
	struct log_perf *steps = calloc(1, sizeof(*steps));
	int ret;

	if (!steps)
		return error_set(error, ENOMEM, "no memory for the switch events");
	steps->switch_fd = steps->flush_fd = -1;
	steps->cpu = cpu;
	steps->tasks = task_table_new();
	ret = steps->tasks ? switch_events_find(&steps->events, true, error)
			   : error_set(error, ENOMEM, "no memory for the task table");
	if (!ret && steps->events.has_flush) {
		steps->flush_reason = tracepoint_field("tlb", "tlb_flush", "reason", error);
		steps->flush_pages = tracepoint_field("tlb", "tlb_flush", "pages", error);
		if (steps->flush_reason < 0 || steps->flush_pages < 0)
			ret = -EINVAL;
	}
	if (!ret)
		ret = events_open(steps, error);
	if (ret) {
		log_perf_close(steps);
		return ret;
	}
	*out = steps;
	return 0;
}

int log_perf_own(struct log_perf *steps, uint32_t tid, uint32_t tgid)
{
	struct owned *more = reallocarray(steps->own, steps->own_count + 1, sizeof(*more));

	if (!more)
		return -ENOMEM;
	steps->own = more;
	more[steps->own_count++] = (struct owned){ .tid = tid, .tgid = tgid };
	return 0;
}

static struct owned *own_find(struct log_perf *steps, uint32_t tid)
{
	for (size_t i = 0; i < steps->own_count; i++)
		if (steps->own[i].tid == tid)
			return &steps->own[i];
	return NULL;
}

static void comm_find(struct log_perf *steps, uint32_t pid, char comm[COMM_LEN])
{
	const struct owned *own = own_find(steps, pid);
	char path[64];
	FILE *file;

	if (own && own->comm[0]) {
		memcpy(comm, own->comm, COMM_LEN);
		return;
	}
	memset(comm, 0, COMM_LEN);
	snprintf(path, sizeof(path), "/proc/%u/comm", pid);
	file = fopen(path, "re");
	if (!file || !fgets(comm, COMM_LEN, file))
		strcpy(comm, "?");
	comm[strcspn(comm, "\n")] = '\0';
	if (file)
		fclose(file);
}

static void task_describe(struct log_perf *steps, struct switch_log_task *to, uint32_t pid,
			  const char *comm)
{
	const struct task_entry *entry;
	struct owned *own;

	to->pid = pid;
	if (!pid) {
		memcpy(to->comm, "swapper", sizeof("swapper"));
		to->flags = PF_KTHREAD;
		return;
	}
	memcpy(to->comm, comm, COMM_LEN);
	own = own_find(steps, pid);
	if (own) {
		memcpy(own->comm, comm, COMM_LEN);
		to->tgid = own->tgid;
	} else {
		entry = task_table_find(steps->tasks, pid, comm);
		to->tgid = entry->tgid;
		to->flags = entry->kthread ? PF_KTHREAD : 0;
	}
	to->mm = to->flags & PF_KTHREAD ? 0 : to->tgid;
}

/* What follows from who leaves and who comes. */
static void switch_complete(struct log_perf *steps, struct switch_log_entry *entry)
{
	entry->kind = LOG_SWITCH;
	if (entry->prev.mm)
		steps->lender = (uint32_t)entry->prev.mm;
	entry->prev.active_mm = steps->lender;
	entry->next.active_mm = entry->next.mm;
	if (entry->next.mm)
		steps->lender = (uint32_t)entry->next.mm;
	steps->left = entry->prev.pid;
	steps->came = entry->next.pid;
}

static void switch_describe(struct log_perf *steps, struct switch_log_entry *entry, const char *raw)
{
	const struct switch_events *events = &steps->events;
	uint32_t prev, next;

	memcpy(&prev, raw + events->prev_pid, sizeof(prev));
	memcpy(&next, raw + events->next_pid, sizeof(next));
	task_describe(steps, &entry->prev, prev, raw + events->prev_comm);
	task_describe(steps, &entry->next, next, raw + events->next_comm);
	switch_complete(steps, entry);
}

/*
 * Seen on a virtual machine: nothing is sampled while the second CPU's idle task runs. That it was left is recorded by the task that comes.
 */
static void wide_visit(struct log_perf *steps, const struct wide_switch *wide, switch_visit visit,
		       void *context)
{
	struct switch_log_entry entry = {
		.time_ns = wide->time,
		.cpu = steps->cpu,
		.mm_users = -1,
		.mm_count = -1,
		.reason = LOG_PERF_BLIND,
	};
	char comm[COMM_LEN] = "";

	if (wide->header.misc & PERF_RECORD_MISC_SWITCH_OUT ||
	    (steps->left == wide->other_tid && steps->came == wide->tid))
		return;
	comm_find(steps, wide->other_tid, comm);
	task_describe(steps, &entry.prev, wide->other_tid, comm);
	comm_find(steps, wide->tid, comm);
	task_describe(steps, &entry.next, wide->tid, comm);
	switch_complete(steps, &entry);
	visit(context, &entry);
}

static void sample_visit(struct log_perf *steps, const struct sample *sample, switch_visit visit,
			 void *context)
{
	struct switch_log_entry entry = {
		.time_ns = sample->time,
		.cpu = steps->cpu,
		.mm_users = -1,
		.mm_count = -1,
	};
	uint64_t pages;
	uint16_t type; /* every raw record begins with its event's id */

	memcpy(&type, sample->raw, sizeof(type));
	if (type == steps->events.switch_id) {
		switch_describe(steps, &entry, sample->raw);
	} else {
		entry.kind = LOG_FLUSH;
		memcpy(&entry.reason, sample->raw + steps->flush_reason, sizeof(entry.reason));
		memcpy(&pages, sample->raw + steps->flush_pages, sizeof(pages));
		entry.pages = (int64_t)pages;
		/* As in the BPF program: switch_mm() runs before the CPU's current task changes. */
		entry.in_switch = steps->left == sample->tid;
	}
	visit(context, &entry);
}

int log_perf_read(struct log_perf *steps, switch_visit visit, void *context, uint64_t *lost,
		  bool *loads, struct error *error)
{
	const char *data = (const char *)steps->page + sysconf(_SC_PAGESIZE);
	uint64_t head = __atomic_load_n(&steps->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = steps->page->data_tail;
	union {
		struct perf_event_header header;
		struct sample sample;
		struct wide_switch wide;
		char bytes[512];
		struct {
			struct perf_event_header lost_header;
			uint64_t id, lost;
		};
	} record;

	while (tail < head) {
		size_t at = tail & (RING_SIZE - 1), first, size;

		memcpy(&record.header, data + at, sizeof(record.header));
		size = record.header.size;
		if (size < sizeof(record.header) || size > sizeof(record))
			return error_set(error, EIO, "the buffer of CPU %u's events is damaged",
					 steps->cpu);
		first = size < RING_SIZE - at ? size : RING_SIZE - at;
		memcpy(&record, data + at, first);
		memcpy(record.bytes + first, data, size - first);
		if (record.header.type == PERF_RECORD_SAMPLE)
			sample_visit(steps, &record.sample, visit, context);
		else if (record.header.type == PERF_RECORD_SWITCH_CPU_WIDE)
			wide_visit(steps, &record.wide, visit, context);
		else if (record.header.type == PERF_RECORD_LOST)
			steps->lost += record.lost;
		tail += size;
		__atomic_store_n(&steps->page->data_tail, tail, __ATOMIC_RELEASE);
	}
	if (lost)
		*lost = steps->lost;
	if (loads)
		*loads = steps->events.has_flush;
	return 0;
}

void log_perf_close(struct log_perf *steps)
{
	if (!steps)
		return;
	if (steps->page)
		munmap(steps->page, (size_t)sysconf(_SC_PAGESIZE) + RING_SIZE);
	if (steps->flush_fd >= 0)
		close(steps->flush_fd);
	if (steps->switch_fd >= 0)
		close(steps->switch_fd);
	task_table_free(steps->tasks);
	free(steps->own);
	free(steps);
}
