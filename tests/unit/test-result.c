// SPDX-License-Identifier: GPL-2.0-or-later
/* Result sets on disk, whole and damaged, and the figures made of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/summary/summary.h"
#include "lib/results/set.h"
#include "lib/stats/stats.h"

static char dir[64];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/activemm-test-XXXXXX");
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

static json_t *machine(void)
{
	return json_pack("{s:i, s:{s:s}, s:b}", "schema", 1, "kernel", "release", "6.0",
			 "times_meaningful", 1);
}

static json_t *trial(const char *scenario, int number, double ns, double loads, int valid)
{
	return json_pack(
		"{s:i, s:s, s:{s:i, s:s}, s:i, s:i, s:f, s:{s:{s:i, s:f, s:s}}, s:b, s:b, s:[]}",
		"schema", 1, "scenario", scenario, "params", "pages", 0, "pagesize", "4k", "trial",
		number, "attempt", 1, "ns_per_round_trip", ns, "counters", "cr3-loads", "value",
		(int)(loads * 100), "per_round_trip", loads, "source", "test", "valid", valid,
		"verified", 1, "violations");
}

static void put(const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/trials.jsonl", dir);
	f = fopen(path, "a");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static struct result_writer *create(bool resume)
{
	struct result_writer *w = NULL;
	json_t *m = machine();
	struct error e = { 0 };

	if (result_create(&w, dir, m, resume, &e))
		fail_msg("%s", e.text);
	json_decref(m);
	return w;
}

static void append(struct result_writer *w, json_t *t)
{
	assert_int_equal(result_append(w, t, NULL), 0);
	json_decref(t);
}

static void what_is_written_is_read_back(void **state)
{
	struct result_writer *w = create(false);
	struct result_set set;

	(void)state;
	append(w, trial("thread", 0, 100, 0, 1));
	append(w, trial("thread", 1, 110, 0, 1));
	result_close(w);
	assert_int_equal(result_read(&set, dir, NULL), 0);
	assert_int_equal(json_array_size(set.trials), 2);
	assert_string_equal(set.notice, "");
	result_free(&set);
}

static void a_set_is_not_overwritten(void **state)
{
	struct result_writer *w = create(false);
	json_t *m = machine();
	struct error e = { 0 };

	(void)state;
	append(w, trial("thread", 0, 100, 0, 1));
	result_close(w);
	assert_int_equal(result_create(&w, dir, m, false, &e), -EEXIST);
	assert_non_null(strstr(e.text, "--resume"));
	json_decref(m);
}

static void a_half_written_last_line_is_dropped_and_resume_cuts_it_off(void **state)
{
	struct result_writer *w = create(false);
	struct result_set set;

	(void)state;
	append(w, trial("thread", 0, 100, 0, 1));
	result_close(w);
	put("{\"schema\":1,\"scen");
	assert_int_equal(result_read(&set, dir, NULL), 0);
	assert_int_equal(json_array_size(set.trials), 1);
	assert_non_null(strstr(set.notice, "half-written"));
	result_free(&set);
	w = create(true);
	append(w, trial("thread", 1, 100, 0, 1));
	result_close(w);
	assert_int_equal(result_read(&set, dir, NULL), 0);
	assert_int_equal(json_array_size(set.trials), 2);
	result_free(&set);
}

static void refused(const char *line, const char *says)
{
	struct result_writer *w = create(true);
	struct result_set set;
	struct error e = { 0 };
	json_t *m = machine();

	result_close(w);
	assert_int_equal(result_write_json(dir, "machine.json", m, NULL), 0);
	json_decref(m);
	put(line);
	assert_true(result_read(&set, dir, &e) < 0);
	if (!strstr(e.text, says) || strchr(e.text, '\n'))
		fail_msg("'%s' does not say '%s' in one line", e.text, says);
	teardown(NULL);
	setup(NULL);
}

static void damaged_and_foreign_lines_are_named(void **state)
{
	(void)state;
	refused("garbage\n{}\n", ":1: damaged");
	refused("{\"schema\":1}\n", "no trial");
	refused("{\"a\":1,\"a\":2}\n", "damaged");
	refused("{\"schema\":99,\"scenario\":\"x\"}\n", "newer");
	refused("[[[[[[[[[[1]]]]]]]]]]\n", "no trial");
	refused("{\"schema\":1,\"scenario\":\"x\",\"params\":{},\"trial\":0,\"counters\":[],"
		"\"valid\":true,\"violations\":[],"
		"\"ns_per_round_trip\":1}\n",
		"no trial");
}

static void a_folder_without_a_set_is_refused(void **state)
{
	struct result_set set;
	struct error e = { 0 };

	(void)state;
	assert_true(result_read(&set, dir, &e) < 0);
	assert_non_null(strstr(e.text, "no result set"));
}

static void only_valid_trials_make_figures(void **state)
{
	static const double thread[] = { 100, 104, 102 }, process[] = { 150, 150, 155 };
	struct result_writer *w = create(false);
	struct result_set set;
	json_t *s, *h;

	(void)state;
	for (int i = 0; i < 3; i++) {
		append(w, trial("thread", i, thread[i], 0, 1));
		append(w, trial("process", i, process[i], 2, 1));
		append(w, trial("kworker", i, 300 + i, 0, 1));
	}
	append(w, trial("thread", 3, 100000, 0, 0));
	result_close(w);
	assert_int_equal(result_read(&set, dir, NULL), 0);
	s = summary_make(&set, NULL);
	h = json_object_get(s, "headline");
	/* Pairs: 50, 46, 53. */
	assert_true(json_number_value(json_object_get(json_object_get(h, "saving_ns"), "median")) ==
		    50);
	assert_true(json_number_value(json_object_get(json_object_get(h, "lazy_ns"), "median")) ==
		    301);
	assert_true(json_number_value(json_object_get(h, "saving_cr3_loads")) == 2);
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(s, "trials"), "invalid")), 1);
	json_decref(s);
	result_free(&set);
}

