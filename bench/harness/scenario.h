/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a scenario is: a descriptor in a file of its own. Adding one is that file and a line in bench/scenarios/local.mk.
 * Scenarios know nothing of counters, files or printing.
 */
#ifndef BENCH_HARNESS_SCENARIO_H
#define BENCH_HARNESS_SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench/harness/handover.h"
#include "lib/machine/arch/arch.h"
#include "lib/machine/clock.h"
#include "lib/machine/cpu.h"
#include "lib/base/error.h"
#include "lib/machine/mem.h"

#define PARAMS_MAX 8

/* A parameter: a number in a range, or one of named choices (then its value is the choice's index). */
struct param {
	const char *key;
	const char *summary;
	const char *const *choices; /* NULL-ended; NULL for a number */
	long min, max; /* of a number */
	long def;
	bool later; /* came when there were results without it: told only where it is not the default */
};

/* What the kernel must do per round trip on the measured CPU. A count that is not claimed may be anything. */
struct claim_range {
	bool claimed;
	double min, max; /* max: INFINITY where only the least is claimed */
};

struct claim {
	struct claim_range switches, cr3_loads, cr3_flushes;
	struct claim_range migrations; /* tasks that came to the CPU from another */
	struct claim_range tlb_ipis; /* flushes that this CPU asked other CPUs for */
	/* On the helper CPU: shootdown IPIs that flushed there, those that found another mm, and CR3 loads. */
	struct claim_range remote_shootdowns, remote_left, remote_loads;
	double own_switches; /* times that the trial's own tasks leave the CPU, per round trip; < 0: not claimed */
	double interrupts; /* expected on the CPU per round trip */
	bool kworkers; /* kworkers of this CPU take part: they are no intruders */
	bool idle; /* so does the idle task */
	bool stopper; /* so does migration/N */
	const char *comm; /* so do tasks of this name, which come and go; NULL: none */
	bool softirqs; /* what ksoftirqd and RCU's thread do is the work's own: they free what it gave up */
};

/* clang-format off */
#define CLAIM_EXACT(n) { true, (n), (n) }
#define CLAIM_UP_TO(n) { true, 0, (n) }
/* clang-format on */

struct scenario;

/* Counted by the kernel's events; by the CPU's alone, which those would disturb. */
enum batch_kind { BATCH_TIMED, BATCH_COUNTED, BATCH_PMU, BATCH_SAMPLED, BATCH_WARMUP };

#define FIGURES_MAX 8

/* What a scenario found out beside the counts. */
struct figure {
	char name[32]; /* "zombie-life" */
	char unit[24]; /* "ns", "per round trip", "1/s" */
	double value; /* NAN: not available */
	char source[96]; /* what measured it, or why it is not available */
};

/* One trial as its scenario sees it, inside the trial's own process. */
struct trial {
	const struct scenario *scenario;
	const long *params; /* values, in the order of scenario->params */
	int cpu; /* measured, the process is pinned to it */
	int helper; /* another CPU for remote partners, -1 if there is none */
	int node; /* NUMA node of @cpu */
	const int *cpus[CPU_PLACES]; /* the allowed CPUs, @cpu first, by placement (cpu_order()) */
	unsigned int ncpus;
	const struct arch *arch;
	bool pcid; /* the kernel tells address spaces apart in the TLB: PCIDs, ASIDs */
	bool realtime; /* it is built with PREEMPT_RT */
	bool idle_blind,
		helper_blind; /* the kernel's events miss what the idle task does on that CPU */
	bool reloads_unseen; /* what counts loads misses those of the mm that was loaded before */
	unsigned long seed;
	const struct clock *clock;
	struct workset ws; /* touched by the measured task after each switch */
	pid_t *tasks; /* thread ids of the own tasks on the measured CPU, the measured one first */
	unsigned int ntasks;
	pid_t kthread; /* the last of them: a kernel thread, by its number in the initial PID namespace; 0: none */
	pid_t *children; /* what trial_fork() made */
	unsigned int nchildren;
	void *state; /* the scenario's own */
	uint64_t module_loads; /* CR3 writes made and counted by the module, untraced */
	enum batch_kind kind; /* of the batch that is being done */
	bool observed; /* the kernel's events are open: in the counted batches, and already in the warm-up before them */
	uint64_t
		outside; /* running total of ticks between round trips: set-up that is no part of them */
	struct figure figures[FIGURES_MAX];
	unsigned int nfigures;
};

