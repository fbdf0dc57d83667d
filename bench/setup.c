// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/setup.h"
#include "config.h"

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
		rc = error_set(e, errno, "cannot fork: %s", strerror(errno));
	else if (waitpid(pid, NULL, 0) == pid && c->rc == 0)
		rc = 0;
	else
		rc = error_set(e, ECHILD, "cannot calibrate the clock on CPU %d: %s", b->cpu.cpu,
			       c->error.text);
	b->clock = c->clock;
	mem_shared_free(c, sizeof(*c));
	return rc;
}

/* Switches counted on the calling CPU while it slept some times: by software event, and by tracepoint. */
static int idle_count(int cpu, uint64_t counts[2])
{
	struct perf_event_attr attr[2] = {
		{ .type = PERF_TYPE_SOFTWARE, .config = PERF_COUNT_SW_CONTEXT_SWITCHES },
		{ .type = PERF_TYPE_TRACEPOINT },
	};
	const struct counter_source *src = &counter_kernel;
	int id = src->tracepoint(src->ctx, "sched", "sched_switch", NULL), fd[2], rc = 0;

	if (id < 0)
		return id;
	attr[1].config = (uint64_t)id;
	for (int i = 0; i < 2; i++) {
		attr[i].size = sizeof(attr[i]);
		fd[i] = src->open(src->ctx, &attr[i], -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	}
	for (int i = 0; i < 50; i++)
		usleep(50);
	for (int i = 0; i < 2; i++) {
		if (fd[i] < 0 || src->read(src->ctx, fd[i], &counts[i], sizeof(*counts)) < 0)
			rc = -EACCES;
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
	blind = counts[0] > 50 && counts[1] < counts[0] * 3 / 4;
	mem_shared_free(counts, 2 * sizeof(*counts));
	return blind;
}

int bench_open(struct bench *b, struct cpu_topology *topo, int wanted, struct error *e)
{
	struct counter_set *counters = NULL;
	struct observer *observer = NULL;
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
		rc = counters_open(&counters, &counter_kernel, b->cpu.cpu, e);
	if (rc)
		return rc;
	b->pcid = machine_has_pcid();
	b->idle_blind = idle_blind(b->cpu.cpu);
	b->helper_blind = b->cpu.helper >= 0 && idle_blind(b->cpu.helper);
	b->count = counters_can_verify(counters);
	counters_enable(counters);
	counters_disable(counters);
	counters_read(counters, b->counters);
	counters_close(counters);
	if (!b->count)
		error_set(&b->no_observer, EACCES, "the kernel's events are out of reach");
	else if (!observer_open(&observer, b->cpu.cpu, &b->no_observer))
		b->observe = true;
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
		json_object_set_new(counters, counter_name(i),
				    v[i].why[0] ? json_pack("{s:s}", "unavailable", v[i].why)
						: json_pack("{s:s}", "source", v[i].source));
	json_object_set_new(counters, "tsc-cycles",
			    b->clock.tsc ? json_pack("{s:s}", "source", "rdtscp")
					 : json_pack("{s:s}", "unavailable", b->clock.source));
	json_object_set_new(counters, "foreign-tasks",
			    b->observe
				    ? json_pack("{s:s}", "source",
						"sched:sched_switch, sampled on the measured CPU")
				    : json_pack("{s:s}", "unavailable", b->no_observer.text));
	json_object_set_new(
		counters, "idle-events",
		b->idle_blind
			? json_pack(
				  "{s:s}", "unavailable",
				  "on the measured CPU this kernel's tracepoints miss what happens "
				  "on the way out of idle: try another CPU")
			: json_pack("{s:s}", "source", "tracepoints, also on the way out of idle"));
	json_object_set_new(m, "counters", counters);
	json_object_set_new(m, "clock",
			    json_pack("{s:s, s:f, s:f, s:f}", "source", b->clock.source,
				      "ticks_per_ns", b->clock.ticks_per_ns, "cost_ns",
				      b->clock.cost_ns, "drift_ppm", b->clock.drift_ppm));
	json_object_set_new(m, "verified", json_boolean(b->count));
	json_object_set_new(
		m, "suite",
		json_pack("{s:s, s:s}", "name", PACKAGE_NAME, "version", PACKAGE_VERSION));
	return m;
}
