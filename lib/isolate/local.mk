# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += %D%/libisolate.a
%C%_libisolate_a_SOURCES = \
	%D%/isolate-private.h %D%/isolate.c %D%/isolate.h %D%/journal.c %D%/returned.c \
	%D%/tasks.c
