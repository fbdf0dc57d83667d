// SPDX-License-Identifier: GPL-2.0-or-later
/* What changed between result sets: counts first, then times, trial against trial. */
#include <errno.h>
#include <getopt.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>
#include <gsl/gsl_rng.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/commands.h"
#include "bench/summary.h"
#include "bench/verify.h"
#include "lib/stats.h"

#define RESAMPLES 4000
#define SEED	  1999 /* fixed: the same sets give the same verdicts */
#define ALPHA	  0.05
#define SAME	  0.02 /* an interval within +-2 % means no difference that matters */

static const char help[] =
	"usage: activemm compare BASE DIR... [--json] [--fail-above PERCENT] [--force]\n\n"
	"Compares result sets with the first. Counts come first; then times, by trial:\n"
	"ratio of medians with its 95 % bootstrap interval, Mann-Whitney, corrected for the "
	"table's length\n"
	"(Holm). Times of sets from emulation, from different CPU models, or of which only one is\n"
	"verified are not compared unless --force is given.\n\n"
	"Exit status: 0; 3 where --fail-above is given and a time grew by more than that, "
	"significantly, or\n"
	"a count of switches, CR3 loads or flushes did, or a scenario is missing; 1 a set cannot "
	"be read; 2 wrong usage.\n";

/* One scenario and parameter set in both sets. */
struct row {
	const char *scenario;
	char params[96];
	const json_t *a, *b; /* of the summaries */
	double *x, *y; /* ns per round trip of the valid trials */
	size_t nx, ny;
	double ratio, low, high, p, holm;
	const char *verdict;
};

struct side {
	struct result_set set;
	json_t *summary;
};

static double number(const json_t *o, const char *key)
{
	const json_t *v = json_object_get(o, key);

	return json_is_number(v) ? json_number_value(v) : NAN;
}

/* Valid trials' times of the scenario and parameters of @result; malloc'ed. */
static double *trial_times(const struct side *s, const json_t *result, size_t *n)
{
	double *v = malloc((json_array_size(s->set.trials) + 1) * sizeof(*v));
	const json_t *t;
	size_t i;

	*n = 0;
	json_array_foreach (s->set.trials, i, t) {
		if (v && json_is_true(json_object_get(t, "valid")) &&
		    json_equal(json_object_get(t, "scenario"),
			       json_object_get(result, "scenario")) &&
		    json_equal(json_object_get(t, "params"), json_object_get(result, "params")) &&
		    json_is_number(json_object_get(t, "ns_per_round_trip")))
			v[(*n)++] = json_number_value(json_object_get(t, "ns_per_round_trip"));
	}
	return v;
}

static const json_t *result_like(const json_t *summary, const json_t *result)
{
	const json_t *r;
	size_t i;

	json_array_foreach (json_object_get(summary, "results"), i, r)
		if (json_equal(json_object_get(r, "scenario"),
			       json_object_get(result, "scenario")) &&
		    json_equal(json_object_get(r, "params"), json_object_get(result, "params")))
			return r;
	return NULL;
}

/*
 * Two-sided p of the Mann-Whitney test by the normal approximation, corrected for ties and continuity
 * (Hollander & Wolfe, Nonparametric Statistical Methods, 4.1).
 */
static double mann_whitney(const double *x, size_t nx, const double *y, size_t ny)
{
	size_t n = nx + ny;
	double *all = malloc(n * sizeof(*all)), u = 0, ties = 0, mean, var;

	if (!all)
		return NAN;
	memcpy(all, x, nx * sizeof(*x));
	memcpy(all + nx, y, ny * sizeof(*y));
	for (size_t i = 0; i < nx; i++)
		for (size_t k = 0; k < ny; k++)
			u += x[i] > y[k] ? 1 : x[i] == y[k] ? 0.5 : 0;
	gsl_sort(all, 1, n);
	for (size_t i = 0, same; i < n; i += same) {
		for (same = 1; i + same < n && all[i + same] == all[i]; same++)
			;
		ties += (double)same * (double)same * (double)same - (double)same;
	}
	free(all);
	mean = (double)nx * (double)ny / 2;
	var = (double)nx * (double)ny / 12 * ((double)n + 1 - ties / ((double)n * ((double)n - 1)));
	if (var <= 0)
		return 1;
	return fmin(1, 2 * gsl_cdf_ugaussian_Q(fmax(0, fabs(u - mean) - 0.5) / sqrt(var)));
}

