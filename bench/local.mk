# SPDX-License-Identifier: GPL-2.0-or-later
# Who may use whom is in README.md here and in lib; archives are linked in that order, so that none finds what stands above it.
include %D%/scenarios/local.mk
include %D%/commands/local.mk
include %D%/watch/local.mk
include %D%/explain/local.mk
include %D%/history/local.mk
include %D%/export/local.mk
include %D%/report/local.mk
include %D%/compare/local.mk
include %D%/summary/local.mk
include %D%/harness/local.mk

BENCH_ARCHIVES = %D%/commands/libcommands.a %D%/watch/libwatch.a %D%/explain/libexplain.a $(BENCH_HISTORY) %D%/export/libexport.a %D%/report/libreport.a \
	%D%/compare/libcompare.a %D%/summary/libsummary.a %D%/harness/libharness.a

bin_PROGRAMS += activemm
activemm_SOURCES = %D%/main.c $(SCENARIOS)
activemm_LDADD = $(BENCH_ARCHIVES) $(LIB_ARCHIVES) $(LIB_LIBS) -lpthread
