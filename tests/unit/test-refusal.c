// SPDX-License-Identifier: GPL-2.0-or-later
/* One errno, many causes: the sentence that each state of the system makes of it. */
#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <sys/resource.h>

#include "lib/base/refusal.h"

#define ALL_CAPABILITIES UINT64_MAX
#define PERFMON		 (1ull << 38)
#define BPF		 (1ull << 39)

static void each_state_has_its_words(void **state)
{
	static const struct {
		struct refusal_state s;
		enum refused what;
		int err;
		const char *says, *not ; /* @not: what would be wrong to say */
	} cases[] = {
		{ { .tracing = true, .paranoid = 2 },
		  REFUSED_EVENT,
		  EACCES,
		  "run as root",
		  "docker" },
		{ { .tracing = true, .paranoid = 2 }, REFUSED_EVENT, EACCES, "(it is 2)", NULL },
		{ { .root = true, .paranoid = 2 },
		  REFUSED_EVENT,
		  EPERM,
		  "this root lacks CAP_PERFMON",
		  "run as root" },
		{ { .root = true,
		    .user_namespace = true,
		    .capabilities = ALL_CAPABILITIES,
		    .paranoid = 2 },
		  REFUSED_PMU,
		  EACCES,
		  "user namespace",
		  "run as root" },
		{ { .root = true, .capabilities = ALL_CAPABILITIES, .seccomp = true },
		  REFUSED_EVENT,
		  EPERM,
		  "seccomp",
		  "CAP_PERFMON" },
		{ { .capabilities = PERFMON }, REFUSED_EVENT, EACCES, "security module", "lacks" },
		{ { .guest = true }, REFUSED_PMU, ENOENT, "virtual PMU", NULL },
		{ { .guest = false }, REFUSED_PMU, ENOENT, "this CPU or kernel", "hypervisor" },
		{ { .guest = true }, REFUSED_EVENT, ENOENT, "no such event", "hypervisor" },
		{ { .root = true }, REFUSED_EVENT, ENOSYS, "CONFIG_PERF_EVENTS", "seccomp" },
		{ { .seccomp = true }, REFUSED_EVENT, ENOSYS, "seccomp", NULL },
		{ { .descriptors = 24 }, REFUSED_PMU, EMFILE, "24 descriptors", "PMU" },
		{ { .descriptors = 24 }, REFUSED_TRACEFS, EMFILE, "ulimit -n", "CONFIG_TRACING" },
		{ { .tracing = true }, REFUSED_CALL, ENFILE, "fs.file-max", NULL },
		{ { .tracing = true, .confidential = true, .capabilities = ALL_CAPABILITIES },
		  REFUSED_TRACEFS,
		  ENOENT,
		  "locked down",
		  "no such tracepoint" },
		{ { .tracing = true, .confidential = true },
		  REFUSED_TRACEFS,
		  EINVAL,
		  "lockdown=confidentiality",
		  "Invalid" },
		{ { .tracing = false }, REFUSED_TRACEFS, ENODEV, "CONFIG_TRACING", NULL },
		{ { .tracing = true }, REFUSED_TRACEFS, ENOENT, "no such tracepoint", "CONFIG" },
		{ { .tracing = true }, REFUSED_TRACEFS, EACCES, "CAP_SYS_ADMIN", "CONFIG" },
		{ { .tracing = true, .user_namespace = true },
		  REFUSED_TRACEFS,
		  EPERM,
		  "user namespace",
		  "run as root" },
		{ { .confidential = true, .capabilities = ALL_CAPABILITIES },
		  REFUSED_BPF,
		  EPERM,
		  "locked down",
		  "lacks" },
		{ { .root = true, .capabilities = BPF },
		  REFUSED_BPF,
		  EPERM,
		  "lacks CAP_BPF",
		  NULL },
		{ { .capabilities = BPF | PERFMON, .seccomp = true },
		  REFUSED_BPF,
		  EPERM,
		  "seccomp",
		  "CAP_BPF" },
		{ { .root = true }, REFUSED_BPF, ENOSYS, "CONFIG_BPF_SYSCALL", "seccomp" },
		{ { .aio_used = 65536, .aio_most = 65536 },
		  REFUSED_AIO,
		  EAGAIN,
		  "fs.aio-max-nr=196608",
		  "seccomp" },
		{ { .root = true }, REFUSED_AIO, ENOSYS, "CONFIG_AIO", "seccomp" },
		{ { .seccomp = true }, REFUSED_AIO, EPERM, "seccomp", "CONFIG_AIO" },
		{ { .huge_all = 4, .huge_free = 1 },
		  REFUSED_HUGE,
		  ENOMEM,
		  "3 of the pool's 4",
		  NULL },
		{ { .huge_all = 0 }, REFUSED_HUGE, ENOMEM, "vm.nr_hugepages", "others" },
		{ { .root = true }, REFUSED_CALL, EAGAIN, "pids.max", NULL },
		{ { .seccomp = true }, REFUSED_CALL, EPERM, "seccomp", NULL },
		{ { .root = true }, REFUSED_CALL, ENOSPC, "No space left", "seccomp" },
	};
	char words[320];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		refusal_words(&cases[i].s, cases[i].what, cases[i].err, words, sizeof(words));
		if (!strstr(words, cases[i].says))
			fail_msg("case %zu: '%s' lacks '%s'", i, words, cases[i].says);
		if (cases[i].not &&strstr(words, cases[i].not ))
			fail_msg("case %zu: '%s' says '%s'", i, words, cases[i].not );
	}
}

static void the_state_here_is_read(void **state)
{
	struct rlimit limit;
	struct refusal_state s;
	struct error e = { 0 };

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	refusal_read(&s);
	assert_int_equal(s.descriptors, limit.rlim_cur);
	assert_int_equal(refusal_set(&e, REFUSED_CALL, EMFILE, "eventfd %d", 3), -EMFILE);
	assert_int_equal(e.code, EMFILE);
	assert_non_null(strstr(e.text, "eventfd 3: this process may have "));
	assert_int_equal(refusal_set(NULL, REFUSED_CALL, EPERM, "nobody asks"), -EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_has_its_words),
		cmocka_unit_test(the_state_here_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
