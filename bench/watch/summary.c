// SPDX-License-Identifier: GPL-2.0-or-later
/* What the end of a watch says, as text and as JSON. */
#include "config.h"
#include <errno.h>
#include <math.h>
#include <string.h>
#include "bench/watch/watch.h"
#include "lib/base/member.h"

/* Lines of the summary's tables; all the rest is in "others". */
#define TOPS 10

static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / whole : 0;
}

static uint64_t counts_lazy(const struct switch_counts *counts)
{
	return switch_counts_switches(counts) - switch_counts_class(counts, SWITCH_THREAD) -
	       switch_counts_class(counts, SWITCH_REAL);
}

static uint64_t counts_done(const struct switch_counts *counts)
{
	return switch_counts_loads(counts, LOAD_KEPT) + switch_counts_loads(counts, LOAD_FLUSHED);
}

/* " 123 to 456", or nothing where it was all counted. */
static void interval_print(const struct watch_end *end, const struct stats_total *total, FILE *to)
{
	if (end->estimates && isfinite(total->high))
		fprintf(to, "  %.0f to %.0f", floor(total->low), ceil(total->high));
}

static void classes_print(const struct watch_end *end, const struct switch_counts *counts, FILE *to)
{
	static const char *const text[SWITCH_CLASSES] = {
		[SWITCH_BORROW] = "borrow: user task to kernel thread",
		[SWITCH_PASS] = "pass:   kernel thread to kernel thread",
		[SWITCH_BACK] = "back:   kernel thread to the same mm",
		[SWITCH_ON] = "on:     kernel thread to another mm",
		[SWITCH_THREAD] = "thread: user tasks of one mm",
		[SWITCH_REAL] = "real:   user task to another mm",
	};
	uint64_t all = switch_counts_switches(counts);

	fprintf(to, "  %-40s %12s %7s %12s%s\n", "", "switches", "share", "of it idle",
		end->estimates ? "  95% interval" : "");
	for (int class = 0; class < SWITCH_CLASSES; class ++) {
		fprintf(to, "  %-40s %12llu %6.1f%% %12llu", text[class],
			(unsigned long long)switch_counts_class(counts, class),
			100 * share(switch_counts_class(counts, class), all),
			(unsigned long long)counts->switches[class][1]);
		if (end->estimates)
			interval_print(end, &end->estimates->kinds[class], to);
		fputc('\n', to);
	}
	fprintf(to, "  %-40s %12llu\n", "all", (unsigned long long)all);
}

static void worth_print(const struct watch_end *end, uint64_t saved, double seconds, FILE *to)
{
	const struct watch_costs *costs = end->costs;

	if (!costs || !costs->known) {
		fprintf(to, "  What that is worth: give --costs DIR, a result set measured on this "
			    "machine.\n");
		return;
	}
	fprintf(to,
		"  Worth %.3f ms of CPU time, %.3f to %.3f: %.1f us a second, at %.1f ns a load\n"
		"  (%s)\n",
		saved * costs->load_ns / 1e6, saved * costs->low_ns / 1e6,
		saved * costs->high_ns / 1e6, saved * costs->load_ns / 1e3 / seconds,
		costs->load_ns, costs->from);
}

static void loads_print(const struct watch_end *end, const struct switch_counts *counts,
			double seconds, FILE *to)
{
	uint64_t saved = switch_counts_saved(counts), done = counts_done(counts);

	fprintf(to, "\n  Lazy switches (the first four): %.1f%% of all.\n",
		100 * share(counts_lazy(counts), switch_counts_switches(counts)));
	fprintf(to, "  CR3 loads saved by borrowing: %llu%s", (unsigned long long)saved,
		end->now->estimated  ? " (estimate)"
		: end->now->no_loads ? " at most"
				     : "");
	if (end->estimates)
		interval_print(end, &end->estimates->kinds[WATCH_SAVED], to);
	fprintf(to, ".\n");
	if (end->now->no_loads) {
		fprintf(to, "  CR3 loads done: not available, %s.\n", end->now->no_loads);
	} else {
		fprintf(to,
			"  CR3 loads done: %llu (%llu kept the TLB, %llu flushed it); without "
			"borrowing %.1f%% more.\n",
			(unsigned long long)done,
			(unsigned long long)switch_counts_loads(counts, LOAD_KEPT),
			(unsigned long long)switch_counts_loads(counts, LOAD_FLUSHED),
			100 * share(saved, done));
		if (end->now->loads_by_class)
			fprintf(to,
				"  Of these outside a switch (deep idle, shootdown of a lazy CPU): "
				"%llu.\n",
				(unsigned long long)(counts->loads[LOADS_OUTSIDE][LOAD_KEPT] +
						     counts->loads[LOADS_OUTSIDE][LOAD_FLUSHED]));
		fprintf(to, "  Shootdowns sent to other CPUs: %llu, received: %llu.\n",
			(unsigned long long)counts->flushes[FLUSH_REMOTE_SENT],
			(unsigned long long)counts->flushes[FLUSH_REMOTE_RECEIVED]);
	}
	worth_print(end, saved, seconds, to);
	if (end->now->missed)
		fprintf(to, "  Events that could not be counted: %llu.\n",
			(unsigned long long)end->now->missed);
}

