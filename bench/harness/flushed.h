/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of the caller's own, and operations on them after which other CPUs' TLBs must forget them. */
#ifndef BENCH_HARNESS_FLUSHED_H
#define BENCH_HARNESS_FLUSHED_H

#include <stddef.h>
#include <sys/mman.h>

#include "bench/harness/handover.h"
#include "lib/base/error.h"

enum flush_op { FLUSH_MPROTECT, FLUSH_MADVISE, FLUSH_MUNMAP };

/* For a parameter "op". */
extern const char *const flush_op_choices[];

struct flushed {
	char *at; /* alone in the range of its page tables, which munmap frees */
	size_t len, page;
};

/*
 * Makes room for the @index-th mapping of this process, of so many small pages: from now on it has no huge ones. It is there
 * already unless @op makes it anew each time. 0, or -errno.
 */
int flushed_make(struct flushed *f, unsigned int index, long pages, enum flush_op op,
		 struct error *e);

/* Maps it where it is to be. 0 or -EEXIST. */
int flushed_map(const struct flushed *f);

/* Before an operation: all pages are there and may be written. 0 or -EEXIST. */
static always_inline int flushed_populate(const struct flushed *f, enum flush_op op)
{
	int rc = op == FLUSH_MUNMAP ? flushed_map(f) : 0;

	for (size_t i = 0; i < f->len && !rc; i += f->page)
		((volatile char *)f->at)[i] = 1;
	return rc;
}

/* The operation. 0 or -1. */
static always_inline int flushed_operate(const struct flushed *f, enum flush_op op)
{
	switch (op) {
	case FLUSH_MPROTECT:
		return mprotect(f->at, f->len, PROT_READ);
	case FLUSH_MADVISE:
		return madvise(f->at, f->len, MADV_DONTNEED);
	default:
		return munmap(f->at, f->len);
	}
}

/* After it: what was taken is given back. 0 or -1. */
static always_inline int flushed_restore(const struct flushed *f, enum flush_op op)
{
	return op == FLUSH_MPROTECT ? mprotect(f->at, f->len, PROT_READ | PROT_WRITE) : 0;
}

#endif
