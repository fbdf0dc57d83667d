// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What attaching BPF programs to the watch's tracepoints, and detaching them, costs: the caller's time, and how often and how long a
 * CPU that only looks at its clock is interrupted meanwhile, beyond what it is anyway.
 */
#include "config.h"
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>

/* Nothing but an interrupt keeps a loop of two clock reads so long. */
#define GAP_NS 500

#define PAUSE_US 20000

static volatile bool ended;
static volatile uint64_t gaps, lost_ns;

static uint64_t now_ns(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		perror("sched_setaffinity");
}

static void *look(void *cpu)
{
	uint64_t before, now;

	pin(*(int *)cpu);
	for (before = now_ns(); !ended; before = now) {
		now = now_ns();
		if (now - before < GAP_NS)
			continue;
		gaps++;
		lost_ns += now - before;
	}
	return NULL;
}

struct cost {
	const char *what;
	double call_us, gaps, lost_us, all_us; /* sums */
};

static void cost_add(struct cost *cost, uint64_t start, uint64_t call_ns, uint64_t gaps_before,
		     uint64_t lost_before)
{
	usleep(PAUSE_US / 2);
	cost->call_us += call_ns / 1e3;
	cost->gaps += gaps - gaps_before;
	cost->lost_us += (lost_ns - lost_before) / 1e3;
	cost->all_us += (now_ns() - start) / 1e3;
}

int main(int argc, char **argv)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static const char *const tracepoints[] = { "sched_switch", "tlb_flush" };
	struct cost costs[] = { { .what = "nothing" }, { .what = "attach" }, { .what = "detach" } };
	int times = argc > 1 ? atoi(argv[1]) : 200, other = argc > 2 ? atoi(argv[2]) : 1;
	int programs[2], links[2] = { -1, -1 };
	pthread_t thread;

	for (int i = 0; i < 2; i++)
		programs[i] = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "empty", "GPL", nothing,
					    2, NULL);
	pin(other ? 0 : 1);
	if (programs[0] < 0 || programs[1] < 0 || pthread_create(&thread, NULL, look, &other)) {
		perror("patching");
		return 1;
	}
	for (int i = 0; i < 3 * times; i++) {
		uint64_t gaps_before = gaps, lost_before = lost_ns, start = now_ns(), called;

		for (int j = 0; i % 3 && j < 2; j++) {
			if (i % 3 == 1)
				links[j] = bpf_raw_tracepoint_open(tracepoints[j], programs[j]);
			else
				close(links[j]);
		}
		called = now_ns() - start;
		cost_add(&costs[i % 3], start, called, gaps_before, lost_before);
	}
	ended = true;
	pthread_join(thread, NULL);
	for (int i = 1; i < 3; i++)
		printf("%s: %.0f us for the caller; on CPU %d %.1f interrupts, %.0f us\n",
		       costs[i].what, costs[i].call_us / times, other,
		       (costs[i].gaps - costs[0].gaps * costs[i].all_us / costs[0].all_us) / times,
		       (costs[i].lost_us - costs[0].lost_us * costs[i].all_us / costs[0].all_us) /
			       times);
	return 0;
}
