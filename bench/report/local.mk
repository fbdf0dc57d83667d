# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += %D%/libreport.a
%C%_libreport_a_SOURCES = \
	%D%/compare-forest.c %D%/compare-heat.c %D%/compare-instructions.c %D%/compare-html.c %D%/compare-pictures.c %D%/compare-points.c %D%/compare.c \
	%D%/compare.h %D%/data.c %D%/data.h %D%/draw.c %D%/dtlb.c %D%/gnuplot.c %D%/gnuplot.h %D%/html.c \
	%D%/net.c %D%/page.c %D%/remote.c %D%/report.h %D%/watch.c
