// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes a watch down as a result set: a line per interval, the summary, and tables to draw from. */
#include "config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "bench/watch/watch.h"
#include "lib/machine/cpu.h"
#include "lib/machine/record.h"
#include "lib/results/set.h"
#include "lib/base/member.h"

struct watch_record {
	char *dir;
	struct result_writer *trials; /* machine.json, and trials.jsonl with a line per interval */
	FILE *rates; /* watch-rates.tsv */
	FILE *heat; /* watch-heat.tsv */
	int count;
};

static FILE *file_create(const char *dir, const char *name, struct error *error)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "wxe");
	if (!file)
		error_set(error, errno, "%s: %s", path, strerror(errno));
	return file;
}

static int set_create(struct watch_record *record, struct error *error)
{
	struct cpu_topology *topology = NULL;
	struct cpu_choice choice;
	json_t *machine;
	int ret;

	ret = cpu_topology_load(&topology, error);
	if (!ret)
		ret = cpu_choose(topology, -1, &choice, error);
	if (!ret) {
		machine = machine_record(topology, &choice);
		ret = machine ? result_create(&record->trials, record->dir, machine, false, error)
			      : error_set(error, ENOMEM, "no memory for the machine's record");
		json_decref(machine);
	}
	cpu_topology_free(topology);
	return ret;
}

int watch_record_open(struct watch_record **out, const char *dir, struct error *error)
{
	struct watch_record *record = calloc(1, sizeof(*record));
	int ret;

	if (record)
		record->dir = strdup(dir);
	if (!record || !record->dir) {
		free(record);
		return error_set(error, ENOMEM, "no memory for the record");
	}
	ret = set_create(record, error);
	/* Created exclusively: the record of an earlier watch is never written over. */
	if (!ret) {
		record->rates = file_create(dir, "watch-rates.tsv", error);
		if (record->rates)
			record->heat = file_create(dir, "watch-heat.tsv", error);
		ret = record->heat ? 0 : -error->code;
	}
	if (ret) {
		watch_record_close(record, NULL, NULL);
		return ret;
	}
	fprintf(record->rates, "# seconds borrow pass back on thread real kept flushing saved, per "
			       "second; length\n");
	fprintf(record->heat, "# seconds cpu lazy-switches-per-second loads-saved-per-second "
			      "switches-per-second length\n");
	*out = record;
	return 0;
}

static void rates_write(FILE *file, const struct switch_counts *counts, double at, double seconds)
{
	fprintf(file, "%.3f", at);
	for (int class = 0; class < SWITCH_CLASSES; class ++)
		fprintf(file, " %.1f", switch_counts_class(counts, class) / seconds);
	for (int kind = 0; kind < LOAD_KINDS; kind++)
		fprintf(file, " %.1f", switch_counts_loads(counts, kind) / seconds);
	fprintf(file, " %.1f %.3f\n", switch_counts_saved(counts) / seconds, seconds);
}

static void heat_write(FILE *file, const struct switch_snapshot *now,
		       const struct switch_snapshot *before, double at, double seconds)
{
	for (unsigned int cpu = 0; cpu < now->cpu_count; cpu++) {
		struct switch_counts counts = switch_counts_between(now, before, cpu);
		uint64_t all, lazy;

		all = switch_counts_switches(&counts);
		lazy = all - switch_counts_class(&counts, SWITCH_THREAD) -
		       switch_counts_class(&counts, SWITCH_REAL);
		fprintf(file, "%.3f %u %.1f %.1f %.1f %.3f\n", at, cpu, lazy / seconds,
			switch_counts_saved(&counts) / seconds, all / seconds, seconds);
	}
}

/* A counter as trials have it; the "round trip" of a watch is one switch. */
static json_t *counter_json(uint64_t value, uint64_t switches, const char *source)
{
	return member_pack("{s:I, s:f, s:s}", "value", (json_int_t)value, "per_round_trip",
			   switches ? (double)value / switches : 0.0, "source", source);
}

static json_t *counters_json(const struct switch_counts *counts, const struct switch_snapshot *now)
{
	const char *source = now->estimated  ? "perf events and /proc, an estimate"
			     : now->in_turns ? "BPF in turns, extrapolated"
					     : "BPF",
		   *loads = now->in_turns ? "tlb:tlb_flush in turns, extrapolated" : "tlb:tlb_flush";
	uint64_t all = switch_counts_switches(counts);
	json_t *json = json_object();
	char name[32];

	member_set(json, "context-switches", counter_json(all, all, source));
	for (int class = 0; class < SWITCH_CLASSES; class ++) {
		snprintf(name, sizeof(name), "switches-%s", switch_class_name(class));
		member_set(json, name,
			   counter_json(switch_counts_class(counts, class), all, source));
	}
	member_set(json, "cr3-loads-saved", counter_json(switch_counts_saved(counts), all, source));
	if (now->no_loads) {
		member_set(json, "cr3-loads", member_pack("{s:s}", "unavailable", now->no_loads));
		member_set(json, "cr3-flushes", member_pack("{s:s}", "unavailable", now->no_loads));
		member_set(json, "tlb-ipis", member_pack("{s:s}", "unavailable", now->no_loads));
		return json;
	}
	member_set(json, "cr3-loads",
		   counter_json(switch_counts_loads(counts, LOAD_KEPT) +
					switch_counts_loads(counts, LOAD_FLUSHED),
				all, loads));
	member_set(json, "cr3-flushes",
		   counter_json(switch_counts_loads(counts, LOAD_FLUSHED), all, loads));
	member_set(json, "tlb-ipis",
		   counter_json(counts->flushes[FLUSH_REMOTE_SENT], all, loads));
	return json;
}

