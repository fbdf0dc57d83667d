// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/summary/labels.h"
#include "bench/summary/words.h"
#include "lib/base/member.h"

bool figure_told(const json_t *interval)
{
	double low = member_number(interval, "low"), high = member_number(interval, "high");

	return isfinite(low) && isfinite(high) && (low > 0 || high < 0);
}

bool figure_two_speeds(const json_t *interval)
{
	return json_array_size(json_object_get(interval, "speeds")) == 2;
}

const char *figure_unit(double ns, double *scale)
{
	static const char *const names[] = { "ns", "us", "ms", "s" };
	int i = 0;

	/* What rounds to 1000 belongs to the next. */
	for (*scale = 1; i < 3 && fabs(ns) / *scale >= 999.5; i++)
		*scale *= 1000;
	return names[i];
}

/* Three digits, but never more than a tenth of a nanosecond. */
static int digits(double ns, double scale)
{
	double v = fabs(ns) / scale;

	return v < 9.995 && scale > 1 ? 2 : v < 99.95 ? 1 : 0;
}

void figure_value(double ns, char *buf, size_t len)
{
	double scale;
	const char *unit = figure_unit(ns, &scale);

	if (isfinite(ns))
		snprintf(buf, len, "%.*f %s", digits(ns, scale), ns / scale, unit);
	else
		snprintf(buf, len, "-");
}

void figure_text(const json_t *i, char *buf, size_t len)
{
	double m = member_number(i, "median"), l = member_number(i, "low"),
	       h = member_number(i, "high"), scale;
	const json_t *speeds = json_object_get(i, "speeds");
	const char *unit = figure_unit(m, &scale);
	int places = digits(m, scale);

	if (figure_two_speeds(i)) {
		double fast = member_number(json_array_get(speeds, 0), "median"),
		       slow = member_number(json_array_get(speeds, 1), "median");

		unit = figure_unit(slow, &scale);
		places = digits(fast, scale);
		snprintf(buf, len, "%.*f or %.*f %s (two speeds)", places, fast / scale, places,
			 slow / scale, unit);
	} else if (!isfinite(m)) {
		snprintf(buf, len, "-");
	} else if (!isfinite(l) || !isfinite(h)) {
		snprintf(buf, len, "%.*f %s", places, m / scale, unit);
	} else {
		snprintf(buf, len, "%.*f %s [%.*f, %.*f]", places, m / scale, unit, places,
			 l / scale, places, h / scale);
	}
}

void figure_told_text(const json_t *interval, char *buf, size_t len)
{
	char text[FIGURE_TEXT - 32];

	if (figure_told(interval)) {
		figure_text(interval, buf, len);
		return;
	}
	figure_text(interval, text, sizeof(text));
	snprintf(buf, len, "could not be told (%s%s)", text,
		 isfinite(member_number(interval, "low")) ? "" : ", one round");
}

/* What a parameter is called; '*' is its value, and with an s after it a number's plural. */
static const struct {
	const char *scenario; /* NULL: any */
	const char *key, *value; /* NULL: any */
	const char *words;
} sayings[] = {
	{ NULL, "handover", NULL, "by *" },
	{ NULL, "wake", "timer", "woken by a timer" },
	{ NULL, "wake", "remote", "woken by another CPU" },
	{ NULL, "sleep", NULL, "after * us" },
	{ "stale", "mm", "own", "its own page tables" },
	{ "stale", "mm", "other", "a stranger's page tables" },
	{ "refcount", "mm", "shared", "one mm" },
	{ "refcount", "mm", "private", "an mm each" },
	{ "flush", "mm", "shared", "one mm" },
	{ "flush", "mm", "own", "an mm each" },
	{ NULL, "via", NULL, "via *" },
	{ NULL, "place", "near", "" },
	{ NULL, "place", "package", "across a package" },
	{ NULL, "place", "spread", "across packages" },
	{ NULL, "borrow", "lazy", "mm borrowed" },
	{ NULL, "borrow", "none", "mm not borrowed" },
	{ NULL, "hold", NULL, "held * us" },
	{ "ring", "n", NULL, "* process(es)" },
	{ "refcount", "n", NULL, "* task(s)" },
	{ "flush", "n", NULL, "* task(s)" },
	{ NULL, "sides", NULL, "* side(s)" },
	{ NULL, "pages", "0", "" },
	{ NULL, "pages", NULL, "* page(s)" },
	{ NULL, "pagesize", "4k", "" },
	{ NULL, "pagesize", "2m", "of 2 MiB" },
	{ NULL, "pagesize", NULL, "of *" },
	{ NULL, "state", NULL, "*" },
	{ NULL, "op", NULL, "*" },
	{ NULL, "kind", NULL, "*" },
	{ NULL, "mode", NULL, "*" },
};

