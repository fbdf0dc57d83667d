# SPDX-License-Identifier: GPL-2.0-or-later
if HAVE_SQLITE
AM_CFLAGS += $(SQLITE_CFLAGS)
noinst_LIBRARIES += %D%/libhistory.a
%C%_libhistory_a_SOURCES = %D%/add.c %D%/history.h %D%/private.h %D%/read.c %D%/store.c
LIB_HISTORY = %D%/libhistory.a
endif
