# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += %D%/libbase.a
%C%_libbase_a_SOURCES = \
	%D%/error.c %D%/error.h %D%/lines.c %D%/lines.h %D%/member.c %D%/member.h %D%/refusal.c %D%/refusal.h %D%/schema.h \
	%D%/text.c %D%/text.h
