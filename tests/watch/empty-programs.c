// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attaches BPF programs that do nothing where watch attaches its own, until standard input ends: what
 * any BPF observer of these tracepoints costs on this machine, whatever it does. With "events": opens perf's count of context
 * switches on each CPU instead.
 */
#include "config.h"
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>
#include <bpf/bpf.h>

static int attach_empty(const char *tracepoint)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int program = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "empty", "GPL", nothing, 2, NULL);

	if (program < 0 || bpf_raw_tracepoint_open(tracepoint, program) < 0) {
		perror(tracepoint);
		return -1;
	}
	return 0;
}

static int events_open(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_CONTEXT_SWITCHES };

	for (int cpu = 0; cpu < get_nprocs(); cpu++) {
		if (syscall(SYS_perf_event_open, &attr, -1, cpu, -1, 0) < 0) {
			perror("context-switches");
			return -1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	char byte;

	if (argc > 1 && !strcmp(argv[1], "events")) {
		if (events_open())
			return 1;
	} else if (attach_empty("sched_switch") || attach_empty("tlb_flush")) {
		return 1;
	}
	puts("attached");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
