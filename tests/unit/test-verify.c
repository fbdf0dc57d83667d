// SPDX-License-Identifier: GPL-2.0-or-later
/* What makes a trial invalid: made outcomes whose fault is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "bench/harness/verify.h"

static const struct bench bench = { .cpu.cpu = 3, .clock = { .ticks_per_ns = 1 }, .count = true };
static struct batch batches[] = { { BATCH_TIMED, 10000, 0, 20000000, 0 },
				  { BATCH_COUNTED, 10000, 0, 25000000, 0 } };

/* A trial of 10 000 counted round trips that did just what a real switch claims. */
static struct trial_outcome sound(void)
{
	struct trial_outcome out = {
		.claim = { .switches = { true, 2, 2 },
			   .cr3_loads = { true, 2, 2 },
			   .cr3_flushes = { true, 0, 0 },
			   .own_switches = 2 },
		.batches = batches,
		.nbatches = 2,
		.timed = 10000,
		.counted = 10000,
		.total = 20600,
		.warmup = 600,
		.own_switches = 40000,
		.elapsed_ns = 45e6,
		.interrupts = 12,
	};

	strcpy(out.interrupt, "LOC (Local timer interrupts)");
	for (int i = 0; i < COUNTER_NR; i++)
		out.counters[i] = (struct counter_value){ .available = true, .share = 1 };
	out.counters[COUNTER_CONTEXT_SWITCHES].value = 20002;
	out.counters[COUNTER_CR3_LOADS].value = 20000;
	return out;
}

/* @out must have one violation, of kind @what, whose text holds @text. */
static void finds(const struct trial_outcome *out, const char *what, const char *text)
{
	struct verdict verdict;
	json_t *v;

	verify_trial(&verdict, &bench, out);
	v = verdict.list;
	assert_int_equal(verdict.violations, 1);
	assert_int_equal(json_array_size(v), 1);
	assert_string_equal(json_string_value(json_object_get(json_array_get(v, 0), "what")), what);
	if (!strstr(json_string_value(json_object_get(json_array_get(v, 0), "text")), text))
		fail_msg("'%s' lacks '%s'",
			 json_string_value(json_object_get(json_array_get(v, 0), "text")), text);
	json_decref(v);
}

static void valid(const struct trial_outcome *out)
{
	struct verdict verdict;

	verify_trial(&verdict, &bench, out);
	assert_int_equal(verdict.violations, 0);
	json_decref(verdict.list);
}

static void a_sound_trial_is_valid(void **state)
{
	struct trial_outcome out = sound();

	(void)state;
	valid(&out);
}

static void one_percent_more_switches_are_found(void **state)
{
	struct trial_outcome out = sound();

	(void)state;
	out.counters[COUNTER_CONTEXT_SWITCHES].value = 20200;
	finds(&out, "context-switches", "2.02 switches per round trip where 2 were claimed");
}

static void cr3_loads_and_flushes_are_found(void **state)
{
	struct trial_outcome out = sound();

	(void)state;
	out.counters[COUNTER_CR3_LOADS].value = 0;
	finds(&out, "cr3-loads", "0 CR3 loads");
	out = sound();
	out.counters[COUNTER_CR3_FLUSHES].value = 20000;
	finds(&out, "cr3-flushes", "2 flushing CR3 loads per round trip where 0");
}

static void a_busy_intruder_is_found_though_it_hardly_switches(void **state)
{
	struct intruder in = { "stress", 4242, 12, 12e6 };
	struct trial_outcome out = sound();

	(void)state;
	out.intruders.list = &in;
	out.intruders.n = 1;
	finds(&out, "intruder", "stress (pid 4242) had the CPU for 12.0 ms, 48.0 %");
	in.ns = 0.2e6; /* under 2 % */
	valid(&out);
}

static void nobody_here_is_blamed_for_the_other_cpu(void **state)
{
	struct intruder in = { "rcu_preempt", 15, 12, 5e4 };
	struct trial_outcome out = sound();

	(void)state;
	out.intruders.list = &in;
	out.intruders.n = 1;
	out.claim.remote_loads = (struct claim_range){ true, 1, 1 };
	out.remote[COUNTER_CR3_LOADS] =
		(struct counter_value){ .available = true, .share = 1, .value = 20000 };
	finds(&out, "remote-cr3-loads", "where 1 were claimed: does anything else run there?");
}

static void long_round_trips_may_see_visitors_but_none_each(void **state)
{
	struct trial_outcome out = sound();

	(void)state;
	/* 500 round trips in 25 ms. */
	out.counted = 500;
	out.counters[COUNTER_CONTEXT_SWITCHES].value = 1000;
	out.counters[COUNTER_CR3_LOADS].value = 1009;
	finds(&out, "cr3-loads", "2.018 CR3 loads");
	/* In 100 ms. */
	batches[1].stop += 75000000;
	valid(&out);
	out.counters[COUNTER_CR3_LOADS].value = 1011;
	finds(&out, "cr3-loads", "2.022 CR3 loads");
	out.counters[COUNTER_CR3_LOADS].value = 991; /* visitors take none away */
	finds(&out, "cr3-loads", "1.982 CR3 loads");
	/* In an hour: at most one in twenty. */
	batches[1].stop += 9000000000000;
	out.counters[COUNTER_CR3_LOADS].value = 1025;
	valid(&out);
	out.counters[COUNTER_CR3_LOADS].value = 1026;
	finds(&out, "cr3-loads", "2.052 CR3 loads");
	batches[1].stop -= 9000075000000;
}

