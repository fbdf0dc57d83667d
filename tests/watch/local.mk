# SPDX-License-Identifier: GPL-2.0-or-later
check_PROGRAMS += tests/watch/workload
tests_watch_workload_SOURCES = tests/watch/workload.c
tests_watch_workload_LDADD = -lpthread

dist_check_SCRIPTS += tests/watch/test-watch.py tests/watch/overhead.py tests/watch/turns.py tests/watch/guest.sh \
	tests/watch/lab.sh
TESTS += tests/watch/test-watch.py

if HAVE_BPF
check_PROGRAMS += tests/watch/empty-programs tests/watch/patching
tests_watch_empty_programs_SOURCES = tests/watch/empty-programs.c
tests_watch_empty_programs_LDADD = $(LIBBPF_LIBS)
tests_watch_patching_SOURCES = tests/watch/patching.c
tests_watch_patching_LDADD = $(LIBBPF_LIBS) -lpthread
endif

if HAVE_CMOCKA
check_PROGRAMS += tests/watch/test-log-bpf
tests_watch_test_log_bpf_SOURCES = tests/watch/test-log-bpf.c
tests_watch_test_log_bpf_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS)
tests_watch_test_log_bpf_LDADD = $(LIB_ARCHIVES) $(LIB_LIBS) $(CMOCKA_LIBS)
TESTS += tests/watch/test-log-bpf
endif

# What watching costs, on the last CPU: not part of `check', as it takes a minute and a quiet machine.
watch-overhead: activemm$(EXEEXT) $(check_PROGRAMS)
	$(srcdir)/tests/watch/overhead.py

# Whether a watch in turns holds what one that always counts finds: two minutes of mixed work.
watch-turns: activemm$(EXEEXT) $(check_PROGRAMS)
	$(srcdir)/tests/watch/turns.py

# The same claims in other kernels, in QEMU.
watch-lab: activemm$(EXEEXT) $(check_PROGRAMS)
	$(srcdir)/tests/watch/lab.sh

.PHONY: watch-overhead watch-turns watch-lab
