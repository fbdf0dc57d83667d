# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests need of tests/lab and tests/kmod runs in other kernels: scripts/test starts it.
if HAVE_CMOCKA
UNIT_TESTS = tests/unit/test-changes tests/unit/test-clock tests/unit/test-counters tests/unit/test-covariate tests/unit/test-cpu tests/unit/test-fit \
	tests/unit/test-machine tests/unit/test-mem tests/unit/test-net tests/unit/test-pooled tests/unit/test-refusal tests/unit/test-result tests/unit/test-rounds tests/unit/test-stats tests/unit/test-text \
	tests/unit/test-verify
check_PROGRAMS += $(UNIT_TESTS)
TESTS += $(UNIT_TESTS)

UNIT_CFLAGS = $(AM_CFLAGS) $(CMOCKA_CFLAGS) -DTEST_DATA='"$(abs_top_srcdir)/tests/unit/data"'
UNIT_LIBS = $(LIB_ARCHIVES) $(LIB_LIBS) $(CMOCKA_LIBS)

tests_unit_test_changes_SOURCES = tests/unit/test-changes.c
tests_unit_test_changes_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_changes_LDADD = $(UNIT_LIBS)
tests_unit_test_clock_SOURCES = tests/unit/test-clock.c
tests_unit_test_clock_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_clock_LDADD = $(UNIT_LIBS)
tests_unit_test_counters_SOURCES = tests/unit/test-counters.c
tests_unit_test_counters_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_counters_LDADD = $(UNIT_LIBS)
tests_unit_test_covariate_SOURCES = tests/unit/test-covariate.c
tests_unit_test_covariate_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_covariate_LDADD = $(UNIT_LIBS)
tests_unit_test_cpu_SOURCES = tests/unit/test-cpu.c
tests_unit_test_cpu_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_cpu_LDADD = $(UNIT_LIBS)
tests_unit_test_machine_SOURCES = tests/unit/test-machine.c
tests_unit_test_machine_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_machine_LDADD = $(UNIT_LIBS)
tests_unit_test_mem_SOURCES = tests/unit/test-mem.c
tests_unit_test_mem_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_mem_LDADD = $(UNIT_LIBS)
tests_unit_test_net_SOURCES = tests/unit/test-net.c
tests_unit_test_net_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_net_LDADD = bench/summary/libsummary.a $(UNIT_LIBS)
tests_unit_test_pooled_SOURCES = tests/unit/test-pooled.c
tests_unit_test_pooled_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_pooled_LDADD = $(UNIT_LIBS)
tests_unit_test_refusal_SOURCES = tests/unit/test-refusal.c
tests_unit_test_refusal_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_refusal_LDADD = $(UNIT_LIBS)
tests_unit_test_result_SOURCES = tests/unit/test-result.c
tests_unit_test_result_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_result_LDADD = bench/summary/libsummary.a $(UNIT_LIBS)
tests_unit_test_stats_SOURCES = tests/unit/test-stats.c
tests_unit_test_stats_CFLAGS = $(UNIT_CFLAGS) -DSTATS_REFERENCE='"$(abs_top_srcdir)/tests/unit/stats-reference.json"'
tests_unit_test_stats_LDADD = $(UNIT_LIBS)
tests_unit_test_text_SOURCES = tests/unit/test-text.c
tests_unit_test_text_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_text_LDADD = $(UNIT_LIBS)
tests_unit_test_fit_SOURCES = tests/unit/test-fit.c
tests_unit_test_fit_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_fit_LDADD = bench/harness/libharness.a $(UNIT_LIBS)
tests_unit_test_rounds_SOURCES = tests/unit/test-rounds.c
tests_unit_test_rounds_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_rounds_LDADD = bench/harness/libharness.a $(UNIT_LIBS)
tests_unit_test_verify_SOURCES = tests/unit/test-verify.c
tests_unit_test_verify_CFLAGS = $(UNIT_CFLAGS)
tests_unit_test_verify_LDADD = bench/harness/libharness.a $(UNIT_LIBS)
endif

EXTRA_DIST += tests/unit/stats-reference.json tests/unit/stats-reference.py tests/unit/data/amd-guest.tree tests/unit/data/arm-guest.tree tests/unit/data/intel-metal.tree tests/unit/data/offline.xml tests/unit/data/quota-v1.tree \
	tests/unit/data/quota-v2.tree

dist_man_MANS += man/activemm.1

# Whole folders: what is added to them is in the tarball.
EXTRA_DIST += lib/README.md bench/README.md bench/scenarios/README.md bench/summary/README.md tests/README.md tests/figures/README.md tests/e2e tests/env tests/lab tests/layers tests/packages results/schema scripts

print-unit-tests:
	@echo $(UNIT_TESTS)
print-watch-tests:
	@echo $(filter-out $(UNIT_TESTS),$(TESTS))
.PHONY: print-unit-tests print-watch-tests

# The bare loop that scripts/figures sets the harness against.
check_PROGRAMS += tests/figures/bare-loop
tests_figures_bare_loop_SOURCES = tests/figures/bare-loop.c
EXTRA_DIST += tests/figures/fleet-sets.py tests/figures/fleet-truth.py tests/figures/history-store.py tests/figures/large-set.py tests/figures/many-sets.py

# Hostile result sets: scripts/test runs it for a while where clang has libFuzzer; `make fuzz' builds and runs it.
FUZZ_CC = clang
FUZZ_TIME = 15
FUZZED = tests/fuzz/fuzz-result.c $(filter %.c,$(bench_compare_libcompare_a_SOURCES) $(bench_summary_libsummary_a_SOURCES) \
	$(lib_results_libresults_a_SOURCES) $(lib_stats_libstats_a_SOURCES) $(lib_base_libbase_a_SOURCES))
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
