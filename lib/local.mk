# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += lib/libactivemm.a
lib_libactivemm_a_SOURCES = \
	lib/clock.c lib/clock.h \
	lib/counters.c lib/counters.h \
	lib/cpu.c lib/cpu.h lib/cpu-private.h lib/cpu-order.c \
	lib/error.c lib/error.h \
	lib/isolate.c lib/isolate.h lib/isolate-journal.c lib/isolate-private.h lib/isolate-tasks.c \
	lib/events.c lib/events.h \
	lib/lines.c lib/lines.h \
	lib/machine.c lib/machine.h lib/machine-private.h \
	lib/machine-cpu.c lib/machine-kernel.c lib/machine-source.c lib/machine-warnings.c \
	lib/mem.c lib/mem.h lib/member.c lib/member.h \
	lib/result.c lib/result.h \
	lib/stats.c lib/stats.h \
	lib/stats-order.c lib/stats-order.h \
	lib/stats-rank.c lib/stats-rank.h \
	lib/taskstate.c lib/taskstate.h \
	lib/tracefs.c lib/tracefs.h \
	lib/trialscan.c lib/trialscan.h \
	lib/trialset.c lib/trialset.h lib/trialset-part.c lib/trialset-private.h
