# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += %D%/libexport.a
%C%_libexport_a_SOURCES = \
	%D%/csv.c %D%/export.h %D%/gobench.c %D%/influx.c %D%/ktap.c %D%/members.c %D%/members.h %D%/openmetrics.c
