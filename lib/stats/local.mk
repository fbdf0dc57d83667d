# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += %D%/libstats.a
%C%_libstats_a_SOURCES = \
	%D%/changes.c %D%/changes.h %D%/covariate.c %D%/covariate.h %D%/order.c %D%/order.h %D%/pooled.c %D%/pooled.h %D%/rank.c %D%/rank.h %D%/ratio.c %D%/ratio.h \
	%D%/repetitions.c %D%/repetitions.h %D%/sessions.c \
	%D%/sessions.h %D%/speeds.c %D%/speeds.h %D%/stats.c %D%/stats.h
