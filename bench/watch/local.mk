# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += %D%/libwatch.a
%C%_libwatch_a_SOURCES = \
	%D%/cgroup.c %D%/command.c %D%/costs.c %D%/record.c %D%/summary.c %D%/textfile.c %D%/top.c \
	%D%/turns.c %D%/turns-print.c %D%/view.c \
	%D%/watch.h

dist_man_MANS += man/activemm-watch.1
