/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Node-local memory (libnuma) and the working set that a measured task touches after each switch. */
#ifndef LIB_MACHINE_MEM_H
#define LIB_MACHINE_MEM_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/error.h"

enum mem_page_size { MEM_PAGE_4K, MEM_PAGE_2M };

/* A working set: one cache line in each of @pages pages, linked in a random cyclic order. */
struct workset {
	void **head; /* where the chain begins, NULL when pages == 0 */
	void *base; /* mapping */
	size_t length; /* of the mapping, bytes */
	unsigned int pages; /* how many pages a round touches */
	enum mem_page_size page_size;
	int node;
};

/*
 * Makes a working set of @pages pages on NUMA node @node, faulted in and chained in an order drawn from @seed
 * (gsl_rng). 2 MiB pages come from hugetlb or else transparent huge pages, and are checked to be huge:
 * -ENOMEM with the remedy if they are not to be had. Free with workset_free().
 */
int workset_make(struct workset *ws, unsigned int pages, enum mem_page_size size, int node,
		 unsigned long seed, struct error *e);
void workset_free(struct workset *ws);

/*
 * Touches every page once, each load depending on the one before, so that every TLB miss is paid in full.
 * Inlined into the measured loops; @pages == 0 costs one predictable branch.
 */
static inline void workset_touch(const struct workset *ws)
{
	void **p = ws->head;

	for (unsigned int i = ws->pages; i; i--)
		p = *(void **volatile *)p;
	__asm__ volatile("" ::"r"(p));
}

/* How many processes of this control group the kernel's out-of-memory killer has ended so far; 0 where it does not count them. */
uint64_t mem_oom_kills(void);

/* Shared anonymous memory of @length bytes on @node, zeroed, for what the trial's tasks share. NULL with @e filled. */
void *mem_shared(size_t length, int node, struct error *e);
void mem_shared_free(void *p, size_t length);

#endif
