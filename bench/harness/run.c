// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/harness/record.h"
#include "bench/harness/run.h"
#include "bench/harness/verify.h"
#include "lib/base/member.h"

#define AT_ONCE \
	2 /* attempts of a trial in its turn; what disturbed it may last, so others come first */
#define FAILURES_MOST 2 /* of an item: trials that could not be done */
#define HOPELESS \
	12 /* invalid attempts of an item in a row: from then on each of its trials has but one */
#define STOPPED_MOST \
	3 /* attempts of an item that a CPU quota stopped, before a valid one: it always will */
#define ROUNDS_LEAST 3 /* where the rounds are given a time */

/* What the rounds know of an item. */
struct course {
	struct finding_notes notes; /* of invalid attempts, while there was no valid one */
	unsigned int valid, invalid_in_a_row;
	unsigned int turns_missed; /* trials of yielding tasks that did not alternate */
	unsigned int failures; /* trials that could not be done at all */
	unsigned int stopped; /* attempts that a CPU quota stopped */
	bool dropped;
};

/* A trial without a valid attempt so far. */
struct pending {
	unsigned int item, round, attempts;
	unsigned int turns_missed; /* of these attempts */
	double at; /* when the last one ended */
	/* A sound attempt at another speed of the machine, not written yet: it counts if none at the run's speed comes. */
	json_t *held;
	double share;
	enum speed_kind piece;
};

struct rounds {
	const struct bench *b;
	struct plan *plan;
	const struct run_options *o;
	struct run_set *set;
	struct run_tally *tally;
	struct course *courses;
	struct pending *pending;
	unsigned int npending, room;
	double began, end; /* all is over by then */
	double planned_s, took_s; /* of first attempts so far */
	double retry_s; /* left for retries in this round */
	bool terminal;
	unsigned int step;
	double line_at;
};

char *run_key(const char *scenario, const json_t *params, json_int_t trial)
{
	char *text = json_dumps(params, JSON_COMPACT | JSON_SORT_KEYS), *key = NULL;

	if (text && asprintf(&key, "%s %s %lld", scenario, text, (long long)trial) < 0)
		key = NULL;
	free(text);
	return key;
}

static bool is_done(const json_t *done, const struct plan_item *item, unsigned int round)
{
	json_t *params = record_params(item->scenario, item->params);
	char *key = run_key(item->scenario->name, params, round);
	bool is = key && json_object_get(done, key);

	free(key);
	json_decref(params);
	return is;
}

/* What disturbed the last attempt may last a while: 0.1 s, 0.4 s, ... 2.5 s. */
static double pause_s(unsigned int attempt)
{
	return 0.1 * (attempt - 1) * (attempt - 1);
}

static void sleep_s(double s)
{
	if (s > 0)
		usleep((useconds_t)(s * 1e6));
}

/* An attempt's end. */
struct ending {
	bool valid, timed_out, noted, misses_turns, stopped;
	struct error error; /* code != 0: it could not be done */
	struct claim claim;
	double wall_s;
	double share; /* of the run's speed, told by @piece; 1: at it */
	enum speed_kind piece;
	json_t *held;
};

/*
 * One attempt at a trial of @item, written to @set; noted in @notes, unless NULL. With @hold a sound one that left the run's speed is
 * not written: v->held. 0, -EINTR or -errno.
 */