/* R 4.2: quantile(c(3, 1, 4, 1, 5, 9, 2, 6), c(.25, .5, .9), type = 7) is 1.75, 3.5, 6.9; mad(...) is 2.9652. */
static void percentiles_agree_with_r(void **state)
{
	static const double v[] = { 3, 1, 4, 1, 5, 9, 2, 6 };
	struct interval i = stats_median(v, 8, 0.95, 1000, 1);

	(void)state;
	assert_true(fabs(stats_percentile(v, 8, 25) - 1.75) < 1e-9);
	assert_true(fabs(stats_percentile(v, 8, 50) - 3.5) < 1e-9);
	assert_true(fabs(stats_percentile(v, 8, 90) - 6.9) < 1e-9);
	assert_true(i.median == 3.5 && i.low <= 3.5 && i.high >= 3.5 && i.low >= 1 && i.high <= 9);
	assert_true(fabs(i.mad - 2.9652) < 1e-3);
	assert_true(isnan(stats_percentile(v, 0, 50)));
	assert_true(isnan(stats_median(v, 1, 0.95, 100, 1).low)); /* one trial has no interval */
}

/* The interval must hold the true median of known noise about as often as it says. */
static void intervals_cover(void **state)
{
	unsigned int seed = 7, covered = 0;
	double v[15];

	(void)state;
	for (int round = 0; round < 300; round++) {
		struct interval i;

		for (int k = 0; k < 15; k++)
			v[k] = (double)rand_r(&seed) / RAND_MAX;
		i = stats_median(v, 15, 0.95, 500, (unsigned long)round);
		covered += i.low <= 0.5 && i.high >= 0.5;
	}
	assert_true(270 <= covered && covered <= 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read_back, setup, teardown),
		cmocka_unit_test_setup_teardown(a_set_is_not_overwritten, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_half_written_last_line_is_dropped_and_resume_cuts_it_off, setup,
			teardown),
		cmocka_unit_test_setup_teardown(damaged_and_foreign_lines_are_named, setup,
						teardown),
		cmocka_unit_test_setup_teardown(a_folder_without_a_set_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(only_valid_trials_make_figures, setup, teardown),
		cmocka_unit_test(percentiles_agree_with_r),
		cmocka_unit_test(intervals_cover),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
