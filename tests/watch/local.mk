# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += tests/watch/workload
tests_watch_workload_SOURCES = tests/watch/workload.c
tests_watch_workload_LDADD = -lpthread

dist_check_SCRIPTS += tests/watch/test-watch.py tests/watch/overhead.py tests/watch/guest.sh \
	tests/watch/lab.sh
TESTS += tests/watch/test-watch.py

if HAVE_BPF
check_PROGRAMS += tests/watch/empty-programs
tests_watch_empty_programs_SOURCES = tests/watch/empty-programs.c
tests_watch_empty_programs_LDADD = $(LIBBPF_LIBS)
endif

if HAVE_CMOCKA
check_PROGRAMS += tests/watch/test-switchlog
tests_watch_test_switchlog_SOURCES = tests/watch/test-switchlog.c
tests_watch_test_switchlog_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_watch_test_switchlog_LDADD = lib/libactivemm.a $(LIBBPF_LIBS) $(HWLOC_LIBS) $(CMOCKA_LIBS)
TESTS += tests/watch/test-switchlog
endif

# What watching costs, on the last CPU: not part of `check', as it takes a minute and a quiet machine.
watch-overhead: activemm$(EXEEXT) $(check_PROGRAMS)
	$(srcdir)/tests/watch/overhead.py

# The same claims in other kernels, in QEMU.
watch-lab: activemm$(EXEEXT) $(check_PROGRAMS)
	$(srcdir)/tests/watch/lab.sh

.PHONY: watch-overhead watch-lab