static int attempt(const struct bench *b, const struct plan_item *item,
		   const struct record_place *place, const struct run_options *o,
		   struct run_set *set, struct run_tally *tally, struct finding_notes *notes,
		   bool hold, struct ending *v, struct error *e)
{
	const struct finding *found = findings_of(&set->findings, item);
	struct trial_order order = {
		.scenario = item->scenario,
		.params = item->params,
		.iterations = item->row.iterations,
		.seed = o->seed + 1000003ul * place->trial + place->attempt,
		.expected_ns = item->row.expected_ns,
		.claim = found ? &found->claim : NULL,
		.finding = found ? found->text : NULL,
	};
	struct trial_outcome out;
	struct verdict verdict;
	struct trial t;
	json_t *line;
	int rc = trial_run(b, &order, &out, e);

	if (rc)
		return rc;
	verify_trial(&verdict, b, &out);
	*v = (struct ending){ .valid = !verdict.violations,
			      .timed_out = out.timed_out,
			      .stopped = out.throttled > 0,
			      .misses_turns = run_may_yield(item) &&
					      run_misses_turns(&out, verdict.list),
			      .error = out.error,
			      .claim = out.claim,
			      .wall_s = out.wall_s };
	v->share = 1;
	/* An emulator's speed is its host's. */
	if (v->valid && json_is_true(json_object_get(set->machine, "times_meaningful")))
		v->share = out.speed_share = pace_share(&set->pace, out.speed_ns, &out.speed_piece);
	v->piece = out.speed_piece;
	trial_describe(b, &order, &t);
	if (!v->valid && !found && notes)
		v->noted = finding_note(notes, b, &t, &out, verdict.list);
	line = record_trial(b, &order, &out, place, &verdict);
	if (line && hold && v->valid && v->share != 1 && !pace_is_lost(&set->pace))
		v->held = json_incref(line);
	else
		rc = line ? result_append(set->w, line, e) : members_failed(e);
	json_decref(line);
	json_decref(verdict.list);
	trial_outcome_free(&out);
	tally->trials++;
	tally->invalid += !v->valid;
	return rc;
}

int run_trial(const struct bench *b, const struct plan_item *item, unsigned int round,
	      const struct run_options *o, struct run_set *set, struct run_tally *tally,
	      struct error *e)
{
	struct ending v = { 0 };
	int rc = 0;

	for (unsigned int i = 1; i <= RUN_ATTEMPTS && !v.valid && !v.timed_out && !rc; i++) {
		struct record_place place = { .trial = round, .attempt = i };

		sleep_s(pause_s(i));
		rc = attempt(b, item, &place, o, set, tally, NULL, false, &v, e);
	}
	tally->given_up += !rc && !v.valid;
	return rc;
}

void run_verified_text(const struct plan *plan, char *buf, size_t len)
{
	unsigned int without = 0;

	for (unsigned int i = 0; i < plan->n; i++)
		without += plan->items[i].unverified;
	if (!without)
		snprintf(buf, len, "claims verified by the kernel's events");
	else if (without == plan->n)
		snprintf(buf, len, "UNVERIFIED: %s (`activemm info' says more)",
			 plan->items[0].why_unverified);
	else
		snprintf(buf, len,
			 "claims of %u of %u rows verified by the kernel's events, the others are "
			 "UNVERIFIED: their trials say why",
			 plan->n - without, plan->n);
}

/* What is held of @p is written: as it is, or @aside, since another attempt takes its place. */
static int held_write(struct rounds *r, struct pending *p, bool aside, struct error *e)
{
	int rc;

	if (!p->held)
		return 0;
	if (aside)
		record_set_aside(p->held, p->share, p->piece);
	r->tally->invalid += aside;
	rc = result_append(r->set->w, p->held, e);
	json_decref(p->held);
	p->held = NULL;
	return rc;
}

static int drop(struct rounds *r, unsigned int i, const char *why, struct error *e)
{
	int rc = 0;

	r->courses[i].dropped = true;
	run_skip(r->set, &r->plan->items[i], 0, why);
	for (unsigned int k = 0; k < r->npending;)
		if (r->pending[k].item == i) {
			rc = rc ? rc : held_write(r, &r->pending[k], false, e);
			r->pending[k] = r->pending[--r->npending];
		} else {
			k++;
		}
	return rc;
}

/*
 * Yielding tasks that alternated in the look may cease to, on an emulated CPU above all. A trial that would be lost for it
 * takes another hand-over, which makes a row of its own.
 */
static bool yields_too_badly(const struct course *c, const struct pending *p)
{
	if (!c->valid)
		return c->turns_missed >= TURNS_MISSED;
	return p->turns_missed >= TURNS_MISSED &&
	       (c->turns_missed > c->valid || p->attempts + 1 >= RUN_ATTEMPTS);
}

static int turn(struct rounds *r, unsigned int item, unsigned int round, struct error *e);

