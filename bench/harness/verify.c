// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "bench/harness/verify.h"
#include "lib/base/member.h"

__attribute__((format(printf, 3, 4))) static void violation(struct verdict *verdict,
							    const char *what, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	verdict->violations++;
	member_append(verdict->list,
		      member_pack("{s:s, s:o}", "what", what, "text", member_string(text)));
}

__attribute__((format(printf, 2, 3))) static void unverified(struct verdict *verdict,
							     const char *fmt, ...)
{
	va_list ap;

	if (!verdict->verified)
		return;
	verdict->verified = false;
	va_start(ap, fmt);
	vsnprintf(verdict->unverified, sizeof(verdict->unverified), fmt, ap);
	va_end(ap);
}

/* ": stress (pid 4242) was on the CPU (120 switches, 51.2 ms)", or nothing. */
static void culprit(const struct trial_outcome *out, bool remote, char *buf, size_t len)
{
	const struct intruders *who = remote ? &out->remote_intruders : &out->intruders;

	buf[0] = '\0';
	if (who->n)
		snprintf(buf, len, ": %s (pid %d) was on the %sCPU (%llu switches, %.1f ms)",
			 who->list->comm, (int)who->list->pid, remote ? "other " : "",
			 (unsigned long long)who->list->switches, who->list->ns * 1e-6);
	else if (remote)
		snprintf(buf, len, ": does anything else run there?");
}

static double counted_ns(const struct bench *b, const struct trial_outcome *out)
{
	double ns = 0;

	for (unsigned int i = 0; i < out->nbatches; i++)
		if (out->batches[i].kind == BATCH_COUNTED)
			ns += clock_ns(&b->clock, out->batches[i].stop - out->batches[i].start);
	return ns;
}

static const struct {
	int counter;
	bool remote;
	size_t range;
	const char *name, *noun;
} claimed[VERIFY_COUNTS] = {
	{ COUNTER_CONTEXT_SWITCHES, false, offsetof(struct claim, switches), "context-switches",
	  "switches" },
	{ COUNTER_CR3_LOADS, false, offsetof(struct claim, cr3_loads), "cr3-loads", "CR3 loads" },
	{ COUNTER_CR3_FLUSHES, false, offsetof(struct claim, cr3_flushes), "cr3-flushes",
	  "flushing CR3 loads" },
	{ COUNTER_MIGRATIONS, false, offsetof(struct claim, migrations), "migrations",
	  "migrations" },
	{ COUNTER_TLB_IPIS, false, offsetof(struct claim, tlb_ipis), "tlb-ipis",
	  "flushes asked of other CPUs" },
	{ COUNTER_TLB_SHOOTDOWNS, true, offsetof(struct claim, remote_shootdowns),
	  "remote-tlb-shootdowns", "shootdowns on the other CPU" },
	{ COUNTER_TLB_SHOOTDOWNS_LEFT, true, offsetof(struct claim, remote_left),
	  "remote-tlb-shootdowns-left", "shootdowns on the other CPU, which had left," },
	{ COUNTER_CR3_LOADS, true, offsetof(struct claim, remote_loads), "remote-cr3-loads",
	  "CR3 loads on the other CPU" },
};

struct claim_range *verify_range(struct claim *claim, const struct verify_count *count)
{
	return (struct claim_range *)(void *)((char *)claim + count->range);
}

bool verify_follows(const struct claim *c, const char *comm)
{
	/* Of each CPU; but for the first they are PREEMPT_RT's, or have callbacks offloaded to them. */
	static const char *const threads[] = { "ksoftirqd/", "ktimers/", "rcuc/",
					       "rcuop/",     "rcuog/",	 "irq_work/" };
	bool timers = c->idle && !c->kworkers;

	for (size_t i = 0; i < sizeof(threads) / sizeof(*threads); i++)
		if ((c->kworkers || c->softirqs || timers) &&
		    !strncmp(comm, threads[i], strlen(threads[i])))
			return true;
	return c->softirqs && !strncmp(comm, "rcu_", 4);
}

/* Switches for those that follow: their comings and goings; behind a kworker as many to others of its kind, who free what RCU lets go. */
static double followers(const struct trial_outcome *out)
{
	double came = 0;

	for (unsigned int i = 0; i < out->intruders.n; i++)
		if (verify_follows(&out->claim, out->intruders.list[i].comm))
			came += (double)out->intruders.list[i].switches;
	return out->claim.kworkers ? 2 * came : came;
}

void verify_counts(const struct bench *b, const struct trial_outcome *out,
		   struct verify_count *counts)
{
	double n = (double)out->counted;
	double visits = fmin(VERIFY_VISITS * counted_ns(b, out) * 1e-9, VERIFY_VISITED * n);

