# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += %D%/libharness.a
%C%_libharness_a_SOURCES = \
	%D%/aio.c %D%/aio.h %D%/child.c %D%/child.h %D%/crew.c %D%/crew.h %D%/findings.c %D%/findings.h \
	%D%/fit.c %D%/fit.h %D%/flushed.c %D%/flushed.h %D%/handover.c %D%/handover.h %D%/interrupts.c \
	%D%/interrupts.h %D%/look.c %D%/log.c %D%/log.h %D%/observe.c %D%/observe.h %D%/pace.c %D%/pace.h %D%/plan.c %D%/plan.h %D%/prove.c %D%/prove.h \
	%D%/prepare-run.c %D%/prepare.c %D%/prepare.h %D%/record.c %D%/record.h %D%/run-fit.c %D%/run.c %D%/run.h \
	%D%/scenario.c %D%/scenario.h %D%/shell.c %D%/shell.h %D%/trial.c %D%/trial.h %D%/verify.c \
	%D%/verify.h