/* The bootstrap interval of median(y) / median(x). */
static void ratio_interval(struct row *r)
{
	size_t most = r->nx > r->ny ? r->nx : r->ny;
	double *work = malloc(most * sizeof(*work)), *ratios = malloc(RESAMPLES * sizeof(*ratios));
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);

	r->ratio = stats_percentile(r->y, r->ny, 50) / stats_percentile(r->x, r->nx, 50);
	r->low = r->high = NAN;
	if (work && ratios && rng && r->nx > 1 && r->ny > 1) {
		gsl_rng_set(rng, SEED);
		for (int i = 0; i < RESAMPLES; i++) {
			double mx, my;

			gsl_ran_sample(rng, work, r->nx, r->x, r->nx, sizeof(*work));
			mx = gsl_stats_median(work, 1, r->nx);
			gsl_ran_sample(rng, work, r->ny, r->y, r->ny, sizeof(*work));
			my = gsl_stats_median(work, 1, r->ny);
			ratios[i] = my / mx;
		}
		gsl_sort(ratios, 1, RESAMPLES);
		r->low = gsl_stats_quantile_from_sorted_data(ratios, 1, RESAMPLES, ALPHA / 2);
		r->high = gsl_stats_quantile_from_sorted_data(ratios, 1, RESAMPLES, 1 - ALPHA / 2);
	}
	gsl_rng_free(rng);
	free(ratios);
	free(work);
}

static int by_p(const void *a, const void *b)
{
	double x = (*(struct row *const *)a)->p, y = (*(struct row *const *)b)->p;

	return (x > y) - (x < y);
}

/* Holm's step-down correction over the rows that have a p. */
static int holm(struct row *rows, size_t n)
{
	struct row **order = malloc((n + 1) * sizeof(*order));
	double worst = 0;
	size_t m = 0;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		if (isfinite(rows[i].p))
			order[m++] = &rows[i];
	qsort(order, m, sizeof(*order), by_p);
	for (size_t i = 0; i < m; i++) {
		worst = fmax(worst, order[i]->p * (double)(m - i));
		order[i]->holm = fmin(1, worst);
	}
	free(order);
	return 0;
}

static void judge(struct row *r)
{
	if (!isfinite(r->p))
		r->verdict = "no valid trials";
	else if (r->holm < ALPHA)
		r->verdict = r->ratio > 1 ? "slower" : "faster";
	else if (r->low > 1 - SAME && r->high < 1 + SAME)
		r->verdict = "same within 2 %";
	else
		r->verdict = "cannot tell";
}

/* Why times of the two must not be compared, or NULL. */
static const char *times_refused(const struct side *a, const struct side *b)
{
	const json_t *cpu_a = json_object_get(a->set.machine, "cpu"),
		     *cpu_b = json_object_get(b->set.machine, "cpu");

	if (json_is_false(json_object_get(a->summary, "times_meaningful")) ||
	    json_is_false(json_object_get(b->summary, "times_meaningful")))
		return "one set comes from software emulation, where times mean nothing";
	if (!json_equal(json_object_get(cpu_a, "model"), json_object_get(cpu_b, "model")))
		return "the CPU models differ";
	if (json_is_true(json_object_get(a->summary, "verified")) !=
	    json_is_true(json_object_get(b->summary, "verified")))
		return "only one of the sets is verified";
	return NULL;
}