/* What was counted per round trip where the claim fails; on the helper CPU where the scenario is remote. */
struct seen {
	double switches, loads, flushes, tlb_ipis, shootdowns;
	double remote_loads, remote_tlb_ipis, remote_shootdowns, remote_left;
};

struct scenario {
	const char *name;
	const char *summary;
	const struct param *
		params; /* ended by PARAMS_WORKSET, or by PARAMS_END where no working set makes sense */

	/* What must happen per round trip with these parameters. */
	struct claim (*claim)(const struct trial *t);

	/* Can it run here? NULL or 0: yes; else -errno with the reason and the remedy in @e. */
	int (*possible)(const struct trial *t, struct error *e);

	/*
	 * What happens on other CPUs, or whether loads flush, steadily is not as claimed, with nobody else there: says in @text
	 * what this kernel, or a hypervisor below it, does instead, as far as what was @seen tells; left empty, or NULL: the
	 * counts are told.
	 */
	void (*found)(const struct trial *t, const struct seen *seen, char *text, size_t len);

	/*
	 * What is known that kernels do instead: fills @c with the claim of the form that @seen is of. True where it is one; a look
	 * whose counts hold to it is enough then, and found() names it. NULL: no other form is known.
	 */
	bool (*form)(const struct trial *t, const struct seen *seen, struct claim *c);

	/* Makes partners and what they share. On failure the trial's process ends, and with it what was made there. */
	int (*prepare)(struct trial *t, struct error *e);

	/*
	 * The measured path: @n round trips. With @stamps, a time stamp before each and one after the last (@n + 1).
	 * Returns 0 or -errno; nothing else is in the loop but the switch and the working set.
	 */
	int (*round_trips)(struct trial *t, uint64_t n, uint64_t *stamps);

	/* After the last batch: what it found out, by trial_figure(). May be NULL. */
	void (*conclude)(struct trial *t);

	/* Ends and reaps partners. May be NULL. */
	void (*cleanup)(struct trial *t);

	bool remote; /* what happens on the helper CPU belongs to the claim: its events are counted too */

	/* Nanoseconds of each round trip that were asked for, not cost (a sleep), or NULL. */
	double (*excluded_ns)(const struct trial *t);
};

/* Registers a scenario: the linker gathers them, in the order of bench/scenarios/local.mk. */
#define SCENARIO(id)                                                                        \
	static const struct scenario id;                                                    \
	static const struct scenario *const id##_entry                                      \
		__attribute__((used, aligned(sizeof(void *)), section("scenarios"))) = &id; \
	static const struct scenario id

extern const struct scenario *const __start_scenarios[];
extern const struct scenario *const __stop_scenarios[];

