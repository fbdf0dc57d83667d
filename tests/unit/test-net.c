// SPDX-License-Identifier: GPL-2.0-or-later
/* Net costs, slopes and parts, from made-up trials whose answers are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/summary/summary.h"

#define ROUNDS 21

static const int sizes[] = { 0, 64, 128, 512, 4096 };

static void add(json_t *trials, const char *scenario, json_t *params, int pages, int round,
		double ns, double flushes)
{
	json_object_set_new(params, "pages", json_integer(pages));
	json_object_set_new(params, "pagesize", json_string("4k"));
	json_array_append_new(trials,
			      json_pack("{s:i, s:s, s:o, s:i, s:f, s:{s:{s:f}}, s:b, s:b, s:[]}",
					"schema", 1, "scenario", scenario, "params", params,
					"trial", round, "ns_per_round_trip", ns, "counters",
					"cr3-flushes", "per_round_trip", flushes, "valid", 1,
					"verified", 1, "violations"));
}

static json_t *params(const char *key, const char *value, int n)
{
	json_t *p = json_pack("{s:s}", key, value);

	if (n)
		json_object_set_new(p, key[0] == 'k' ? "sides" : "n", json_integer(n));
	return p;
}

/*
 * What all trials of a round share (a slower moment) must cancel. Per page: touches take 3 ns; a switch displaces 0.25 ns of
 * them; a flush costs @slope ns more. @noise: of single trials.
 */
static json_t *made(double slope, double noise, bool with_base)
{
	json_t *trials = json_array();
	unsigned int seed = 5;

	for (int r = 0; r < ROUNDS; r++)
		for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
			int p = sizes[i];
			double common = 50.0 * (r % 5), touch = common + 3.0 * p, moved = 0.25 * p,
			       n = noise * ((double)rand_r(&seed) / RAND_MAX - 0.5);

			add(trials, "thread", params("handover", "yield", 0), p, r,
			    2000 + touch + moved, 0);
			add(trials, "process", params("handover", "yield", 0), p, r,
			    2150 + touch + moved + 0.125 * p, 0);
			add(trials, "ring", params("handover", "yield", 6), p, r,
			    8000 + touch + moved, 0);
			/* Past the second level both have to walk: no more to be lost there. */
			add(trials, "ring", params("handover", "yield", 8), p, r,
			    13000 + touch + moved + slope * (p > 512 ? 512 : p) + n, 8);
			if (!with_base)
				continue;
			add(trials, "base", params("kind", "yield", 2), p, r, 800 + touch, 0);
			add(trials, "base", params("kind", "yield", 8), p, r, 3200 + touch, 0);
		}
	return trials;
}

static json_t *summary(json_t *trials, json_t *tlb)
{
	struct result_set set = { .trials = trials,
				  .machine = json_pack("{s:{s:o}}", "cpu", "tlb", tlb) };
	json_t *s = summary_make(&set, NULL);

	assert_non_null(s);
	json_decref(set.machine);
	json_decref(trials);
	return s;
}

static double median(const json_t *o, const char *key)
{
	return json_number_value(json_object_get(json_object_get(o, key), "median"));
}

/* The entry of @list for that scenario and number of pages or of processes; -1: whichever. */
static const json_t *entry(const json_t *list, const char *scenario, int pages, int n)
{
	const json_t *o;
	size_t i;

	json_array_foreach (list, i, o) {
		const json_t *p = json_object_get(o, "params"), *of = json_object_get(p, "n");

		if (!strcmp(json_string_value(json_object_get(o, "scenario")), scenario) &&
		    (pages < 0 || json_integer_value(json_object_get(p, "pages")) == pages) &&
		    (n < 0 || json_integer_value(of) == n))
			return o;
	}
	fail_msg("no entry for %s", scenario);
	return NULL;
}

static json_t *hidden(void)
{
	return json_pack("{s:s}", "unavailable", "the hypervisor hides it");
}

