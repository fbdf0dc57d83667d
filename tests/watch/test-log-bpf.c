// SPDX-License-Identifier: GPL-2.0-or-later
/* The log tells a lazy round trip as it happens: same mm before and after, borrowed in between. */
#include "config.h"
#include <errno.h>
#include <linux/aio_abi.h>
#include <sched.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "lib/switches/log-bpf.h"

#define ROUNDS 200

struct story {
	uint32_t pid;
	unsigned int switches, borrowed, back;
	uint64_t mm, last_time;
	int users_wrong, order_wrong;
};

static void entry_judge(void *context, const struct switch_log_entry *entry)
{
	struct story *story = context;

	if (entry->time_ns < story->last_time)
		story->order_wrong++;
	story->last_time = entry->time_ns;
	if (entry->kind != LOG_SWITCH)
		return;
	story->switches++;
	if (entry->prev.pid == story->pid && !entry->next.mm) {
		story->mm = entry->prev.mm;
		story->borrowed++;
		/* Only this process uses its mm, and at least the users' reference is counted. */
		if (entry->mm_users != 1 || entry->mm_count < 1)
			story->users_wrong++;
	}
	if (entry->next.pid == story->pid && !entry->prev.mm &&
	    entry->prev.active_mm == entry->next.mm && entry->next.mm == story->mm)
		story->back++;
}

static void round_trips(void)
{
	aio_context_t context = 0;
	struct iocb control = { .aio_lio_opcode = IOCB_CMD_FSYNC }, *list = &control;
	struct io_event event;

	control.aio_fildes = memfd_create("log-bpf", MFD_CLOEXEC);
	assert_int_equal(syscall(SYS_io_setup, 1, &context), 0);
	for (int i = 0; i < ROUNDS; i++) {
		assert_int_equal(syscall(SYS_io_submit, context, 1, &list), 1);
		assert_int_equal(syscall(SYS_io_getevents, context, 1, 1, &event, NULL), 1);
	}
	close(control.aio_fildes);
}

static void test_lazy_round_trips(void **state)
{
	struct story story = { .pid = getpid() };
	struct log_bpf *log = NULL;
	struct error error = { 0 };
	uint64_t lost = 1;
	int cpu = sched_getcpu();
	cpu_set_t set;

	(void)state;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	assert_int_equal(sched_setaffinity(0, sizeof(set), &set), 0);
	if (log_bpf_open(&log, cpu, &error)) {
		print_message("skipped: %s\n", error.text);
		skip();
	}
	round_trips();
	assert_int_equal(log_bpf_read(log, entry_judge, &story, &lost, &error), 0);
	log_bpf_close(log);
	assert_int_equal(lost, 0);
	assert_true(ROUNDS <= story.borrowed && story.borrowed <= 2 * ROUNDS);
	assert_true(ROUNDS * 9 / 10 <= story.back && story.back <= 2 * ROUNDS);
	assert_int_equal(story.users_wrong, 0);
	assert_int_equal(story.order_wrong, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lazy_round_trips),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
