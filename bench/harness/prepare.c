// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/harness/prepare.h"
#include "config.h"
#include "lib/base/member.h"
#include "lib/counters/pidns.h"
#include "lib/base/refusal.h"

struct calibration {
	struct clock clock;
	struct error error;
	int rc;
};

/* In a process of its own, so that the driver's affinity stays as it is. */
static int clock_calibrate(struct bench *b, struct error *e)
{
	struct calibration *c = mem_shared(sizeof(*c), -1, e);
	pid_t pid;
	int rc;

	if (!c)
		return -ENOMEM;
	c->rc = -ECHILD;
	pid = fork();
	if (pid == 0) {
		c->rc = cpu_pin(b->cpu.cpu, &c->error);
		if (!c->rc)
			c->rc = clock_init(&c->clock, &c->error);
		_exit(0);
	}
	if (pid < 0)
		rc = refusal_set(e, REFUSED_CALL, errno, "cannot fork");
	else if (waitpid(pid, NULL, 0) == pid && c->rc == 0)
		rc = 0;
	else
		rc = error_set(e, ECHILD, "cannot calibrate the clock on CPU %d: %s", b->cpu.cpu,
			       c->error.text);
	b->clock = c->clock;
	mem_shared_free(c, sizeof(*c));
	return rc;
}

/* Of 50 switches out of idle: more than the two events' openings and readings lie apart. */
#define IDLE_MISSED 10

static int idle_read(const int fd[2], uint64_t counts[2])
{
	const struct counter_source *src = &counter_kernel;

	for (int i = 0; i < 2; i++)
		if (fd[i] < 0 || src->read(src->ctx, fd[i], &counts[i], sizeof(*counts)) < 0)
			return -EACCES;
	return 0;
}

