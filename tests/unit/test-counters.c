// SPDX-License-Identifier: GPL-2.0-or-later
/* Counters against a fake event source: machines without PMU, tracefs or permission, and PMUs that are too small. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/counters/counters.h"
#include "lib/counters/events.h"

/* A machine: what it refuses, and what its counters read. */
struct fake {
	int hardware_errno; /* opening hardware events fails with this */
	int all_errno; /* opening anything does */
	int tracepoint_errno; /* tracefs */
	int group_room; /* hardware events that fit in one group; 0: any number */
	bool unfiltered; /* user and kernel are counted together only */
	bool starve_groups; /* a group of several is accepted, and never runs */
	double share; /* of the time since they were reset that hardware events run; before they had all of it */
	bool was_reset;
	bool short_read;
	bool kprobes; /* it counts entries into functions, */
	const char *inlined; /* but not into this one; "": into none */
	int opened, closed;
	int in_group; /* hardware events behind the present leader */
	struct {
		bool hardware, member, open;
		uint64_t enabled, running; /* as in the kernel, RESET leaves them */
	} fd[64];
};

#define KPROBE_TYPE 8

static bool is_hardware(const struct perf_event_attr *attr)
{
	return attr->type != PERF_TYPE_SOFTWARE && attr->type != PERF_TYPE_TRACEPOINT &&
	       attr->type != KPROBE_TYPE;
}

static int fake_open(void *ctx, struct perf_event_attr *attr, pid_t pid, int cpu, int group_fd,
		     unsigned long flags)
{
	struct fake *f = ctx;

	(void)flags;
	assert_int_equal(pid, -1); /* CPU-wide: a task-bound event misses the switch */
	assert_int_equal(cpu, 3);
	if (f->all_errno)
		return -f->all_errno;
	if (attr->type == KPROBE_TYPE && f->inlined &&
	    (!*f->inlined || !strcmp((const char *)(uintptr_t)attr->config1, f->inlined)))
		return -ENOENT;
	if (is_hardware(attr) && f->hardware_errno)
		return -f->hardware_errno;
	if (is_hardware(attr) && f->unfiltered && (attr->exclude_user || attr->exclude_kernel))
		return -EINVAL;
	if (is_hardware(attr) && group_fd >= 0 && f->group_room && f->in_group >= f->group_room)
		return -EINVAL;
	if (is_hardware(attr))
		f->in_group = group_fd >= 0 ? f->in_group + 1 : 1;
	f->fd[f->opened].hardware = is_hardware(attr);
	f->fd[f->opened].member = group_fd >= 0;
	f->fd[f->opened].open = true;
	if (group_fd >= 0)
		f->fd[group_fd - 100].member = true;
	return 100 + f->opened++;
}

static int fake_filter(void *ctx, int fd, const char *expression)
{
	(void)ctx;
	(void)fd;
	assert_non_null(strstr(expression, "reason =="));
	return 0;
}

static int fake_control(void *ctx, int fd, unsigned long request, unsigned long arg)
{
	struct fake *f = ctx;

	(void)fd;
	f->was_reset |= request == PERF_EVENT_IOC_RESET;
	assert_int_equal(arg, PERF_IOC_FLAG_GROUP);
	return 0;
}

static ssize_t fake_read(void *ctx, int fd, void *buf, size_t len)
{
	struct fake *f = ctx;
	uint64_t *v = buf;
	bool hardware = f->fd[fd - 100].hardware;

	assert_int_equal(len, 24);
	if (f->short_read)
		return 0;
	v[0] = 1000;
	f->fd[fd - 100].enabled += 1000000;
	if (hardware && f->starve_groups && f->fd[fd - 100].member)
		f->fd[fd - 100].running = 0;
	else
		f->fd[fd - 100].running += hardware && f->was_reset ? (uint64_t)(f->share * 1000000)
								    : 1000000;
	v[1] = f->fd[fd - 100].enabled;
	v[2] = f->fd[fd - 100].running;
	return 24;
}

static int fake_close(void *ctx, int fd)
{
	struct fake *f = ctx;

	assert_true(f->fd[fd - 100].open);
	f->fd[fd - 100].open = false;
	f->closed++;
	return 0;
}

static int fake_tracepoint(void *ctx, const char *system, const char *name, struct error *e)
{
	struct fake *f = ctx;

	(void)system;
	(void)name;
	return f->tracepoint_errno
		       ? error_set(e, f->tracepoint_errno, "tracefs is not mounted: mount it")
		       : 42;
}