static const char *saying(const char *scenario, const char *key, const char *value)
{
	for (size_t i = 0; i < sizeof(sayings) / sizeof(*sayings); i++)
		if (!strcmp(sayings[i].key, key) &&
		    (!sayings[i].scenario || !strcmp(sayings[i].scenario, scenario)) &&
		    (!sayings[i].value || !strcmp(sayings[i].value, value)))
			return sayings[i].words;
	return NULL;
}

/* @words with its '*' and its "(s)" filled in. */
static void say(FILE *f, const char *words, const char *value)
{
	for (; *words; words++) {
		if (*words == '*') {
			fputs(value, f);
		} else if (*words == '(') {
			for (words++; *words && *words != ')'; words++)
				if (strcmp(value, "1"))
					fputc(*words, f);
		} else {
			fputc(*words, f);
		}
	}
}

/* A parameter that has no effect beside the others. */
static bool idle_param(const char *key, const json_t *params)
{
	return (!strcmp(key, "sleep") && !strcmp(member_text(params, "wake"), "remote")) ||
	       (!strcmp(key, "pagesize") && !json_integer_value(json_object_get(params, "pages")));
}

void params_words(const char *scenario, const json_t *params, char *buf, size_t len)
{
	FILE *f = fmemopen(buf, len, "w");
	const char *key;
	json_t *v;
	bool begun = false;

	buf[0] = '\0';
	if (!f)
		return;
	json_object_foreach ((json_t *)params, key, v) {
		char number[32];
		const char *value = number, *words;

		if (json_is_string(v))
			value = json_string_value(v);
		else
			snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(v));
		words = saying(scenario, key, value);
		if (idle_param(key, params) || (words && !*words))
			continue;
		/* The size of the pages and the timer's time belong to the word before them. */
		if (begun)
			fputs(!strcmp(key, "pagesize") || !strcmp(key, "sleep") ? " " : ", ", f);
		begun = true;
		if (words)
			say(f, words, value);
		else
			fprintf(f, "%s %s", key, value);
	}
	fclose(f);
	buf[len - 1] = '\0';
}

void refill_text(const json_t *summary, char *buf, size_t len)
{
	const json_t *refill = json_object_get(summary, "tlb_refill"),
		     *minus = json_object_get(refill, "minus"),
		     *slope = json_object_get(refill, "ns_per_page"),
		     *pages = json_object_get(json_array_get(json_object_get(refill, "curves"), 0),
					      "pages");
	char one[FIGURE_TEXT], params[128], other[128], half[32] = "", what[400];
	bool told = figure_told(slope) && member_number(slope, "low") > 0;

	buf[0] = '\0';
	if (!slope) {
		if (json_array_size(pages))
			snprintf(buf, len, "Refilling the TLB: no figure, because %.400s.",
				 member_text(refill, "unavailable"));
		return;
	}
	figure_text(slope, one, sizeof(one));
	params_words(member_text(refill, "of"), json_object_get(refill, "params"), params,
		     sizeof(params));
	params_words(member_text(minus, "scenario"), json_object_get(minus, "params"), other,
		     sizeof(other));
	snprintf(what, sizeof(what), "%.20s %s minus %.20s %s, up to %lld pages",
		 member_text(refill, "of"), params, member_text(minus, "scenario"), other,
		 (long long)json_integer_value(json_object_get(refill, "largest")));
	if (isfinite(member_number(refill, "percent"))) /* one round has no interval */
		snprintf(half, sizeof(half), ", +-%.1f %%", member_number(refill, "percent"));
	if (told)
		snprintf(buf, len,
			 "Refilling the TLB after a flush costs %s per 4 KiB page%s (%s).", one,
			 half, what);
	else
		snprintf(buf, len,
			 "What refilling the TLB after a flush costs per 4 KiB page could not be "
			 "told "
			 "(%s%s; %s).",
			 one, isfinite(member_number(slope, "low")) ? "" : ", one round", what);
}