/*
 * From @round on the tasks of @item hand over in another way: a row of its own, as is the base that its net cost is computed from, which
 * has its trial of this round now.
 */
static int hand_over(struct rounds *r, unsigned int item, unsigned int round, struct error *e)
{
	unsigned int before = r->plan->n;
	int rc = plan_hand_over(r->plan, item, handover_fallback(r->b->realtime), e);

	if (rc)
		return rc;
	member_set(r->set->machine, "run", run_plan_json(r->plan, r->o));
	rc = result_write_json(r->set->dir, "machine.json", r->set->machine, e);
	for (unsigned int i = before; i < r->plan->n && !rc; i++)
		rc = turn(r, i, round, e);
	return rc;
}

/* One more attempt at @p, and what follows from it for its item. *@valid: it is done with. */
static int try(struct rounds *r, struct pending *p, bool *valid, struct error *e)
{
	struct plan_item *item = &r->plan->items[p->item];
	struct course *c = &r->courses[p->item];
	struct record_place place = { .trial = p->round, .attempt = ++p->attempts };
	struct ending v = { 0 };
	int rc = attempt(r->b, item, &place, r->o, r->set, r->tally, c->valid ? NULL : &c->notes,
			 !p->held && fit_trial_s(&item->row) < r->retry_s, &v, e);

	if (rc)
		return rc;
	p->at = clock_monotonic_s();
	*valid = v.valid && !v.held;
	if (*valid)
		rc = held_write(r, p, true, e);
	if (v.held) {
		p->held = v.held;
		p->share = v.share;
		p->piece = v.piece;
	}
	if (rc)
		return rc;
	if (p->attempts == 1) {
		r->planned_s += fit_trial_s(&item->row);
		r->took_s += v.wall_s;
	}
	c->valid += v.valid;
	c->invalid_in_a_row = v.valid ? 0 : c->invalid_in_a_row + 1;
	c->failures += v.error.code != 0;
	c->stopped += v.stopped;
	c->turns_missed += v.misses_turns;
	p->turns_missed += v.misses_turns;
	if (v.misses_turns) {
		c->notes = (struct finding_notes){ 0 };
		if (yields_too_badly(c, p))
			rc = hand_over(r, p->item, p->round, e);
	} else if (c->failures == FAILURES_MOST && !c->valid) {
		rc = drop(r, p->item, v.error.text, e);
	} else if (c->stopped == STOPPED_MOST && !c->valid) {
		rc = drop(r, p->item,
			  "a control group's CPU quota stops each of its trials: " QUOTA_REMEDY, e);
	} else if (v.noted && finding_ready(&c->notes)) {
		rc = run_found(r->b, item, &c->notes, &v.claim, r->set, e);
		c->notes = (struct finding_notes){ 0 };
		if (rc == -EOPNOTSUPP)
			rc = drop(r, p->item, e->text, e);
		if (!rc)
			rc = result_write_json(r->set->dir, "machine.json", r->set->machine, e);
	}
	return rc;
}

/* May @p be tried again for the price of a pause of @pause seconds? Pays for it. */
static bool retry_pay(struct rounds *r, const struct pending *p, double pause)
{
	double price = pause + fit_trial_s(&r->plan->items[p->item].row);

	if (r->courses[p->item].dropped || p->attempts >= RUN_ATTEMPTS ||
	    r->courses[p->item].invalid_in_a_row >= HOPELESS || price > r->retry_s)
		return false;
	r->retry_s -= price;
	return true;
}

static int pending_add(struct rounds *r, const struct pending *p, struct error *e)
{
	if (r->npending == r->room) {
		struct pending *more = reallocarray(r->pending, 2 * r->room + 16,
						    sizeof(*r->pending));

		if (!more)
			return error_set(e, ENOMEM, "out of memory");
		r->pending = more;
		r->room = 2 * r->room + 16;
	}
	r->pending[r->npending++] = *p;
	return 0;
}

