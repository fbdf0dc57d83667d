// SPDX-License-Identifier: GPL-2.0-or-later
/* Boots of one kernel with other parameters (nopcid, pti=off, mitigations=off) as one table. */
#include <errno.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/private.h"
#include "bench/summary/labels.h"
#include "lib/base/member.h"

#define RESAMPLES 2000
#define SEED	  1999 /* fixed: the same sets give the same table */
#define LINE	  120 /* columns of a terminal's table */

static const char *cmdline(const struct scan_set *s)
{
	return member_text(json_object_get(s->machine, "kernel"), "cmdline");
}

static bool has_word(const char *line, const char *word, size_t len)
{
	for (; *line; line += strcspn(line, " "), line += strspn(line, " "))
		if (strcspn(line, " ") == len && !strncmp(line, word, len))
			return true;
	return false;
}

static bool every_has(const struct side *sides, size_t n, const char *word, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (!has_word(cmdline(sides[i].set), word, len))
			return false;
	return true;
}

/* What side @i was booted with and not all others. New string, "" where that is nothing. */
static char *own_words(const struct side *sides, size_t n, size_t i)
{
	const char *word = cmdline(sides[i].set);
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	if (!f)
		return NULL;
	for (; *word; word += strcspn(word, " "), word += strspn(word, " ")) {
		size_t len = strcspn(word, " ");

		if (!set_loaders_word(word, len) && !every_has(sides, n, word, len))
			fprintf(f, "%s%.*s", ftell(f) > 0 ? " " : "", (int)len, word);
	}
	fclose(f);
	/* It comes from a file and goes to a terminal. */
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
			*c = '?';
	return text;
}

static bool same_kernel(const struct scan_set *a, const struct scan_set *b)
{
	static const char *const keys[] = { "release", "version" };
	const json_t *x = json_object_get(a->machine, "kernel"),
		     *y = json_object_get(b->machine, "kernel");

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		if (strcmp(member_text(x, keys[i]), member_text(y, keys[i])) != 0)
			return false;
	return json_equal(json_object_get(json_object_get(a->machine, "cpu"), "model"),
			  json_object_get(json_object_get(b->machine, "cpu"), "model"));
}

/* The scenario's plain row: no working set, asks for nothing. */
static const struct facts *plain(const struct side *s, const char *scenario)
{
	for (size_t i = 0; i < s->set->n; i++) {
		const struct facts *f = &s->facts[i];

		if (!strcmp(f->scenario, scenario) && f->nsessions &&
		    !json_integer_value(json_object_get(f->group->parsed, "pages")) &&
		    !params_ask(f->group->parsed, NULL))
			return f;
	}
	return NULL;
}

/* Differences of sessions' medians; of trials where there is one session. */
static json_t *saving(const struct side *s)
{
	const struct facts *real = plain(s, "process"), *lazy = plain(s, "thread");
	struct stats_difference d;
	double *v, mean, half;
	size_t n;

	if (!real || !lazy)
		return json_null();
	n = real->nsessions;
	v = n > 1 && n == lazy->nsessions ? malloc(n * sizeof(*v)) : NULL;
	if (!v) {
		d = stats_difference(lazy->sorted, lazy->group->ns.n, real->sorted,
				     real->group->ns.n, 0.95, RESAMPLES, SEED);
		return member_pack("{s:o, s:o, s:o}", "median", member_real(d.value), "low",
				   member_real(d.low), "high", member_real(d.high));
	}
	for (size_t i = 0; i < n; i++)
		v[i] = exp(real->sessions[i]) - exp(lazy->sessions[i]);
	mean = gsl_stats_mean(v, 1, n);
	half = gsl_stats_sd(v, 1, n) / sqrt((double)n) * gsl_cdf_tdist_Pinv(0.975, (double)n - 1);
	free(v);
	return member_pack("{s:f, s:f, s:f}", "median", mean, "low", mean - half, "high",
			   mean + half);
}

int boots_name(struct side *sides, size_t n)
{
	bool one = true, differ = false;

	for (size_t i = 1; i < n; i++)
		one &= same_kernel(sides[0].set, sides[i].set);
	for (size_t i = 0; i < n && one; i++) {
		sides[i].boot = own_words(sides, n, i);
		if (!sides[i].boot)
			return -ENOMEM;
		differ |= *sides[i].boot != '\0';
	}
	for (size_t i = 0; i < n && !differ; i++) {
		free(sides[i].boot);
		sides[i].boot = NULL;
	}
	return 0;
}

json_t *boot_json(const struct side *s)
{
	return member_pack("{s:o, s:o}", "parameters", member_string(*s->boot ? s->boot : "plain"),
			   "saving", saving(s));
}

