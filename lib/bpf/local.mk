# SPDX-License-Identifier: GPL-2.0-or-later
# Switch classes: counted by BPF where it is built, by perf events everywhere.
AM_CFLAGS += $(LIBBPF_CFLAGS)
lib_libactivemm_a_SOURCES += \
	lib/bpf/kernel-flags.h \
	lib/bpf/mmlife-abi.h \
	lib/bpf/switchtrace-abi.h \
	lib/mmlife.c lib/mmlife.h \
	lib/switchlog.c lib/switchlog.h \
	lib/switchring.c lib/switchring.h \
	lib/switchsample.c lib/switchsample.h \
	lib/switchsnapshot.c \
	lib/switchsteps.c lib/switchsteps.h \
	lib/switchtrace.c lib/switchtrace.h \
	lib/tasktable.c lib/tasktable.h

EXTRA_DIST += lib/bpf/kernel-types.h lib/bpf/switchtrace.bpf.c lib/bpf/switchlog.bpf.c \
	lib/bpf/mmlife.bpf.c \
	lib/bpf-load.c lib/bpf-load.h

if HAVE_BPF
lib_libactivemm_a_SOURCES += lib/bpf-load.c lib/bpf-load.h

bpf_inputs = lib/bpf/kernel-types.h lib/bpf/kernel-flags.h lib/bpf/switchtrace-abi.h \
	lib/bpf/mmlife-abi.h

lib/bpf/%.bpf.o: lib/bpf/%.bpf.c $(bpf_inputs)
	$(AM_V_GEN)$(MKDIR_P) lib/bpf && \
	$(BPF_CLANG) -g -O2 -Wall -Wextra -Wno-unused-parameter -target bpf -mcpu=v3 $(BPF_CPPFLAGS) \
		-c $< -o $@

lib/bpf/%.skel.h: lib/bpf/%.bpf.o
	$(AM_V_GEN)$(BPFTOOL) gen skeleton $< name $*_bpf >$@.tmp && mv $@.tmp $@

bpf_objects = lib/bpf/switchtrace.bpf.o lib/bpf/switchlog.bpf.o lib/bpf/mmlife.bpf.o
bpf_skeletons = lib/bpf/switchtrace.skel.h lib/bpf/switchlog.skel.h lib/bpf/mmlife.skel.h

# make removes what it takes for an intermediate file, and then makes it again.
.SECONDARY: $(bpf_objects)

# BUILT_SOURCES only helps `make all' and `make check'.
lib/switchtrace.$(OBJEXT): lib/bpf/switchtrace.skel.h
lib/switchlog.$(OBJEXT): lib/bpf/switchlog.skel.h
lib/mmlife.$(OBJEXT): lib/bpf/mmlife.skel.h

BUILT_SOURCES += $(bpf_skeletons)
CLEANFILES += $(bpf_skeletons) $(bpf_objects)
endif