static void a_line_gives_its_slope_exactly(void **state)
{
	json_t *s = summary(made(11.5, 0, true), hidden()), *r = json_object_get(s, "tlb_refill");
	const json_t *c;
	size_t i;

	(void)state;
	assert_string_equal(json_string_value(json_object_get(r, "of")), "ring");
	assert_true(fabs(median(r, "ns_per_page") - 11.5) < 1e-9);
	assert_int_equal(json_integer_value(json_object_get(r, "largest")), 512);
	assert_non_null(json_object_get(json_object_get(r, "knees"), "unavailable"));
	json_array_foreach (json_object_get(r, "curves"), i, c) {
		const char *name = json_string_value(json_object_get(c, "scenario"));
		bool mm = !strcmp(json_string_value(json_object_get(c, "what")), "change of mm");

		/* Beyond the range the curve bends: that must not get into the slope. */
		assert_int_equal(json_array_size(json_object_get(c, "pages")), 4);
		if (!strcmp(name, "process"))
			assert_true(fabs(median(c, "ns_per_page") - (mm ? 0.125 : 0.375)) < 1e-9);
		if (!strcmp(name, "thread"))
			assert_true(!mm && fabs(median(c, "ns_per_page") - 0.25) < 1e-9);
	}
	json_decref(s);
}

static void the_interval_covers_the_slope(void **state)
{
	json_t *s = summary(made(11.5, 400, true), hidden()),
	       *i = json_object_get(json_object_get(s, "tlb_refill"), "ns_per_page");
	double low = json_number_value(json_object_get(i, "low")),
	       high = json_number_value(json_object_get(i, "high"));

	(void)state;
	assert_true(low < 11.5 && high > 11.5 && high - low < 1 && high - low > 0.01);
	json_decref(s);
}

static void the_range_ends_where_a_bare_machine_says(void **state)
{
	json_t *s = summary(made(10, 0, true),
			    json_pack("{s:i, s:i, s:s}", "l1_4k", 64, "l2_4k", 128, "source", "x")),
	       *r = json_object_get(s, "tlb_refill");

	(void)state;
	assert_int_equal(json_integer_value(json_object_get(r, "largest")), 128);
	assert_int_equal(json_integer_value(json_object_get(json_object_get(r, "knees"), "l1_4k")),
			 64);
	assert_true(fabs(median(r, "ns_per_page") - 10) < 1e-9);
	json_decref(s);
	/* What a hypervisor says of the TLB is shown, and not relied on. */
	s = summary(made(10, 0, true), json_pack("{s:i, s:s}", "l2_4k", 128, "note", "guest"));
	r = json_object_get(s, "tlb_refill");
	assert_int_equal(json_integer_value(json_object_get(r, "largest")), 512);
	json_decref(s);
}

static void net_costs_are_paired_with_the_same_work(void **state)
{
	json_t *s = summary(made(10, 0, true), hidden()), *net = json_object_get(s, "net");

	(void)state;
	assert_true(median(entry(net, "thread", 0, -1), "ns") == 1200);
	assert_true(median(entry(net, "process", 512, -1), "ns") == 1350 + 0.375 * 512);
	assert_true(median(entry(net, "ring", 0, 8), "ns") == 9800);
	assert_non_null(json_object_get(entry(net, "ring", 0, 6), "unavailable"));
	json_decref(s);
}

static void the_parts_add_up(void **state)
{
	json_t *s = summary(made(10, 0, true), hidden()),
	       *list = json_object_get(s, "decomposition");
	const json_t *p = entry(list, "process", -1, -1), *ring = entry(list, "ring", -1, 8);

	(void)state;
	/* Of what a round shares, the system calls' own part keeps the median, 100. */
	assert_true(median(p, "system_calls") == 900);
	assert_true(median(p, "scheduler") == 1200);
	assert_true(median(p, "mm_switch") == 150);
	assert_int_equal(json_integer_value(json_object_get(p, "pages")), 512);
	assert_true(median(p, "displaced") == 128);
	assert_true(median(p, "tlb_refill") == 64);
	assert_true(median(ring, "tlb_refill") == 5120);
	assert_null(json_object_get(entry(list, "thread", -1, -1), "mm_switch"));
	json_decref(s);
}