static void machine_difference(json_t *list, const char *part, const char *key, json_t *old,
			       json_t *new)
{
	char name[128];

	if (old && new &&json_equal(old, new))
		return;
	snprintf(name, sizeof(name), "%s.%.90s", part, key);
	json_array_append_new(
		list, json_pack("{s:s, s:O?, s:O?}", "what", name, "base", old, "other", new));
}

static json_t *machine_differences(const struct side *a, const struct side *b)
{
	static const char *const parts[] = { "kernel",	      "cpu",	    "mitigations",
					     "frequency",     "cpuidle",    "smt",
					     "thp",	      "hypervisor", "accelerator",
					     "numa_balancing" };
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		json_t *x = json_object_get(a->set.machine, parts[i]),
		       *y = json_object_get(b->set.machine, parts[i]);
		const char *key;
		json_t *v;

		if (json_equal(x, y) || (!x && !y))
			continue;
		if (!json_is_object(x) || !json_is_object(y)) {
			json_array_append_new(list, json_pack("{s:s, s:O?, s:O?}", "what", parts[i],
							      "base", x, "other", y));
			continue;
		}
		json_object_foreach (y, key, v)
			machine_difference(list, parts[i], key, json_object_get(x, key), v);
		json_object_foreach (x, key, v)
			if (!json_object_get(y, key))
				machine_difference(list, parts[i], key, v, NULL);
	}
	return list;
}

/* Counts per round trip that differ by more than a trial may miss its claim. */
static json_t *count_differences(const struct row *rows, size_t n)
{
	static const char *const counts[] = { "cr3-loads", "cr3-flushes", "context-switches" };
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		for (size_t c = 0; c < 3; c++) {
			double x = number(json_object_get(rows[i].a, "counters"), counts[c]);
			double y = number(json_object_get(rows[i].b, "counters"), counts[c]);

			/* As far as two sound trials can lie apart; 0.03 is the edge of a short one. */
			if (!isfinite(x) || !isfinite(y) ||
			    fabs(x - y) <= 0.03 + VERIFY_TOLERANCE * fmax(x, y))
				continue;
			json_array_append_new(list,
					      json_pack("{s:s, s:s, s:s, s:f, s:f}", "scenario",
							rows[i].scenario, "params", rows[i].params,
							"count", counts[c], "base", x, "other", y));
		}
	return list;
}

/* Scenarios and parameter sets that only one of the two has. */
static void only_in(json_t *list, const struct side *has, const struct side *lacks,
		    const char *which)
{
	const json_t *r;
	char params[96];
	size_t i;

	json_array_foreach (json_object_get(has->summary, "results"), i, r) {
		if (result_like(lacks->summary, r))
			continue;
		summary_params_text(json_object_get(r, "params"), params, sizeof(params));
		json_array_append_new(list, json_pack("{s:O, s:s, s:s}", "scenario",
						      json_object_get(r, "scenario"), "params",
						      params, "only_in", which));
	}
}

static json_t *missing(const struct side *a, const struct side *b)
{
	json_t *list = json_array();

	only_in(list, a, b, "base");
	only_in(list, b, a, "other");
	return list;
}

static json_t *rows_json(const struct row *rows, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++) {
		const struct row *r = &rows[i];
		json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:s}", "scenario", r->scenario,
				      "params", r->params, "base_trials", (json_int_t)r->nx,
				      "other_trials", (json_int_t)r->ny, "verdict", r->verdict);

		if (isfinite(r->ratio))
			json_object_set_new(o, "ratio", json_real(r->ratio));
		if (isfinite(r->low)) {
			json_object_set_new(o, "low", json_real(r->low));
			json_object_set_new(o, "high", json_real(r->high));
		}
		if (isfinite(r->p)) {
			json_object_set_new(o, "p", json_real(r->p));
			json_object_set_new(o, "p_holm", json_real(r->holm));
		}
		json_array_append_new(list, o);
	}
	return list;
}

