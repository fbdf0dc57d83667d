# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += %D%/libexplain.a
%C%_libexplain_a_SOURCES = \
	%D%/draw.c %D%/explain.h %D%/page.c %D%/perfetto.c %D%/print.c %D%/story.c %D%/words.c
