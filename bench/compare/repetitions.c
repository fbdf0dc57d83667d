// SPDX-License-Identifier: GPL-2.0-or-later
/* What each level of an experiment varies and costs here, and so how many repetitions of it are cheapest. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/compare/private.h"
#include "bench/compare/repetitions.h"
#include "bench/summary/group.h"
#include "bench/summary/labels.h"
#include "lib/base/member.h"
#include "lib/stats/repetitions.h"

#define ALPHA	   0.05
#define BETWEEN_S  60 /* a boot, where the sets do not show what one takes: assumed, and said so */
#define BATCHES	   4 /* of a trial, at least, for its halves to tell something */
#define ROWS_NAMED 8 /* in a command */

/* A scenario and parameter set in all sessions. */
struct planned {
	const char *scenario;
	const json_t *params;
	struct stats_session *sessions;
	size_t n;
	double length_s, per_s; /* sums over sessions of their medians */
};

/* What a session cost beside the time of its trials' round trips. */
enum {
	LOOK_S, /* before the first trial ended */
	TRIAL_S, /* of a trial, however short */
	TRIED, /* trials for each valid one */
	COSTS
};

struct cost {
	double of[COSTS];
};

struct sums {
	struct planned *rows;
	size_t n;
	struct cost *costs; /* of each session */
	/* Their medians: a disturbed one does not tell what others will take. */
	double usual[COSTS];
};

static double seconds_of(const char *time)
{
	struct tm tm = { 0 };

	return *time && strptime(time, "%Y-%m-%dT%H:%M:%SZ", &tm) ? (double)timegm(&tm) : NAN;
}

/* Seconds of all round trips of a trial, and for each timed one. */
static double busy_s(const json_t *t)
{
	const json_t *trips = json_object_get(t, "round_trips");
	double timed = member_number(trips, "timed"), total = member_number(trips, "total"),
	       counted = member_number(trips, "counted"),
	       ns = member_number(t, "ns_per_round_trip"),
	       watched = member_number(json_object_get(t, "batches"), "counted_ns_per_round_trip"),
	       elapsed = member_number(t, "elapsed_ns");
	double all = isfinite(watched) ? (total - counted) * ns + counted * watched : total * ns;

	return isfinite(all) && timed > 0 ? fmax(all, elapsed) * 1e-9 : elapsed * 1e-9;
}

static struct cost cost_of(const struct result_set *set)
{
	struct cost c = { { NAN, NAN, NAN } };
	double first = NAN, last = NAN, busy = 0, started;
	size_t i, n = 0, valid = 0;
	const json_t *t;

	json_array_foreach (set->trials, i, t) {
		double end = seconds_of(member_text(t, "end")), one = busy_s(t);

		valid += trial_usable(t);
		if (!isfinite(end) || !isfinite(one))
			continue;
		if (!n++) {
			first = end;
			busy = 0;
		} else {
			busy += one;
		}
		last = end;
	}
	if (valid)
		c.of[TRIED] = (double)json_array_size(set->trials) / (double)valid;
	if (n > 1)
		c.of[TRIAL_S] = fmax(0, (last - first - busy) / (double)(n - 1));
	started = member_number(json_object_get(set->machine, "session"), "started");
	/* A set that was gone on with began long before. */
	if (isfinite(c.of[TRIAL_S]) && started <= first && started >= 0)
		c.of[LOOK_S] = fmax(0, first - started - c.of[TRIAL_S] -
					       busy_s(json_array_get(set->trials, 0)));
	return c;
}

/* The difference of the two halves' medians of @t's batches, in logarithms; NaN without enough. */
static double halves(const json_t *t)
{
	const json_t *series = json_object_get(json_object_get(t, "batches"), "series_ns");
	size_t n = json_array_size(series);
	double v[TRIAL_BATCHES_MOST];

	if (n < BATCHES || n > TRIAL_BATCHES_MOST)
		return NAN;
	for (size_t i = 0; i < n; i++)
		v[i] = json_number_value(json_array_get(series, i));
	return log(stats_percentile(v, n / 2, 50)) -
	       log(stats_percentile(v + n - n / 2, n / 2, 50));
}

static struct stats_session session_of(const struct group *g, size_t kernel, double *logs)
{
	struct stats_session s = { .kernel = kernel };
	double mean = 0;