/* A trial in its turn. */
static int turn(struct rounds *r, unsigned int item, unsigned int round, struct error *e)
{
	struct pending p = { .item = item, .round = round };
	bool valid = false;
	int rc = 0;

	do {
		sleep_s(p.attempts ? pause_s(p.attempts + 1) : 0);
		rc = try(r, &p, &valid, e);
	} while (!rc && !valid && !p.held && p.attempts < AT_ONCE &&
		 retry_pay(r, &p, pause_s(p.attempts + 1)));
	if (!p.held && (rc || valid || r->courses[item].dropped))
		return rc;
	return rc ? rc : pending_add(r, &p, e);
}

/*
 * Another attempt at each of the trials that have none valid so far, or with @held at those that have one at another speed. With @wait
 * also where the last one was just now; and a trial that is lost to tasks that did not alternate then has one with the other hand-over,
 * whatever the time.
 */
static int pending_try(struct rounds *r, bool wait, bool held, bool *tried, struct error *e)
{
	unsigned int i = 0;
	int rc = 0;

	*tried = false;
	while (i < r->npending && !rc) {
		struct pending *p = &r->pending[i];
		double pause = p->at + pause_s(p->attempts + 1) - clock_monotonic_s();
		unsigned int item = p->item;
		bool valid = false;

		if ((p->held != NULL) != held) {
			i++;
			continue;
		}
		if ((wait || pause <= 0) && retry_pay(r, p, fmax(pause, 0))) {
			sleep_s(pause);
		} else if (wait && p->turns_missed) {
			p->turns_missed = 0;
			if (run_may_yield(&r->plan->items[item]))
				rc = hand_over(r, item, p->round, e);
		} else {
			i++;
			continue;
		}
		*tried = true;
		if (!rc)
			rc = try(r, &r->pending[i], &valid, e);
		if (valid)
			r->pending[i] = r->pending[--r->npending];
		else if (!r->courses[item].dropped)
			i++;
	}
	return rc;
}

/* Seconds that a round takes, by the plan and by how the trials so far kept to it. */
static double round_s(const struct rounds *r)
{
	double s = 0;

	for (unsigned int i = 0; i < r->plan->n; i++)
		if (!r->courses[i].dropped)
			s += fit_trial_s(&r->plan->items[i].row);
	return r->planned_s > 0 ? s * r->took_s / r->planned_s : s;
}

/* Leaves out rows until @rounds fit into the time that is left. */
static int shorten(struct rounds *r, double rounds, struct error *e)
{
	struct fit_row *rows = calloc(r->plan->n + 1, sizeof(*rows));
	int i = 0, rc = 0;

	if (!rows)
		return error_set(e, ENOMEM, "out of memory");
	for (unsigned int k = 0; k < r->plan->n; k++) {
		rows[k] = r->plan->items[k].row;
		rows[k].dropped = r->courses[k].dropped;
	}
	while (i >= 0 && !rc && rounds * round_s(r) > r->end - clock_monotonic_s()) {
		i = fit_drop(rows, r->plan->n);
		if (i >= 0)
			rc = drop(r, (unsigned int)i,
				  "the trials took longer than the look foretold and no time was "
				  "left for it: give the run its time (--time)",
				  e);
	}
	free(rows);
	return rc;
}

/* Is there time for round @round? Then what may be spent on retries is set. */
static int round_begin(struct rounds *r, unsigned int round, bool *go, struct error *e)
{
	long few = run_trials_least(r->o), least = r->o->trials < few ? r->o->trials : few;
	double left = r->end - clock_monotonic_s(), rounds = (double)r->o->trials - round;
	int rc = 0;

	*go = true;
	r->retry_s = HUGE_VAL;
	if (!isfinite(r->end))
		return 0;
	if (r->o->seconds) {
		*go = round < ROUNDS_LEAST || left > 0;
		r->retry_s = fmax(left, 0) * FIT_RETRIES;
		return 0;
	}
	if (round >= (unsigned long)least && round_s(r) > left) {
		fprintf(stderr, "%sno time is left for more than %u rounds\n",
			r->terminal ? "\r\033[K" : "", round);
		*go = false;
	} else if (round < (unsigned long)least) {
		rc = shorten(r, (double)least - round, e);
	}
	left = r->end - clock_monotonic_s();
	r->retry_s = fmax(left - rounds * round_s(r), 0) / rounds;
	return rc;
}

