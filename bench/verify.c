// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bench/verify.h"

__attribute__((format(printf, 3, 4))) static void violation(json_t *list, const char *what,
							    const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	json_array_append_new(list, json_pack("{s:s, s:s}", "what", what, "text", text));
}

/* "; stress (pid 4242) was there: 120 switches, 51.2 ms", or nothing. Who is on another CPU is not known. */
static void culprit(const struct trial_outcome *out, const struct counter_value *v, char *buf,
		    size_t len)
{
	const struct intruder *in = out->intruders.list;

	buf[0] = '\0';
	if (v >= out->remote && v < out->remote + COUNTER_NR)
		snprintf(buf, len, ": does anything else run there?");
	else if (out->intruders.n)
		snprintf(buf, len, ": %s (pid %d) was on the CPU (%llu switches, %.1f ms)",
			 in->comm, (int)in->pid, (unsigned long long)in->switches, in->ns * 1e-6);
}

static double counted_ns(const struct bench *b, const struct trial_outcome *out)
{
	double ns = 0;

	for (unsigned int i = 0; i < out->nbatches; i++)
		if (out->batches[i].kind == BATCH_COUNTED)
			ns += clock_ns(&b->clock, out->batches[i].stop - out->batches[i].start);
	return ns;
}

static void check_count(json_t *list, const struct trial_outcome *out, double visits,
			const struct counter_value *v, const char *name,
			const struct claim_range *r, const char *noun)
{
	double n = (double)out->counted, slack, per = (double)v->value / n;
	char who[160], claimed[64];

	if (!r->claimed || !v->available || !out->counted)
		return;
	slack = fmax(VERIFY_TOLERANCE * n * fmax(r->max, 1), VERIFY_EDGE);
	if ((double)v->value >= r->min * n - slack &&
	    (double)v->value <= r->max * n + fmax(slack, visits))
		return;
	culprit(out, v, who, sizeof(who));
	if (r->min == r->max)
		snprintf(claimed, sizeof(claimed), "%g were claimed", r->min);
	else
		snprintf(claimed, sizeof(claimed), "%g to %g were claimed", r->min, r->max);
	violation(list, name, "%.4g %s per round trip where %s%s", per, noun, claimed, who);
}

static void check_counts(json_t *list, const struct bench *b, const struct trial_outcome *out)
{
	double visits = fmin(VERIFY_VISITS * counted_ns(b, out) * 1e-9,
			     VERIFY_VISITED * (double)out->counted);
	const struct claim *c = &out->claim;
	const struct {
		const struct counter_value *v;
		const struct claim_range *range;
		const char *name, *noun;
	} checks[] = {
		{ &out->counters[COUNTER_CONTEXT_SWITCHES], &c->switches, "context-switches",
		  "switches" },
		{ &out->counters[COUNTER_CR3_LOADS], &c->cr3_loads, "cr3-loads", "CR3 loads" },
		{ &out->counters[COUNTER_CR3_FLUSHES], &c->cr3_flushes, "cr3-flushes",
		  "flushing CR3 loads" },
		{ &out->counters[COUNTER_MIGRATIONS], &c->migrations, "migrations", "migrations" },
		{ &out->counters[COUNTER_TLB_IPIS], &c->tlb_ipis, "tlb-ipis",
		  "flushes asked of other CPUs" },
		{ &out->remote[COUNTER_TLB_SHOOTDOWNS], &c->remote_shootdowns,
		  "remote-tlb-shootdowns", "shootdowns on the other CPU" },
		{ &out->remote[COUNTER_CR3_LOADS], &c->remote_loads, "remote-cr3-loads",
		  "CR3 loads on the other CPU" },
	};

	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks); i++)
		check_count(list, out, visits, checks[i].v, checks[i].name, checks[i].range,
			    checks[i].noun);
}

static bool follows(const struct claim *c, const char *comm)
{
	return ((c->kworkers || c->softirqs) && !strncmp(comm, "ksoftirqd/", 10)) ||
	       (c->softirqs && !strncmp(comm, "rcu_", 4));
}

static void check_intruders(json_t *list, const struct bench *b, const struct trial_outcome *out)
{
	const struct intruder *in = out->intruders.list;
	unsigned int n = out->intruders.n;
	double stolen = 0, all = counted_ns(b, out);

	/* Neither is who frees what the trial gave up: RCU, behind a kworker what AIO allocated. */
	while (n && follows(&out->claim, in->comm))
		in++, n--;
	for (unsigned int i = 0; i < n; i++)
		if (!follows(&out->claim, in[i].comm))
			stolen += in[i].ns;
	if (all > 0 && stolen > VERIFY_STOLEN * all && stolen > 100000)
		violation(list, "intruder",
			  "%s (pid %d) had the CPU for %.1f ms, %.1f %% of the counted time",
			  in->comm, (int)in->pid, in->ns * 1e-6, 100 * stolen / all);
}

json_t *verify_trial(const struct bench *b, const struct trial_outcome *out)
{
	json_t *list = json_array();
	double own = (double)out->own_switches, total = (double)out->total, want, slack, irqs;
	double n = total - (double)out->warmup;

	if (out->error.code) {
		violation(list, "trial", "%s", out->error.text);
		return list;
	}
	check_counts(list, b, out);
	check_intruders(list, b, out);

	/* The timed batches are not observed, but the own tasks' switches are known over all of them. */
	want = out->claim.own_switches * n;
	slack = fmax(VERIFY_TOLERANCE * want, 2 * VERIFY_EDGE);
	if (want >= 0 && (own < want - slack ||
			  own > want + fmax(slack, VERIFY_PREEMPT * out->elapsed_ns * 1e-9)))
		violation(list, "own-switches",
			  "the trial's tasks left the CPU %.4g times per round trip where %g were "
			  "claimed",
			  own / n, out->claim.own_switches);
	if (out->left_cpu)
		violation(list, "migration",
			  "the measured task was moved away from CPU %d: something changed its "
			  "affinity",
			  b->cpu.cpu);
	irqs = (double)out->interrupts - out->claim.interrupts * total;
	if (out->elapsed_ns > 0 && irqs * 1e9 / out->elapsed_ns > VERIFY_STORM)
		violation(list, "interrupts",
			  "%.0f interrupts per second on CPU %d beyond the expected ones, most of "
			  "them %s",
			  irqs * 1e9 / out->elapsed_ns, b->cpu.cpu, out->interrupt);
	return list;
}
