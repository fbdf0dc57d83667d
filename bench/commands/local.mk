# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += %D%/libcommands.a
%C%_libcommands_a_SOURCES = \
	%D%/ab.c %D%/commands.h %D%/compare.c %D%/explain.c %D%/export.c %D%/history.c %D%/info.c %D%/list.c %D%/report.c \
	%D%/plan.c %D%/run-options.c %D%/run-options.h %D%/run.c %D%/spreads.c %D%/watch-options.c %D%/watch.c
