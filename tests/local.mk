# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests need of tests/lab and tests/kmod runs in other kernels: scripts/test starts it.
if HAVE_CMOCKA
UNIT_TESTS = tests/unit/test-clock tests/unit/test-counters tests/unit/test-cpu tests/unit/test-machine \
	tests/unit/test-mem tests/unit/test-result tests/unit/test-stats tests/unit/test-verify
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

UNIT_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -DTEST_DATA='"$(abs_top_srcdir)/tests/unit/data"'
UNIT_LIBS = lib/libactivemm.a $(HWLOC_LIBS) $(JANSSON_LIBS) $(GSL_LIBS) $(NUMA_LIBS) $(PFM_LIBS) $(CMOCKA_LIBS) -lm

tests_unit_test_clock_SOURCES = tests/unit/test-clock.c
tests_unit_test_clock_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_clock_LDADD = $(UNIT_LIBS)
tests_unit_test_counters_SOURCES = tests/unit/test-counters.c
tests_unit_test_counters_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_counters_LDADD = $(UNIT_LIBS)
tests_unit_test_cpu_SOURCES = tests/unit/test-cpu.c
tests_unit_test_cpu_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cpu_LDADD = $(UNIT_LIBS)
tests_unit_test_machine_SOURCES = tests/unit/test-machine.c
tests_unit_test_machine_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_machine_LDADD = $(UNIT_LIBS)
tests_unit_test_mem_SOURCES = tests/unit/test-mem.c
tests_unit_test_mem_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_mem_LDADD = $(UNIT_LIBS)
tests_unit_test_result_SOURCES = tests/unit/test-result.c bench/summary.c bench/summary-group.c bench/summary-net.c \
	bench/summary-refill.c
tests_unit_test_result_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_result_LDADD = $(UNIT_LIBS)
tests_unit_test_stats_SOURCES = tests/unit/test-stats.c
tests_unit_test_stats_CFLAGS = $(UNIT_CFLAGS) -DSTATS_REFERENCE='"$(abs_top_srcdir)/tests/unit/stats-reference.json"'
tests_unit_test_stats_LDADD = $(UNIT_LIBS)
tests_unit_test_verify_SOURCES = tests/unit/test-verify.c bench/verify.c
tests_unit_test_verify_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_verify_LDADD = $(UNIT_LIBS)
endif

EXTRA_DIST += tests/unit/stats-reference.json tests/unit/stats-reference.py tests/unit/data/amd-guest.tree tests/unit/data/intel-metal.tree tests/unit/data/offline.xml

dist_man_MANS += man/activemm.1

EXTRA_DIST += tests/e2e/lib.sh tests/e2e/test-claims.sh tests/e2e/test-cli.sh tests/e2e/test-compare.sh tests/e2e/test-explain.sh tests/e2e/test-faults.sh \
	tests/e2e/test-report.sh scripts/test results/schema/machine.schema.json results/schema/summary.schema.json \
	results/schema/trial.schema.json

print-unit-tests:
	@echo $(UNIT_TESTS)
.PHONY: print-unit-tests

# The bare loop that scripts/figures sets the harness against.
check_PROGRAMS += tests/figures/bare-loop
tests_figures_bare_loop_SOURCES = tests/figures/bare-loop.c
EXTRA_DIST += scripts/figures tests/lab/explain-guest.sh tests/lab/test-explain.sh tests/lab/test-kernels.sh
