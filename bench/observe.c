// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/observe.h"
#include "lib/tracefs.h"

#define RING_PAGES 128 /* 512 KiB: some 5000 intrusions per trial */

struct observer {
	int fd;
	int cpu, id;
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
		.wakeup_events = UINT32_MAX, /* read after the trial; nobody is to be woken */
	};
	int err;

	attr.config = (uint64_t)o->id;
	o->fd = (int)syscall(SYS_perf_event_open, &attr, -1, o->cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (o->fd < 0)
		return error_set(
			e, errno,
			"sched:sched_switch cannot be sampled: %s: run as root or give CAP_PERFMON",
			strerror(errno));
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
	free(o);
}

/* "(prev_pid != 1 && prev_pid != 2 && ...)" */
static void foreign(FILE *f, const char *which, const struct trial *t, const struct claim *c,
		    int cpu)
{
	fprintf(f, "(%s_pid != %d", which, (int)t->tasks[0]);
	for (unsigned int i = 1; i < t->ntasks; i++)
		fprintf(f, " && %s_pid != %d", which, (int)t->tasks[i]);
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

int observer_own(const struct observer *o, const struct trial *t, const struct claim *c,
		 struct error *e)
{
	char *filter = NULL;
	size_t len;
	FILE *f;
	int rc = 0;

	if (!o)
		return 0;
	f = open_memstream(&filter, &len);
	if (!f)
		return error_set(e, ENOMEM, "out of memory");
	foreign(f, "prev", t, c, o->cpu);
	fprintf(f, " || ");
	foreign(f, "next", t, c, o->cpu);
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
	return &more[in->n++];
}

bool task_is_own(const struct trial *t, const struct claim *c, int cpu, pid_t pid, const char *comm)
{
	char prefix[32];

	for (unsigned int i = 0; i < t->ntasks; i++)
		if (t->tasks[i] == pid)
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

int observer_collect(struct observer *o, const struct trial *t, const struct claim *c,
		     struct intruders *in)
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
		if (!task_is_own(t, c, o->cpu, prev, r.sample.raw + o->prev_comm)) {
			who = intruder_find(in, prev, r.sample.raw + o->prev_comm);
			if (who && running == prev)
				who->ns += (double)(r.sample.time - since);
			if (who)
				who->switches++;
		}
		running = -1;
		if (!task_is_own(t, c, o->cpu, next, r.sample.raw + o->next_comm)) {
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

/* Position of @cpu's column in /proc/interrupts' heading, which lists online CPUs only. */
static int interrupts_column(const char *heading, int cpu)
{
	int column = 0, number, used;

	for (; sscanf(heading, " CPU%d%n", &number, &used) == 1; heading += used, column++)
		if (number == cpu)
			return column;
	return -ENODEV;
}

static void interrupts_line(struct interrupts *irq, char *line, int column)
{
	char *rest = strchr(line, ':'), *name = line;
	unsigned long long count = 0;
	void *lines, *names;

	if (!rest)
		return;
	*rest++ = '\0';
	while (*name == ' ')
		name++;
	for (int i = 0; i <= column; i++) {
		char *end;

		count = strtoull(rest, &end, 10);
		if (end == rest) /* ERR and MIS have one column for all CPUs */
			return;
		rest = end;
	}
	lines = reallocarray(irq->lines, irq->n + 1, sizeof(*irq->lines));
	if (lines)
		irq->lines = lines;
	names = reallocarray(irq->names, irq->n + 1, sizeof(*irq->names));
	if (names)
		irq->names = names;
	if (!lines || !names)
		return;
	while (*rest == ' ' || (*rest >= '0' && *rest <= '9'))
		rest++;
	rest[strcspn(rest, "\n")] = '\0';
	irq->lines[irq->n] = count;
	snprintf(irq->names[irq->n], sizeof(*irq->names), "%.12s (%.30s)", name, rest);
	irq->n++;
	irq->total += count;
}

struct stat_ns {
	double busy, steal;
};

/* @cpu's line of /proc/stat; false if it has none. */
static bool stat_read(int cpu, struct stat_ns *ns)
{
	unsigned long long user, nice, sys, irq, soft, steal;
	char *line = NULL, want[16];
	bool found = false;
	size_t cap = 0;
	FILE *f = fopen("/proc/stat", "re");

	snprintf(want, sizeof(want), "cpu%d ", cpu);
	while (f && !found && getline(&line, &cap, f) > 0)
		found = !strncmp(line, want, strlen(want)) &&
			sscanf(line + strlen(want), "%llu %llu %llu %*u %*u %llu %llu %llu", &user,
			       &nice, &sys, &irq, &soft, &steal) == 6;
	if (found) {
		double tick = 1e9 / (double)sysconf(_SC_CLK_TCK);

		ns->busy = (double)(user + nice + sys + irq + soft) * tick;
		ns->steal = (double)steal * tick;
	}
	if (f)
		fclose(f);
	free(line);
	return found;
}

int interrupts_read(struct interrupts *irq, int cpu)
{
	struct stat_ns stat;
	char *line = NULL;
	size_t cap = 0;
	int column = -ENODEV;
	FILE *f;

	*irq = (struct interrupts){ 0 };
	f = fopen("/proc/interrupts", "re");
	if (f && getline(&line, &cap, f) > 0)
		column = interrupts_column(line, cpu);
	while (f && column >= 0 && getline(&line, &cap, f) > 0)
		interrupts_line(irq, line, column);
	if (f)
		fclose(f);
	if (stat_read(cpu, &stat))
		irq->steal_ns = stat.steal;
	free(line);
	return column < 0 ? column : 0;
}

void interrupts_free(struct interrupts *irq)
{
	free(irq->lines);
	free(irq->names);
	*irq = (struct interrupts){ 0 };
}

uint64_t interrupts_culprit(const struct interrupts *before, const struct interrupts *after,
			    char *name, size_t len)
{
	uint64_t most = 0;

	snprintf(name, len, "unknown");
	for (unsigned int i = 0; i < after->n && i < before->n; i++) {
		uint64_t grown = after->lines[i] - before->lines[i];

		if (strcmp(after->names[i], before->names[i]) || grown <= most)
			continue;
		most = grown;
		snprintf(name, len, "%s", after->names[i]);
	}
	return most;
}

unsigned int interrupts_grown(const struct interrupts *before, const struct interrupts *after,
			      struct interrupt_line *lines, unsigned int most)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < after->n && i < before->n; i++) {
		uint64_t grown = after->lines[i] - before->lines[i];
		unsigned int at = n;

		if (!grown || strcmp(after->names[i], before->names[i]) != 0)
			continue;
		while (at > 0 && lines[at - 1].count < grown)
			at--;
		if (at == most)
			continue;
		if (n < most)
			n++;
		memmove(&lines[at + 1], &lines[at], (n - at - 1) * sizeof(*lines));
		lines[at].count = grown;
		memcpy(lines[at].name, after->names[i], sizeof(lines[at].name));
	}
	return n;
}

double cpu_busy_ns(int cpu)
{
	struct stat_ns stat;

	return stat_read(cpu, &stat) ? stat.busy : 0;
}
