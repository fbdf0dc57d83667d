# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += %D%/libsummary.a
%C%_libsummary_a_SOURCES = \
	%D%/all.c %D%/asked.c %D%/dtlb.c %D%/group.c %D%/group.h %D%/labels.c %D%/labels.h %D%/net.c %D%/print.c \
	%D%/private.h %D%/refill.c %D%/scaling.c %D%/summary.c %D%/summary.h %D%/words.c %D%/words.h
