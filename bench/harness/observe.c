// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/harness/observe.h"
#include "lib/base/refusal.h"
#include "lib/base/text.h"
#include "lib/counters/tracefs.h"

#define RING_PAGES 128 /* 512 KiB: some 5000 intrusions per trial */
#define NAMED_MOST 32 /* own tasks that a filter names: it has to fit a page */

struct observer {
	int fd;
	int cpu, id;
	pid_t *own; /* the trial's tasks, as events number them */
	unsigned int nown;
	struct perf_event_mmap_page *meta;
	unsigned char *data;
	size_t page, size;
	uint64_t lost;
	/* offsets in sched_switch's raw record */
	int prev_comm, prev_pid, next_comm, next_pid;
};

static int observer_start(struct observer *o, struct error *e)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_TRACEPOINT,
		.disabled = 1,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_TIME | PERF_SAMPLE_RAW,
		/* Read after the trial: a wake-up is an irq_work, which is a task of its own with PREEMPT_RT. */
		.watermark = 1,
		.wakeup_watermark = UINT32_MAX,
	};
	int err;

	attr.config = (uint64_t)o->id;
	o->fd = (int)syscall(SYS_perf_event_open, &attr, -1, o->cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (o->fd < 0)
		return refusal_set(e, REFUSED_EVENT, errno, "sched:sched_switch cannot be sampled");
	o->meta = mmap(NULL, o->page + o->size, PROT_READ | PROT_WRITE, MAP_SHARED, o->fd, 0);
	if (o->meta == MAP_FAILED) {
		err = errno;
		o->meta = NULL;
		return error_set(e, err,
				 "no ring buffer for sched:sched_switch: %s: raise "
				 "kernel.perf_event_mlock_kb",
				 strerror(err));
	}
	o->data = (unsigned char *)o->meta + o->page;
	return 0;
}

int observer_open(struct observer **out, int cpu, struct error *e)
{
	struct observer *o = calloc(1, sizeof(*o));
	int rc;

	if (!o)
		return error_set(e, ENOMEM, "out of memory");
	o->cpu = cpu;
	o->fd = -1;
	o->page = (size_t)sysconf(_SC_PAGESIZE);
	o->size = RING_PAGES * o->page;
	o->id = tracepoint_id("sched", "sched_switch", e);
	o->prev_comm = tracepoint_field("sched", "sched_switch", "prev_comm", e);
	o->prev_pid = tracepoint_field("sched", "sched_switch", "prev_pid", e);
	o->next_comm = tracepoint_field("sched", "sched_switch", "next_comm", e);
	o->next_pid = tracepoint_field("sched", "sched_switch", "next_pid", e);
	if (o->id < 0 || o->prev_comm < 0 || o->prev_pid < 0 || o->next_comm < 0 || o->next_pid < 0)
		rc = -ENOENT;
	else
		rc = observer_start(o, e);
	if (rc) {
		observer_close(o);
		return rc;
	}
	*out = o;
	return 0;
}

void observer_close(struct observer *o)
{
	if (!o)
		return;
	if (o->meta)
		munmap(o->meta, o->page + o->size);
	if (o->fd >= 0)
		close(o->fd);
	free(o->own);
	free(o);
}

/*
 * "prev_pid != 1 && prev_pid != 2 && ...". Of many own tasks all between the lowest and the highest number is let through that has another
 * name: who that is, is looked at when what was seen is collected.
 */
static void foreign_pids(FILE *f, const char *which, const struct observer *o)
{
	pid_t low = o->own[0], high = o->own[0];
	char name[16] = "";

	if (o->nown <= NAMED_MOST) {
		for (unsigned int i = 0; i < o->nown; i++)
			fprintf(f, "%s%s_pid != %d", i ? " && " : "", which, (int)o->own[i]);
		return;
	}
	for (unsigned int i = 1; i < o->nown; i++) {
		low = o->own[i] < low ? o->own[i] : low;
		high = o->own[i] > high ? o->own[i] : high;
	}
	fprintf(f, "(%s_pid < %d || %s_pid > %d", which, (int)low, which, (int)high);
	prctl(PR_GET_NAME, name);
	if (name[0] && !name[strcspn(name, "\"\\*?[")])
		fprintf(f, " || %s_comm != \"%s\"", which, name);
	fprintf(f, ")");
}

/* "(prev_pid != 1 && ... && prev_comm != ...)" */
static void foreign(FILE *f, const char *which, const struct observer *o, const struct claim *c)
{
	int cpu = o->cpu;

	fprintf(f, "(");
	foreign_pids(f, which, o);
	if (c->kworkers)
		fprintf(f, " && !(%s_comm ~ \"kworker/%d:*\")", which, cpu);
	if (c->idle)
		fprintf(f, " && %s_pid != 0", which);
	if (c->comm)
		fprintf(f, " && %s_comm != \"%s\"", which, c->comm);
	if (c->stopper)
		fprintf(f, " && %s_comm != \"migration/%d\"", which, cpu);
	fprintf(f, ")");
}

