// SPDX-License-Identifier: GPL-2.0-or-later
/* A comparison as CSV (RFC 4180): a line per quantity, scenario and set; and what the gate says. */
#include <math.h>
#include <string.h>

#include "bench/compare.h"
#include "lib/member.h"

static void quoted(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"')
			fputc('"', out);
		fputc(*s, out);
	}
	fputc('"', out);
}

static void figure(FILE *out, const json_t *row, const char *key)
{
	double v = member_number(row, key);

	fputc(',', out);
	if (isfinite(v))
		fprintf(out, "%.9g", v);
}

static void line(FILE *out, const json_t *pair, const json_t *row, const char *quantity,
		 const char *base, const char *other, const char *verdict)
{
	static const char *const rest[] = {
		"ratio",	   "low", "high",   "difference",   "difference_low",
		"difference_high", "p",	  "p_holm", "trials_needed"
	};

	quoted(out, member_text(row, "scenario"));
	fputc(',', out);
	quoted(out, member_text(row, "params"));
	fprintf(out, ",%s,", quantity);
	quoted(out, member_text(pair, "base_name"));
	fputc(',', out);
	quoted(out, member_text(pair, "other_name"));
	figure(out, row, "base_trials");
	figure(out, row, "other_trials");
	figure(out, row, base);
	figure(out, row, other);
	for (size_t i = 0; i < sizeof(rest) / sizeof(*rest); i++)
		figure(out, row, rest[i]);
	fprintf(out, ",%s,%s\n", verdict,
		json_is_true(json_object_get(pair, "forced")) ? "forced" : "");
}

void compare_print_csv(const json_t *all, FILE *out)
{
	const json_t *pair, *v;
	size_t p, i;

	fprintf(out, "scenario,parameters,quantity,base,other,base_trials,other_trials,base_median,"
		     "other_median,ratio,ratio_low,ratio_high,difference,difference_low,"
		     "difference_high,p,p_holm,trials_needed,verdict,forced\n");
	json_array_foreach (all, p, pair) {
		json_array_foreach (json_object_get(pair, "counts"), i, v)
			line(out, pair, v, member_text(v, "count"), "base", "other",
			     member_number(v, "other") > member_number(v, "base") ? "more"
										  : "fewer");
		json_array_foreach (json_object_get(pair, "counters_lost"), i, v)
			line(out, pair, v, member_text(v, "counter"), "", "", "lost");
		json_array_foreach (json_object_get(pair, "times"), i, v)
			line(out, pair, v, member_text(v, "quantity"), "base_median",
			     "other_median", member_text(v, "verdict"));
	}
}

static bool pair_fails(const json_t *pair, double percent, char *buf, size_t len)
{
	const json_t *v;
	size_t i;

	json_array_foreach (json_object_get(pair, "counts"), i, v)
		if (member_number(v, "other") > member_number(v, "base")) {
			snprintf(buf, len, "%s %s: %s per round trip grew from %.2f to %.2f in %s",
				 member_text(v, "scenario"), member_text(v, "params"),
				 member_text(v, "count"), member_number(v, "base"),
				 member_number(v, "other"), member_text(pair, "other_name"));
			return true;
		}
	json_array_foreach (json_object_get(pair, "missing"), i, v)
		if (!strcmp(member_text(v, "only_in"), "base")) {
			snprintf(buf, len, "%s %s is missing from %s", member_text(v, "scenario"),
				 member_text(v, "params"), member_text(pair, "other"));
			return true;
		}
	json_array_foreach (json_object_get(pair, "times"), i, v)
		if (!strcmp(member_text(v, "verdict"), "slower") &&
		    (member_number(v, "low") - 1) * 100 > percent) {
			snprintf(buf, len, "%s %s is slower by %.1f %% [%.1f, %.1f] in %s",
				 member_text(v, "scenario"), member_text(v, "params"),
				 (member_number(v, "ratio") - 1) * 100,
				 (member_number(v, "low") - 1) * 100,
				 (member_number(v, "high") - 1) * 100,
				 member_text(pair, "other_name"));
			return true;
		}
	return false;
}

bool compare_fails(const json_t *all, double percent, char *buf, size_t len)
{
	const json_t *pair;
	size_t p;

	json_array_foreach (all, p, pair)
		if (pair_fails(pair, percent, buf, len))
			return true;
	return false;
}

bool compare_blind(const json_t *all, char *buf, size_t len)
{
	static const char *const counts[] = { "cr3-loads", "cr3-flushes", "context-switches",
					      "tlb-ipis" };
	const json_t *pair, *v;
	size_t p, i, noisy = 0;

	json_array_foreach (all, p, pair) {
		if (json_object_get(pair, "times_refused") &&
		    !json_is_true(json_object_get(pair, "forced"))) {
			snprintf(buf, len, "only counts were held against the gate, no times: %s",
				 member_text(pair, "times_refused"));
			return true;
		}
		json_array_foreach (json_object_get(pair, "counters_lost"), i, v)
			for (size_t c = 0; c < sizeof(counts) / sizeof(*counts); c++)
				if (!strcmp(member_text(v, "counter"), counts[c])) {
					snprintf(buf, len,
						 "%s was not held against the gate: only one set "
						 "counted it",
						 counts[c]);
					return true;
				}
		json_array_foreach (json_object_get(pair, "times"), i, v)
			noisy += !strcmp(member_text(v, "quantity"), "ns-per-round-trip") &&
				 (!strcmp(member_text(v, "verdict"), "noisy") ||
				  !strcmp(member_text(v, "verdict"), "no trials"));
	}
	if (noisy)
		snprintf(buf, len, "the gate saw nothing, but %zu rows were too noisy to tell",
			 noisy);
	return noisy;
}
