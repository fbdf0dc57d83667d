# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += %D%/libresults.a
%C%_libresults_a_SOURCES = \
	%D%/node.c %D%/node.h %D%/scan-join.c %D%/scan-line.c %D%/scan-line.h %D%/scan-part.c %D%/scan-private.h %D%/scan-set.c %D%/scan-set.h \
	%D%/set.c %D%/set.h %D%/tolerance.h
