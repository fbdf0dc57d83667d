# SPDX-License-Identifier: GPL-2.0-or-later
noinst_LIBRARIES += %D%/libcompare.a
%C%_libcompare_a_SOURCES = \
	%D%/private.h %D%/adjust.c %D%/blocks.c %D%/boots.c %D%/instructions.c %D%/compare.c %D%/compare.h %D%/csv.c %D%/facts.c %D%/gate.c %D%/machine.c \
	%D%/node-counts.c %D%/node-rows.c %D%/node-rows.h %D%/nodes-print.c %D%/nodes.c %D%/nodes.h \
	%D%/pairs.c %D%/pairs.h %D%/print.c %D%/repetitions.c %D%/repetitions.h %D%/sentence.c %D%/sides.c %D%/verdict.c