/* Switches counted on the calling CPU while it slept some times: by software event, and by tracepoint. */
static int idle_count(int cpu, uint64_t counts[2])
{
	struct perf_event_attr attr[2] = {
		{ .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CONTEXT_SWITCHES },
		{ .type = PERF_TYPE_TRACEPOINT },
	};
	const struct counter_source *src = &counter_kernel;
	int id = src->tracepoint(src->ctx, "sched", "sched_switch", NULL), fd[2], rc;
	uint64_t before[2] = { 0 };

	if (id < 0)
		return id;
	attr[1].config = (uint64_t)id;
	for (int i = 0; i < 2; i++) {
		attr[i].size = sizeof(attr[i]);
		fd[i] = src->open(src->ctx, &attr[i], -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	}
	/* Opening a tracepoint waits and switches: both counts begin behind it. */
	rc = idle_read(fd, before);
	for (int i = 0; i < 50; i++)
		usleep(50);
	rc |= idle_read(fd, counts);
	for (int i = 0; i < 2; i++) {
		counts[i] -= before[i];
		if (fd[i] >= 0)
			src->close(src->ctx, fd[i]);
	}
	return rc;
}

/*
 * Do tracepoints miss switches out of the idle task on @cpu? Some kernels do on some CPUs (seen on a virtual machine's
 * second CPU): then they miss the CR3 loads there too.
 */
static bool idle_blind(int cpu)
{
	uint64_t *counts = mem_shared(2 * sizeof(*counts), -1, NULL);
	bool blind;
	pid_t pid;

	if (!counts)
		return false;
	pid = fork();
	if (pid == 0) {
		if (cpu_pin(cpu, NULL) || idle_count(cpu, counts))
			counts[0] = counts[1] = 0;
		_exit(0);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
	/* Both count every switch there is; others on the CPU, whom both see, must not hide that one misses some. */
	blind = counts[0] > counts[1] + IDLE_MISSED;
	mem_shared_free(counts, 2 * sizeof(*counts));
	return blind;
}

int bench_open(struct bench *b, struct cpu_topology *topo, int wanted, struct error *e)
{
	struct observer *observer = NULL;
	pid_t self = getpid(), number;
	int rc;

	memset(b, 0, sizeof(*b));
	rc = cpu_choose(topo, wanted, &b->cpu, e);
	for (int i = 0; i < CPU_PLACES && rc >= 0; i++)
		rc = cpu_order(topo, b->cpu.cpu, i, &b->cpus[i], e);
	b->ncpus = rc > 0 ? (unsigned int)rc : 0;
	if (rc > 0)
		rc = 0;
	if (!rc)
		rc = clock_calibrate(b, e);
	if (!rc)
		rc = counters_prove(b->cpu.cpu, &b->doubts, b->counters, &b->witness, e);
	if (rc)
		return rc;
	quota_read(&b->quota);
	b->pcid = machine_keeps_tlb();
	b->realtime = machine_is_realtime();
	b->idle_blind = idle_blind(b->cpu.cpu);
	b->helper_blind = b->cpu.helper >= 0 && idle_blind(b->cpu.helper);
	b->count = b->counters[COUNTER_CONTEXT_SWITCHES].available &&
		   b->counters[COUNTER_CR3_LOADS].available;
	for (int id = 0; id < COUNTER_NR; id++)
		b->pmu |= b->count && counter_of_pmu(id) && b->counters[id].available;
	b->reloads_unseen = b->count && counters_miss_reloads(&b->counters[COUNTER_CR3_LOADS]);
	if (!b->count)
		error_set(&b->no_observer, EACCES, "the kernel's events are out of reach");
	else if (!observer_open(&observer, b->cpu.cpu, &b->no_observer))
		b->observe = !pidns_numbers(&self, 1, &number, &b->no_observer);
	observer_close(observer);
	return 0;
}

void bench_close(struct bench *b)
{
	for (int i = 0; i < CPU_PLACES; i++) {
		free(b->cpus[i]);
		b->cpus[i] = NULL;
	}
}

json_t *bench_machine(const struct bench *b, struct cpu_topology *topo)
{
	json_t *m = machine_record(topo, &b->cpu), *counters = json_object();
	const struct counter_value *v = b->counters;

	if (!m || !counters)
		return NULL;
	for (int i = 0; i < COUNTER_NR; i++)
		member_set(counters, counter_name(i),
			   v[i].why[0] ? member_pack("{s:s}", "unavailable", v[i].why)
				       : member_pack("{s:s}", "source", v[i].source));
	member_set(counters, "tsc-cycles",
		   b->clock.tsc ? member_pack("{s:s}", "source", "rdtscp")
				: member_pack("{s:s}", "unavailable", b->clock.source));
	member_set(counters, "foreign-tasks",
		   b->observe ? member_pack("{s:s}", "source",
					    "sched:sched_switch, sampled on the measured CPU")
			      : member_pack("{s:s}", "unavailable", b->no_observer.text));
	member_set(
		counters, "idle-events",
		b->idle_blind
			? member_pack(
				  "{s:s}", "unavailable",
				  "on the measured CPU this kernel's tracepoints miss what happens "
				  "on the way out of idle: try another CPU")
			: member_pack("{s:s}", "source",
				      "tracepoints, also on the way out of idle"));
	member_set(m, "counters", counters);
	member_set(m, "clock",
		   member_pack("{s:s, s:f, s:f, s:f}", "source", b->clock.source, "ticks_per_ns",
			       b->clock.ticks_per_ns, "cost_ns", b->clock.cost_ns, "drift_ppm",
			       b->clock.drift_ppm));
	if (b->witness.function)
		member_set(m, "witness",
			   member_pack("{s:s, s:I, s:I}", "function", b->witness.function,
				       "changes", (json_int_t)b->witness.changes, "seen",
				       (json_int_t)b->witness.seen));
	else if (b->witness.why[0])
		member_set(m, "witness", member_pack("{s:s}", "unavailable", b->witness.why));
	member_set(m, "verified", json_boolean(b->count));
	member_set(m, "suite",
		   member_pack("{s:s, s:s}", "name", PACKAGE_NAME, "version", PACKAGE_VERSION));
	return members_failed(NULL) ? NULL : m;
}