static int trial_append(struct watch_record *record, const struct switch_counts *counts,
			const struct switch_snapshot *now, double seconds, struct error *error)
{
	uint64_t all = switch_counts_switches(counts);
	char start[32] = "";
	time_t then = time(NULL) - (time_t)seconds;
	struct tm utc;
	json_t *trial;
	int ret;

	if (gmtime_r(&then, &utc))
		strftime(start, sizeof(start), "%Y-%m-%dT%H:%M:%SZ", &utc);
	trial = member_pack("{s:i, s:s, s:{}, s:i, s:i, s:i, s:i, s:s, s:I, s:f, s:f, s:o, s:{}, "
			    "s:b, s:b, s:[]}",
			    "schema", RESULT_SCHEMA, "scenario", "watch", "params", "trial",
			    record->count, "round", record->count, "attempt", 1, "cpu", -1, "start",
			    start, "iterations", (json_int_t)all, "elapsed_ns", seconds * 1e9,
			    "ns_per_round_trip", all ? seconds * 1e9 / all : 0.0, "counters",
			    counters_json(counts, now), "claim", "valid", 1, "verified",
			    !now->estimated, "violations");
	if (!trial)
		return error_set(error, ENOMEM, "no memory for a line of the record");
	record->count++;
	ret = result_append(record->trials, trial, error);
	json_decref(trial);
	return ret;
}

static int file_flush(FILE *file, const char *dir, struct error *error)
{
	if (!fflush(file) && !ferror(file))
		return 0;
	return error_set(error, errno ? errno : EIO, "%s: the record cannot be written: %s", dir,
			 strerror(errno ? errno : EIO));
}

int watch_record_interval(struct watch_record *record, const struct switch_snapshot *now,
			  const struct switch_snapshot *before, uint64_t start_ns,
			  struct error *error)
{
	double at = (now->time_ns - start_ns) / 1e9;
	double seconds = (now->time_ns - before->time_ns) / 1e9;
	struct switch_counts counts = switch_counts_between(now, before, -1);
	int ret;

	if (seconds <= 0)
		return 0;
	rates_write(record->rates, &counts, at, seconds);
	heat_write(record->heat, now, before, at, seconds);
	ret = trial_append(record, &counts, now, seconds, error);
	if (!ret)
		ret = file_flush(record->rates, record->dir, error);
	if (!ret)
		ret = file_flush(record->heat, record->dir, error);
	return ret;
}

static int tops_write(struct watch_record *record, json_t *summary, struct error *error)
{
	FILE *file = file_create(record->dir, "watch-top.tsv", error);
	json_t *line;
	size_t i;

	if (!file)
		return -error->code;
	fprintf(file, "# name back on else\n");
	json_array_foreach (json_object_get(summary, "borrowers"), i, line) {
		json_int_t runs = json_integer_value(json_object_get(line, "borrow")) +
				  json_integer_value(json_object_get(line, "pass"));
		json_int_t back = json_integer_value(json_object_get(line, "back"));
		json_int_t on = json_integer_value(json_object_get(line, "on"));

		const char *name = member_text(line, "name");

		/* A quotation mark would end gnuplot's column. */
		fputc('"', file);
		for (; *name; name++)
			fputc(*name == '"' ? '\'' : *name, file);
		fprintf(file, "\" %lld %lld %lld\n", back, on,
			runs > back + on ? runs - back - on : 0);
	}
	if (fclose(file))
		return error_set(error, errno, "%s/watch-top.tsv: %s", record->dir,
				 strerror(errno));
	return 0;
}

/* What a set's summary has, and the whole watch. */
static int summary_write(struct watch_record *record, json_t *watch, struct error *error)
{
	json_t *summary;
	int ret;

	summary = member_pack("{s:i, s:s, s:b, s:{s:i, s:i, s:i}, s:{s:s}, s:[], s:[], s:O}",
			      "schema", RESULT_SCHEMA, "kind", "watch", "verified",
			      !json_is_true(json_object_get(watch, "estimated")), "trials", "total",
			      record->count, "valid", record->count, "invalid", 0, "headline",
			      "unavailable",
			      "a recorded watch counts switches, it measures no costs", "results",
			      "unavailable", "watch", watch);
	if (!summary)
		return error_set(error, ENOMEM, "no memory for the record's summary");
	ret = result_write_json(record->dir, "summary.json", summary, error);
	json_decref(summary);
	return ret;
}

int watch_record_close(struct watch_record *record, json_t *summary, struct error *error)
{
	int ret = 0;

	if (!record)
		return 0;
	if (summary) {
		ret = tops_write(record, summary, error);
		if (!ret)
			ret = summary_write(record, summary, error);
	}
	result_close(record->trials);
	if (record->rates)
		fclose(record->rates);
	if (record->heat)
		fclose(record->heat);
	free(record->dir);
	free(record);
	return ret;
}
