// SPDX-License-Identifier: GPL-2.0-or-later
#include "lib/machine/mem.h"

#include <errno.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <inttypes.h>
#include <numa.h>
#include <numaif.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/refusal.h"
#include "lib/machine/cgroup.h"
#include "lib/machine/record-private.h"

#define HUGE_SIZE  (2ul << 20)
#define CACHE_LINE 64ul

#ifndef MAP_HUGE_2MB
#define MAP_HUGE_2MB (21 << 26)
#endif
/* Linux 5.14 and 6.1: older C libraries lack the names, older kernels answer EINVAL. */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

static size_t page_bytes(enum mem_page_size size)
{
	return size == MEM_PAGE_2M ? HUGE_SIZE : (size_t)sysconf(_SC_PAGESIZE);
}

/* A kernel or sandbox without mbind leaves first touch, which is local to a pinned thread. */
static void place(void *p, size_t length, int node)
{
	struct bitmask *nodes;

	if (node < 0 || numa_available() < 0 || node > numa_max_node())
		return;
	nodes = numa_allocate_nodemask();
	if (!nodes)
		return;
	numa_bitmask_setbit(nodes, (unsigned int)node);
	mbind(p, length, MPOL_PREFERRED, nodes->maskp, nodes->size + 1, 0);
	numa_bitmask_free(nodes);
}

/* A number in a control group's file, with @key in its row of it; @otherwise where there is none ("max"). */
static uint64_t group_number(const char *dir, const char *file, const char *key, uint64_t otherwise)
{
	char *text = machine_text("%s/%s", dir, file), *at = text;
	uint64_t v;

	if (at && *key)
		at = strstr(at, key);
	if (!at || sscanf(at + strlen(key), "%" SCNu64, &v) != 1)
		v = otherwise;
	free(text);
	return v;
}

/* What a control group's limit leaves, in KiB, if it is less: used pages of files can be had back. */
static void group_left(const char *dir, void *ctx)
{
	uint64_t most = group_number(dir, "memory.max", "",
				     group_number(dir, "memory.limit_in_bytes", "", UINT64_MAX));
	uint64_t used = group_number(dir, "memory.current", "",
				     group_number(dir, "memory.usage_in_bytes", "", 0));
	uint64_t files = group_number(dir, "memory.stat", "inactive_file ", 0), *kib = ctx;

	used -= files < used ? files : used;
	if (most != UINT64_MAX && (most > used ? most - used : 0) / 1024 < *kib)
		*kib = (most > used ? most - used : 0) / 1024;
}

static void group_kills(const char *dir, void *ctx)
{
	uint64_t *kills = ctx;

	/* memory.events counts what happens below, too, and the system's own killer's: the greatest is all of them. */
	uint64_t n = group_number(dir, "memory.events", "oom_kill ",
				  group_number(dir, "memory.oom_control", "oom_kill ", 0));

	if (n > *kills)
		*kills = n;
}

uint64_t mem_oom_kills(void)
{
	uint64_t kills = 0;

	cgroup_each("memory", group_kills, &kills);
	return kills;
}

/* An allocation beyond what is available would end with the OOM killer, far from its cause. */
static int check_available(size_t length, struct error *e)
{
	char line[128];
	uint64_t kib = UINT64_MAX, group;
	FILE *f = fopen("/proc/meminfo", "re");

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "MemAvailable: %" SCNu64, &kib) == 1)
			break;
	fclose(f);
	group = kib;
	cgroup_each("memory", group_left, &group);
	if (length / 1024 < group)
		return 0;
	if (group < kib)
		return error_set(
			e, ENOMEM,
			"working set of %zu MiB: the memory limit of a control group leaves "
			"%" PRIu64 " MiB: choose fewer pages, or raise it (memory.max; docker "
			"--memory)",
			length >> 20, group >> 10);
	return error_set(e, ENOMEM,
			 "working set of %zu MiB: only %" PRIu64
			 " MiB of memory are available: choose fewer pages",
			 length >> 20, kib >> 10);
}

/* Faults all of it in where the kernel can do so without SIGBUS; false if memory ran out. */
static bool populate(void *p, size_t length, size_t page)
{
	if (!madvise(p, length, MADV_POPULATE_WRITE))
		return true;
	if (errno != EINVAL)
		return false;
	for (size_t at = 0; at < length; at += page)
		((volatile char *)p)[at] = 0;
	return true;
}

/* Bytes of [start, end) in transparent huge pages; the range is a VMA of its own. */
static size_t huge_bytes(uintptr_t start, uintptr_t end)
{
	char line[512];
	bool inside = false;
	size_t sum = 0;
	FILE *f = fopen("/proc/self/smaps", "re");

	if (!f)
		return 0;
	while (fgets(line, sizeof(line), f)) {
		uintptr_t from, to;
		size_t kib;

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
			inside = from < end && to > start;
		else if (inside && sscanf(line, "AnonHugePages: %zu", &kib) == 1)
			sum += kib * 1024;
	}
	fclose(f);
	return sum;
}