static const struct event_family *fake_family(void *ctx)
{
	(void)ctx;
	for (const struct event_family *f = event_families; f->pmu; f++)
		if (!strcmp(f->pmu, "skl"))
			return f;
	return NULL;
}

static int fake_kprobe(void *ctx, struct error *e)
{
	const struct fake *f = ctx;

	return f->kprobes ? KPROBE_TYPE : error_set(e, ENOENT, "there are no kprobes");
}

static struct counter_source source_of(struct fake *f)
{
	return (struct counter_source){ .open = fake_open,
					.filter = fake_filter,
					.control = fake_control,
					.read = fake_read,
					.close = fake_close,
					.tracepoint = fake_tracepoint,
					.family = fake_family,
					.ctx = f,
					.kprobe = fake_kprobe };
}

static struct counter_set *open_on(struct fake *f, struct counter_value *v)
{
	const struct counter_source src = source_of(f);
	struct counter_set *set = NULL;

	if (f->share == 0)
		f->share = 1;
	assert_int_equal(counters_open(&set, &src, COUNTERS_ALL, 3, NULL), 0);
	counters_enable(set);
	counters_disable(set);
	counters_read(set, v);
	return set;
}

static void close_and_check(struct counter_set *set, const struct fake *f)
{
	counters_close(set);
	assert_int_equal(f->opened, f->closed);
}

static void a_whole_machine_counts_everything(void **state)
{
	struct counter_value v[COUNTER_NR];
	struct fake f = { 0 };
	struct counter_set *set = open_on(&f, v);

	(void)state;
	for (int i = 0; i < COUNTER_NR; i++) {
		assert_true(v[i].available);
		assert_int_equal(v[i].value, 1000);
		assert_true(v[i].share == 1);
		assert_true(v[i].source[0]);
	}
	assert_true(v[COUNTER_CR3_LOADS].available);
	close_and_check(set, &f);
}

static void without_a_pmu_the_rest_goes_on(void **state)
{
	struct counter_value v[COUNTER_NR];
	struct fake f = { .hardware_errno = ENOENT };
	struct counter_set *set = open_on(&f, v);

	(void)state;
	assert_true(v[COUNTER_CR3_LOADS].available);
	assert_false(v[COUNTER_CYCLES].available);
	assert_non_null(strstr(v[COUNTER_CYCLES].why, "no PMU"));
	assert_int_equal(v[COUNTER_CYCLES].value, 0);
	close_and_check(set, &f);
}

static void without_permission_each_says_how_to_get_it(void **state)
{
	struct counter_value v[COUNTER_NR];
	struct fake f = { .all_errno = EACCES };
	struct counter_set *set = open_on(&f, v);

	(void)state;
	for (int i = 0; i < COUNTER_NR; i++) {
		assert_false(v[i].available);
		/* CAP_PERFMON or the sysctl; with both, who else forbids it. */
		assert_non_null(strstr(v[i].why, "perf_event"));
	}
	assert_false(v[COUNTER_CR3_LOADS].available);
	close_and_check(set, &f);
}

static void without_tracefs_nothing_is_verified(void **state)
{
	struct counter_value v[COUNTER_NR];
	struct fake f = { .tracepoint_errno = EACCES };
	struct counter_set *set = open_on(&f, v);

	(void)state;
	assert_true(v[COUNTER_CONTEXT_SWITCHES].available);
	assert_false(v[COUNTER_CR3_LOADS].available);
	assert_non_null(strstr(v[COUNTER_CR3_LOADS].why, "mount"));
	close_and_check(set, &f);
}

#if !defined(__aarch64__)
static void where_the_tracepoint_is_silent_the_kernels_functions_are_counted(void **state)
{
	const struct counter_doubts doubts = { .tracepoint = true,
					       .why[COUNTER_CYCLES] = "it counts nothing" };
	struct counter_value v[COUNTER_NR];
	struct fake f = { .share = 1, .kprobes = true, .inlined = "load_new_mm_cr3" };
	struct counter_source src = source_of(&f);
	struct counter_set *set = NULL;

	(void)state;
	src.doubts = &doubts;
	assert_int_equal(counters_open(&set, &src, COUNTERS_ALL, 3, NULL), 0);
	counters_read(set, v);
	assert_true(v[COUNTER_CR3_LOADS].available);
	assert_non_null(strstr(v[COUNTER_CR3_LOADS].source, "kprobe choose_new_asid"));
	assert_false(v[COUNTER_CR3_FLUSHES].available);
	assert_non_null(strstr(v[COUNTER_CR3_FLUSHES].why, "never fired"));
	/* So is what else is doubted. */
	assert_false(v[COUNTER_CYCLES].available);
	assert_string_equal(v[COUNTER_CYCLES].why, "it counts nothing");
	assert_true(v[COUNTER_INSTRUCTIONS].available);
	close_and_check(set, &f);

	f = (struct fake){ .share = 1, .kprobes = true, .inlined = "" };
	src = source_of(&f);
	src.doubts = &doubts;
	assert_int_equal(counters_open(&set, &src, COUNTERS_ALL, 3, NULL), 0);
	counters_read(set, v);
	assert_false(v[COUNTER_CR3_LOADS].available);
	assert_non_null(
		strstr(v[COUNTER_CR3_LOADS].why, "load_new_mm_cr3 is inlined, or not there"));
	close_and_check(set, &f);
}