static void what_rcu_does_behind_a_kworker_is_no_intrusion(void **state)
{
	struct intruder in = { "ksoftirqd/3", 22, 12, 5e6 };
	struct trial_outcome out = sound();

	(void)state;
	out.intruders.list = &in;
	out.intruders.n = 1;
	finds(&out, "intruder", "ksoftirqd/3");
	out.claim.kworkers = true;
	valid(&out);
}

static void an_interrupt_storm_is_found_and_named(void **state)
{
	struct trial_outcome out = sound();

	(void)state;
	out.interrupts = 40000;
	strcpy(out.interrupt, "27 (eth0-rx-0)");
	finds(&out, "interrupts", "27 (eth0-rx-0)");
	out.claim.interrupts = 2; /* a scenario that lives on interrupts */
	valid(&out);
}

static void switches_missing_in_the_unobserved_batches_are_found(void **state)
{
	struct trial_outcome out = sound();

	(void)state;
	out.own_switches = 38000;
	finds(&out, "own-switches", "1.9 times per round trip where 2");
	/* A short trial of a ring: its others may miss a turn in each part of the trial. */
	out = sound();
	out.total = out.warmup + 200;
	out.claim.own_switches = 16;
	out.own_switches = 3200 - 45;
	valid(&out);
	out.own_switches = 3200 - 60;
	finds(&out, "own-switches", "15.7 times per round trip where 16");
	out = sound();
	/* Long round trips that nobody should leave: who is there for a moment, once a millisecond, is no disturbance. */
	out.claim.own_switches = 0;
	out.elapsed_ns = 100e6;
	out.own_switches = 90;
	valid(&out);
	out.own_switches = 110;
	finds(&out, "own-switches", "times per round trip where 0");
}

static void a_moved_task_and_a_failed_trial_are_found(void **state)
{
	struct trial_outcome out = sound();

	(void)state;
	out.left_cpu = true;
	finds(&out, "migration", "CPU 3");
	out = sound();
	error_set(&out.error, 5, "a round trip failed");
	finds(&out, "trial", "a round trip failed");
}

static void what_cannot_be_counted_is_not_judged(void **state)
{
	struct trial_outcome out = sound();

	(void)state;
	for (int i = 0; i < COUNTER_NR; i++)
		out.counters[i].available = false;
	valid(&out);
}

static void a_counter_that_followed_nothing_is_doubted(void **state)
{
	struct counter_doubts doubts = { 0 };
	struct counter_value v[COUNTER_NR] = {
		[COUNTER_CR3_LOADS] = { true, 0, 1, "tlb:tlb_flush reason == 0, CPU-wide", "" },
		[COUNTER_CYCLES] = { true, 1, 1, "cycles, CPU-wide", "" },
		[COUNTER_DTLB_WALKS] = { true, 0, 1, "arm_n1::DTLB_WALK, CPU-wide", "" },
	};

	(void)state;
	/* No process to change to proves nothing of loads. */
	assert_false(counters_doubt(v, 0, &doubts));
	assert_true(v[COUNTER_CR3_LOADS].available);
	assert_false(v[COUNTER_DTLB_WALKS].available);
	assert_non_null(strstr(doubts.why[COUNTER_DTLB_WALKS], "arm_n1::DTLB_WALK can be opened"));
	assert_true(v[COUNTER_CYCLES].available);
	/* Silent at changes of mm: something else is to be tried, and what that counts is judged, too. */
	assert_true(counters_doubt(v, 40, &doubts));
	assert_true(doubts.tracepoint);
	v[COUNTER_CR3_LOADS] = (struct counter_value){ true, 3, 1, "kprobe switch_ldt: loads", "" };
	assert_false(counters_doubt(v, 40, &doubts));
	assert_false(v[COUNTER_CR3_LOADS].available);
	assert_non_null(strstr(v[COUNTER_CR3_LOADS].why, "only 3 came at 40"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sound_trial_is_valid),
		cmocka_unit_test(one_percent_more_switches_are_found),
		cmocka_unit_test(cr3_loads_and_flushes_are_found),
		cmocka_unit_test(a_busy_intruder_is_found_though_it_hardly_switches),
		cmocka_unit_test(nobody_here_is_blamed_for_the_other_cpu),
		cmocka_unit_test(long_round_trips_may_see_visitors_but_none_each),
		cmocka_unit_test(what_rcu_does_behind_a_kworker_is_no_intrusion),
		cmocka_unit_test(an_interrupt_storm_is_found_and_named),
		cmocka_unit_test(switches_missing_in_the_unobserved_batches_are_found),
		cmocka_unit_test(a_moved_task_and_a_failed_trial_are_found),
		cmocka_unit_test(what_cannot_be_counted_is_not_judged),
		cmocka_unit_test(a_counter_that_followed_nothing_is_doubted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
