// SPDX-License-Identifier: GPL-2.0-or-later
/* What a watch in turns says of its windows, and how sure it is of what it extrapolated from them. */
#include "config.h"
#include <math.h>
#include <stdio.h>
#include "bench/watch/watch.h"
#include "lib/base/member.h"

const char *watch_kind_name(int kind)
{
	static const char *const names[WATCH_KINDS] = {
		[WATCH_SAVED] = "loads_saved",
		[WATCH_KEPT] = "kept",
		[WATCH_FLUSHED] = "flushing",
		[WATCH_SENT] = "shootdowns_sent",
		[WATCH_RECEIVED] = "shootdowns_received",
	};

	return kind < SWITCH_CLASSES ? switch_class_name(kind) : names[kind];
}

static json_t *total_json(const struct stats_total *total)
{
	return member_pack("{s:o, s:o}", "low", member_real(floor(total->low)), "high",
			   member_real(ceil(total->high)));
}

json_t *watch_estimates_json(const struct watch_estimates *estimates)
{
	json_t *intervals = json_object();

	for (int kind = 0; kind < WATCH_KINDS; kind++)
		member_set(intervals, watch_kind_name(kind), total_json(&estimates->kinds[kind]));
	member_set(intervals, "lazy", total_json(&estimates->lazy));
	return member_pack("{s:f, s:f, s:I, s:f, s:I, s:I, s:I, s:f, s:f, s:f, s:o}", "share",
			   estimates->share, "open_share", estimates->open_share, "windows",
			   (json_int_t)estimates->windows, "window_s", estimates->window_s, "seed",
			   (json_int_t)estimates->seed, "seen", (json_int_t)estimates->seen,
			   "switches", (json_int_t)estimates->all, "attach_ns",
			   estimates->attach_ns, "detach_ns", estimates->detach_ns, "level",
			   WATCH_LEVEL, "intervals", intervals);
}

void watch_estimates_print(const struct watch_estimates *estimates, FILE *to)
{
	if (!estimates->seen) {
		fprintf(to,
			"  No switch fell into a window (of %llu): nothing is known of the "
			"classes. Watch\n"
			"  for longer, or always: --share 100.\n",
			(unsigned long long)estimates->windows);
		return;
	}
	fprintf(to,
		"  Counted in %llu windows of %.0f ms on average at random times (%.1f%% of the "
		"time, --seed "
		"%llu),\n"
		"  %llu switches of %llu by the kernel's own count; the rest is extrapolated, with "
		"95%% "
		"intervals.\n",
		(unsigned long long)estimates->windows, estimates->window_s * 1e3,
		100 * estimates->open_share, (unsigned long long)estimates->seed,
		(unsigned long long)estimates->seen, (unsigned long long)estimates->all);
}