	for (size_t i = 0; i < g->n; i++) {
		double apart;

		if (!trial_usable(g->trials[i]) ||
		    !(member_number(g->trials[i], "ns_per_round_trip") > 0))
			continue;
		logs[s.trials++] = log(member_number(g->trials[i], "ns_per_round_trip"));
		apart = halves(g->trials[i]);
		if (isfinite(apart)) {
			s.halves += apart * apart;
			s.halved++;
		}
	}
	for (size_t i = 0; i < s.trials; i++)
		mean += logs[i] / (double)s.trials;
	for (size_t i = 0; i < s.trials; i++)
		s.squares += (logs[i] - mean) * (logs[i] - mean);
	if (s.trials)
		s.median = stats_percentile(logs, s.trials, 50);
	return s;
}

static double per_timed(const json_t *t, const char *name)
{
	(void)name;
	return busy_s(t) / (1e-9 * member_number(t, "elapsed_ns"));
}

static struct planned *planned_like(struct sums *s, const struct group *g)
{
	struct planned *more;

	for (size_t i = 0; i < s->n; i++)
		if (!strcmp(s->rows[i].scenario, g->scenario) &&
		    json_equal(s->rows[i].params, g->params))
			return &s->rows[i];
	more = reallocarray(s->rows, s->n + 1, sizeof(*more));
	if (!more)
		return NULL;
	s->rows = more;
	s->rows[s->n] = (struct planned){ .scenario = g->scenario, .params = g->params };
	return &s->rows[s->n++];
}

static int set_add(struct sums *s, const struct result_set *set, size_t kernel, struct error *e)
{
	struct groups g;
	int rc = groups_make(&g, set, e);

	for (size_t i = 0; i < g.n && !rc; i++) {
		double *logs = malloc((g.list[i].n + 1) * sizeof(*logs));
		struct planned *p = planned_like(s, &g.list[i]);
		struct stats_session one = { 0 }, *more;

		if (logs && p)
			one = session_of(&g.list[i], kernel, logs);
		free(logs);
		if (!logs || !p) {
			rc = error_set(e, ENOMEM, "out of memory");
		} else if (one.trials && group_median(&g.list[i], value_ns, "elapsed_ns") > 0) {
			more = reallocarray(p->sessions, p->n + 1, sizeof(*more));
			if (!more) {
				rc = error_set(e, ENOMEM, "out of memory");
				break;
			}
			p->sessions = more;
			p->sessions[p->n++] = one;
			p->length_s += 1e-9 * group_median(&g.list[i], value_ns, "elapsed_ns");
			p->per_s += group_median(&g.list[i], per_timed, NULL);
		}
	}
	groups_free(&g);
	return rc;
}

/* Each set's kernel, by number. Their number. */
static size_t kernels_number(const struct result_set *sets, size_t n, size_t *kernel)
{
	size_t kernels = 0;

	for (size_t i = 0; i < n; i++) {
		kernel[i] = kernels;
		for (size_t k = 0; k < i && kernel[i] == kernels; k++)
			if (set_same_kernel(sets[k].machine, sets[i].machine))
				kernel[i] = kernel[k];
		kernels += kernel[i] == kernels;
	}
	return kernels;
}

static int by_value(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static double middle(double *v, size_t n)
{
	if (!n)
		return NAN;
	qsort(v, n, sizeof(*v), by_value);
	return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* What booting took where each session had a boot of its own; else NaN. */
static double boots_s(const struct result_set *sets, size_t n, double *room)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *s = json_object_get(sets[i].machine, "session");

		room[i] = member_number(s, "since_boot_s");
		if (!*member_text(s, "boot_id") || !isfinite(room[i]))
			return NAN;
		for (size_t k = 0; k < i; k++)
			if (!strcmp(member_text(s, "boot_id"),
				    member_text(json_object_get(sets[k].machine, "session"),
						"boot_id")))
				return NAN;
	}
	return n > 1 ? middle(room, n) : NAN;
}

static double costs_middle(const struct cost *c, size_t n, int which, double otherwise,
			   double *room)
{
	size_t m = 0;

	for (size_t i = 0; i < n; i++)
		if (isfinite(c[i].of[which]))
			room[m++] = c[i].of[which];
	return m ? middle(room, m) : otherwise;
}

/* What the history knows of the row, or NULL. */
static const json_t *known_of(const json_t *spreads, const struct planned *p)
{
	const json_t *one;
	size_t i;

	json_array_foreach (spreads, i, one)
		if (!strcmp(member_text(one, "scenario"), p->scenario) &&
		    json_equal(json_object_get(one, "params"), p->params))
			return one;
	return NULL;
}

