// SPDX-License-Identifier: GPL-2.0-or-later
/* A plan that keeps to its time, and what tells a kernel's design from a disturbed trial: made rows and outcomes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/harness/findings.h"
#include "bench/harness/fit.h"

#define ROWS 40

/* Rows of a machine on which a round trip takes @ns and a trial half a tenth of a second besides. */
static void rows_make(struct fit_row *rows, double ns)
{
	for (unsigned int i = 0; i < ROWS; i++)
		rows[i] = (struct fit_row){
			.expected_ns = ns, .per_ns = 2.16 * ns, .overhead_s = 0.02, .rank = i / 10
		};
}

static struct fit fit(struct fit_row *rows, double seconds, long trials)
{
	struct fit f = { .seconds = seconds,
			 .trials = trials,
			 .trials_least = FIT_TRIALS_LEAST,
			 .target_ns = 100e6,
			 .target_least_ns = 10e6 };

	fit_rows(rows, ROWS, &f);
	return f;
}

static double planned_s(const struct fit_row *rows, const struct fit *f)
{
	double s = 0;

	for (unsigned int i = 0; i < ROWS; i++)
		if (!rows[i].dropped)
			s += fit_trial_s(&rows[i]) * (double)f->trials;
	return s;
}

static void test_what_fits_is_left_alone(void **state)
{
	struct fit_row rows[ROWS];
	struct fit f;

	(void)state;
	rows_make(rows, 2000);
	f = fit(rows, 840, 12);
	assert_int_equal(f.trials, 12);
	assert_int_equal(f.dropped, 0);
	assert_true(rows[0].iterations >= 50000);
}