int observer_own(struct observer *o, const struct trial *t, const struct claim *c, struct error *e)
{
	char *filter = NULL;
	size_t len;
	FILE *f;
	int rc;

	if (!o)
		return 0;
	o->own = calloc(t->ntasks, sizeof(*o->own));
	if (!o->own)
		return error_set(e, ENOMEM, "out of memory");
	o->nown = t->ntasks;
	rc = trial_numbers(t, o->own, e);
	if (rc)
		return rc;
	f = open_memstream(&filter, &len);
	if (!f)
		return error_set(e, ENOMEM, "out of memory");
	foreign(f, "prev", o, c);
	fprintf(f, " || ");
	foreign(f, "next", o, c);
	fclose(f);
	if (ioctl(o->fd, PERF_EVENT_IOC_SET_FILTER, filter) < 0)
		rc = error_set(e, errno, "the filter for foreign tasks was refused: %s",
			       strerror(errno));
	free(filter);
	return rc;
}

void observer_enable(const struct observer *o)
{
	if (o)
		ioctl(o->fd, PERF_EVENT_IOC_ENABLE, 0);
}

void observer_disable(const struct observer *o)
{
	if (o)
		ioctl(o->fd, PERF_EVENT_IOC_DISABLE, 0);
}

static struct intruder *intruder_find(struct intruders *in, pid_t pid, const char *comm)
{
	struct intruder *more;

	for (unsigned int i = 0; i < in->n; i++)
		if (in->list[i].pid == pid)
			return &in->list[i];
	more = reallocarray(in->list, in->n + 1, sizeof(*more));
	if (!more)
		return NULL;
	in->list = more;
	more[in->n] = (struct intruder){ .pid = pid };
	memcpy(more[in->n].comm, comm, sizeof(more->comm) - 1);
	text_utf8(more[in->n].comm);
	return &more[in->n++];
}

bool task_is_own(const pid_t *own, unsigned int nown, const struct claim *c, int cpu, pid_t pid,
		 const char *comm)
{
	char prefix[32];

	for (unsigned int i = 0; i < nown; i++)
		if (own[i] == pid)
			return true;
	if (c->idle && pid == 0)
		return true;
	if (c->comm && !strcmp(comm, c->comm))
		return true;
	snprintf(prefix, sizeof(prefix), "migration/%d", cpu);
	if (c->stopper && !strcmp(comm, prefix))
		return true;
	snprintf(prefix, sizeof(prefix), "kworker/%d:", cpu);
	return c->kworkers && !strncmp(comm, prefix, strlen(prefix));
}

static int most_time_first(const void *a, const void *b)
{
	const struct intruder *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? 1 : -1;
	return (x->switches < y->switches) - (x->switches > y->switches);
}

/* Copies @len bytes at ring position @at. */
static void ring_copy(const struct observer *o, uint64_t at, void *to, size_t len)
{
	size_t off = at % o->size;
	size_t first = len < o->size - off ? len : o->size - off;

	memcpy(to, o->data + off, first);
	memcpy((char *)to + first, o->data, len - first);
}

int observer_collect(struct observer *o, const struct claim *c, struct intruders *in)
{
	uint64_t head, tail, since = 0;
	pid_t running = -1;

	*in = (struct intruders){ 0 };
	if (!o)
		return 0;
	head = __atomic_load_n(&o->meta->data_head, __ATOMIC_ACQUIRE);
	for (tail = o->meta->data_tail; tail < head;) {
		union {
			struct perf_event_header h;
			struct {
				struct perf_event_header h;
				uint64_t id, lost;
			} lost;
			struct {
				struct perf_event_header h;
				uint64_t time;
				uint32_t size;
				char raw[];
			} __attribute__((packed)) sample;
			char bytes[256];
		} r;
		struct intruder *who;
		pid_t prev, next;

		ring_copy(o, tail, &r.h, sizeof(r.h));
		if (r.h.size < sizeof(r.h))
			break;
		ring_copy(o, tail, &r, r.h.size < sizeof(r) ? r.h.size : sizeof(r));
		tail += r.h.size;
		if (r.h.type == PERF_RECORD_LOST)
			in->lost += r.lost.lost;
		if (r.h.type != PERF_RECORD_SAMPLE)
			continue;
		memcpy(&prev, r.sample.raw + o->prev_pid, sizeof(prev));
		memcpy(&next, r.sample.raw + o->next_pid, sizeof(next));
		if (!task_is_own(o->own, o->nown, c, o->cpu, prev, r.sample.raw + o->prev_comm)) {
			who = intruder_find(in, prev, r.sample.raw + o->prev_comm);
			if (who && running == prev)
				who->ns += (double)(r.sample.time - since);
			if (who)
				who->switches++;
		}
		running = -1;
		if (!task_is_own(o->own, o->nown, c, o->cpu, next, r.sample.raw + o->next_comm)) {
			who = intruder_find(in, next, r.sample.raw + o->next_comm);
			if (who)
				who->switches++;
			running = next;
			since = r.sample.time;
		}
	}
	__atomic_store_n(&o->meta->data_tail, head, __ATOMIC_RELEASE);
	if (in->n)
		qsort(in->list, in->n, sizeof(*in->list), most_time_first);
	return 0;
}