static void without_a_base_it_says_so(void **state)
{
	json_t *s = summary(made(10, 0, false), hidden());
	const json_t *net = entry(json_object_get(s, "net"), "process", 0, -1),
		     *parts = entry(json_object_get(s, "decomposition"), "process", -1, -1);

	(void)state;
	assert_non_null(strstr(json_string_value(json_object_get(net, "unavailable")),
			       "base:kind=yield,sides=2"));
	assert_null(json_object_get(net, "ns"));
	assert_non_null(json_object_get(parts, "unavailable"));
	/* The refill needs no base. */
	assert_true(fabs(median(json_object_get(s, "tlb_refill"), "ns_per_page") - 10) < 1e-9);
	json_decref(s);
}

static void add_pace(json_t *trials, int n, const char *mm, int trial, double pace)
{
	json_array_append_new(
		trials, json_pack("{s:s, s:{s:i, s:s, s:s}, s:i, s:b, s:f, s:{s:{s:f}}}",
				  "scenario", "refcount", "params", "n", n, "mm", mm, "via", "idle",
				  "trial", trial, "valid", 1, "ns_per_round_trip", 1e9 / pace,
				  "figures", "round-trips-per-cpu", "value", pace));
}

/* A round's pace varies twofold; what is left of it on two CPUs does not. */
static void scaling_is_paired_by_round_and_by_mm(void **state)
{
	json_t *trials = json_array(), *s;
	const json_t *o;
	size_t i;

	(void)state;
	for (int r = 0; r < 8; r++) {
		double slower = 1 + r / 7.0;

		add_pace(trials, 1, "shared", r, 20000 / slower);
		add_pace(trials, 2, "shared", r, 15000 / slower);
		add_pace(trials, 1, "private", r, 40000 / slower);
		add_pace(trials, 2, "private", r, 36000 / slower);
		add_pace(trials, 4, "neither", r, 36000 / slower); /* without a CPU alone */
	}
	s = summary(trials, hidden());
	assert_int_equal(json_array_size(json_object_get(s, "scaling")), 2);
	json_array_foreach (json_object_get(s, "scaling"), i, o) {
		const json_t *percent = json_object_get(o, "efficiency_percent");
		bool shared = !strcmp("shared", json_string_value(json_object_get(
							json_object_get(o, "params"), "mm")));

		assert_true(fabs(median(o, "efficiency_percent") - (shared ? 75 : 90)) < 1e-9);
		assert_true(json_number_value(json_object_get(percent, "high")) -
				    json_number_value(json_object_get(percent, "low")) <
			    1e-9);
	}
	json_decref(s);
}

