// SPDX-License-Identifier: GPL-2.0-or-later
#include <gsl/gsl_histogram.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <time.h>

#include "bench/harness/pace.h"
#include "bench/harness/record.h"
#include "lib/results/set.h"
#include "lib/stats/stats.h"
#include "lib/base/member.h"

#define SIBLING_BUSY 0.05 /* of a trial's time: worth a warning */

json_t *record_params(const struct scenario *s, const long *values)
{
	json_t *o = json_object();

	for (int i = 0; s->params[i].key; i++) {
		const struct param *p = &s->params[i];

		if (p->later && values[i] == p->def)
			continue;
		member_set(o, p->key,
			   p->choices ? member_string(p->choices[values[i]])
				      : json_integer(values[i]));
	}
	return o;
}

/* Nanoseconds per round trip of every batch of one kind, the clock's cost and what was asked for taken off. */
static size_t batch_series(const struct bench *b, const struct trial_outcome *out,
			   enum batch_kind kind, double *v, double *elapsed)
{
	size_t n = 0;

	for (unsigned int i = 0; i < out->nbatches; i++) {
		const struct batch *x = &out->batches[i];
		double ns;

		if (x->kind != kind || !x->stop)
			continue;
		ns = clock_ns(&b->clock, x->stop - x->start - x->outside) - b->clock.cost_ns -
		     out->excluded_ns * (double)x->n;
		*elapsed += ns;
		v[n++] = ns / (double)x->n;
	}
	return n;
}

static void record_times(json_t *line, const struct bench *b, const struct trial_outcome *out)
{
	double v[3 * TRIAL_BATCHES + 1], elapsed = 0, ignored = 0;
	size_t n = batch_series(b, out, BATCH_TIMED, v, &elapsed);
	struct interval timed = stats_median(v, n, 0.95, 0, 0), counted;
	json_t *batches = json_object(), *series = json_array();

	for (size_t i = 0; i < n; i++)
		member_append(series, member_real(v[i]));
	member_set(line, "elapsed_ns", member_real(elapsed));
	member_set(line, "ns_per_round_trip", n ? member_real(timed.median) : json_null());
	member_set(batches, "count", json_integer((json_int_t)n));
	member_set(batches, "mad_ns", n > 1 ? member_real(timed.mad) : json_null());
	member_set(batches, "series_ns", series);
	n = batch_series(b, out, BATCH_COUNTED, v, &ignored);
	counted = stats_median(v, n, 0.95, 0, 0);
	member_set(batches, "counted_ns_per_round_trip",
		   n ? member_real(counted.median) : json_null());
	member_set(line, "batches", batches);
}

/* A median would choose one of two speeds where a trial saw both; of means each has its part in both. */
static void record_speed(json_t *line, const struct bench *b, const struct trial_outcome *out)
{
	double v[3 * TRIAL_BATCHES + 1], ignored = 0, sum = 0;
	size_t n = batch_series(b, out, BATCH_TIMED, v, &ignored);
	json_t *speed = json_object();

	for (size_t i = 0; i < n; i++)
		sum += log(v[i]);
	if (n && isfinite(sum))
		member_set(speed, SPEED_OF, member_real(exp(sum / (double)n)));
	for (int k = 0; k < SPEED_KINDS; k++)
		if (isfinite(out->speed_ns[k]))
			member_set(speed, speed_name(k), member_real(out->speed_ns[k]));
	if (json_object_size(speed) > 1)
		member_share(line, "speed_ns", speed);
	json_decref(speed);
}

