// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * For LD_PRELOAD: a scheduler that gives a yielding task the CPU back, from the YIELD_ALTERNATES'th yield on, one time in 20; with
 * YIELD_BURST only in the last of each three times so many yields.
 * Counted over all processes that have come from the first by fork.
 */
#include <sched.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static unsigned long *yields, alternates, burst;

__attribute__((constructor)) static void count(void)
{
	const char *from = getenv("YIELD_ALTERNATES"), *length = getenv("YIELD_BURST");

	alternates = from ? strtoul(from, NULL, 10) : 0;
	burst = length ? strtoul(length, NULL, 10) : 0;
	yields = mmap(NULL, sizeof(*yields), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (yields == MAP_FAILED)
		_exit(127);
}

int sched_yield(void)
{
	unsigned long n = __atomic_add_fetch(yields, 1, __ATOMIC_RELAXED);

	if (burst && n / burst % 3 != 2)
		n = 0;
	return n > alternates && n % 20 == 0 ? 0 : (int)syscall(SYS_sched_yield);
}