void scaling_text(const json_t *row, char *buf, size_t len)
{
	const json_t *percent = json_object_get(row, "efficiency_percent");
	double m = member_number(percent, "median"), low = member_number(percent, "low"),
	       high = member_number(percent, "high");

	if (!isfinite(m))
		snprintf(buf, len, "-");
	else if (!isfinite(low))
		snprintf(buf, len, "no difference could be told (%.0f %%, one round)", m);
	else
		snprintf(buf, len, "%s%.0f %% [%.0f, %.0f]%s",
			 low <= 100 && high >= 100 ? "no difference could be told (" : "", m, low,
			 high, low <= 100 && high >= 100 ? ")" : "");
}

bool row_own_switches(const json_t *row)
{
	return json_is_true(json_object_get(row, "own_switches"));
}

bool summary_own_switches(const json_t *summary)
{
	const json_t *r;
	bool any = false;
	size_t i;

	json_array_foreach (json_object_get(summary, "results"), i, r)
		any |= row_own_switches(r);
	return any;
}

/* How many of @params are as @usual has them; what asks for something comes after what is else the same. */
static size_t alike(const json_t *params, const json_t *usual)
{
	const char *key;
	json_t *v;
	size_t n = 0;

	json_object_foreach ((json_t *)usual, key, v)
		n += json_equal(json_object_get(params, key), v);
	return 2 * n + !params_ask(params, NULL);
}

const json_t *row_usual(const json_t *summary, const json_t *machine, const char *scenario)
{
	const json_t *usual = json_object_get(
		json_object_get(json_object_get(machine, "run"), "defaults"), scenario);
	const json_t *best = NULL, *r;
	size_t i;

	/* Sets from before the record had the usual parameters: the plan's first. */
	json_array_foreach (json_object_get(summary, "results"), i, r)
		if (!strcmp(member_text(r, "scenario"), scenario) &&
		    (!best || alike(json_object_get(r, "params"), usual) >
				      alike(json_object_get(best, "params"), usual)))
			best = r;
	return best;
}

static const char *reason(const json_t *one)
{
	const char *why = member_text(one, "why");

	return *why ? why : member_text(one, "text");
}

void reasons_each(const json_t *list,
		  void (*line)(void *context, const char *what, const char *why), void *context)
{
	size_t n = json_array_size(list);

	for (size_t i = 0; i < n; i++) {
		const char *why = reason(json_array_get(list, i));
		char *what = NULL;
		size_t len = 0, before = 0;
		FILE *f;

		while (before < i && strcmp(reason(json_array_get(list, before)), why))
			before++;
		f = before < i ? NULL : open_memstream(&what, &len);
		if (!f)
			continue;
		for (size_t k = i; k < n; k++) {
			const json_t *one = json_array_get(list, k);

			if (!strcmp(reason(one), why))
				fprintf(f, "%s%s", k > i ? ", " : "", member_text(one, "what"));
		}
		fclose(f);
		line(context, what, why);
		free(what);
	}
}