/* The comparison of @b with @a as JSON: what both the printed and the JSON output show. */
static json_t *compare_pair(const struct side *a, const struct side *b, bool force)
{
	const char *refused = times_refused(a, b);
	const json_t *ra, *rb;
	struct row *rows = calloc(json_array_size(json_object_get(a->summary, "results")) + 1,
				  sizeof(*rows));
	json_t *o = NULL;
	size_t i, n = 0;

	if (!rows)
		return NULL;
	json_array_foreach (json_object_get(a->summary, "results"), i, ra) {
		struct row *r = &rows[n];

		rb = result_like(b->summary, ra);
		if (!rb)
			continue;
		*r = (struct row){ .scenario = json_string_value(json_object_get(ra, "scenario")),
				   .a = ra,
				   .b = rb,
				   .ratio = NAN,
				   .low = NAN,
				   .high = NAN,
				   .p = NAN,
				   .verdict = "not compared" };
		summary_params_text(json_object_get(ra, "params"), r->params, sizeof(r->params));
		n++;
		if (refused && !force)
			continue;
		r->x = trial_times(a, ra, &r->nx);
		r->y = trial_times(b, rb, &r->ny);
		if (!r->nx || !r->ny)
			continue;
		ratio_interval(r);
		r->p = mann_whitney(r->x, r->nx, r->y, r->ny);
	}
	if (!holm(rows, n)) {
		for (i = 0; i < n && (!refused || force); i++)
			judge(&rows[i]);
		o = json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:b}", "base", a->set.dir, "other",
			      b->set.dir, "counts", count_differences(rows, n), "missing",
			      missing(a, b), "machine", machine_differences(a, b), "times",
			      rows_json(rows, n), "forced", refused && force);
		if (refused)
			json_object_set_new(o, "times_refused", json_string(refused));
	}
	for (i = 0; i < n; i++) {
		free(rows[i].x);
		free(rows[i].y);
	}
	free(rows);
	return o;
}

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

static void pair_print(const json_t *pair)
{
	const json_t *v, *refused = json_object_get(pair, "times_refused");
	size_t i;

	json_array_foreach (json_object_get(pair, "counts"), i, v)
		printf("COUNT %s %s: %s per round trip: %.2f, was %.2f\n", text(v, "scenario"),
		       text(v, "params"), text(v, "count"), number(v, "other"), number(v, "base"));
	if (!json_array_size(json_object_get(pair, "counts")))
		printf("Counts: the same switches, CR3 loads and flushes per round trip.\n");
	json_array_foreach (json_object_get(pair, "missing"), i, v)
		printf("MISSING %s %s: only in the %s set\n", text(v, "scenario"),
		       text(v, "params"), text(v, "only_in"));
	printf("Base %s, compared with it %s\n", text(pair, "base"), text(pair, "other"));
	json_array_foreach (json_object_get(pair, "machine"), i, v) {
		char *x = json_dumps(json_object_get(v, "base"), JSON_ENCODE_ANY | JSON_COMPACT);
		char *y = json_dumps(json_object_get(v, "other"), JSON_ENCODE_ANY | JSON_COMPACT);

		printf("  %s: %.60s -> %.60s\n", text(v, "what"), x ? x : "-", y ? y : "-");
		free(x);
		free(y);
	}
	if (refused && !json_is_true(json_object_get(pair, "forced"))) {
		printf("Times are not compared: %s (--force does).\n", json_string_value(refused));
		return;
	}
	if (refused)
		printf("FORCED: %s.\n", json_string_value(refused));
	printf("\n%-10s %-28s %7s %-16s %8s  %s\n", "scenario", "parameters", "ratio",
	       "95 % interval", "p (Holm)", "verdict");
	json_array_foreach (json_object_get(pair, "times"), i, v) {
		char interval[48] = "-";

		if (isfinite(number(v, "low")))
			snprintf(interval, sizeof(interval), "[%.3f, %.3f]", number(v, "low"),
				 number(v, "high"));
		printf("%-10.10s %-28.28s %7.3f %-16.16s %8.2g  %s\n", text(v, "scenario"),
		       text(v, "params"), number(v, "ratio"), interval, number(v, "p_holm"),
		       text(v, "verdict"));
	}
}