/* What of a pair or a row is of the base, or of the other side. */
static const json_t *of(const json_t *o, bool base, const char *key)
{
	char name[64];

	snprintf(name, sizeof(name), "%s_%s", base ? "base" : "other", key);
	return json_object_get(o, name);
}

/* Of rings the smallest and the largest, whose mms do and do not find room in the TLB. */
static bool extreme(const json_t *rows, const json_t *ring)
{
	double n = member_number(json_object_get(ring, "parameters"), "n");
	bool less = false, more = false;
	const json_t *row;
	size_t i;

	json_array_foreach (rows, i, row) {
		double other = member_number(json_object_get(row, "parameters"), "n");

		less |= !strcmp(member_text(row, "scenario"), "ring") && other < n;
		more |= !strcmp(member_text(row, "scenario"), "ring") && other > n;
	}
	return !less || !more;
}

/* A column's heading, or "" where the row, one of @rows, gets none. */
static void heading(const json_t *rows, const json_t *row, char *buf, size_t len)
{
	static const char *const apart[] = { "base", "shootdown", "refcount", "exit", "watch" };
	static const char *const telling[] = { "mode", "mm", "n", "membarrier", "ibpb", "l1d" };
	const json_t *params = json_object_get(row, "parameters");
	const char *name = member_text(row, "scenario");

	*buf = '\0';
	for (size_t i = 0; i < sizeof(apart) / sizeof(*apart); i++)
		if (!strcmp(name, apart[i]))
			return;
	if (json_integer_value(json_object_get(params, "pages")) ||
	    (!strcmp(name, "ring") && !extreme(rows, row)))
		return;
	snprintf(buf, len, "%.20s", name);
	for (size_t i = 0; i < sizeof(telling) / sizeof(*telling); i++) {
		const json_t *v = json_object_get(params, telling[i]);
		size_t used = strlen(buf);

		if (json_is_integer(v))
			snprintf(buf + used, len - used, " %s=%lld", telling[i],
				 (long long)json_integer_value(v));
		else if (json_is_string(v))
			snprintf(buf + used, len - used, " %.12s",
				 strcmp(json_string_value(v), "on") &&
						 strcmp(json_string_value(v), "private")
					 ? json_string_value(v)
					 : telling[i]);
	}
}

static json_t *row_cell(const json_t *row, bool base, bool times)
{
	static const char *const keys[] = { "median", "low", "high" };
	const json_t *counts = of(row, base, "counts");
	json_t *o = json_object();

	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys) && times; i++)
		member_share(o, keys[i], (json_t *)of(row, base, keys[i]));
	member_share(o, "cr3_loads", json_object_get(counts, "cr3-loads"));
	member_share(o, "cr3_flushes", json_object_get(counts, "cr3-flushes"));
	return o;
}

static json_t *saving_cell(const json_t *boot, bool times)
{
	const json_t *v = json_object_get(boot, "saving");

	return times && json_is_object(v) ? json_deep_copy(v) : json_object();
}

/* All cells of a boot: of the base, or of @pair's other side. */
static json_t *boot_cells(const json_t *all, const json_t *pair, bool base, bool times)
{
	json_t *cells = json_array(), *boot = (json_t *)of(pair, base, "boot");
	const json_t *rows = json_object_get(json_array_get(all, 0), "times"), *like, *row;
	char name[64];
	size_t i;

	json_array_foreach (rows, i, like) {
		heading(rows, like, name, sizeof(name));
		if (!*name)
			continue;
		row = compare_row_like(pair, like);
		member_append(cells, row ? row_cell(row, base, times) : json_object());
		if (!strcmp(name, "process"))
			member_append(cells, saving_cell(boot, times));
	}
	return member_pack("{s:O, s:o}", "boot", json_object_get(boot, "parameters"), "cells",
			   cells);
}

json_t *compare_boots(const json_t *all)
{
	json_t *columns, *boots;
	const json_t *pair, *row, *first = json_array_get(all, 0),
				  *rows = json_object_get(first, "times");
	bool times = true;
	char name[64];
	size_t i;

	if (!json_object_get(first, "base_boot"))
		return NULL;
	columns = json_array();
	boots = json_array();
	json_array_foreach (rows, i, row) {
		heading(rows, row, name, sizeof(name));
		if (*name)
			member_append(columns, member_string(name));
		if (!strcmp(name, "process"))
			member_append(columns, member_string("saving"));
	}
	json_array_foreach (all, i, pair)
		times &= compare_times_shown(pair);
	member_append(boots, boot_cells(all, first, true, times));
	json_array_foreach (all, i, pair)
		member_append(boots, boot_cells(all, pair, false, times));
	return member_pack("{s:o, s:o, s:b}", "columns", columns, "boots", boots, "times", times);
}