/* Fewer trials first, then shorter ones, rows at last: in every case the time is kept to, with room for retries. */
static void test_order_of_cuts(void **state)
{
	static const struct {
		double seconds;
		bool fewer, shorter, dropped;
	} cases[] = {
		{ 150, false, false, false }, { 100, true, false, false },
		{ 50, true, true, false },    { 8, true, true, true },
		{ 1, true, true, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct fit_row rows[ROWS];
		struct fit f;

		rows_make(rows, 3000);
		f = fit(rows, cases[i].seconds, 12);
		assert_int_equal(f.trials < 12, cases[i].fewer);
		assert_true(f.trials >= FIT_TRIALS_LEAST);
		assert_int_equal(f.target_ns < 99e6, cases[i].shorter);
		assert_int_equal(f.dropped > 0, cases[i].dropped);
		if (f.dropped < ROWS - 1)
			assert_true(planned_s(rows, &f) <=
				    cases[i].seconds * (1 - FIT_RETRIES) + 1e-6);
		assert_true(fabs(planned_s(rows, &f) - f.needs_s) < 1e-6);
	}
}

static void test_ranks_are_dropped_from_the_greatest_on(void **state)
{
	struct fit_row rows[ROWS];

	(void)state;
	rows_make(rows, 3000);
	fit(rows, 8, 12);
	for (unsigned int i = 1; i < ROWS; i++)
		assert_true(rows[i].dropped || !rows[i - 1].dropped);
	assert_false(rows[0].dropped);
	/* One row is left however little time there is. */
	rows_make(rows, 1e9);
	fit(rows, 1, 12);
	assert_false(rows[0].dropped);
	assert_int_equal(fit_drop(rows, ROWS), -1);
}

static void test_given_iterations_stay(void **state)
{
	struct fit_row rows[ROWS];

	(void)state;
	rows_make(rows, 3000);
	for (unsigned int i = 0; i < ROWS; i++)
		rows[i].iterations = 777;
	fit(rows, 60, 12);
	assert_int_equal(rows[0].iterations, 777);
}

static const struct bench bench = {
	.cpu.cpu = 1, .clock = { .ticks_per_ns = 1 }, .count = true, .observe = true
};
static struct batch batches[] = { { BATCH_COUNTED, 1000, 0, 25000000, 0 } };
static const struct param no_params[] = { PARAMS_END };
static bool form(const struct trial *t, const struct seen *seen, struct claim *c)
{
	(void)t;
	c->remote_shootdowns = (struct claim_range){ true, 2, 2 };
	return seen->remote_shootdowns > 1.9;
}

static void found(const struct trial *t, const struct seen *seen, char *text, size_t len)
{
	(void)t;
	if (seen->remote_shootdowns > 1.9)
		snprintf(text, len, "twice");
}

static struct claim claim(const struct trial *t)
{
	(void)t;
	return (struct claim){ .switches = { true, 0, 0 },
			       .remote_shootdowns = { true, 1, 1 },
			       .own_switches = -1 };
}

SCENARIO(made) = {
	.name = "made", .params = no_params, .claim = claim, .form = form, .found = found
};
static const struct trial trial = { .scenario = &made, .params = (const long[PARAMS_MAX]){ 0 } };

/* 1000 operations that should interrupt another CPU once each; @arrived times somebody came there. */
static struct trial_outcome outcome(uint64_t arrived)
{
	struct trial_outcome out = {
		.claim = claim(&trial),
		.batches = batches,
		.nbatches = 1,
		.counted = 1000,
		.total = 1000,
		.remote_counted = true,
		.remote_watched = true,
	};

	for (int i = 0; i < COUNTER_NR; i++)
		out.counters[i] = out.remote[i] = (struct counter_value){ .available = true,
									  .share = 1 };
	out.remote[COUNTER_TLB_SHOOTDOWNS].value = arrived;
	return out;
}

static bool note(struct finding_notes *notes, const struct trial_outcome *out)
{
	struct verdict verdict;
	bool noted;

	verify_trial(&verdict, &bench, out);
	assert_true(verdict.violations > 0);
	noted = finding_note(notes, &bench, &trial, out, verdict.list);
	json_decref(verdict.list);
	return noted;
}

static bool decide(const struct finding_notes *notes, const struct trial_outcome *out,
		   struct finding *f)
{
	return finding_decide(notes, &trial, &out->claim, f);
}

static void test_same_counts_three_times_are_a_finding(void **state)
{
	struct finding_notes notes = { 0 };
	struct trial_outcome out = outcome(0);
	struct finding f;

	(void)state;
	for (int i = 0; i < FINDING_ATTEMPTS; i++) {
		assert_false(decide(&notes, &out, &f));
		assert_true(note(&notes, &out));
	}
	assert_true(decide(&notes, &out, &f));
	assert_true(f.times);
	assert_true(f.claim.remote_shootdowns.max == 0);
	assert_true(f.claimed.remote_shootdowns.max == 1);
	assert_non_null(strstr(f.text, "0.00 shootdowns on the other CPU"));
	/* From then on a trial is held to what was found. */
	out.claim = f.claim;
	{
		struct verdict verdict;

		verify_trial(&verdict, &bench, &out);
		assert_int_equal(verdict.violations, 0);
		json_decref(verdict.list);
	}
	out.remote[COUNTER_TLB_SHOOTDOWNS].value = 500;
	{
		struct finding_notes later = { 0 };

		assert_true(note(&later, &out));
	}
}

static void test_counts_that_differ_are_none(void **state)
{
	struct finding_notes notes = { 0 };
	struct trial_outcome out = outcome(0);
	struct finding f;

	(void)state;
	for (uint64_t i = 0; i < FINDING_ATTEMPTS; i++) {
		out.remote[COUNTER_TLB_SHOOTDOWNS].value = 100 * i;
		assert_true(note(&notes, &out));
	}
	assert_false(decide(&notes, &out, &f));
}

static void test_a_disturbed_trial_proves_nothing(void **state)
{
	struct finding_notes notes = { 0 };
	struct trial_outcome out = outcome(0);
	struct intruder hog = { .pid = 99, .switches = 600, .ns = 1e6 };

	(void)state;
	strcpy(hog.comm, "hog");
	out.remote_intruders = (struct intruders){ .list = &hog, .n = 1 };
	assert_false(note(&notes, &out));
	out.remote_intruders.n = 0;
	out.intruders = (struct intruders){ .list = &hog, .n = 1 };
	assert_false(note(&notes, &out));
	out.intruders.n = 0;
	out.remote_watched = false;
	assert_false(note(&notes, &out));
	assert_int_equal(notes.n, 0);
}

static void test_a_form_that_is_known_is_found_at_once(void **state)
{
	struct finding_notes notes = { 0 };
	struct trial_outcome out = outcome(2000);
	struct intruder hog = { .pid = 99, .switches = 600, .ns = 1e5 };
	struct finding f;

	(void)state;
	strcpy(hog.comm, "hog");
	out.remote_intruders = (struct intruders){ .list = &hog, .n = 1 };
	assert_false(finding_ready(&notes));
	assert_true(note(&notes, &out));
	assert_true(finding_ready(&notes));
	assert_true(decide(&notes, &out, &f));
	assert_true(f.times);
	assert_true(f.claim.remote_shootdowns.min == 2);
	assert_string_equal(f.text, "twice");
	/* Not where another count fails besides. */
	notes = (struct finding_notes){ 0 };
	out.counters[COUNTER_CONTEXT_SWITCHES].value = 3000;
	assert_false(note(&notes, &out));
	assert_false(finding_ready(&notes));
}

/* Another number of switches makes it another operation: its times are nobody's. */
static void test_other_switches_have_no_times(void **state)
{
	struct finding_notes notes = { 0 };
	struct trial_outcome out = outcome(1000);
	struct finding f;

	(void)state;
	out.counters[COUNTER_CONTEXT_SWITCHES].value = 3000;
	for (int i = 0; i < FINDING_ATTEMPTS; i++)
		assert_true(note(&notes, &out));
	assert_true(decide(&notes, &out, &f));
	assert_false(f.times);
}

/* A run that is gone on with holds its trials to what its earlier part found. */
static void test_a_finding_is_found_again_in_its_record(void **state)
{
	struct findings before = { 0 }, after = { 0 };
	json_t *old = json_array(), *list = json_array();
	struct finding_notes notes = { 0 };
	struct trial_outcome out = outcome(0);
	const struct finding *again;
	struct plan_item item = { .scenario = &made };
	struct finding f;
	struct error e;

	(void)state;
	for (int i = 0; i < FINDING_ATTEMPTS; i++)
		assert_true(note(&notes, &out));
	assert_true(decide(&notes, &out, &f));
	assert_int_equal(findings_add(&before, &f, old), 0);
	assert_int_equal(findings_restore(&after, &bench, old, list, &e), 0);
	again = findings_of(&after, &item);
	assert_non_null(again);
	assert_string_equal(again->text, f.text);
	assert_memory_equal(&again->claim.remote_shootdowns, &f.claim.remote_shootdowns,
			    sizeof(f.claim.remote_shootdowns));
	assert_true(json_equal(old, list));
	/* A record that somebody changed is told, not taken. */
	json_object_set_new(json_array_get(old, 0), "what", json_string("nothing of ours"));
	assert_int_equal(findings_restore(&after, &bench, old, list, &e), -EINVAL);
	findings_free(&before);
	findings_free(&after);
	json_decref(old);
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_fits_is_left_alone),
		cmocka_unit_test(test_order_of_cuts),
		cmocka_unit_test(test_ranks_are_dropped_from_the_greatest_on),
		cmocka_unit_test(test_given_iterations_stay),
		cmocka_unit_test(test_same_counts_three_times_are_a_finding),
		cmocka_unit_test(test_counts_that_differ_are_none),
		cmocka_unit_test(test_a_disturbed_trial_proves_nothing),
		cmocka_unit_test(test_a_form_that_is_known_is_found_at_once),
		cmocka_unit_test(test_other_switches_have_no_times),
		cmocka_unit_test(test_a_finding_is_found_again_in_its_record),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