/* Bins of about 2 %: enough for a picture, small enough for a line. */
static json_t *record_histogram(const double *sorted, size_t n)
{
	double low = fmax(sorted[0], 1), high = fmax(sorted[n - 1], low * 1.02) * 1.001;
	size_t bins = (size_t)ceil(log(high / low) / log(1.02));
	gsl_histogram *h = gsl_histogram_alloc(bins ? bins : 1);
	double *edges = malloc((bins + 2) * sizeof(double));
	json_t *list = json_array();

	for (size_t i = 0; edges && i <= h->n; i++)
		edges[i] = low * pow(1.02, (double)i);
	if (edges) {
		edges[h->n] = fmax(edges[h->n], high);
		gsl_histogram_set_ranges(h, edges, h->n + 1);
	}
	for (size_t i = 0; i < n; i++)
		gsl_histogram_increment(h, fmax(sorted[i], low));
	for (size_t i = 0; i < h->n; i++)
		if (h->bin[i] > 0)
			member_append(list, member_pack("[f, f, I]", round(h->range[i] * 10) / 10,
							round(h->range[i + 1] * 10) / 10,
							(json_int_t)h->bin[i]));
	gsl_histogram_free(h);
	free(edges);
	return list;
}

static void record_latency(json_t *line, const struct trial_outcome *out)
{
	static const struct {
		const char *name;
		double p;
	} points[] = { { "p50", 50 }, { "p90", 90 }, { "p99", 99 }, { "p99.9", 99.9 } };
	json_t *l;
	double *v = out->latency_ns;

	if (!out->sampled || out->error.code)
		return;
	for (uint64_t i = 0; i < out->sampled; i++)
		v[i] -= out->excluded_ns;
	gsl_sort(v, 1, out->sampled);
	l = member_pack("{s:I, s:f, s:f}", "samples", (json_int_t)out->sampled, "min", v[0], "max",
			v[out->sampled - 1]);
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
		member_set(l, points[i].name,
			   member_real(stats_percentile(v, out->sampled, points[i].p)));
	member_set(l, "histogram", record_histogram(v, out->sampled));
	member_set(line, "latency", l);
}

#define OWN_UNKNOWN \
	"/proc numbers tasks in another PID namespace: mount it anew (unshare --mount-proc)"

static json_t *counted(double value, double n, const char *source)
{
	return member_pack("{s:I, s:o, s:s}", "value", (json_int_t)value, "per_round_trip",
			   member_real(value / n), "source", source);
}

static void record_counters(json_t *line, const struct bench *b, const struct trial_outcome *out)
{
	json_t *c = json_object(), *one;
	double n = (double)out->counted, ticks = 0;

	for (int i = 0; i < COUNTER_NR; i++) {
		const struct counter_value *v = &out->counters[i];

		if (i == COUNTER_CONTEXT_SWITCHES && !out->counted && out->total &&
		    !out->own_unknown) {
			one = counted(
				(double)out->own_switches, (double)(out->total - out->warmup),
				"the trial's own tasks, from /proc: not CPU-wide, not verified");
		} else if (b->idle_blind && out->claim.idle &&
			   (i == COUNTER_CR3_LOADS || i == COUNTER_CR3_FLUSHES)) {
			one = member_pack(
				"{s:s}", "unavailable",
				"on this CPU the kernel's tracepoints miss what happens on "
				"the way out of idle");
		} else if (!v->available || !out->counted) {
			one = member_pack(
				"{s:s}", "unavailable",
				v->why[0] ? v->why
					  : "nothing could be verified, so nothing was counted");
		} else {
			one = counted((double)v->value, n, v->source);
			if (v->share < 1)
				member_set(one, "multiplexed", member_real(v->share));
		}
		member_set(c, counter_name(i), one);
	}
	for (unsigned int i = 0; i < out->nbatches; i++)
		if (out->batches[i].kind == BATCH_TIMED)
			ticks += (double)(out->batches[i].stop - out->batches[i].start -
					  out->batches[i].outside);
	member_set(c, "tsc-cycles",
		   b->clock.tsc && out->timed
			   ? counted(ticks, (double)out->timed, "rdtscp, timed round trips")
			   : member_pack("{s:s}", "unavailable", b->clock.source));
	if (out->module_loads)
		member_set(
			c, "module-cr3-writes",
			counted((double)out->module_loads, n, "activemm.ko: its own CR3 writes"));
	member_set(line, "counters", c);
}