void compare_boot_cell(const json_t *cell, bool times, char *ns, char *counts, size_t len)
{
	double m = member_number(cell, "median"), l = member_number(cell, "low"),
	       h = member_number(cell, "high"), loads = member_number(cell, "cr3_loads"),
	       flushes = member_number(cell, "cr3_flushes");

	snprintf(ns, len, "-");
	snprintf(counts, len, "-");
	if (times && isfinite(m) && isfinite(l) && isfinite(h))
		snprintf(ns, len, "%.0f [%.0f, %.0f]", m, l, h);
	else if (times && isfinite(m))
		snprintf(ns, len, "%.0f", m);
	if (isfinite(loads) && isfinite(flushes))
		snprintf(counts, len, "%.2f, %.2f", loads, flushes);
	else if (isfinite(loads))
		snprintf(counts, len, "%.2f", loads);
}

const char *compare_boots_title(const json_t *table)
{
	return json_is_true(json_object_get(table, "times"))
		       ? "One kernel, booted in other ways: ns per round trip with 95 % intervals; "
			 "below them CR3 loads, and how many of them flush. Saving: process minus "
			 "thread."
		       : "One kernel, booted in other ways: CR3 loads per round trip, and how many "
			 "of them flush.";
}

static void markdown_row(const json_t *row, bool times, FILE *out)
{
	char ns[96], counts[96], boot[1024];
	const json_t *cell;
	size_t i;

	fprintf(out, "| %s |", compare_escape(member_text(row, "boot"), true, boot, sizeof(boot)));
	json_array_foreach (json_object_get(row, "cells"), i, cell) {
		compare_boot_cell(cell, times, ns, counts, sizeof(ns));
		if (times && strcmp(counts, "-") != 0)
			fprintf(out, " %s<br>%s |", ns, counts);
		else
			fprintf(out, " %s |", times ? ns : counts);
	}
	fprintf(out, "\n");
}

static void markdown(const json_t *table, FILE *out)
{
	bool times = json_is_true(json_object_get(table, "times"));
	const json_t *v;
	size_t i;

	fprintf(out, "\n%s\n\n| boot |", compare_boots_title(table));
	json_array_foreach (json_object_get(table, "columns"), i, v)
		fprintf(out, " %s |", json_string_value(v));
	fprintf(out, "\n|---|");
	json_array_foreach (json_object_get(table, "columns"), i, v)
		fprintf(out, "---|");
	fprintf(out, "\n");
	json_array_foreach (json_object_get(table, "boots"), i, v)
		markdown_row(v, times, out);
}

/* The columns from @from to before @to: a part that a terminal's line holds. */
static void part(const json_t *table, size_t from, size_t to, int width, int name, FILE *out)
{
	bool times = json_is_true(json_object_get(table, "times"));
	char ns[96], counts[96];
	const json_t *row;
	size_t b, i;

	fprintf(out, "\n%-*s", name, "boot");
	for (i = from; i < to; i++)
		fprintf(out, "  %-*.*s", width, width,
			json_string_value(json_array_get(json_object_get(table, "columns"), i)));
	fprintf(out, "\n");
	json_array_foreach (json_object_get(table, "boots"), b, row) {
		for (int line = times ? 0 : 1; line < 2; line++) {
			bool first = line == (times ? 0 : 1);

			fprintf(out, "%-*.*s", name, name, first ? member_text(row, "boot") : "");
			for (i = from; i < to; i++) {
				compare_boot_cell(json_array_get(json_object_get(row, "cells"), i),
						  times, ns, counts, sizeof(ns));
				fprintf(out, "  %-*s", width, line ? counts : ns);
			}
			fprintf(out, "\n");
		}
	}
}

void compare_print_boots(const json_t *all, FILE *out, bool as_markdown)
{
	json_t *table = compare_boots(all), *row;
	size_t n, fit, i, name = 5;
	int width;

	if (!table)
		return;
	if (as_markdown) {
		markdown(table, out);
		json_decref(table);
		return;
	}
	n = json_array_size(json_object_get(table, "columns"));
	width = json_is_true(json_object_get(table, "times")) ? 20 : 12;
	json_array_foreach (json_object_get(table, "boots"), i, row)
		name = strlen(member_text(row, "boot")) > name ? strlen(member_text(row, "boot"))
							       : name;
	if (name > 40)
		name = 40;
	fit = (LINE - name) / ((size_t)width + 2);
	fprintf(out, "\n%s\n", compare_boots_title(table));
	for (i = 0; i < n; i += fit)
		part(table, i, i + fit < n ? i + fit : n, width, (int)name, out);
	json_decref(table);
}
