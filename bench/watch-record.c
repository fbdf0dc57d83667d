// SPDX-License-Identifier: GPL-2.0-or-later
/* Writes a watch down as a result set: a line per interval, the summary, and tables to draw from. */
#include "config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include "bench/watch.h"

struct watch_record {
	char *dir;
	FILE *intervals; /* watch.jsonl */
	FILE *rates; /* watch-rates.tsv */
	FILE *heat; /* watch-heat.tsv */
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

int watch_record_open(struct watch_record **out, const char *dir, struct error *error)
{
	struct watch_record *record;

	if (mkdir(dir, 0777) && errno != EEXIST)
		return error_set(error, errno, "%s: %s", dir, strerror(errno));
	record = calloc(1, sizeof(*record));
	if (record)
		record->dir = strdup(dir);
	if (!record || !record->dir) {
		free(record);
		return error_set(error, ENOMEM, "no memory for the record");
	}
	/* Created exclusively: the record of an earlier watch is never written over. */
	record->intervals = file_create(dir, "watch.jsonl", error);
	if (record->intervals)
		record->rates = file_create(dir, "watch-rates.tsv", error);
	if (record->rates)
		record->heat = file_create(dir, "watch-heat.tsv", error);
	if (!record->heat) {
		int code = error->code;

		watch_record_close(record, NULL, &(struct error){ 0 });
		return -code;
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
		struct switch_counts counts = now->cpu[cpu];
		uint64_t all, lazy;

		switch_counts_subtract(&counts, &before->cpu[cpu]);
		all = switch_counts_switches(&counts);
		lazy = all - switch_counts_class(&counts, SWITCH_THREAD) -
		       switch_counts_class(&counts, SWITCH_REAL);
		fprintf(file, "%.3f %u %.1f %.1f %.1f %.3f\n", at, cpu, lazy / seconds,
			switch_counts_saved(&counts) / seconds, all / seconds, seconds);
	}
}

static int files_flush(struct watch_record *record, struct error *error)
{
	FILE *files[] = { record->intervals, record->rates, record->heat };

	for (int i = 0; i < 3; i++)
		if (fflush(files[i]) || ferror(files[i]))
			return error_set(error, errno ? errno : EIO,
					 "%s: the record cannot be written: %s", record->dir,
					 strerror(errno ? errno : EIO));
	return 0;
}

int watch_record_interval(struct watch_record *record, const struct switch_snapshot *now,
			  const struct switch_snapshot *before, uint64_t start_ns,
			  struct error *error)
{
	double at = (now->time_ns - start_ns) / 1e9;
	double seconds = (now->time_ns - before->time_ns) / 1e9;
	struct switch_counts counts = now->total;
	json_t *line;

	if (seconds <= 0)
		return 0;
	switch_counts_subtract(&counts, &before->total);
	line = json_pack("{s:i, s:f, s:f, s:o}", "schema", 1, "seconds", at, "length_s", seconds,
			 "counts", watch_counts_json(&counts, now));
	if (!line)
		return error_set(error, ENOMEM, "no memory for a line of the record");
	json_dumpf(line, record->intervals, JSON_COMPACT);
	fputc('\n', record->intervals);
	json_decref(line);
	rates_write(record->rates, &counts, at, seconds);
	heat_write(record->heat, now, before, at, seconds);
	return files_flush(record, error);
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

		fprintf(file, "\"%s\" %lld %lld %lld\n",
			json_string_value(json_object_get(line, "name")), back, on,
			runs > back + on ? runs - back - on : 0);
	}
	if (fclose(file))
		return error_set(error, errno, "%s/watch-top.tsv: %s", record->dir,
				 strerror(errno));
	return 0;
}

int watch_record_close(struct watch_record *record, json_t *summary, struct error *error)
{
	char path[4096];
	int ret = 0;

	if (!record)
		return 0;
	if (summary) {
		ret = tops_write(record, summary, error);
		snprintf(path, sizeof(path), "%s/watch.json", record->dir);
		if (!ret && json_dump_file(summary, path, JSON_INDENT(1)))
			ret = error_set(error, EIO, "%s: cannot be written", path);
	}
	if (record->intervals)
		fclose(record->intervals);
	if (record->rates)
		fclose(record->rates);
	if (record->heat)
		fclose(record->heat);
	free(record->dir);
	free(record);
	return ret;
}
