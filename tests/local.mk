# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests need of tests/lab and tests/kmod runs in other kernels: scripts/test starts it.
if HAVE_CMOCKA
UNIT_TESTS = tests/unit/test-clock tests/unit/test-counters tests/unit/test-cpu tests/unit/test-machine \
	tests/unit/test-mem tests/unit/test-net tests/unit/test-result tests/unit/test-stats tests/unit/test-verify
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
tests_unit_test_net_SOURCES = tests/unit/test-net.c bench/summary.c bench/summary-group.c bench/summary-net.c bench/summary-refill.c bench/summary-scaling.c
tests_unit_test_net_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_net_LDADD = $(UNIT_LIBS)
tests_unit_test_result_SOURCES = tests/unit/test-result.c bench/summary.c bench/summary-group.c bench/summary-net.c \
	bench/summary-refill.c bench/summary-scaling.c
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

EXTRA_DIST += tests/e2e/lib.sh tests/e2e/test-ab.sh tests/e2e/test-claims.sh tests/e2e/test-cli.sh tests/e2e/test-compare.sh tests/e2e/test-compare-report.sh tests/e2e/golden tests/e2e/test-explain.sh tests/e2e/test-faults.sh tests/e2e/test-isolate.sh \
	tests/e2e/test-report.sh scripts/test results/schema/machine.schema.json results/schema/paired.schema.json results/schema/summary.schema.json \
	results/schema/trial.schema.json

print-unit-tests:
	@echo $(UNIT_TESTS)
.PHONY: print-unit-tests

# The bare loop that scripts/figures sets the harness against.
check_PROGRAMS += tests/figures/bare-loop
tests_figures_bare_loop_SOURCES = tests/figures/bare-loop.c
EXTRA_DIST += scripts/bisect-step scripts/figures scripts/figures-compare tests/figures/large-set.py tests/lab/lib.sh tests/lab/explain-guest.sh tests/lab/test-bisect.sh tests/lab/test-explain.sh tests/lab/isolate-guest.sh tests/lab/test-isolate.sh tests/lab/test-kernels.sh

# Hostile result sets: scripts/test runs it for a while where clang has libFuzzer; `make fuzz' builds and runs it.
FUZZ_CC = clang
FUZZ_TIME = 15
FUZZED = tests/fuzz/fuzz-result.c bench/compare.c bench/compare-csv.c bench/compare-facts.c bench/compare-gate.c bench/compare-machine.c \
	bench/compare-print.c bench/compare-verdict.c bench/summary-group.c bench/summary-print.c lib/error.c lib/lines.c lib/member.c lib/result.c \
	lib/stats.c lib/stats-order.c lib/stats-rank.c lib/trialscan.c lib/trialset.c lib/trialset-part.c
FUZZ_FLAGS = -std=gnu11 -g -O1 -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined
tests/fuzz/fuzz-result: $(FUZZED)
	@$(MKDIR_P) tests/fuzz
	$(AM_V_CC)$(FUZZ_CC) $(FUZZ_FLAGS) $(DEFS) $(AM_CPPFLAGS) -I. $(JANSSON_CFLAGS) $(GSL_CFLAGS) -o $@ \
		$(addprefix $(srcdir)/,$(FUZZED)) $(JANSSON_LIBS) $(GSL_LIBS) -lpthread -lm
fuzz: tests/fuzz/fuzz-result
	@$(MKDIR_P) tests/fuzz/found
	tests/fuzz/fuzz-result -max_total_time=$(FUZZ_TIME) -timeout=10 -rss_limit_mb=1024 -print_final_stats=1 \
		-artifact_prefix=tests/fuzz/found/ tests/fuzz/found $(srcdir)/tests/fuzz/corpus
.PHONY: fuzz
CLEANFILES += tests/fuzz/fuzz-result
EXTRA_DIST += tests/fuzz/fuzz-result.c tests/fuzz/corpus

# The suite with one more scenario, whose cost can be turned up: what scripts/figures compare finds, and the tests of ab.
check_PROGRAMS += tests/figures/injected
tests_figures_injected_SOURCES = tests/figures/injected.c $(activemm_SOURCES)
tests_figures_injected_LDADD = $(activemm_LDADD)