static void functions_need_no_tracefs(void **state)
{
	struct counter_value v[COUNTER_NR];
	struct fake f = { .tracepoint_errno = EACCES, .kprobes = true };
	struct counter_set *set = open_on(&f, v);

	(void)state;
	assert_non_null(strstr(v[COUNTER_CR3_LOADS].source, "kprobe load_new_mm_cr3"));
	assert_true(v[COUNTER_CR3_LOADS].available);
	assert_non_null(strstr(v[COUNTER_CR3_FLUSHES].why, "mount"));
	close_and_check(set, &f);
}
#endif

static void a_multiplexed_count_is_scaled_and_marked(void **state)
{
	struct counter_value v[COUNTER_NR];
	struct fake f = { .share = 0.25 };
	struct counter_set *set = open_on(&f, v);

	(void)state;
	assert_int_equal(v[COUNTER_CYCLES].value, 4000);
	assert_true(v[COUNTER_CYCLES].share > 0.24 && v[COUNTER_CYCLES].share < 0.26);
	assert_true(v[COUNTER_CR3_LOADS].share == 1);
	close_and_check(set, &f);
}

static void an_event_that_does_not_fit_leads_a_group_of_its_own(void **state)
{
	struct counter_value v[COUNTER_NR];
	struct fake f = { .group_room = 2 };
	struct counter_set *set = open_on(&f, v);

	(void)state;
	for (int i = COUNTER_DTLB_LOAD_MISSES; i < COUNTER_NR; i++)
		assert_true(v[i].available);
	close_and_check(set, &f);
}

static void a_pmu_that_does_not_tell_user_from_kernel_says_so(void **state)
{
	struct counter_value v[COUNTER_NR];
	struct fake f = { .unfiltered = true };
	struct counter_set *set = open_on(&f, v);

	(void)state;
	assert_true(v[COUNTER_CYCLES].available);
	for (int i = COUNTER_CYCLES_USER; i <= COUNTER_CYCLES_KERNEL; i++) {
		assert_false(v[i].available);
		assert_non_null(strstr(v[i].why, "does not tell user from kernel"));
	}
	close_and_check(set, &f);
}

static void a_group_that_never_runs_is_broken_up(void **state)
{
	struct counter_value v[COUNTER_NR];
	struct fake f = { .starve_groups = true };
	struct counter_set *set = open_on(&f, v);

	(void)state;
	for (int i = COUNTER_DTLB_LOAD_MISSES; i < COUNTER_NR; i++) {
		assert_true(v[i].available);
		assert_int_equal(v[i].value, 1000);
	}
	close_and_check(set, &f);
}

static void a_count_that_cannot_be_read_is_no_zero(void **state)
{
	struct counter_value v[COUNTER_NR];
	struct fake f = { .short_read = true };
	struct counter_set *set = open_on(&f, v);

	(void)state;
	for (int i = 0; i < COUNTER_NR; i++) {
		assert_false(v[i].available);
		assert_true(v[i].why[0]);
	}
	close_and_check(set, &f);
}

/* Families that every libpfm4 in use knows resolve; newer ones resolve or say why not. */
static void every_family_resolves_or_says_why(void **state)
{
	static const char *const known[] = {
		"hsw", "bdw", "skl", "skx", "icl", "spr", "amd64_fam17h_zen1", "amd64_fam19h_zen3"
	};
	struct event_code code;
	struct error e;

	(void)state;
	for (const struct event_family *f = event_families; f->pmu; f++)
		for (int use = 0; use < EVENT_USES; use++) {
			bool must = false;
			int rc;

			memset(&e, 0, sizeof(e));
			rc = event_resolve(f, use, &code, &e);
			for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
				must |= !strcmp(known[i], f->pmu) && f->names[use];
			if (must)
				assert_int_equal(rc, 0);
			if (rc)
				assert_true(e.text[0]);
			else
				assert_true(code.config != 0 && code.name[0]);
		}
}

