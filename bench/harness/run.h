/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A run: the plan's items in random order, round after round, into a result set. */
#ifndef BENCH_HARNESS_RUN_H
#define BENCH_HARNESS_RUN_H

#include <stdbool.h>

#include "bench/harness/findings.h"
#include "bench/harness/pace.h"
#include "bench/harness/plan.h"
#include "bench/harness/prepare.h"
#include "lib/results/set.h"

#define RUN_LATE_S 4 /* beyond a run's time, for trials that would stay invalid */
#define RUN_ATTEMPTS \
	6 /* an invalid trial is done again, so often in all, after ever longer pauses */

struct run_options {
	long cpu; /* -1: chosen */
	long trials; /* rounds; 0: the default */
	bool trials_given; /* by the user: there are not to be fewer */
	long trials_least; /* before rows are left out for want of time; 0: FIT_TRIALS_LEAST */
	long iterations; /* round trips per trial; 0: as many as take the usual time */
	double trial_s; /* timed part of a trial where it is no number of round trips; 0: the usual time */
	long seconds; /* of the whole run; 0: no limit, trials decide */
	unsigned long seed;
	bool quick;
	bool resume;
	bool ktap; /* print KTAP instead of the summary */
	bool isolate; /* move interrupts and tasks off the measured CPU for the run */
	const char *dir;
};

struct run_tally {
	unsigned int trials, invalid,
		given_up; /* attempts made; of them invalid; trials without a valid attempt */
};

/* A set that is being made. Its owner closes and frees what it holds. */
struct run_set {
	const char *dir;
	json_t *machine; /* machine.json, with "skipped" and "findings" */
	struct result_writer *w;
	struct findings findings;
	struct pace pace; /* of its trials; free with pace_free() */
	unsigned int refused; /* of what the user named: it cannot run here */
};

/* Puts back what a killed run with --isolate had moved, and says so. 0 or -errno. */
int run_recover(struct error *e);

/* SIGINT, SIGTERM and SIGHUP set trial_stop from here on; what trials leave behind is reaped here. */
void run_catch_signals(void);

/* Drops what cannot run here, says so, and keeps the reasons in @set->machine. -EINVAL if nothing is left. */
int run_possible(const struct bench *b, struct plan *p, struct run_set *set, struct error *e);

/*
 * After that, where a set is gone on with whose machine.json was @old: what was found or left out before is so once more, told in the
 * record and not looked for again. 0, -EINVAL if nothing is left or @old is damaged, or -ENOMEM.
 */
int run_restore(const struct bench *b, struct plan *p, const json_t *old, struct run_set *set,
		struct error *e);

/* Says why @item is left out, once for all of a kind, and records it. @code: the errno. */
void run_skip(struct run_set *set, const struct plan_item *item, int code, const char *why);

/*
 * Do the noted attempts of @item show what happens here by design? 0 if not, or if so and it is recorded and measured as that;
 * -EOPNOTSUPP, recorded, where it is not to be measured; or -ENOMEM. @claim: what failed.
 */
int run_found(const struct bench *b, const struct plan_item *item,
	      const struct finding_notes *notes, const struct claim *claim, struct run_set *set,
	      struct error *e);

/* The plan and the options for machine.json's "run". New reference. */
json_t *run_plan_json(const struct plan *p, const struct run_options *o);

/*
 * Looks at each item briefly: how long a round trip takes, whether the default hand-over holds here, and whether this
 * kernel does by design something else than is claimed (@set->findings). What cannot run is dropped from the plan and
 * told. At @until (clock_monotonic_s()) it ends: what is like something that was looked at takes its times.
 */
int run_look(const struct bench *b, struct plan *plan, const struct run_options *o,
	     struct run_set *set, double until, struct error *e);

/*
 * Where tasks yield the CPU to each other, unless the user named that hand-over: a kernel may give a yielding task the CPU back. After
 * TURNS_MISSED trials in which they did not alternate with nobody else there another hand-over is taken; between rounds
 * only where a trial would be lost without.
 */
#define TURNS_MISSED 3
bool run_may_yield(const struct plan_item *item);
bool run_misses_turns(const struct trial_outcome *out, const json_t *violations);

/* After the look: which of the plan's claims are verified, in a clause. */
void run_verified_text(const struct plan *plan, char *buf, size_t len);

/* The trials that each row is to have before rows are left out for want of time. */
long run_trials_least(const struct run_options *o);

/* Trials and their length so that the rounds end by @end; HUGE_VAL: as wished. Short ones under a CPU quota. Fills in @o->trials. @say: tells how long it takes. */
int run_fit(const struct bench *b, struct plan *plan, struct run_options *o, struct run_set *set,
	    double end, bool say, struct error *e);

/*
 * Does the rounds. @done: keys of trials that the set holds already. Retries and all are over by @end; what cannot be is dropped and told.
 * 0, -EINTR when stopped, or -errno.
 */
int run_rounds(const struct bench *b, struct plan *plan, const struct run_options *o,
	       struct run_set *set, const json_t *done, double end, struct run_tally *tally,
	       struct error *e);

/* One trial of @item as number @round, done again while invalid: its attempts go into @set. 0, -EINTR or -errno. */
int run_trial(const struct bench *b, const struct plan_item *item, unsigned int round,
	      const struct run_options *o, struct run_set *set, struct run_tally *tally,
	      struct error *e);

/* The key of a trial in @done: "scenario {params} number". malloc'ed. */
char *run_key(const char *scenario, const json_t *params, json_int_t trial);

#endif