static void *map_hugetlb(size_t length, int node)
{
	void *p = mmap(NULL, length, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_2MB, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	place(p, length, node);
	if (populate(p, length, HUGE_SIZE))
		return p;
	munmap(p, length);
	return NULL;
}

static void *map_transparent(size_t length, int node)
{
	/* PROT_NONE on both sides keeps the VMA from merging, which would blur the check in smaps. */
	size_t whole = length + 3 * HUGE_SIZE;
	char *map = mmap(NULL, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
			 0);
	char *p;

	if (map == MAP_FAILED)
		return NULL;
	p = (char *)(((uintptr_t)map + HUGE_SIZE) & ~(HUGE_SIZE - 1));
	if (p == map)
		p += HUGE_SIZE;
	if (mprotect(p, length, PROT_READ | PROT_WRITE))
		goto fail;
	place(p, length, node);
	madvise(p, length, MADV_HUGEPAGE);
	if (!populate(p, length, HUGE_SIZE))
		goto fail;
	if (huge_bytes((uintptr_t)p, (uintptr_t)p + length) < length) {
		/* Collapsing works on present pages only. */
		if (madvise(p, length, MADV_COLLAPSE) ||
		    huge_bytes((uintptr_t)p, (uintptr_t)p + length) < length)
			goto fail;
	}
	munmap(map, (size_t)(p - map));
	munmap(p + length, whole - length - (size_t)(p - map));
	return p;
fail:
	munmap(map, whole);
	return NULL;
}

static int map_huge(struct workset *ws, struct error *e)
{
	int err;

	/* hugetlb pages are set aside already, and do not count as available */
	ws->base = map_hugetlb(ws->length, ws->node);
	if (ws->base)
		return 0;
	err = check_available(ws->length, e);
	if (err)
		return err;
	ws->base = map_transparent(ws->length, ws->node);
	if (ws->base)
		return 0;
	return refusal_set(e, REFUSED_HUGE, ENOMEM, "%u pages of 2 MiB are not to be had",
			   ws->pages);
}

static int map_small(struct workset *ws, struct error *e)
{
	int err = check_available(ws->length, e);
	void *p;

	if (err)
		return err;
	p = mmap(NULL, ws->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return error_set(e, errno, "working set of %u pages: mmap: %s", ws->pages,
				 strerror(errno));
	ws->base = p;
	place(p, ws->length, ws->node);
	madvise(p, ws->length, MADV_NOHUGEPAGE);
	if (populate(p, ws->length, page_bytes(ws->page_size)))
		return 0;
	err = error_set(e, errno, "working set of %u pages: %s", ws->pages, strerror(errno));
	workset_free(ws);
	return err;
}

/* Page @i's line moves by one from page to page: the lines spread over all cache sets. */
static void **page_line(const struct workset *ws, unsigned int i)
{
	size_t page = page_bytes(ws->page_size);

	return (void **)((char *)ws->base + i * page + i * CACHE_LINE % page);
}

static int chain(struct workset *ws, unsigned long seed, struct error *e)
{
	unsigned int *order = malloc(ws->pages * sizeof(*order));
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	if (!order || !rng) {
		free(order);
		if (rng)
			gsl_rng_free(rng);
		return error_set(e, ENOMEM, "no memory for the order of %u pages", ws->pages);
	}
	for (unsigned int i = 0; i < ws->pages; i++)
		order[i] = i;
	gsl_rng_set(rng, seed);
	gsl_ran_shuffle(rng, order, ws->pages, sizeof(*order));
	for (unsigned int i = 0; i < ws->pages; i++)
		*page_line(ws, order[i]) = page_line(ws, order[(i + 1) % ws->pages]);
	ws->head = page_line(ws, order[0]);
	gsl_rng_free(rng);
	free(order);
	return 0;
}

int workset_make(struct workset *ws, unsigned int pages, enum mem_page_size size, int node,
		 unsigned long seed, struct error *e)
{
	int err;

	*ws = (struct workset){ .pages = pages, .page_size = size, .node = node };
	if (!pages)
		return 0;
	if (pages > SIZE_MAX / 2 / page_bytes(size))
		return error_set(e, ENOMEM,
				 "working set of %u pages does not fit the address space", pages);
	ws->length = pages * page_bytes(size);
	err = size == MEM_PAGE_2M ? map_huge(ws, e) : map_small(ws, e);
	if (!err)
		err = chain(ws, seed, e);
	if (err)
		workset_free(ws);
	return err;
}

void workset_free(struct workset *ws)
{
	if (ws->base)
		munmap(ws->base, ws->length);
	*ws = (struct workset){ .node = ws->node };
}

void *mem_shared(size_t length, int node, struct error *e)
{
	void *p = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED) {
		error_set(e, errno, "%zu bytes of shared memory: %s", length, strerror(errno));
		return NULL;
	}
	place(p, length, node);
	if (populate(p, length, page_bytes(MEM_PAGE_4K)))
		return p;
	error_set(e, errno, "%zu bytes of shared memory: %s", length, strerror(errno));
	munmap(p, length);
	return NULL;
}

void mem_shared_free(void *p, size_t length)
{
	if (p)
		munmap(p, length);
}