static struct stats_row row_of(const struct sums *sums, const struct planned *p,
			       const json_t *spreads, const char **from)
{
	struct stats_row r = { .levels = stats_levels(p->sessions, p->n),
			       .length_s = p->length_s / (double)p->n,
			       .per_s = sums->usual[TRIED] * p->per_s / (double)p->n,
			       .trial_s = sums->usual[TRIED] * sums->usual[TRIAL_S] };
	const json_t *known = isfinite(r.levels.between) ? NULL : known_of(spreads, p);
	double between = member_number(known, "between"), own = member_number(known, "within");

	*from = known ? "history" : "sets";
	if (isfinite(between)) {
		own = isfinite(own) ? own : 0;
		r.levels.between = sqrt(fmax(0, between * between - own * own));
		r.levels.between_high = r.levels.between;
		r.levels.freedom = (size_t)json_integer_value(json_object_get(known, "freedom"));
	}
	return r;
}

static void spec_text(FILE *f, const char *scenario, const json_t *params)
{
	const char *key, *sep = ":";
	json_t *v;

	fputs(scenario, f);
	json_object_foreach ((json_t *)params, key, v) {
		fprintf(f, "%s%s=", sep, key);
		if (json_is_string(v))
			fputs(json_string_value(v), f);
		else
			fprintf(f, "%lld", (long long)json_integer_value(v));
		sep = ",";
	}
}

/* A session of these rows. */
static json_t *command(const struct planned *rows, size_t n, const struct stats_repetitions *r)
{
	char *text = NULL;
	size_t len = 0;
	json_t *o;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return json_null();
	fputs("activemm run", f);
	for (size_t i = 0; i < n && n <= ROWS_NAMED; i++) {
		fputc(' ', f);
		spec_text(f, rows[i].scenario, rows[i].params);
	}
	if (n > ROWS_NAMED)
		fputs(" SCENARIOS", f);
	fprintf(f, " --trials %u --trial-time %.3g", r->trials, r->length_s);
	fclose(f);
	o = member_string(text);
	free(text);
	return o;
}

/* "plan" or "unavailable" of @o. */
static void plan_put(json_t *o, const struct planned *planned, const struct stats_row *rows,
		     size_t n, const struct stats_need *need)
{
	struct stats_repetitions r = stats_repetitions(rows, n, need);
	char params[128];
	json_t *p;

	if (!isfinite(r.sessions)) {
		member_set(o, "unavailable",
			   member_string(!n || !isfinite(rows[0].levels.between)
						 ? "no kernel has two sessions of it: how they "
						   "vary is not known"
						 : "it varies too much for any number of "
						   "sessions"));
		return;
	}
	p = member_pack("{s:f, s:o, s:i, s:f, s:f, s:f, s:o}", "sessions", r.sessions,
			"sessions_high", member_real(r.sessions_high), "trials", (int)r.trials,
			"trial_s", r.length_s, "session_s", r.session_s, "total_s", r.total_s,
			"command", command(planned, n, &r));
	if (n > 1) {
		char worst[160];

		summary_params_text(planned[r.worst].params, params, sizeof(params));
		snprintf(worst, sizeof(worst), "%.30s%s%.100s", planned[r.worst].scenario,
			 *params ? " " : "", params);
		member_set(p, "worst", member_string(worst));
	}
	member_set(o, "plan", p);
}

static void put_level(json_t *o, const char *key, double v)
{
	member_set(o, key, member_real(v));
}