static int tops_print(const struct watch_end *end, FILE *to, struct error *error)
{
	struct watch_top tops[TOPS], others;

	for (enum watch_by by = WATCH_BY_BORROWER; by <= WATCH_BY_PROCESS; by++) {
		int count = watch_top_build(tops, TOPS, &others, by, end->now, NULL, error);

		if (count < 0)
			return count;
		if (by == WATCH_BY_BORROWER)
			fprintf(to, "\n  %-16s %8s %10s %10s %10s %10s  %s\n", "borrower", "pid",
				"times", "back", "on", "saved", "most from");
		else
			fprintf(to, "\n  %-16s %8s %10s %10s %10s %10s %9s %9s %8s\n",
				"address space of", "pid", "lent", "back", "thread", "real", "kept",
				"flushed", "sent");
		for (int i = 0; i <= count; i++) {
			const struct watch_top *top = i < count ? &tops[i] : &others;
			char pid[16] = "", most[48] = "";

			if (i < count && !(top->id & WHO_KIND))
				snprintf(pid, sizeof(pid), "%u", top->id);
			if (top->most_count)
				snprintf(most, sizeof(most), "%.15s (%u): %llu", top->most,
					 top->most_tgid, (unsigned long long)top->most_count);
			fprintf(to, "  %-16.15s %8s %10llu %10llu", top->name, pid,
				(unsigned long long)watch_top_weight(top, WATCH_BY_BORROWER),
				(unsigned long long)top->switches[SWITCH_BACK]);
			if (by == WATCH_BY_BORROWER)
				fprintf(to, " %10llu %10llu  %s\n",
					(unsigned long long)top->switches[SWITCH_ON],
					(unsigned long long)top->saved, most);
			else
				fprintf(to, " %10llu %10llu %9llu %9llu %8llu\n",
					(unsigned long long)top->switches[SWITCH_THREAD],
					(unsigned long long)top->switches[SWITCH_REAL],
					(unsigned long long)top->loads[LOAD_KEPT],
					(unsigned long long)top->loads[LOAD_FLUSHED],
					(unsigned long long)top->sent);
		}
	}
	return 0;
}

static void estimates_print(const struct watch_end *end, FILE *to)
{
	if (end->why_estimate)
		fprintf(to, "  Without BPF: %s.\n", end->why_estimate);
	if (end->now->estimated)
		fprintf(to,
			"  Estimates: the six classes and the loads saved (from the process table; "
			"%.2f%% of the\n"
			"  switches were seen one by one). Counted: all switches, CR3 loads, "
			"shootdowns.\n",
			100 * end->now->classed);
	if (!end->other)
		return;
	fprintf(to, "\n  %-10s %14s %14s %10s\n", "", "BPF", "perf events", "off by");
	for (int class = 0; class <= SWITCH_CLASSES; class ++) {
		const struct switch_counts *a = &end->now->total, *b = &end->other->total;
		uint64_t exact, estimate;

		exact = class < SWITCH_CLASSES ? switch_counts_class(a, class)
					       : switch_counts_saved(a);
		estimate = class < SWITCH_CLASSES ? switch_counts_class(b, class)
						  : switch_counts_saved(b);
		fprintf(to, "  %-10s %14llu %14llu",
			class < SWITCH_CLASSES ? switch_class_name(class) : "saved",
			(unsigned long long)exact, (unsigned long long)estimate);
		if (exact)
			fprintf(to, " %9.2f%%\n", 100.0 * ((double)estimate - exact) / exact);
		else
			fprintf(to, " %10s\n", "-");
	}
}

int watch_summary_print(const struct watch_end *end, struct error *error)
{
	FILE *to = stdout;
	struct switch_counts counts = switch_counts_between(end->now, NULL, -1);
	double seconds = (end->now->time_ns - end->start_ns) / 1e9;
	int ret;

	fprintf(to, "\n  Watched %.2f s by %s.\n", seconds, end->source);
	if (end->estimates)
		watch_estimates_print(end->estimates, to);
	if (end->estimates && !end->estimates->seen)
		return 0;
	fputc('\n', to);
	classes_print(end, &counts, to);
	loads_print(end, &counts, seconds, to);
	ret = tops_print(end, to, error);
	if (ret)
		return ret;
	estimates_print(end, to);
	return 0;
}

