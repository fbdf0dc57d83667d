# SPDX-License-Identifier: GPL-2.0-or-later
activemm_SOURCES += \
	bench/cmd-watch.c \
	bench/watch-cgroup.c \
	bench/watch-command.c \
	bench/watch-costs.c \
	bench/watch-options.c \
	bench/watch-record.c \
	bench/watch-summary.c \
	bench/watch-top.c \
	bench/watch-view.c bench/watch.h
activemm_LDADD += $(LIBBPF_LIBS)

dist_man_MANS += man/activemm-watch.1
