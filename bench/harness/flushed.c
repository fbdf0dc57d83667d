// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "bench/harness/flushed.h"

/* Where nothing else is mapped; and so far apart that no two share page tables below the topmost. */
#define PLACE (1UL << 36)
#define APART (1UL << 30)

const char *const flush_op_choices[] = { "mprotect", "madvise", "munmap", NULL };

int flushed_map(const struct flushed *f)
{
	char *p = mmap(f->at, f->len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	return p == f->at ? 0 : -EEXIST;
}

int flushed_make(struct flushed *f, unsigned int index, long pages, enum flush_op op,
		 struct error *e)
{
	f->page = (size_t)sysconf(_SC_PAGESIZE);
	f->len = (size_t)pages * f->page;
	f->at = (char *)(PLACE + index * APART);
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* as many page-table entries as were asked for */
	if (op != FLUSH_MUNMAP && flushed_map(f))
		return error_set(e, EEXIST, "no room in the address space at %p", (void *)f->at);
	return 0;
}
