// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libFuzzer on result sets: the input is machine.json, a NUL, and trials.jsonl, whole or half. Every set is read by both readers and
 * compared with itself, in every output. Besides crashes it looks for lines on which the quick scan and jansson disagree.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench/compare/compare.h"
#include "lib/results/set.h"

static char dir[] = "/dev/shm/activemm-fuzz-XXXXXX";
static FILE *null;

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void clear(void)
{
	char path[64];

	snprintf(path, sizeof(path), "%s/machine.json", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/trials.jsonl", dir);
	unlink(path);
	rmdir(dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	null = fopen("/dev/null", "w");
	if (!null || !mkdtemp(dir))
		abort();
	atexit(clear);
	return 0;
}

static void put(const char *name, const uint8_t *data, size_t size)
{
	char path[64];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	if (!f || fwrite(data, 1, size, f) != size || fclose(f))
		abort();
}

static bool same_text(const struct line_text *a, const char *b, size_t len)
{
	return a->len == len && !memcmp(a->at, b, len);
}

/* What the scan takes for sound, jansson must read alike. */
static void line_check(const char *line, size_t len)
{
	char *copy = strndup(line, len), *owned[2] = { NULL, NULL };
	struct line_view scanned, parsed;
	json_t *trial, *params;

	if (copy && strlen(copy) == len && scan_line(copy, len, &scanned)) {
		double series[64];

		if (result_parse_trial("", 1, copy, len, &trial, NULL) ||
		    !scan_line_json(trial, &parsed, owned))
			abort();
		params = json_loadb(scanned.params.at, scanned.params.len, 0, NULL);
		if (!json_equal(params, json_object_get(trial, "params")) ||
		    !same_text(&scanned.scenario, parsed.scenario.at, parsed.scenario.len) ||
		    scanned.valid != parsed.valid || scanned.verified != parsed.verified ||
		    isnan(scanned.ns) != isnan(parsed.ns) ||
		    (!isnan(scanned.ns) && scanned.ns != parsed.ns) ||
		    scanned.counters != parsed.counters ||
		    scan_batches(&scanned, series, 64) != scan_batches(&parsed, series, 64))
			abort();
		for (int i = 0; i < scanned.counters; i++) {
			const json_t *of = *scanned.counter[i].prefix
						   ? json_object_get(trial, "remote")
						   : trial,
				     *one = json_object_getn(json_object_get(of, "counters"),
							     scanned.counter[i].name.at,
							     scanned.counter[i].name.len),
				     *v = json_object_get(one, "per_round_trip");
			double value = scanned.counter[i].value;

			if (!one) {
				one = json_object_getn(json_object_get(trial, "figures"),
						       scanned.counter[i].name.at,
						       scanned.counter[i].name.len);
				v = json_object_get(one, "value");
			}
			if (!one || isnan(value) == json_is_number(v) ||
			    (!isnan(value) && value != json_number_value(v)))
				abort();
		}
		json_decref(params);
		json_decref(trial);
		free(owned[0]);
		free(owned[1]);
	}
	free(copy);
}

static void lines_check(const char *text, size_t size)
{
	while (size) {
		const char *end = memchr(text, '\n', size);
		size_t len = end ? (size_t)(end - text) : size;

		line_check(text, len);
		text += len + (end ? 1 : 0);
		size -= len + (end ? 1 : 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct compare_options options = { .force = true, .share = 0.02 };
	const uint8_t *split = memchr(data, 0, size);
	size_t machine = split ? (size_t)(split - data) : size;
	struct scan_set sets[3] = { 0 };
	struct result_set set;
	struct error e = { 0 };
	char line[400];
	size_t read = 0;

	put("machine.json", data, machine);
	put("trials.jsonl", split ? split + 1 : data, split ? size - machine - 1 : 0);
	if (split)
		lines_check((const char *)split + 1, size - machine - 1);
	for (; read < 3 && !scan_set_read(&sets[read], dir, &e); read++)
		;
	/* An error is one line. */
	if (read < 3 && (read || !e.text[0] || strchr(e.text, '\n')))
		abort();
	if (!result_read(&set, dir, NULL)) {
		if (read == 3 && json_array_size(set.trials) != sets[0].trials)
			abort();
		result_free(&set);
	} else if (read == 3) {
		abort();
	}
	if (read == 3) {
		json_t *all = compare_sets(sets, 3, &options, &e);

		if (!all)
			abort();
		compare_print(all, null);
		compare_print_csv(all, null);
		compare_print_markdown(all, null);
		/* A set against itself has no regression. */
		if (compare_fails(all, 0, line, sizeof(line)))
			abort();
		compare_blind(all, line, sizeof(line));
		json_decref(all);
	}
	while (read)
		scan_set_free(&sets[--read]);
	return 0;
}
