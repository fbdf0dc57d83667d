// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Attaches BPF programs that do nothing where watch attaches its own, until standard input ends: what
 * any BPF observer of these tracepoints costs on this machine, whatever it does.
 */
#include "config.h"
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
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

int main(void)
{
	char byte;

	if (attach_empty("sched_switch") || attach_empty("tlb_flush"))
		return 1;
	puts("attached");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	return 0;
}
