# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += %D%/libmachine.a
%C%_libmachine_a_SOURCES = \
	%D%/arch/arch.c %D%/arch/arch.h %D%/arch/arm64.c %D%/arch/riscv.c %D%/arch/x86.c \
	%D%/ask.c %D%/ask.h %D%/cgroup.c %D%/cgroup.h %D%/clock.c %D%/clock.h %D%/cpu-order.c %D%/cpu-private.h %D%/cpu.c %D%/cpu.h %D%/irq-row.c %D%/irq-row.h %D%/mem.c \
	%D%/mem.h %D%/policy.c %D%/policy.h %D%/quota.c %D%/quota.h %D%/record-cpu.c %D%/record-kernel.c %D%/record-private.h \
	%D%/record-source.c %D%/record-warnings.c %D%/record.c %D%/record.h %D%/speed.c %D%/speed.h %D%/task-state.c \
	%D%/task-state.h
