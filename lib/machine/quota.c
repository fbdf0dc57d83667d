// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/machine/cgroup.h"
#include "lib/machine/quota.h"
#include "lib/machine/record-private.h"

/* Value of the row @key of cpu.stat's @text. */
static double stat_row(const char *text, const char *key)
{
	size_t len = strlen(key);

	for (const char *at = text; at && *at; at = strchr(at, '\n') ? strchr(at, '\n') + 1 : NULL)
		if (!strncmp(at, key, len) && at[len] == ' ')
			return strtod(at + len, NULL);
	return 0;
}

static void group_quota(struct quota *q, const char *dir)
{
	char *max = machine_text("%s/cpu.max", dir), *quota = NULL, *period = NULL;
	double used = 0, of = 0;
	const char *file = "cpu.max";

	if (!max) {
		file = "cpu.cfs_quota_us";
		quota = machine_text("%s/%s", dir, file);
		period = machine_text("%s/cpu.cfs_period_us", dir);
		used = quota ? strtod(quota, NULL) : 0; /* -1: none */
		of = period ? strtod(period, NULL) : 0;
	} else if (sscanf(max, "%lf %lf", &used, &of) != 2) {
		used = 0; /* "max 100000" */
	}
	if (used > 0 && of > 0 && (!q->cpus || used / of < q->cpus)) {
		q->cpus = used / of;
		q->period_s = of * 1e-6;
		snprintf(q->file, sizeof(q->file), "%.220s/%s", dir, file);
	}
	free(max);
	free(quota);
	free(period);
}

static void group_throttled(struct quota *q, const char *dir)
{
	char *text = machine_text("%s/cpu.stat", dir);

	q->throttled += (uint64_t)stat_row(text, "nr_throttled");
	q->throttled_ns += stat_row(text, "throttled_usec") * 1e3 +
			   stat_row(text, "throttled_time");
	free(text);
}

static void group_read(const char *dir, void *ctx)
{
	group_quota(ctx, dir);
	group_throttled(ctx, dir);
}

void quota_read(struct quota *q)
{
	*q = (struct quota){ 0 };
	cgroup_each("cpu", group_read, q);
}