static const struct {
	const char *name;
	size_t range; /* in struct claim */
} ranges[] = {
	{ "switches", offsetof(struct claim, switches) },
	{ "cr3_loads", offsetof(struct claim, cr3_loads) },
	{ "cr3_flushes", offsetof(struct claim, cr3_flushes) },
	{ "migrations", offsetof(struct claim, migrations) },
	{ "tlb_ipis", offsetof(struct claim, tlb_ipis) },
	{ "remote_shootdowns", offsetof(struct claim, remote_shootdowns) },
	{ "remote_left", offsetof(struct claim, remote_left) },
	{ "remote_loads", offsetof(struct claim, remote_loads) },
};
#define RANGES (sizeof(ranges) / sizeof(*ranges))

json_t *record_claim(const struct claim *c)
{
	json_t *claim = json_object();

	for (size_t i = 0; i < RANGES; i++) {
		const struct claim_range *r = (const void *)((const char *)c + ranges[i].range);

		if (r->claimed && isinf(r->max))
			member_set(claim, ranges[i].name, member_pack("{s:f}", "min", r->min));
		else if (r->claimed)
			member_set(claim, ranges[i].name,
				   member_pack("{s:f, s:f}", "min", r->min, "max", r->max));
	}
	return claim;
}

void record_claim_read(const json_t *claim, struct claim *c)
{
	for (size_t i = 0; i < RANGES; i++) {
		struct claim_range *r = (void *)((char *)c + ranges[i].range);
		const json_t *one = json_object_get(claim, ranges[i].name);
		double min = member_number(one, "min"), max = member_number(one, "max");

		if (isfinite(min))
			*r = (struct claim_range){ true, min, isfinite(max) ? max : INFINITY };
	}
}

/* The helper CPU's events, and what the scenario found out itself. */
static void record_more(json_t *line, const struct bench *b, const struct trial_outcome *out)
{
	json_t *remote = json_object(), *figures = json_object();

	for (int i = 0; out->remote_counted && out->counted && i < COUNTER_NR; i++)
		if (out->remote[i].available)
			member_set(remote, counter_name(i),
				   counted((double)out->remote[i].value, (double)out->counted,
					   out->remote[i].source));
	if (json_object_size(remote))
		member_set(line, "remote",
			   member_pack("{s:i, s:O}", "cpu", b->cpu.helper, "counters", remote));
	json_decref(remote);
	for (unsigned int i = 0; i < out->nfigures; i++) {
		const struct figure *f = &out->figures[i];

		member_set(figures, f->name,
			   isfinite(f->value) ? member_pack("{s:f, s:s, s:s}", "value", f->value,
							    "unit", f->unit, "source", f->source)
					      : member_pack("{s:s}", "unavailable", f->source));
	}
	if (json_object_size(figures))
		member_share(line, "figures", figures);
	json_decref(figures);
}

static json_t *speed_text(double share, enum speed_kind piece)
{
	return member_printf("the machine ran at %.0f %% of the run's speed: %s", 100 * share,
			     pace_cause(piece));
}

void record_set_aside(json_t *line, double share, enum speed_kind piece)
{
	member_set(line, "valid", json_false());
	member_append(json_object_get(line, "violations"),
		      member_pack("{s:s, s:o}", "what", "machine-speed", "text",
				  speed_text(share, piece)));
}