/* Intel SDM vol. 3, table of Skylake events: 08H/0EH walks completed. */
static void skylake_walks_are_event_08_umask_0e(void **state)
{
	struct event_code code;

	(void)state;
	assert_int_equal(event_resolve(fake_family(NULL), EVENT_DTLB_LOAD_MISSES, &code, NULL), 0);
	assert_int_equal(code.config & 0xffff, 0x0e08);
}

/*
 * Codes as the vendors' lists give them (event | umask << 8): Intel SDM vol. 3B, chapter 20 and its perfmon lists; AMD PPR
 * of family 17h to 1Ah (PMCx045, PMCx078, PMCx076, PMCx0C0); Arm Architecture Reference Manual, D13.12.
 */
static void each_family_has_its_vendors_codes(void **state)
{
	static const struct {
		const char *pmu;
		uint64_t codes[EVENT_USES]; /* 0: has none */
	} lists[] = {
		{ "hsw", { 0x0e08, 0x1008, 0x3c, 0xc0, 0x0e08, 0x01bd, 0x3c, 0x3c } },
		{ "bdw", { 0x0e08, 0x1008, 0x3c, 0xc0, 0x0e08, 0x01bd, 0x3c, 0x3c } },
		{ "skl", { 0x0e08, 0x1008, 0x3c, 0xc0, 0x0e08, 0x01bd, 0x3c, 0x3c } },
		{ "clx", { 0x0e08, 0x1008, 0x3c, 0xc0, 0x0e08, 0x01bd, 0x3c, 0x3c } },
		{ "icx", { 0x0e08, 0x1008, 0x3c, 0xc0, 0x0e08, 0x01bd, 0x3c, 0x3c } },
		{ "adl_glc", { 0x0e12, 0x1012, 0x3c, 0xc0, 0x0e12, 0, 0x3c, 0x3c } },
		{ "spr", { 0x0e12, 0x1012, 0x3c, 0xc0, 0x0e12, 0, 0x3c, 0x3c } },
		{ "emr", { 0x0e12, 0x1012, 0x3c, 0xc0, 0x0e12, 0, 0x3c, 0x3c } },
		{ "gnr", { 0x0e12, 0x1012, 0x3c, 0xc0, 0x0e12, 0, 0x3c, 0x3c } },
		{ "amd64_fam17h_zen1", { 0xff45, 0, 0x76, 0xc0, 0xf045, 0xff78, 0x76, 0x76 } },
		{ "amd64_fam17h_zen2", { 0xff45, 0, 0x76, 0xc0, 0xf045, 0xff78, 0x76, 0x76 } },
		{ "amd64_fam19h_zen3", { 0xff45, 0, 0x76, 0xc0, 0xf045, 0xff78, 0x76, 0x76 } },
		{ "amd64_fam19h_zen4", { 0xff45, 0, 0x76, 0xc0, 0xf045, 0xff78, 0x76, 0x76 } },
		{ "amd64_fam1ah_zen5", { 0xff45, 0, 0x76, 0xc0, 0xf045, 0xff78, 0x76, 0x76 } },
		{ "arm_n1", { 0x05, 0, 0x11, 0x08, 0x34, 0, 0x11, 0x11 } },
		{ "arm_v2", { 0x05, 0, 0x11, 0x08, 0x34, 0, 0x11, 0x11 } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lists) / sizeof(*lists); i++) {
		const struct event_family *f = event_families;

		while (f->pmu && strcmp(f->pmu, lists[i].pmu) != 0)
			f++;
		assert_non_null(f->pmu);
		for (int use = 0; use < EVENT_USES; use++) {
			struct event_code code;
			int rc = event_resolve(f, use, &code, NULL);

			if (!lists[i].codes[use]) {
				assert_int_equal(rc, -ENOENT);
				continue;
			}
			assert_int_equal(rc, 0);
			assert_int_equal(code.config & 0xffff, lists[i].codes[use]);
			assert_int_equal(code.user_only, use == EVENT_CYCLES_USER);
			assert_int_equal(code.kernel_only, use == EVENT_CYCLES_KERNEL);
		}
	}
}