	for (size_t i = 0; i < VERIFY_COUNTS; i++) {
		const struct counter_value *v = claimed[i].remote
							? &out->remote[claimed[i].counter]
							: &out->counters[claimed[i].counter];
		const struct claim_range *r =
			(const void *)((const char *)&out->claim + claimed[i].range);
		double value = (double)v->value,
		       slack = verify_slack(n, isinf(r->max) ? r->min : r->max);

		counts[i] = (struct verify_count){ .name = claimed[i].name,
						   .noun = claimed[i].noun,
						   .range = claimed[i].range,
						   .remote = claimed[i].remote,
						   .judged = r->claimed && v->available && n > 0 };
		if (r->claimed && !counts[i].judged)
			counts[i].why = v->why[0] ? v->why : "the kernel's events are out of reach";
		if (!counts[i].judged)
			continue;
		if (r == &out->claim.switches && value > r->max * n)
			value = fmax(value - followers(out), r->max * n);
		counts[i].per = value / n;
		counts[i].slack = slack / n;
		counts[i].holds = value >= r->min * n - slack &&
				  value <= r->max * n + fmax(slack, visits);
	}
}

static void check_counts(struct verdict *verdict, const struct bench *b,
			 const struct trial_outcome *out)
{
	struct verify_count counts[VERIFY_COUNTS];
	struct claim claim = out->claim;
	char who[160], range[64];

	verify_counts(b, out, counts);
	for (size_t i = 0; i < VERIFY_COUNTS; i++) {
		const struct verify_count *c = &counts[i];
		const struct claim_range *r = verify_range(&claim, c);

		if (c->why)
			unverified(verdict, "%s: %s", c->name, c->why);
		if (!c->judged || c->holds)
			continue;
		culprit(out, c->remote, who, sizeof(who));
		if (r->min == r->max)
			snprintf(range, sizeof(range), "%g were claimed", r->min);
		else if (isinf(r->max))
			snprintf(range, sizeof(range), "at least %g were claimed", r->min);
		else
			snprintf(range, sizeof(range), "%g to %g were claimed", r->min, r->max);
		violation(verdict, c->name, "%.4g %s per round trip where %s%s", c->per, c->noun,
			  range, who);
	}
}

static void check_intruders(struct verdict *verdict, const struct bench *b,
			    const struct trial_outcome *out)
{
	const struct intruder *in = out->intruders.list;
	unsigned int n = out->intruders.n;
	double stolen = 0, all = counted_ns(b, out);

	/* Neither is who frees what the trial gave up: RCU, behind a kworker what AIO allocated. */
	while (n && verify_follows(&out->claim, in->comm))
		in++, n--;
	for (unsigned int i = 0; i < n; i++)
		if (!verify_follows(&out->claim, in[i].comm))
			stolen += in[i].ns;
	if (all > 0 && stolen > VERIFY_STOLEN * all && stolen > 100000)
		violation(verdict, "intruder",
			  "%s (pid %d) had the CPU for %.1f ms, %.1f %% of the counted time",
			  in->comm, (int)in->pid, in->ns * 1e-6, 100 * stolen / all);
}

void verify_trial(struct verdict *verdict, const struct bench *b, const struct trial_outcome *out)
{
	double own = (double)out->own_switches, total = (double)out->total, want, slack, irqs;
	double n = total - (double)out->warmup;
	const char *why = b->counters[COUNTER_CONTEXT_SWITCHES].available
				  ? b->counters[COUNTER_CR3_LOADS].why
				  : b->counters[COUNTER_CONTEXT_SWITCHES].why;

	*verdict = (struct verdict){ .list = json_array(), .verified = true };
	if (!b->count)
		unverified(verdict, "the kernel's events are out of reach%s%.280s",
			   *why ? ": " : "", why);
	if (out->error.code) {
		violation(verdict, "trial", "%s", out->error.text);
		return;
	}
	check_counts(verdict, b, out);
	if (out->unobserved.code)
		unverified(verdict, "%.340s", out->unobserved.text);
	/* Whoever else was there then had the CPU because the trial was stopped. */
	if (out->throttled) {
		json_array_clear(verdict->list);
		verdict->violations = 0;
		violation(verdict, "quota",
			  "the CPU quota of a control group stopped it %llu times, for %.1f "
			  "ms: " QUOTA_REMEDY,
			  (unsigned long long)out->throttled, out->throttled_ns * 1e-6);
		return;
	}
	check_intruders(verdict, b, out);

	/* The timed batches are not observed, but the own tasks' switches are known over all of them. */
	want = out->claim.own_switches * n;
	/* Of a ring's yielding tasks each but the trial's may miss a turn where a part of the trial begins. */
	slack = fmax(VERIFY_TOLERANCE * want,
		     fmax(2 * VERIFY_EDGE, TRIAL_PARTS * out->claim.own_switches));
	if (want >= 0 && !out->own_unknown &&
	    (own < want - slack ||
	     own > want + fmax(slack, VERIFY_PREEMPT * out->elapsed_ns * 1e-9)))
		violation(verdict, "own-switches",
			  "the trial's tasks left the CPU %.4g times per round trip where %g were "
			  "claimed",
			  own / n, out->claim.own_switches);
	if (out->left_cpu)
		violation(verdict, "migration",
			  "the measured task was moved away from CPU %d: something changed its "
			  "affinity",
			  b->cpu.cpu);
	irqs = (double)out->interrupts - out->claim.interrupts * total;
	if (out->elapsed_ns > 0 && irqs * 1e9 / out->elapsed_ns > VERIFY_STORM)
		violation(verdict, "interrupts",
			  "%.0f interrupts per second on CPU %d beyond the expected ones, most of "
			  "them %s",
			  irqs * 1e9 / out->elapsed_ns, b->cpu.cpu, out->interrupt);
}