json_t *watch_counts_json(const struct switch_counts *counts, const struct switch_snapshot *about)
{
	json_t *classes = json_object(), *idle = json_object(), *loads = NULL, *by = NULL;

	for (int class = 0; class < SWITCH_CLASSES; class ++) {
		const char *name = switch_class_name(class);

		member_set(classes, name, json_integer(switch_counts_class(counts, class)));
		member_set(idle, name, json_integer(counts->switches[class][1]));
	}
	if (!about->no_loads && about->loads_by_class) {
		by = json_object();
		for (int class = 0; class <= SWITCH_CLASSES; class ++)
			member_set(
				by, class < SWITCH_CLASSES ? switch_class_name(class) : "outside",
				member_pack("{s:I, s:I}", "kept",
					    (json_int_t)counts->loads[class][LOAD_KEPT], "flushing",
					    (json_int_t)counts->loads[class][LOAD_FLUSHED]));
	}
	if (!about->no_loads)
		loads = member_pack(
			"{s:I, s:I, s:o*, s:I, s:I}", "kept",
			(json_int_t)switch_counts_loads(counts, LOAD_KEPT), "flushing",
			(json_int_t)switch_counts_loads(counts, LOAD_FLUSHED), "by_class", by,
			"shootdowns_sent", (json_int_t)counts->flushes[FLUSH_REMOTE_SENT],
			"shootdowns_received", (json_int_t)counts->flushes[FLUSH_REMOTE_RECEIVED]);
	else
		loads = member_pack("{s:s}", "unavailable", about->no_loads);
	return member_pack("{s:I, s:I, s:o, s:o, s:o, s:I}", "switches",
			   (json_int_t)switch_counts_switches(counts), "lazy",
			   (json_int_t)counts_lazy(counts), "classes", classes, "idle", idle,
			   "cr3_loads", loads, "loads_saved",
			   (json_int_t)switch_counts_saved(counts));
}

static json_t *tops_json(const struct watch_end *end, enum watch_by by, struct error *error)
{
	struct watch_top tops[2 * TOPS], others;
	json_t *list = json_array();
	int count;

	count = watch_top_build(tops, 2 * TOPS, &others, by, end->now, NULL, error);
	for (int i = 0; i <= count; i++) {
		const struct watch_top *top = i < count ? &tops[i] : &others;
		json_t *line = json_object();

		member_set(line, "name", member_printf("%.*s", COMM_LEN, top->name));
		if (i < count && !(top->id & WHO_KIND))
			member_set(line, "pid", json_integer(top->id));
		for (int class = 0; class < SWITCH_CLASSES; class ++)
			member_set(line, switch_class_name(class),
				   json_integer(top->switches[class]));
		member_set(line, "loads_saved", json_integer(top->saved));
		if (by == WATCH_BY_PROCESS) {
			member_set(line, "loads_kept", json_integer(top->loads[LOAD_KEPT]));
			member_set(line, "loads_flushing", json_integer(top->loads[LOAD_FLUSHED]));
			member_set(line, "shootdowns_sent", json_integer(top->sent));
		} else if (top->most_count) {
			member_set(line, "most_from",
				   member_pack("{s:o, s:I, s:I}", "name",
					       member_printf("%.*s", COMM_LEN, top->most), "pid",
					       (json_int_t)top->most_tgid, "times",
					       (json_int_t)top->most_count));
		}
		member_append(list, line);
	}
	return list;
}

json_t *watch_summary_json(const struct watch_end *end, struct error *error)
{
	struct switch_counts counts = switch_counts_between(end->now, NULL, -1);
	double seconds = (end->now->time_ns - end->start_ns) / 1e9;
	uint64_t saved = switch_counts_saved(&counts);
	json_t *cpus = json_array(), *json;

	for (unsigned int cpu = 0; cpu < end->now->cpu_count; cpu++) {
		struct switch_counts one = switch_counts_between(end->now, NULL, cpu);
		json_t *line;

		if (end->cpus && !hwloc_bitmap_isset(end->cpus, cpu))
			continue;
		line = watch_counts_json(&one, end->now);
		member_set(line, "cpu", json_integer(cpu));
		member_append(cpus, line);
	}
	json = member_pack("{s:i, s:s, s:f, s:s, s:b, s:f, s:I, s:o, s:o, s:o, s:o}", "schema", 1,
			   "type", "summary", "seconds", seconds, "source", end->source,
			   "estimated", end->now->estimated, "classed", end->now->classed, "missed",
			   (json_int_t)end->now->missed, "counts",
			   watch_counts_json(&counts, end->now), "cpus", cpus, "borrowers",
			   tops_json(end, WATCH_BY_BORROWER, error), "processes",
			   tops_json(end, WATCH_BY_PROCESS, error));
	if (json && end->estimates)
		member_set(json, "sampling", watch_estimates_json(end->estimates));
	if (json && end->why_estimate)
		member_set(json, "without_bpf", member_string(end->why_estimate));
	if (json && end->costs && end->costs->known)
		member_set(json, "worth_ns",
			   member_pack("{s:f, s:f, s:f, s:f, s:o}", "median",
				       saved * end->costs->load_ns, "low",
				       saved * end->costs->low_ns, "high",
				       saved * end->costs->high_ns, "load_ns", end->costs->load_ns,
				       "from", member_string(end->costs->from)));
	if (json && end->other)
		member_set(json, "estimate", watch_counts_json(&end->other->total, end->other));
	if (!json)
		error_set(error, ENOMEM, "no memory for the summary");
	return json;
}
