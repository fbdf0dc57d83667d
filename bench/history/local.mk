# SPDX-License-Identifier: GPL-2.0-or-later
if HAVE_SQLITE
noinst_LIBRARIES += %D%/libhistory.a
%C%_libhistory_a_SOURCES = \
	%D%/changes.c %D%/collect.c %D%/csv.c %D%/draw.c %D%/history.h %D%/print.c %D%/spreads.c %D%/view.c
BENCH_HISTORY = %D%/libhistory.a
endif