static void record_company(json_t *line, const struct bench *b, const struct trial_outcome *out)
{
	json_t *list = json_array(), *warnings = json_array(), *lines = json_array();

	for (unsigned int i = 0; i < out->intruders.n && i < 8; i++) {
		const struct intruder *in = &out->intruders.list[i];

		member_append(list, member_pack("{s:s, s:i, s:I, s:f}", "comm", in->comm, "pid",
						(int)in->pid, "switches", (json_int_t)in->switches,
						"ns", in->ns));
	}
	member_set(line, "intruders", list);
	member_set(line, "interrupts",
		   member_pack("{s:I, s:f, s:s}", "total", (json_int_t)out->interrupts,
			       "per_second",
			       out->elapsed_ns > 0 ? (double)out->interrupts * 1e9 / out->elapsed_ns
						   : 0.0,
			       "most", out->interrupt));
	for (unsigned int i = 0; i < out->nlines; i++)
		member_append(lines, member_pack("[s, I]", out->lines[i].name,
						 (json_int_t)out->lines[i].count));
	member_set(json_object_get(line, "interrupts"), "lines", lines);
	if (out->steal_ns > 0.01 * out->elapsed_ns && out->steal_ns > 0)
		member_append(warnings,
			      member_printf("the hypervisor took the CPU away for %.0f ms",
					    out->steal_ns * 1e-6));
	if (out->speed_share > 0 && out->speed_share != 1)
		member_append(warnings, speed_text(out->speed_share, out->speed_piece));
	if (out->sibling_share > SIBLING_BUSY)
		member_append(
			warnings,
			member_printf(
				"the measured CPU's SMT sibling, CPU %d, was in use for %.0f %% "
				"of the time",
				b->cpu.sibling, 100 * out->sibling_share));
	member_set(line, "warnings", warnings);
}

json_t *record_trial(const struct bench *b, const struct trial_order *order,
		     const struct trial_outcome *out, const struct record_place *place,
		     const struct verdict *verdict)
{
	time_t now = time(NULL);
	char start[32];
	struct tm tm;
	json_t *line = json_object();

	strftime(start, sizeof(start), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	member_set(line, "schema", json_integer(RESULT_SCHEMA));
	member_set(line, "scenario", member_string(order->scenario->name));
	member_set(line, "params", record_params(order->scenario, order->params));
	member_set(line, "trial", json_integer(place->trial));
	member_set(line, "round", json_integer(place->trial));
	member_set(line, "attempt", json_integer(place->attempt));
	member_set(line, "cpu", json_integer(b->cpu.cpu));
	member_set(line, "end", member_string(start));
	member_set(line, "seed", json_integer((json_int_t)order->seed));
	member_set(line, "iterations", json_integer((json_int_t)order->iterations));
	member_set(line, "round_trips",
		   member_pack("{s:I, s:I, s:I, s:I, s:I}", "timed", (json_int_t)out->timed,
			       "counted", (json_int_t)out->counted, "sampled",
			       (json_int_t)out->sampled, "warmup", (json_int_t)out->warmup, "total",
			       (json_int_t)out->total));
	if (out->excluded_ns > 0)
		member_set(line, "excluded_ns_per_round_trip", member_real(out->excluded_ns));
	record_times(line, b, out);
	record_speed(line, b, out);
	record_latency(line, out);
	record_counters(line, b, out);
	record_more(line, b, out);
	member_set(line, "own_switches",
		   out->own_unknown
			   ? member_pack("{s:o}", "unavailable",
					 member_string(out->unobserved.code ? out->unobserved.text
									    : OWN_UNKNOWN))
			   : member_pack("{s:I, s:I}", "value", (json_int_t)out->own_switches,
					 "involuntary", (json_int_t)out->own_involuntary));
	member_set(line, "claim", record_claim(&out->claim));
	if (order->finding)
		member_set(line, "finding", member_string(order->finding));
	member_set(line, "valid", json_boolean(!verdict->violations));
	member_set(line, "verified", json_boolean(verdict->verified));
	if (!verdict->verified)
		member_set(line, "unverified", member_string(verdict->unverified));
	member_set(line, "violations", json_incref(verdict->list));
	record_company(line, b, out);
	if (members_failed(NULL)) {
		json_decref(line);
		return NULL;
	}
	return line;
}
