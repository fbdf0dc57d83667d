// SPDX-License-Identifier: GPL-2.0-or-later
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* mremap() */
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/machine/mem.h"

#define HUGE_SIZE (2ul << 20)

/* Follows the chain for as many loads as workset_touch() does; the order of pages into @order. */
static void walk(const struct workset *ws, size_t page, unsigned int *order)
{
	bool *seen = calloc(ws->pages, sizeof(*seen));
	void **p = ws->head;

	assert_non_null(seen);
	for (unsigned int i = 0; i < ws->pages; i++) {
		size_t offset = (size_t)((char *)p - (char *)ws->base);

		assert_true(offset < ws->length);
		assert_int_equal(offset % 64, 0);
		assert_false(seen[offset / page]);
		seen[offset / page] = true;
		order[i] = (unsigned int)(offset / page);
		p = *p;
	}
	assert_ptr_equal(p, ws->head);
	free(seen);
}

static void chain_visits_every_page_once_and_closes(void **state)
{
	static const unsigned int sizes[] = { 1, 2, 8, 64, 513 };
	unsigned int order[513];
	struct workset ws;
	struct error e;

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		assert_int_equal(workset_make(&ws, sizes[i], MEM_PAGE_4K, 0, 1, &e), 0);
		walk(&ws, (size_t)getpagesize(), order);
		workset_touch(&ws);
		workset_free(&ws);
	}
}

static void seed_decides_the_order(void **state)
{
	unsigned int a[512], b[512], c[512], in_order = 0;
	struct workset ws;
	struct error e;

	(void)state;
	assert_int_equal(workset_make(&ws, 512, MEM_PAGE_4K, 0, 7, &e), 0);
	walk(&ws, (size_t)getpagesize(), a);
	workset_free(&ws);
	assert_int_equal(workset_make(&ws, 512, MEM_PAGE_4K, 0, 7, &e), 0);
	walk(&ws, (size_t)getpagesize(), b);
	workset_free(&ws);
	assert_int_equal(workset_make(&ws, 512, MEM_PAGE_4K, 0, 8, &e), 0);
	walk(&ws, (size_t)getpagesize(), c);
	workset_free(&ws);
	assert_memory_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, c, sizeof(a));
	for (int i = 1; i < 512; i++)
		in_order += a[i] == a[i - 1] + 1;
	assert_true(in_order < 20);
}

static void lines_spread_over_the_cache_sets(void **state)
{
	unsigned int used[64] = { 0 };
	struct workset ws;
	struct error e;
	void **p;

	(void)state;
	assert_int_equal(workset_make(&ws, 512, MEM_PAGE_4K, 0, 1, &e), 0);
	p = ws.head;
	for (int i = 0; i < 512; i++, p = *p)
		used[(uintptr_t)p / 64 % 64]++;
	workset_free(&ws);
	for (int i = 0; i < 64; i++)
		assert_int_equal(used[i], 8);
}