/* Models as Linux names them (arch/x86/include/asm/intel-family.h, and AMD's revision guides). */
static void a_cpu_younger_than_the_library_is_known(void **state)
{
	(void)state;
	assert_string_equal(event_family_of('I', 6, 0xad)->pmu, "gnr");
	assert_string_equal(event_family_of('I', 6, 0xcf)->pmu, "emr");
	assert_string_equal(event_family_of('I', 6, 0xb7)->pmu, "adl_glc");
	assert_string_equal(event_family_of('A', 0x1a, 0x02)->pmu, "amd64_fam1ah_zen5");
	assert_string_equal(event_family_of('A', 0x19, 0x11)->pmu, "amd64_fam19h_zen4");
	assert_string_equal(event_family_of('A', 0x19, 0x01)->pmu, "amd64_fam19h_zen3");
	assert_string_equal(event_family_of('A', 0x17, 0x31)->pmu, "amd64_fam17h_zen2");
	assert_null(event_family_of('I', 6, 0x01));
	assert_null(event_family_of(0, 0, 0));
}

static void pmu_make(const char *root, const char *pmu, const char *file, const char *text)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "mkdir -p %s/sys/bus/event_source/devices/%s", root, pmu);
	assert_int_equal(system(path), 0);
	snprintf(path, sizeof(path), "%s/sys/bus/event_source/devices/%s/%s", root, pmu, file);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* Alder Lake: eight CPUs of performance cores, four efficient ones, and a PMU outside the cores. */
static void each_kind_of_core_has_its_own_pmu(void **state)
{
	struct event_code walks = { .type = PERF_TYPE_RAW, .config = 0x0e12 };
	struct event_code cycles = { .type = PERF_TYPE_HARDWARE };
	char root[] = "/tmp/activemm-pmu-XXXXXX", remove[64];
	struct event_pmu pmu;

	(void)state;
	assert_non_null(mkdtemp(root));
	pmu_make(root, "cpu_core", "cpus", "0-7\n");
	pmu_make(root, "cpu_core", "type", "4\n");
	pmu_make(root, "cpu_atom", "cpus", "8,9-11\n");
	pmu_make(root, "cpu_atom", "type", "10\n");
	pmu_make(root, "uncore_imc", "cpumask", "0\n");
	pmu_make(root, "uncore_imc", "type", "11\n");
	assert_int_equal(event_pmu_of_cpu(root, 7, &pmu), 0);
	assert_string_equal(pmu.name, "cpu_core");
	assert_int_equal(pmu.type, 4);
	assert_true(event_pmu_has_families(&pmu));
	assert_int_equal(event_pmu_of_cpu(root, 10, &pmu), 0);
	assert_string_equal(pmu.name, "cpu_atom");
	assert_int_equal(pmu.type, 10);
	assert_false(event_pmu_has_families(&pmu));
	event_pmu_aim(&walks, &pmu);
	assert_int_equal(walks.type, 10);
	event_pmu_aim(&cycles, &pmu);
	assert_int_equal(cycles.type, PERF_TYPE_HARDWARE);
	assert_true(cycles.config == (uint64_t)10 << 32);
	assert_int_equal(event_pmu_of_cpu(root, 12, &pmu), -ENOENT);
	assert_int_equal(event_pmu_of_cpu("/nonexistent", 0, &pmu), -ENOENT);
	snprintf(remove, sizeof(remove), "rm -r %s", root);
	assert_int_equal(system(remove), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_machine_counts_everything),
		cmocka_unit_test(without_a_pmu_the_rest_goes_on),
		cmocka_unit_test(without_permission_each_says_how_to_get_it),
		cmocka_unit_test(without_tracefs_nothing_is_verified),
#if !defined(__aarch64__)
		cmocka_unit_test(where_the_tracepoint_is_silent_the_kernels_functions_are_counted),
		cmocka_unit_test(functions_need_no_tracefs),
#endif
		cmocka_unit_test(a_multiplexed_count_is_scaled_and_marked),
		cmocka_unit_test(an_event_that_does_not_fit_leads_a_group_of_its_own),
		cmocka_unit_test(a_pmu_that_does_not_tell_user_from_kernel_says_so),
		cmocka_unit_test(a_group_that_never_runs_is_broken_up),
		cmocka_unit_test(a_count_that_cannot_be_read_is_no_zero),
		cmocka_unit_test(every_family_resolves_or_says_why),
		cmocka_unit_test(skylake_walks_are_event_08_umask_0e),
		cmocka_unit_test(each_family_has_its_vendors_codes),
		cmocka_unit_test(a_cpu_younger_than_the_library_is_known),
		cmocka_unit_test(each_kind_of_core_has_its_own_pmu),
	};

	/* libpfm4 encodes for CPUs other than this one only when told so before it starts. */
	setenv("LIBPFM_ENCODE_INACTIVE", "1", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