/* Rows, each by itself, and all of them together. */
static json_t *plans(const struct sums *s, double between_s,
		     const struct repetitions_options *options)
{
	struct stats_row *rows = calloc(s->n + 1, sizeof(*rows));
	struct planned *planned = calloc(s->n + 1, sizeof(*planned));
	json_t *list = json_array(), *all = json_object(), *o;
	struct stats_need need = { .share = options->percent / 100,
				   .alpha = ALPHA,
				   .power = options->power };
	size_t n = 0;
	char params[128];

	for (size_t i = 0; i < s->n && rows && planned; i++) {
		const struct planned *p = &s->rows[i];
		const char *from;
		struct stats_row r;

		if (!p->n)
			continue;
		r = row_of(s, p, options->spreads, &from);
		/* Looking at fewer scenarios takes less. */
		need.session_s = between_s + s->usual[LOOK_S] / (double)s->n;
		summary_params_text(p->params, params, sizeof(params));
		o = member_pack("{s:s, s:O, s:s, s:I, s:s}", "scenario", p->scenario, "params",
				p->params, "text", params, "sessions", (json_int_t)p->n, "from",
				from);
		put_level(o, "between", r.levels.between);
		put_level(o, "within", r.levels.within);
		put_level(o, "sampled", r.levels.sampled);
		plan_put(o, p, &r, 1, &need);
		member_append(list, o);
		/* What cannot be told does not keep the others from it. */
		if (isfinite(r.levels.between)) {
			planned[n] = *p;
			rows[n++] = r;
		}
	}
	need.session_s = between_s + s->usual[LOOK_S];
	need.alpha = ALPHA / fmax(1, (double)n);
	plan_put(all, planned, rows, n, &need);
	free(rows);
	free(planned);
	return member_pack("{s:o, s:o}", "rows", list, "all", all);
}

static int sets_check(const struct result_set *sets, size_t n, struct error *e)
{
	for (size_t i = 0; i < n; i++) {
		const json_t *m = sets[i].machine;

		if (json_is_false(json_object_get(m, "times_meaningful")))
			return error_set(e, EINVAL,
					 "plan: %s comes from software emulation, where times mean "
					 "nothing",
					 sets[i].dir);
		if (json_is_true(json_object_get(json_object_get(m, "session"), "boot_ended")))
			return error_set(e, EINVAL,
					 "plan: %s: its boot ended and the run went on in another: "
					 "it is no single session, leave it out",
					 sets[i].dir);
		if (!json_equal(json_object_get(json_object_get(m, "cpu"), "model"),
				json_object_get(json_object_get(sets[0].machine, "cpu"), "model")))
			return error_set(e, EINVAL, "plan: %s and %s are of different CPU models",
					 sets[0].dir, sets[i].dir);
		for (size_t k = 0; k < i; k++)
			if (set_same_session(sets[k].dir, sets[k].machine, sets[i].dir, m))
				return error_set(e, EINVAL,
						 "plan: %s and %s are one session: name it once",
						 sets[k].dir, sets[i].dir);
	}
	return 0;
}

json_t *repetitions_make(const struct result_set *sets, size_t n,
			 const struct repetitions_options *options, struct error *e)
{
	struct sums s = { .costs = calloc(n, sizeof(*s.costs)) };
	size_t *kernel = calloc(n, sizeof(*kernel)), kernels;
	double *room = calloc(n, sizeof(*room)), between_s;
	int rc = s.costs && kernel && room ? sets_check(sets, n, e)
					   : error_set(e, ENOMEM, "out of memory");
	bool assumed = false;
	json_t *o = NULL;

	if (!rc) {
		kernels = kernels_number(sets, n, kernel);
		for (size_t i = 0; i < n && !rc; i++) {
			s.costs[i] = cost_of(&sets[i]);
			rc = set_add(&s, &sets[i], kernel[i], e);
		}
	}
	if (!rc) {
		between_s = isfinite(options->between_s) ? options->between_s
							 : boots_s(sets, n, room);
		assumed = !isfinite(between_s);
		between_s = assumed ? BETWEEN_S : between_s;
		for (int k = 0; k < COSTS; k++)
			s.usual[k] = costs_middle(s.costs, n, k, k == TRIED, room);
		o = plans(&s, between_s, options);
		member_set(o, "percent", member_real(options->percent));
		member_set(o, "power_percent", member_real(100 * options->power));
		member_set(o, "sessions", json_integer((json_int_t)n));
		member_set(o, "kernels", json_integer((json_int_t)kernels));
		member_set(o, "seconds",
			   member_pack("{s:f, s:b, s:f, s:f}", "between", between_s, "assumed",
				       assumed, "look", s.usual[LOOK_S], "trial",
				       s.usual[TRIAL_S]));
		if (members_failed(e)) {
			json_decref(o);
			o = NULL;
		}
	}
	for (size_t i = 0; i < s.n; i++)
		free(s.rows[i].sessions);
	free(s.rows);
	free(s.costs);
	free(kernel);
	free(room);
	return o;
}

