// SPDX-License-Identifier: GPL-2.0-or-later
/* A comparison as CSV (RFC 4180): a line per quantity, scenario and set. */
#include <math.h>

#include "bench/compare/compare.h"
#include "lib/base/member.h"
#include "lib/base/text.h"

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
		"ratio",	   "low", "high",   "difference",    "difference_low",
		"difference_high", "p",	  "p_holm", "trials_needed", "sessions_needed"
	};

	text_csv(member_text(row, "scenario"), out);
	fputc(',', out);
	text_csv(member_text(row, "params"), out);
	fprintf(out, ",%s,", quantity);
	text_csv(member_text(pair, "base_name"), out);
	fputc(',', out);
	text_csv(member_text(pair, "other_name"), out);
	figure(out, row, "base_trials");
	figure(out, row, "other_trials");
	figure(out, row, base);
	figure(out, row, other);
	for (size_t i = 0; i < sizeof(rest) / sizeof(*rest); i++)
		figure(out, row, rest[i]);
	figure(out, row, "base_sessions");
	figure(out, row, "other_sessions");
	fprintf(out, ",%s,%s,%s\n", member_text(row, "method"), verdict,
		json_is_true(json_object_get(pair, "forced")) ? "forced" : "");
}

void compare_print_csv(const json_t *all, FILE *out)
{
	const json_t *pair, *v;
	size_t p, i;

	fprintf(out, "scenario,parameters,quantity,base,other,base_trials,other_trials,base_median,"
		     "other_median,ratio,ratio_low,ratio_high,difference,difference_low,"
		     "difference_high,p,p_holm,trials_needed,sessions_needed,base_sessions,other_"
		     "sessions,method,verdict,forced\n");
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
