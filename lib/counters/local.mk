# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += %D%/libcounters.a
%C%_libcounters_a_SOURCES = \
	%D%/counters.c %D%/counters.h %D%/events.c %D%/events.h %D%/kprobe.c %D%/kprobe.h %D%/pidns.c %D%/pidns.h %D%/tracefs.c %D%/tracefs.h