/* Page faults of the calling thread. */
static long faults(void)
{
	long minor = -1;
	FILE *f = fopen("/proc/thread-self/stat", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %ld", &minor), 1);
	fclose(f);
	return minor;
}

static void touching_does_not_fault(void **state)
{
	struct workset ws;
	struct error e;
	long before, after, idle;

	(void)state;
	assert_int_equal(workset_make(&ws, 1024, MEM_PAGE_4K, 0, 1, &e), 0);
	workset_touch(&ws);
	before = faults();
	idle = faults() - before;
	before = faults();
	workset_touch(&ws);
	after = faults();
	workset_free(&ws);
	/* reading the file may fault itself, but not a thousand times */
	assert_true(after - before <= idle + 8);
}

static void small_pages_stay_small(void **state)
{
	char line[256];
	uintptr_t from, to;
	bool inside = false, checked = false;
	struct workset ws;
	struct error e;
	size_t kib;
	FILE *f;

	(void)state;
	/* large enough to hold an aligned huge page */
	assert_int_equal(workset_make(&ws, 2048, MEM_PAGE_4K, 0, 1, &e), 0);
	f = fopen("/proc/self/smaps", "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2)
			inside = from <= (uintptr_t)ws.head && (uintptr_t)ws.head < to;
		else if (inside && sscanf(line, "AnonHugePages: %zu", &kib) == 1) {
			assert_int_equal(kib, 0);
			checked = true;
		}
	}
	fclose(f);
	workset_free(&ws);
	if (!checked)
		skip();
}

static void large_pages_are_large_or_refused(void **state)
{
	unsigned int order[8];
	struct workset ws;
	struct error e;
	int err;

	(void)state;
	err = workset_make(&ws, 8, MEM_PAGE_2M, 0, 1, &e);
	if (err) {
		assert_int_equal(err, -ENOMEM);
		assert_non_null(strstr(e.text, "nr_hugepages"));
		skip();
	}
	assert_int_equal((uintptr_t)ws.base % HUGE_SIZE, 0);
	assert_int_equal(ws.length, 8 * HUGE_SIZE);
	walk(&ws, HUGE_SIZE, order);
	workset_free(&ws);
}

static void no_pages_cost_no_memory(void **state)
{
	struct workset ws;
	struct error e;

	(void)state;
	assert_int_equal(workset_make(&ws, 0, MEM_PAGE_4K, 0, 1, &e), 0);
	assert_null(ws.head);
	assert_null(ws.base);
	workset_touch(&ws);
	workset_free(&ws);
}

static void too_much_is_refused_with_what_is_available(void **state)
{
	struct workset ws;
	struct error e;

	(void)state;
	assert_int_equal(workset_make(&ws, UINT32_MAX, MEM_PAGE_4K, 0, 1, &e), -ENOMEM);
	assert_non_null(strstr(e.text, "MiB of memory are available"));
	assert_null(ws.base);
	assert_int_equal(workset_make(&ws, 1u << 30, MEM_PAGE_2M, 0, 1, &e), -ENOMEM);
	assert_null(ws.base);
}

static void absent_node_still_gives_memory(void **state)
{
	unsigned int order[16];
	struct workset ws;
	struct error e;

	(void)state;
	assert_int_equal(workset_make(&ws, 16, MEM_PAGE_4K, -1, 1, &e), 0);
	walk(&ws, (size_t)getpagesize(), order);
	workset_free(&ws);
	assert_int_equal(workset_make(&ws, 16, MEM_PAGE_4K, 999, 1, &e), 0);
	walk(&ws, (size_t)getpagesize(), order);
	workset_free(&ws);
}

static void shared_memory_is_shared_and_zero(void **state)
{
	struct error e;
	unsigned char *p = mem_shared(10000, 0, &e);
	void *head;

	(void)state;
	assert_non_null(p);
	for (int i = 0; i < 10000; i++)
		assert_int_equal(p[i], 0);
	/* a second mapping of the same pages sees the write only if they are shared */
	head = mremap(p, 0, 4096, MREMAP_MAYMOVE);
	assert_ptr_not_equal(head, MAP_FAILED);
	p[5] = 42;
	assert_int_equal(((unsigned char *)head)[5], 42);
	munmap(head, 4096);
	mem_shared_free(p, 10000);
	assert_null(mem_shared(SIZE_MAX / 2, 0, &e));
	assert_int_equal(e.code, ENOMEM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chain_visits_every_page_once_and_closes),
		cmocka_unit_test(seed_decides_the_order),
		cmocka_unit_test(lines_spread_over_the_cache_sets),
		cmocka_unit_test(touching_does_not_fault),
		cmocka_unit_test(small_pages_stay_small),
		cmocka_unit_test(large_pages_are_large_or_refused),
		cmocka_unit_test(no_pages_cost_no_memory),
		cmocka_unit_test(too_much_is_refused_with_what_is_available),
		cmocka_unit_test(absent_node_still_gives_memory),
		cmocka_unit_test(shared_memory_is_shared_and_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
