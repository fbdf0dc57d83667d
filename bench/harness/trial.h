/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One trial: a fresh process tree that does its round trips in batches of three kinds: *timed* (nothing observes), *counted*
 * (the kernel's events count, which costs time of its own) and *sampled* (a stamp per round trip). The counted ones stand
 * between two halves of the others, because an event costs time from when it is opened: its tracepoint is patched in.
 */
#ifndef BENCH_HARNESS_TRIAL_H
#define BENCH_HARNESS_TRIAL_H

#include "bench/harness/interrupts.h"
#include "bench/harness/observe.h"
#include "bench/harness/prove.h"
#include "bench/harness/scenario.h"
#include "lib/counters/counters.h"
#include "lib/machine/cpu.h"
#include "lib/machine/quota.h"
#include "lib/machine/speed.h"

#define TRIAL_BATCHES	 20 /* of each of the first three kinds */
#define TRIAL_PARTS	 3 /* timed, counted, timed; events are opened and closed in between */
#define TRIAL_INTERRUPTS 5
#define TRIAL_SAMPLES	 4096 /* sampled round trips at most */

struct batch {
	enum batch_kind kind;
	uint64_t n; /* round trips */
	uint64_t start, stop; /* clock stamps */
	uint64_t outside; /* ticks of set-up between the round trips */
};

/* What a run has open for all of its trials. */
struct bench {
	struct cpu_choice cpu;
	int *cpus[CPU_PLACES]; /* the allowed CPUs in the order of cpu_order() */
	unsigned int ncpus;
	struct quota quota; /* as it was granted before the run */
	struct clock clock;
	bool pcid, realtime;
	bool idle_blind,
		helper_blind; /* tracepoints miss the way out of idle on the measured CPU, on the helper */
	struct counter_value counters[COUNTER_NR]; /* what can be counted here, and why not */
	bool reloads_unseen; /* loads of the mm that was loaded before are not counted */
	struct counter_doubts doubts; /* what can be opened and counts nothing */
	struct witness witness;
	bool count; /* switches and CR3 loads can: trials have counted batches */
	bool pmu; /* the CPU counts, too: in batches of its own */
	bool observe; /* foreign tasks can be named */
	struct error no_observer; /* if not: why */
};

/* What is to be done. */
struct trial_order {
	const struct scenario *scenario;
	const long *params;
	uint64_t iterations; /* timed round trips; as many again are counted */
	unsigned long seed;
	double expected_ns; /* per round trip, for the time limit; 0: unknown */
	double limit_s; /* to end in; 0: by expected_ns, long */
	const struct claim *claim; /* instead of the scenario's; NULL: that */
	const char *finding; /* why */
};

/* What came of it. Free with trial_outcome_free(). */
struct trial_outcome {
	struct claim claim;
	struct batch *batches;
	unsigned int nbatches;
	uint64_t timed, counted, sampled, warmup, total; /* round trips */
	double *latency_ns; /* of the sampled round trips, clock cost subtracted */
	/* How fast the machine was beside the timed batches, lib/machine/speed.h: the geometric mean of a look before each; NaN: none. */
	double speed_ns[SPEED_KINDS];
	double speed_share; /* of the run's speed, bench/harness/pace.h; 1: at it, 0: not known */
	enum speed_kind speed_piece; /* by which it is told */
	double excluded_ns; /* of each round trip: asked for, not cost */
	struct counter_value counters[COUNTER_NR];
	bool remote_counted; /* the helper CPU's events were counted too: */
	struct counter_value remote[COUNTER_NR];
	struct figure figures[FIGURES_MAX];
	unsigned int nfigures;
	struct intruders intruders;
	bool remote_watched; /* so were foreign tasks on the helper CPU: */
	struct intruders remote_intruders;
	double wall_s; /* from the wait for the quota, or the fork, to the end of its processes */
	/* Of the own tasks, over all round trips but the warm-up's, from /proc. */
	uint64_t own_switches, own_involuntary;
	bool own_unknown; /* /proc does not tell, or numbers tasks in another PID namespace */
	uint64_t module_loads;
	bool left_cpu; /* the measured task was found on another CPU */
	double elapsed_ns; /* of the process's measuring part, wall clock */
	uint64_t interrupts;
	char interrupt[64]; /* the line that grew most */
	struct interrupt_line lines[TRIAL_INTERRUPTS]; /* the greatest ones */
	unsigned int nlines;
	double sibling_share; /* of the trial's time that the SMT sibling was in use */
	double steal_ns;
	uint64_t throttled; /* times that a control group's quota stopped the trial */
	double throttled_ns;
	struct error unobserved; /* code != 0: foreign tasks could not be seen in this trial */
	struct error error; /* code != 0: the trial could not be done, or hung and was killed: */
	bool timed_out;
};

/* Set by a signal handler: the current trial is killed and -EINTR returned. */
extern volatile int trial_stop;

/* Seconds of CPU time that a trial may use before a control group's quota stops it; 0: as many as it takes. */
double trial_slice_s(const struct bench *b);

/* Does the trial. 0 with @out filled (also when the trial itself failed: out->error), -EINTR, or -errno with @e. */
int trial_run(const struct bench *b, const struct trial_order *order, struct trial_outcome *out,
	      struct error *e);
void trial_outcome_free(struct trial_outcome *out);

/* A few round trips of one trial, and where to find them in a log of the CPU's events. */
#define WINDOW_TASKS 256

struct trial_window {
	uint64_t round_trips; /* asked for */
	uint64_t start_ns, stop_ns; /* CLOCK_MONOTONIC, in the measured task */
	uint64_t module_loads;
	unsigned int ntasks; /* own tasks of the measured CPU, the measured one first */
	struct {
		pid_t tid, tgid;
	} tasks[WINDOW_TASKS]; /* further ones are not told of */
};

/* Does no more than warm up and @w->round_trips round trips, unobserved. 0 with @w filled, -EINTR, or -errno with @e. */
int trial_window(const struct bench *b, const struct trial_order *order, struct trial_window *w,
		 struct error *e);

/* Fills @t with what claims and possible() look at; nothing to free. */
void trial_describe(const struct bench *b, const struct trial_order *order, struct trial *t);

#endif