#define scenario_foreach(s)                                                \
	for (const struct scenario *const *s##_at = __start_scenarios, *s; \
	     s##_at < __stop_scenarios && (s = *s##_at, true); s##_at++)

/* The working set's parameters, which every scenario that switches takes; and the end of the list. */
extern const char *const page_size_choices[];
/* clang-format off */
#define PARAMS_WORKSET \
	{ "pages", "pages touched after each switch", NULL, 0, 4096, 0 }, \
	{ "pagesize", "their size", page_size_choices, 0, 0, 0 }, \
	{ 0 }
#define PARAMS_END { 0 }
/* clang-format on */

/* What the tasks ask the kernel for before the trial begins (lib/machine/ask.h). */
extern const char *const membarrier_choices[], *const ask_choices[];
/* clang-format off */
#define PARAM_MEMBARRIER \
	{ "membarrier", "registered for a private expedited one", membarrier_choices, 0, 0, 0, true }
#define PARAM_IBPB \
	{ "ibpb", "asked for a branch predictor barrier at the change of mm", ask_choices, 0, 0, 0, true }
#define PARAM_L1D \
	{ "l1d", "asked for a flush of the L1 data cache at the change of mm", ask_choices, 0, 0, 0, true }
/* clang-format on */

/* Where the other CPUs of a trial are (enum cpu_place). */
extern const char *const place_choices[];
/* clang-format off */
#define PARAM_PLACE(since) \
	{ "place", "the CPUs: by core complex, across a package's complexes, across packages", \
	  place_choices, 0, 0, CPU_NEAR, since }
/* clang-format on */

/* Repeats @step @n times. Without stamps the loop holds nothing else. */
#define ROUND_TRIPS(t, n, stamps, step)                          \
	do {                                                     \
		if (!(stamps)) {                                 \
			for (uint64_t i_ = (n); i_; i_--) {      \
				step;                            \
			}                                        \
		} else {                                         \
			uint64_t *s_ = (stamps);                 \
			for (uint64_t i_ = (n); i_; i_--) {      \
				*s_++ = clock_stamp((t)->clock); \
				step;                            \
			}                                        \
			*s_ = clock_stamp((t)->clock);           \
		}                                                \
	} while (0)

/* The scenario of that name, or NULL. */
const struct scenario *scenario_find(const char *name);

/* Index of parameter @key, or -1. */
int scenario_param(const struct scenario *s, const char *key);

/* Value of parameter @key in trial @t; @otherwise if the scenario does not take it. */
long trial_param(const struct trial *t, const char *key, long otherwise);

/* Sets @values from @key and @text; -EINVAL names what is allowed. */
int scenario_param_set(const struct scenario *s, long *values, const char *key, const char *text,
		       struct error *e);

/* The default values. */
void scenario_params_default(const struct scenario *s, long *values);

/* Writes "key=value,..." of the parameters (all but later ones' defaults, or only those that differ from their defaults). */
void scenario_params_text(const struct scenario *s, const long *values, bool all, char *buf,
			  size_t len);

/* Can the trial run here, and what its tasks ask for be had? 0, or -errno with the reason and the remedy. */
int scenario_possible(const struct trial *t, struct error *e);

/* For possible(): 0 where there is a helper CPU; else -ENODEV with the remedy. */
int scenario_needs_helper(const struct trial *t, struct error *e);

/* For possible(): 0 where parameter "place" makes a difference here; else -ENODEV with the reason. */
int scenario_needs_place(const struct trial *t, struct error *e);

/*
 * For possible(): 0 where the kernel's events show what happens on the way out of idle on the measured CPU, or on the
 * helper CPU if @helper; else -EOPNOTSUPP with the remedy.
 */
int scenario_needs_idle_events(const struct trial *t, bool helper, struct error *e);

/* For possible(): 0 where a load of the mm that was loaded before is counted, too; else -EOPNOTSUPP with the reason. */
int scenario_needs_reloads(const struct trial *t, struct error *e);

/* Adds a figure to the trial; @value NAN with @source saying why it is not available. */
void trial_figure(struct trial *t, const char *name, const char *unit, double value,
		  const char *source);

/* Asks for what the parameters have the calling task ask for. 0, or -errno with the reason. */
int trial_ask(const struct trial *t, struct error *e);

/* Adds a task of the measured CPU to the trial's own ones. 0 or -ENOMEM. */
int trial_add_task(struct trial *t, pid_t tid);

/* The own tasks as the kernel's events number them, ntasks of them, into @numbers. 0, or -errno with the remedy. */
int trial_numbers(const struct trial *t, pid_t *numbers, struct error *e);

/*
 * Forks a partner pinned to @cpu that runs @body (which never returns) and dies with the trial. On the measured CPU it
 * becomes one of the own tasks. Its pid, or -errno.
 */
pid_t trial_fork(struct trial *t, int cpu, void (*body)(struct trial *t, unsigned int index),
		 unsigned int index, struct error *e);

/* Kills and reaps what trial_fork() made. */
void trial_reap(struct trial *t);

#endif