/* Is there a regression beyond @percent? Names the first on standard error. */
static bool pair_fails(const json_t *pair, double percent)
{
	const json_t *v;
	size_t i;

	json_array_foreach (json_object_get(pair, "counts"), i, v)
		if (number(v, "other") > number(v, "base")) {
			complain(0, "regression: %s %s: %s per round trip grew from %.2f to %.2f",
				 text(v, "scenario"), text(v, "params"), text(v, "count"),
				 number(v, "base"), number(v, "other"));
			return true;
		}
	json_array_foreach (json_object_get(pair, "missing"), i, v)
		if (!strcmp(text(v, "only_in"), "base")) {
			complain(0, "regression: %s %s is missing from %s", text(v, "scenario"),
				 text(v, "params"), text(pair, "other"));
			return true;
		}
	json_array_foreach (json_object_get(pair, "times"), i, v)
		if (!strcmp(text(v, "verdict"), "slower") &&
		    (number(v, "ratio") - 1) * 100 > percent) {
			complain(0, "regression: %s %s is slower by %.1f %%", text(v, "scenario"),
				 text(v, "params"), (number(v, "ratio") - 1) * 100);
			return true;
		}
	return false;
}

static int side_read(struct side *s, const char *dir, struct error *e)
{
	int rc = result_read(&s->set, dir, e);

	if (rc)
		return rc;
	if (s->set.notice[0])
		complain(0, "%s", s->set.notice);
	s->summary = summary_make(&s->set, e);
	if (!s->summary)
		result_free(&s->set);
	return s->summary ? 0 : -ENOMEM;
}

static void side_free(struct side *s)
{
	json_decref(s->summary);
	result_free(&s->set);
}

int cmd_compare(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
						 { "fail-above", required_argument, NULL, 'f' },
						 { "force", no_argument, NULL, 'F' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	bool json = false, force = false, gate = false, failed = false;
	struct side base = { 0 };
	struct error e = { 0 };
	double percent = 0;
	json_t *all;
	char *end;
	int c, status = EXIT_DONE;

	opterr = 0;
	optind = 1;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			json = true;
			break;
		case 'F':
			force = true;
			break;
		case 'f':
			gate = true;
			percent = strtod(optarg, &end);
			if (end == optarg || *end || !(percent >= 0) || !isfinite(percent))
				return complain(EXIT_USAGE,
						"compare: --fail-above %s: it must be a "
						"percentage, 0 or more",
						optarg);
			break;
		case 'h':
			fputs(help, stdout);
			return EXIT_DONE;
		default:
			return complain(EXIT_USAGE,
					"compare: option '%s' is unknown or lacks its value: see "
					"`activemm compare --help'",
					argv[optind - 1]);
		}
	}
	if (argc - optind < 2)
		return complain(
			EXIT_USAGE,
			"compare: name two result sets or more: see `activemm compare --help'");
	if (side_read(&base, argv[optind], &e))
		return complain(EXIT_FAILED, "%s", e.text);
	all = json_array();
	for (int i = optind + 1; i < argc && status == EXIT_DONE; i++) {
		struct side other = { 0 };
		json_t *pair;

		if (side_read(&other, argv[i], &e)) {
			status = complain(EXIT_FAILED, "%s", e.text);
			break;
		}
		pair = compare_pair(&base, &other, force);
		side_free(&other);
		if (!pair) {
			status = complain(EXIT_FAILED, "compare: out of memory");
			break;
		}
		if (!json) {
			if (i > optind + 1)
				printf("\n");
			pair_print(pair);
		}
		failed |= gate && pair_fails(pair, percent);
		json_array_append_new(all, pair);
	}
	if (json && status == EXIT_DONE) {
		json_dumpf(all, stdout, JSON_INDENT(1));
		printf("\n");
	}
	json_decref(all);
	side_free(&base);
	return status == EXIT_DONE && failed ? EXIT_REGRESSION : status;
}
