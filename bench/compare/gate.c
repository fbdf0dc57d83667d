// SPDX-License-Identifier: GPL-2.0-or-later
/* What a gate says of a comparison. */
#include <string.h>

#include "bench/compare/private.h"
#include "lib/base/member.h"

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
	const json_t *pair, *v;
	size_t p, i, noisy = 0, differ = 0;

	json_array_foreach (all, p, pair) {
		if (json_object_get(pair, "times_refused") &&
		    !json_is_true(json_object_get(pair, "forced"))) {
			snprintf(buf, len, "only counts were held against the gate, no times: %s",
				 member_text(pair, "times_refused"));
			return true;
		}
		json_array_foreach (json_object_get(pair, "counters_lost"), i, v)
			for (size_t c = 0; c < COMPARE_COUNTS; c++)
				if (!strcmp(member_text(v, "counter"), compare_counts[c])) {
					snprintf(buf, len,
						 "%s was not held against the gate: only one set "
						 "counted it",
						 compare_counts[c]);
					return true;
				}
		json_array_foreach (json_object_get(pair, "times"), i, v)
			differ += !strcmp(member_text(v, "verdict"), "differ");
		json_array_foreach (json_object_get(pair, "times"), i, v)
			noisy += !strcmp(member_text(v, "quantity"), "ns-per-round-trip") &&
				 (!strcmp(member_text(v, "verdict"), "noisy") ||
				  !strcmp(member_text(v, "verdict"), "no trials"));
	}
	if (differ) {
		snprintf(buf, len,
			 "%zu rows of the two runs differ, but one session a side cannot tell "
			 "whether the kernels do: name more sets a side, or judge by one "
			 "(--one-session)",
			 differ);
		return true;
	}
	if (noisy)
		snprintf(buf, len, "the gate saw nothing, but %zu rows were too noisy to tell",
			 noisy);
	return noisy;
}
