// SPDX-License-Identifier: GPL-2.0-or-later
/* What one CR3 load costs here, from a result set that was measured before. */
#include "config.h"
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include "bench/watch/watch.h"

/* A set from another kernel still says something, but the user has to know. */
static void kernel_compare(struct watch_costs *costs, const char *dir)
{
	const char *release = NULL;
	struct utsname here;
	char path[4096];
	json_t *machine, *kernel;
	size_t length;

	snprintf(path, sizeof(path), "%s/machine.json", dir);
	machine = json_load_file(path, 0, NULL);
	kernel = json_object_get(machine, "kernel");
	if (json_is_object(kernel))
		kernel = json_object_get(kernel, "release");
	release = json_string_value(kernel);
	length = strlen(costs->from);
	if (!release)
		snprintf(costs->from + length, sizeof(costs->from) - length,
			 "; it does not say on which kernel");
	else if (!uname(&here) && strcmp(release, here.release))
		snprintf(costs->from + length, sizeof(costs->from) - length,
			 "; measured on kernel %.40s, not this one", release);
	json_decref(machine);
}

int watch_costs_read(struct watch_costs *costs, const char *dir, struct error *error)
{
	double median, low, high;
	json_error_t where;
	char path[4096];
	const char *why;
	json_t *json;
	int ret;

	snprintf(path, sizeof(path), "%s/summary.json", dir);
	json = json_load_file(path, 0, &where);
	if (!json)
		return error_set(error, EINVAL, "%s: %s (line %d)", path, where.text, where.line);
	ret = json_unpack_ex(json, &where, 0, "{s:{s:{s:F, s:F, s:F}}}", "headline", "saving_ns",
			     "median", &median, "low", &low, "high", &high);
	if (ret) {
		why = json_string_value(
			json_object_get(json_object_get(json, "headline"), "unavailable"));
		error_set(error, EINVAL,
			  "%s: no headline.saving_ns (%.200s): this set did not measure what "
			  "borrowing "
			  "saves; run ./bench-all",
			  path, why ? why : where.text);
	}
	json_decref(json);
	if (ret)
		return -EINVAL;
	/* A round trip that borrows saves two loads. */
	costs->load_ns = median / 2;
	costs->low_ns = low / 2;
	costs->high_ns = high / 2;
	costs->known = true;
	snprintf(costs->from, sizeof(costs->from), "costs of %.80s", dir);
	kernel_compare(costs, dir);
	return 0;
}
