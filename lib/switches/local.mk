# SPDX-License-Identifier: GPL-2.0-or-later
# Context switches as BPF shows them where it is built, and as perf events do everywhere.
AM_CFLAGS += $(LIBBPF_CFLAGS)
noinst_LIBRARIES += %D%/libswitches.a
%C%_libswitches_a_SOURCES = \
	%D%/abi.h %D%/counts-bpf.c %D%/counts-perf.c %D%/counts-perf.h %D%/counts.c %D%/counts.h \
	%D%/ends-abi.h %D%/ends-bpf.c %D%/ends-bpf.h %D%/kernel-flags.h %D%/log-bpf.c %D%/log-bpf.h \
	%D%/log-perf.c %D%/log-perf.h %D%/perf-ring.c %D%/perf-ring.h %D%/task-table.c %D%/task-table.h \
	%D%/total.c %D%/total.h

EXTRA_DIST += %D%/kernel-types.h %D%/counts.bpf.c %D%/ends.bpf.c %D%/log.bpf.c %D%/bpf-load.c %D%/bpf-load.h

if HAVE_BPF
%C%_libswitches_a_SOURCES += %D%/bpf-load.c %D%/bpf-load.h

bpf_inputs = %D%/kernel-types.h %D%/kernel-flags.h %D%/abi.h %D%/ends-abi.h

%D%/%.bpf.o: %D%/%.bpf.c $(bpf_inputs)
	$(AM_V_GEN)$(MKDIR_P) %D% && \
	$(BPF_CLANG) -g -O2 -Wall -Wextra -Wno-unused-parameter -target bpf -mcpu=v3 $(BPF_CPPFLAGS) \
		-c $< -o $@

%D%/%.skel.h: %D%/%.bpf.o %D%/local.mk
	$(AM_V_GEN)$(BPFTOOL) gen skeleton $< name $*_skel >$@.tmp && mv $@.tmp $@

bpf_objects = %D%/counts.bpf.o %D%/ends.bpf.o %D%/log.bpf.o
bpf_skeletons = %D%/counts.skel.h %D%/ends.skel.h %D%/log.skel.h

# make removes what it takes for an intermediate file, and then makes it again.
.SECONDARY: $(bpf_objects)

# BUILT_SOURCES only helps `make all' and `make check'.
%D%/counts-bpf.$(OBJEXT): %D%/counts.skel.h
%D%/ends-bpf.$(OBJEXT): %D%/ends.skel.h
%D%/log-bpf.$(OBJEXT): %D%/log.skel.h

BUILT_SOURCES += $(bpf_skeletons)
CLEANFILES += $(bpf_skeletons) $(bpf_objects)
endif