static void progress_show(struct rounds *r, const struct plan_item *item, unsigned int round)
{
	unsigned int total = r->plan->n * (unsigned int)r->o->trials;
	double elapsed = clock_monotonic_s() - r->began, left;
	char params[128];

	r->step++;
	if (!r->terminal)
		return;
	left = r->step > 1 ? elapsed / (r->step - 1) * (total - r->step + 1) : 0;
	if (r->o->seconds)
		left = (double)r->o->seconds - elapsed;
	scenario_params_text(item->scenario, item->params, false, params, sizeof(params));
	fprintf(stderr, "\r\033[K[%u/%u] %s %.40s, trial %u, %d:%02d left", r->step, total,
		item->scenario->name, params, round + 1, (int)left / 60, (int)left % 60);
	fflush(stderr);
}

static void progress_round(const struct rounds *r, unsigned int round)
{
	if (r->terminal)
		return;
	fprintf(stderr, "round %u/%ld: %u trials done, %u repeated, %.0f s\n", round + 1,
		r->o->trials, r->tally->trials - r->tally->invalid, r->tally->invalid,
		clock_monotonic_s() - r->began);
}

static int round_do(struct rounds *r, const unsigned int *order, unsigned int round,
		    const json_t *done, struct error *e)
{
	bool tried;
	int rc = 0;

	for (unsigned int i = 0, n = r->plan->n; i < n && !rc; i++) {
		const struct plan_item *item = &r->plan->items[order[i]];

		progress_show(r, item, round);
		if (!r->courses[order[i]].dropped && !is_done(done, item, round))
			rc = turn(r, order[i], round, e);
	}
	if (!rc)
		rc = pending_try(r, false, false, &tried, e);
	if (!rc)
		progress_round(r, round);
	return rc;
}

/* What has no valid attempt has the rest of the time and a little more; then what has one at another speed, what is left of it. */
static int rounds_finish(struct rounds *r, struct error *e)
{
	bool tried, held = false;
	int rc = 0;

	do {
		if (isfinite(r->end))
			r->retry_s = r->end + (held ? 0 : RUN_LATE_S) - clock_monotonic_s();
		rc = pending_try(r, true, held, &tried, e);
		if (!tried && !held)
			held = tried = true;
	} while (tried && !rc);
	return rc;
}

int run_rounds(const struct bench *b, struct plan *plan, const struct run_options *o,
	       struct run_set *set, const json_t *done, double end, struct run_tally *tally,
	       struct error *e)
{
	unsigned int room = 2 * plan->n + 1; /* each base may get one of another hand-over */
	const char *kind = getenv("TERM");
	struct rounds r = { .b = b,
			    .plan = plan,
			    .o = o,
			    .set = set,
			    .tally = tally,
			    .courses = calloc(room, sizeof(*r.courses)),
			    .terminal = isatty(STDERR_FILENO) &&
					(!kind || strcmp(kind, "dumb") != 0),
			    .began = clock_monotonic_s(),
			    .end = end };
	gsl_rng *rng = gsl_rng_alloc(gsl_rng_mt19937);
	unsigned int *order = malloc(room * sizeof(*order));
	int rc = rng && order && r.courses ? 0 : error_set(e, ENOMEM, "out of memory");
	bool go = true;

	if (!rc)
		gsl_rng_set(rng, o->seed);
	for (unsigned int round = 0; round < (unsigned int)o->trials && !rc; round++) {
		rc = round_begin(&r, round, &go, e);
		if (rc || !go)
			break;
		plan_shuffle(plan, rng, order);
		rc = round_do(&r, order, round, done, e);
	}
	if (!rc)
		rc = rounds_finish(&r, e);
	/* However it ended, no finished trial is lost. */
	for (unsigned int i = 0; i < r.npending; i++) {
		struct error later;
		int failed;

		tally->given_up += !r.pending[i].held;
		failed = held_write(&r, &r.pending[i], false, rc ? &later : e);
		rc = rc ? rc : failed;
	}
	if (r.terminal)
		fprintf(stderr, "\r\033[K");
	free(order);
	free(r.courses);
	free(r.pending);
	gsl_rng_free(rng);
	return rc;
}
