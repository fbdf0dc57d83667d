# SPDX-License-Identifier: GPL-2.0-or-later
include %D%/history/local.mk
include %D%/isolate/local.mk
include %D%/switches/local.mk
include %D%/counters/local.mk
include %D%/machine/local.mk
include %D%/results/local.mk
include %D%/stats/local.mk
include %D%/base/local.mk

LIB_ARCHIVES = $(LIB_HISTORY) %D%/isolate/libisolate.a %D%/switches/libswitches.a %D%/counters/libcounters.a %D%/machine/libmachine.a \
	%D%/results/libresults.a %D%/stats/libstats.a %D%/base/libbase.a
LIB_LIBS = $(HWLOC_LIBS) $(SQLITE_LIBS) $(JANSSON_LIBS) $(GSL_LIBS) $(NUMA_LIBS) $(PFM_LIBS) $(LIBBPF_LIBS) -lm