static void duration(double s, char *buf, size_t len)
{
	if (s < 90)
		snprintf(buf, len, "%.0f s", s);
	else if (s < 5400)
		snprintf(buf, len, "%.0f min", s / 60);
	else
		snprintf(buf, len, "%.1f h", s / 3600);
}

static void count_text(const json_t *p, char *buf, size_t len)
{
	double n = member_number(p, "sessions"), high = member_number(p, "sessions_high");

	if (high > n)
		snprintf(buf, len, "%.0f (to %.0f)", n, high);
	else
		snprintf(buf, len, "%.0f", n);
}

static void row_print(const json_t *row, FILE *out)
{
	const json_t *p = json_object_get(row, "plan");
	double between = member_number(row, "between"), within = member_number(row, "within");
	char name[200], spread[2][16] = { "-", "-" }, count[40], one[24], all[24];

	snprintf(name, sizeof(name), "%.30s %.100s", member_text(row, "scenario"),
		 member_text(row, "text"));
	if (isfinite(between))
		snprintf(spread[0], sizeof(spread[0]), "%.2f %%", 100 * between);
	if (isfinite(within))
		snprintf(spread[1], sizeof(spread[1]), "%.2f %%", 100 * within);
	fprintf(out, "%-34.34s %8s %8s  ", name, spread[0], spread[1]);
	if (!p) {
		fprintf(out, "%s\n", member_text(row, "unavailable"));
		return;
	}
	count_text(p, count, sizeof(count));
	duration(member_number(p, "session_s"), one, sizeof(one));
	duration(member_number(p, "total_s"), all, sizeof(all));
	fprintf(out, "%-12s %6lld %7.3g s  %8s %8s\n", count,
		(long long)json_integer_value(json_object_get(p, "trials")),
		member_number(p, "trial_s"), one, all);
}

void repetitions_print(const json_t *plan, FILE *out)
{
	const json_t *rows = json_object_get(plan, "rows"), *all = json_object_get(plan, "all"),
		     *p = json_object_get(all, "plan"), *row,
		     *seconds = json_object_get(plan, "seconds");
	char count[40], one[24], time[24];
	bool history = false;
	size_t i;

	fprintf(out,
		"To tell two kernels %g %% apart in %.3g of 100 tries, from %lld session%s of %lld "
		"kernel%s:\n\n",
		member_number(plan, "percent"), member_number(plan, "power_percent"),
		(long long)json_integer_value(json_object_get(plan, "sessions")),
		json_integer_value(json_object_get(plan, "sessions")) == 1 ? "" : "s",
		(long long)json_integer_value(json_object_get(plan, "kernels")),
		json_integer_value(json_object_get(plan, "kernels")) == 1 ? "" : "s");
	fprintf(out, "%-34s %8s %8s  %-12s %6s %9s  %8s %8s\n", "scenario, by itself", "between",
		"within", "sessions", "trials", "a trial", "session", "in all");
	json_array_foreach (rows, i, row) {
		row_print(row, out);
		history |= !strcmp(member_text(row, "from"), "history");
	}
	if (p) {
		count_text(p, count, sizeof(count));
		duration(member_number(p, "session_s"), one, sizeof(one));
		duration(member_number(p, "total_s"), time, sizeof(time));
		fprintf(out,
			"\nEvery row in the same sessions: %s sessions a side of %lld trials of "
			"%.3g s, %s a session, %s in all%s%s%s:\n  %s\n",
			count, (long long)json_integer_value(json_object_get(p, "trials")),
			member_number(p, "trial_s"), one, time,
			*member_text(p, "worst") ? " (" : "", member_text(p, "worst"),
			*member_text(p, "worst") ? " varies most)" : "", member_text(p, "command"));
	} else {
		fprintf(out, "\nEvery row in the same sessions: %s.\n",
			member_text(all, "unavailable"));
	}
	fprintf(out,
		"between, within: standard deviations of sessions and of trials in one%s. "
		"sessions: a side; (to): where the\nfew that were seen happened to be alike. A "
		"session takes %.0f s beside its run (%s), %.1f s for the look\nand %.2f s for "
		"each trial beside its round trips.\nTimes as measured: `compare' needs fewer "
		"sessions where the machine's speed explains them.\n",
		history ? ", of sessions by the history" : "", member_number(seconds, "between"),
		json_is_true(json_object_get(seconds, "assumed")) ? "assumed: --between"
								  : "a boot, a pause",
		member_number(seconds, "look"), member_number(seconds, "trial"));
}
