// SPDX-License-Identifier: GPL-2.0-or-later
#include <gsl/gsl_histogram.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <time.h>

#include "bench/record.h"
#include "lib/result.h"
#include "lib/stats.h"

#define SIBLING_BUSY 0.05 /* of a trial's time: worth a warning */

json_t *record_params(const struct scenario *s, const long *values)
{
	json_t *o = json_object();

	for (int i = 0; s->params[i].key; i++) {
		const struct param *p = &s->params[i];

		json_object_set_new(o, p->key,
				    p->choices ? json_string(p->choices[values[i]])
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
	double v[2 * TRIAL_BATCHES + 1], elapsed = 0, ignored = 0;
	size_t n = batch_series(b, out, BATCH_TIMED, v, &elapsed);
	struct interval timed = stats_median(v, n, 0.95, 0, 0), counted;
	json_t *batches = json_object(), *series = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(series, json_real(v[i]));
	json_object_set_new(line, "elapsed_ns", json_real(elapsed));
	json_object_set_new(line, "ns_per_round_trip", n ? json_real(timed.median) : json_null());
	json_object_set_new(batches, "count", json_integer((json_int_t)n));
	json_object_set_new(batches, "mad_ns", n > 1 ? json_real(timed.mad) : json_null());
	json_object_set_new(batches, "series_ns", series);
	n = batch_series(b, out, BATCH_COUNTED, v, &ignored);
	counted = stats_median(v, n, 0.95, 0, 0);
	json_object_set_new(batches, "counted_ns_per_round_trip",
			    n ? json_real(counted.median) : json_null());
	json_object_set_new(line, "batches", batches);
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
			json_array_append_new(list,
					      json_pack("[f, f, I]", round(h->range[i] * 10) / 10,
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
	l = json_pack("{s:I, s:f, s:f}", "samples", (json_int_t)out->sampled, "min", v[0], "max",
		      v[out->sampled - 1]);
	for (size_t i = 0; i < sizeof(points) / sizeof(*points); i++)
		json_object_set_new(l, points[i].name,
				    json_real(stats_percentile(v, out->sampled, points[i].p)));
	json_object_set_new(l, "histogram", record_histogram(v, out->sampled));
	json_object_set_new(line, "latency", l);
}

static json_t *counted(double value, double n, const char *source)
{
	return json_pack("{s:I, s:f, s:s}", "value", (json_int_t)value, "per_round_trip", value / n,
			 "source", source);
}

static void record_counters(json_t *line, const struct bench *b, const struct trial_outcome *out)
{
	json_t *c = json_object(), *one;
	double n = (double)out->counted, ticks = 0;

	for (int i = 0; i < COUNTER_NR; i++) {
		const struct counter_value *v = &out->counters[i];

		if (i == COUNTER_CONTEXT_SWITCHES && !out->counted && out->total) {
			one = counted(
				(double)out->own_switches, (double)(out->total - out->warmup),
				"the trial's own tasks, from /proc: not CPU-wide, not verified");
		} else if (b->idle_blind && out->claim.idle &&
			   (i == COUNTER_CR3_LOADS || i == COUNTER_CR3_FLUSHES)) {
			one = json_pack("{s:s}", "unavailable",
					"on this CPU the kernel's tracepoints miss what happens on "
					"the way out of idle");
		} else if (!v->available || !out->counted) {
			one = json_pack(
				"{s:s}", "unavailable",
				v->why[0] ? v->why
					  : "nothing could be verified, so nothing was counted");
		} else {
			one = counted((double)v->value, n, v->source);
			if (v->share < 1)
				json_object_set_new(one, "multiplexed", json_real(v->share));
		}
		json_object_set_new(c, counter_name(i), one);
	}
	for (unsigned int i = 0; i < out->nbatches; i++)
		if (out->batches[i].kind == BATCH_TIMED)
			ticks += (double)(out->batches[i].stop - out->batches[i].start -
					  out->batches[i].outside);
	json_object_set_new(
		c, "tsc-cycles",
		b->clock.tsc && out->timed
			? counted(ticks, (double)out->timed, "rdtscp, timed round trips")
			: json_pack("{s:s}", "unavailable", b->clock.source));
	if (out->module_loads)
		json_object_set_new(
			c, "module-cr3-writes",
			counted((double)out->module_loads, n, "activemm.ko: its own CR3 writes"));
	json_object_set_new(line, "counters", c);
}

static void record_range(json_t *claim, const char *name, const struct claim_range *r)
{
	if (r->claimed)
		json_object_set_new(claim, name,
				    json_pack("{s:f, s:f}", "min", r->min, "max", r->max));
}

/* The helper CPU's events, and what the scenario found out itself. */
static void record_more(json_t *line, const struct bench *b, const struct trial_outcome *out)
{
	json_t *remote = json_object(), *figures = json_object();

	for (int i = 0; out->remote_counted && out->counted && i < COUNTER_NR; i++)
		if (out->remote[i].available)
			json_object_set_new(remote, counter_name(i),
					    counted((double)out->remote[i].value,
						    (double)out->counted, out->remote[i].source));
	if (json_object_size(remote))
		json_object_set_new(
			line, "remote",
			json_pack("{s:i, s:O}", "cpu", b->cpu.helper, "counters", remote));
	json_decref(remote);
	for (unsigned int i = 0; i < out->nfigures; i++) {
		const struct figure *f = &out->figures[i];

		json_object_set_new(figures, f->name,
				    isfinite(f->value)
					    ? json_pack("{s:f, s:s, s:s}", "value", f->value,
							"unit", f->unit, "source", f->source)
					    : json_pack("{s:s}", "unavailable", f->source));
	}
	if (json_object_size(figures))
		json_object_set(line, "figures", figures);
	json_decref(figures);
}

static void record_company(json_t *line, const struct bench *b, const struct trial_outcome *out)
{
	json_t *list = json_array(), *warnings = json_array(), *lines = json_array();

	for (unsigned int i = 0; i < out->intruders.n && i < 8; i++) {
		const struct intruder *in = &out->intruders.list[i];

		json_array_append_new(list, json_pack("{s:s, s:i, s:I, s:f}", "comm", in->comm,
						      "pid", (int)in->pid, "switches",
						      (json_int_t)in->switches, "ns", in->ns));
	}
	json_object_set_new(line, "intruders", list);
	json_object_set_new(
		line, "interrupts",
		json_pack("{s:I, s:f, s:s}", "total", (json_int_t)out->interrupts, "per_second",
			  out->elapsed_ns > 0 ? (double)out->interrupts * 1e9 / out->elapsed_ns
					      : 0.0,
			  "most", out->interrupt));
	for (unsigned int i = 0; i < out->nlines; i++)
		json_array_append_new(lines, json_pack("[s, I]", out->lines[i].name,
						       (json_int_t)out->lines[i].count));
	json_object_set_new(json_object_get(line, "interrupts"), "lines", lines);
	if (out->steal_ns > 0.01 * out->elapsed_ns && out->steal_ns > 0)
		json_array_append_new(warnings,
				      json_sprintf("the hypervisor took the CPU away for %.0f ms",
						   out->steal_ns * 1e-6));
	if (out->sibling_share > SIBLING_BUSY)
		json_array_append_new(
			warnings,
			json_sprintf(
				"the measured CPU's SMT sibling, CPU %d, was in use for %.0f %% "
				"of the time",
				b->cpu.sibling, 100 * out->sibling_share));
	json_object_set_new(line, "warnings", warnings);
}

json_t *record_trial(const struct bench *b, const struct trial_order *order,
		     const struct trial_outcome *out, const struct record_place *place,
		     json_t *violations)
{
	time_t now = time(NULL);
	char start[32];
	struct tm tm;
	json_t *line = json_object(), *claim = json_object();

	strftime(start, sizeof(start), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
	json_object_set_new(line, "schema", json_integer(RESULT_SCHEMA));
	json_object_set_new(line, "scenario", json_string(order->scenario->name));
	json_object_set_new(line, "params", record_params(order->scenario, order->params));
	json_object_set_new(line, "trial", json_integer(place->trial));
	json_object_set_new(line, "round", json_integer(place->trial));
	json_object_set_new(line, "attempt", json_integer(place->attempt));
	json_object_set_new(line, "cpu", json_integer(b->cpu.cpu));
	json_object_set_new(line, "end", json_string(start));
	json_object_set_new(line, "seed", json_integer((json_int_t)order->seed));
	json_object_set_new(line, "iterations", json_integer((json_int_t)order->iterations));
	json_object_set_new(line, "round_trips",
			    json_pack("{s:I, s:I, s:I, s:I, s:I}", "timed", (json_int_t)out->timed,
				      "counted", (json_int_t)out->counted, "sampled",
				      (json_int_t)out->sampled, "warmup", (json_int_t)out->warmup,
				      "total", (json_int_t)out->total));
	if (out->excluded_ns > 0)
		json_object_set_new(line, "excluded_ns_per_round_trip",
				    json_real(out->excluded_ns));
	record_times(line, b, out);
	record_latency(line, out);
	record_counters(line, b, out);
	record_more(line, b, out);
	json_object_set_new(line, "own_switches",
			    json_pack("{s:I, s:I}", "value", (json_int_t)out->own_switches,
				      "involuntary", (json_int_t)out->own_involuntary));
	record_range(claim, "switches", &out->claim.switches);
	record_range(claim, "cr3_loads", &out->claim.cr3_loads);
	record_range(claim, "cr3_flushes", &out->claim.cr3_flushes);
	record_range(claim, "migrations", &out->claim.migrations);
	record_range(claim, "tlb_ipis", &out->claim.tlb_ipis);
	record_range(claim, "remote_shootdowns", &out->claim.remote_shootdowns);
	record_range(claim, "remote_loads", &out->claim.remote_loads);
	json_object_set_new(line, "claim", claim);
	json_object_set_new(line, "valid", json_boolean(json_array_size(violations) == 0));
	json_object_set_new(line, "verified", json_boolean(b->count));
	json_object_set_new(line, "violations", violations);
	record_company(line, b, out);
	return line;
}
