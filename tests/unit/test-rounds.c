// SPDX-License-Identifier: GPL-2.0-or-later
/* Rounds over made trials: one that ran at another speed of the machine is repeated, and none that was finished is lost. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/harness/pace.h"
#include "bench/harness/run.h"
#include "lib/results/set.h"

enum { TRIALS = 20, SLOW = 12 };

/* How long the work takes beside attempt @attempt of the trial made from @seed; 0: the run is stopped there. */
static double (*work_ns)(unsigned int trial, unsigned int attempt);

volatile int trial_stop;

void trial_describe(const struct bench *b, const struct trial_order *order, struct trial *t)
{
	(void)b;
	*t = (struct trial){ .scenario = order->scenario, .params = order->params };
}

int trial_run(const struct bench *b, const struct trial_order *order, struct trial_outcome *out,
	      struct error *e)
{
	unsigned int trial = (unsigned int)(order->seed / 1000003),
		     attempt = (unsigned int)(order->seed % 1000003);
	double core = work_ns(trial, attempt);

	(void)b;
	(void)e;
	*out = (struct trial_outcome){ 0 };
	if (core == 0)
		return -EINTR;
	out->speed_ns[SPEED_CLOCK] = 1000;
	out->speed_ns[SPEED_CORE] = core;
	out->speed_ns[SPEED_EXIT] = NAN;
	out->batches = calloc(1, sizeof(*out->batches));
	out->latency_ns = calloc(1, sizeof(*out->latency_ns));
	return out->batches && out->latency_ns ? 0 : -ENOMEM;
}

void trial_outcome_free(struct trial_outcome *out)
{
	free(out->batches);
	free(out->latency_ns);
}

int trial_window(const struct bench *b, const struct trial_order *order, struct trial_window *w,
		 struct error *e)
{
	(void)b, (void)order, (void)w, (void)e;
	return -ENOSYS;
}

double trial_slice_s(const struct bench *b)
{
	(void)b;
	return 0;
}

static struct claim claim(const struct trial *t)
{
	(void)t;
	return (struct claim){ 0 };
}

static const struct param none[] = { { 0 } };
SCENARIO(made) = { .name = "made", .params = none, .claim = claim };

/* What the rounds returned; the set in @set, to be freed. */
static int rounds(double (*work)(unsigned int, unsigned int), struct result_set *set,
		  struct run_tally *tally)
{
	char dir[] = "/tmp/test-rounds-XXXXXX", path[64];
	struct bench b = { .clock = { .ticks_per_ns = 1 }, .cpu = { .sibling = -1, .helper = -1 } };
	struct plan_item item = { .scenario = &made, .row = { .iterations = 1 } };
	struct plan plan = { .items = &item, .n = 1 };
	struct run_options o = { .trials = TRIALS };
	struct run_set s = { 0 };
	struct error e = { 0 };
	int rc;

	work_ns = work;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/set", dir);
	s.dir = path;
	s.machine = json_pack("{s:i, s:{}, s:b}", "schema", RESULT_SCHEMA, "kernel",
			      "times_meaningful", true);
	assert_int_equal(result_create(&s.w, path, s.machine, false, &e), 0);
	*tally = (struct run_tally){ 0 };
	rc = run_rounds(&b, &plan, &o, &s, NULL, HUGE_VAL, tally, &e);
	result_close(s.w);
	pace_free(&s.pace);
	json_decref(s.machine);
	if (result_read(set, path, &e))
		fail_msg("%s", e.text);
	snprintf(path, sizeof(path), "rm -r %s", dir);
	assert_int_equal(system(path), 0);
	return rc;
}

/* The line of that attempt, or NULL. */
static const json_t *line_of(const struct result_set *set, unsigned int trial, unsigned int attempt)
{
	const json_t *t;
	size_t i;

	json_array_foreach (set->trials, i, t)
		if (json_integer_value(json_object_get(t, "trial")) == trial &&
		    json_integer_value(json_object_get(t, "attempt")) == attempt)
			return t;
	return NULL;
}

static bool is_valid(const json_t *t)
{
	return json_is_true(json_object_get(t, "valid"));
}

/* What the line's last warning and last violation say. */
static const char *last(const json_t *t, const char *list)
{
	const json_t *l = json_object_get(t, list),
		     *one = json_array_get(l, json_array_size(l) - 1);
	const char *text = json_string_value(json_is_object(one) ? json_object_get(one, "text")
								 : one);

	return text ? text : "";
}

static double slow_once(unsigned int trial, unsigned int attempt)
{
	return trial == SLOW && attempt == 1 ? 1300 : 1000 + trial;
}

static void a_slow_trial_is_repeated(void **state)
{
	struct run_tally tally;
	struct result_set set;
	const json_t *t;

	(void)state;
	assert_int_equal(rounds(slow_once, &set, &tally), 0);
	t = line_of(&set, SLOW, 1);
	assert_non_null(t);
	assert_false(is_valid(t));
	assert_non_null(strstr(last(t, "violations"), "the machine ran at 77 % of the run's speed: "
						      "a sibling or a neighbour"));
	assert_true(is_valid(line_of(&set, SLOW, 2)));
	assert_int_equal(json_array_size(set.trials), TRIALS + 1);
	assert_int_equal(tally.invalid, 1);
	assert_int_equal(tally.given_up, 0);
	result_free(&set);
}

static double slow_twice(unsigned int trial, unsigned int attempt)
{
	(void)attempt;
	return trial == SLOW ? 1300 : 1000;
}

static void slow_again_it_counts_and_is_marked(void **state)
{
	struct run_tally tally;
	struct result_set set;

	(void)state;
	assert_int_equal(rounds(slow_twice, &set, &tally), 0);
	assert_false(is_valid(line_of(&set, SLOW, 1)));
	assert_true(is_valid(line_of(&set, SLOW, 2)));
	assert_non_null(strstr(last(line_of(&set, SLOW, 2), "warnings"), "77 %"));
	assert_null(line_of(&set, SLOW, 3));
	assert_int_equal(tally.given_up, 0);
	result_free(&set);
}

static double two_speeds(unsigned int trial, unsigned int attempt)
{
	(void)attempt;
	return trial % 2 ? 1000 : 1300;
}

static void a_machine_of_two_speeds_is_not_run_after(void **state)
{
	struct run_tally tally;
	struct result_set set;

	(void)state;
	assert_int_equal(rounds(two_speeds, &set, &tally), 0);
	assert_true(tally.trials <= TRIALS + 3);
	for (unsigned int i = 0; i < TRIALS; i++)
		assert_true(is_valid(line_of(&set, i, 1)) || is_valid(line_of(&set, i, 2)));
	result_free(&set);
}

static double stopped(unsigned int trial, unsigned int attempt)
{
	return trial == SLOW + 1 || attempt > 1 ? 0 : slow_once(trial, attempt);
}

static void a_stop_loses_no_trial(void **state)
{
	struct run_tally tally;
	struct result_set set;

	(void)state;
	assert_int_equal(rounds(stopped, &set, &tally), -EINTR);
	assert_int_equal(json_array_size(set.trials), SLOW + 1);
	assert_true(is_valid(line_of(&set, SLOW, 1)));
	result_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_slow_trial_is_repeated),
		cmocka_unit_test(slow_again_it_counts_and_is_marked),
		cmocka_unit_test(a_machine_of_two_speeds_is_not_run_after),
		cmocka_unit_test(a_stop_loses_no_trial),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
