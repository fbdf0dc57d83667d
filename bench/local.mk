# SPDX-License-Identifier: GPL-2.0-or-later
bin_PROGRAMS += activemm

# A scenario is one file and one line here; `activemm list' shows them in this order.
SCENARIOS = \
	bench/thread.c \
	bench/process.c \
	bench/kworker.c \
	bench/idle.c \
	bench/stopper.c \
	bench/interposed.c \
	bench/stale.c \
	bench/ring.c \
	bench/shootdown.c \
	bench/refcount.c \
	bench/exit.c \
	bench/kthread.c \
	bench/base.c

activemm_SOURCES = $(SCENARIOS) \
	bench/main.c bench/commands.h \
	bench/ab-pairs.c bench/ab-pairs.h \
	bench/aio.c bench/aio.h \
	bench/cmd-ab.c \
	bench/cmd-compare.c \
	bench/cmd-explain.c \
	bench/cmd-info.c \
	bench/cmd-list.c \
	bench/cmd-report.c \
	bench/cmd-run.c \
	bench/compare.c bench/compare.h bench/compare-private.h \
	bench/compare-csv.c bench/compare-facts.c bench/compare-gate.c bench/compare-machine.c \
	bench/compare-print.c bench/compare-verdict.c \
	bench/compare-heat.c bench/compare-html.c bench/compare-pictures.c bench/compare-points.c \
	bench/compare-report.c bench/compare-report.h \
	bench/explain-draw.c bench/explain-print.c bench/explain-story.c bench/explain-words.c bench/explain.h \
	bench/gnuplot.c bench/gnuplot.h \
	bench/handover.c bench/handover.h \
	bench/observe.c bench/observe.h \
	bench/plan.c bench/plan.h \
	bench/prepare.c bench/prepare.h \
	bench/report-data.c bench/report-draw.c bench/report-dtlb.c bench/report-html.c bench/report-net.c \
	bench/report-private.h bench/report-remote.c bench/report-watch.c bench/report.h \
	bench/scenario.c bench/scenario.h \
	bench/summary.c bench/summary.h \
	bench/record.c bench/record.h \
	bench/run.c bench/run-setup.c bench/run.h \
	bench/setup.c bench/setup.h \
	bench/summary-group.c bench/summary-group.h \
	bench/summary-net.c bench/summary-refill.c bench/summary-scaling.c \
	bench/summary-print.c \
	bench/trial.c bench/trial.h \
	bench/verify.c bench/verify.h
activemm_LDADD = lib/libactivemm.a $(HWLOC_LIBS) $(JANSSON_LIBS) $(GSL_LIBS) $(NUMA_LIBS) $(PFM_LIBS) -lpthread -lm