/* Rows that ask come first, as a user may name them; a slower round must cancel. */
static void what_is_asked_for_is_told_from_the_same_without_it(void **state)
{
	json_t *trials = json_array(), *s;
	const json_t *o, *asked;
	size_t i;

	(void)state;
	for (int r = 0; r < ROUNDS; r++) {
		double slow = 500.0 * (r % 7);

		add(trials, "process", json_pack("{s:s, s:s}", "handover", "yield", "ibpb", "on"),
		    0, r, 2550 + slow, 0);
		add(trials, "thread",
		    json_pack("{s:s, s:s}", "handover", "yield", "membarrier", "private"), 0, r,
		    2030 + slow, 0);
		add(trials, "kworker", json_pack("{s:s}", "membarrier", "private"), 0, r,
		    3100 + slow, 0);
		add(trials, "process", params("handover", "yield", 0), 0, r, 2150 + slow, 0);
		add(trials, "thread", params("handover", "yield", 0), 0, r, 2000 + slow, 0);
		add(trials, "kworker", json_object(), 0, r, 3000 + slow, 0);
		add(trials, "ring",
		    json_pack("{s:s, s:i, s:s}", "handover", "yield", "n", 3, "l1d", "on"), 0, r,
		    9000 + slow, 0);
	}
	s = summary(trials, hidden());
	asked = json_object_get(s, "asked");
	assert_int_equal(json_array_size(asked), 4);
	json_array_foreach (asked, i, o) {
		const char *name = json_string_value(json_object_get(o, "scenario"));

		if (!strcmp(name, "ring"))
			assert_non_null(json_object_get(o, "unavailable"));
		else
			assert_true(fabs(median(o, "adds_ns") - (!strcmp(name, "process")  ? 400
								 : !strcmp(name, "thread") ? 30
											   : 100)) <
				    1e-9);
	}
	/* The headline is of those that ask for nothing. */
	assert_true(fabs(median(json_object_get(s, "headline"), "saving_ns") - 150) < 1e-9);
	json_decref(s);
}

static void add_flushes(json_t *trials, int n, const char *mm, const char *op, int trial,
			double pace)
{
	json_array_append_new(
		trials, json_pack("{s:s, s:{s:i, s:s, s:s, s:i}, s:i, s:b, s:f, s:{s:{s:f}}}",
				  "scenario", "flush", "params", "n", n, "mm", mm, "op", op, "pages",
				  1, "trial", trial, "valid", 1, "ns_per_round_trip", 1e9 / pace,
				  "figures", "operations-per-cpu", "value", pace));
}

/* One task has its mm for itself, whichever it was asked for; but the operation is to be the same. */
static void flushes_scale_against_one_task_of_either_mm(void **state)
{
	json_t *trials = json_array(), *s;
	const json_t *list, *o;
	size_t i;

	(void)state;
	for (int r = 0; r < 6; r++) {
		add_flushes(trials, 1, "shared", "madvise", r, 400000);
		add_flushes(trials, 4, "shared", "madvise", r, 100000);
		add_flushes(trials, 4, "own", "madvise", r, 380000);
		add_flushes(trials, 4, "own", "munmap", r, 90000);
	}
	s = summary(trials, hidden());
	list = json_object_get(s, "scaling");
	assert_int_equal(json_array_size(list), 2);
	json_array_foreach (list, i, o) {
		assert_string_equal(json_string_value(json_object_get(o, "scenario")), "flush");
		assert_true(fabs(median(o, "efficiency_percent") - (i ? 95 : 25)) < 1e-9);
	}
	json_decref(s);
}

static void without_a_flush_there_is_no_refill(void **state)
{
	json_t *trials = made(10, 0, true), *t, *s;
	size_t i;

	(void)state;
	json_array_foreach (trials, i, t)
		json_object_set_new(json_object_get(json_object_get(t, "counters"), "cr3-flushes"),
				    "per_round_trip", json_real(0));
	s = summary(trials, hidden());
	assert_non_null(json_object_get(json_object_get(s, "tlb_refill"), "unavailable"));
	assert_null(json_object_get(json_object_get(s, "tlb_refill"), "ns_per_page"));
	json_decref(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_gives_its_slope_exactly),
		cmocka_unit_test(the_interval_covers_the_slope),
		cmocka_unit_test(the_range_ends_where_a_bare_machine_says),
		cmocka_unit_test(net_costs_are_paired_with_the_same_work),
		cmocka_unit_test(the_parts_add_up),
		cmocka_unit_test(without_a_base_it_says_so),
		cmocka_unit_test(scaling_is_paired_by_round_and_by_mm),
		cmocka_unit_test(what_is_asked_for_is_told_from_the_same_without_it),
		cmocka_unit_test(flushes_scale_against_one_task_of_either_mm),
		cmocka_unit_test(without_a_flush_there_is_no_refill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
