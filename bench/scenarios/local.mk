# SPDX-License-Identifier: GPL-2.0-or-later
# A scenario is one file and one line here; `activemm list' shows them in this order. Their descriptors are found by the linker's
# section, which an archive would leave out: so these are sources of the program.
SCENARIOS = \
	%D%/thread.c \
	%D%/process.c \
	%D%/kworker.c \
	%D%/idle.c \
	%D%/stopper.c \
	%D%/interposed.c \
	%D%/stale.c \
	%D%/ring.c \
	%D%/shootdown.c \
	%D%/flush.c \
	%D%/refcount.c \
	%D%/exit.c \
	%D%/kthread.c \
	%D%/base.c

# The suite and the scenario that new ones start from: tests/e2e/test-skeleton.sh runs it.
check_PROGRAMS += %D%/with-skeleton
%C%_with_skeleton_SOURCES = %D%/skeleton.c $(activemm_SOURCES)
%C%_with_skeleton_LDADD = $(activemm_LDADD)
