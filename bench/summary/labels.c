// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "bench/summary/labels.h"

const char *const param_asks[PARAM_ASKS] = { "membarrier", "ibpb", "l1d" };

bool params_ask(const json_t *params, const json_t *beyond)
{
	for (size_t i = 0; i < PARAM_ASKS; i++)
		if (json_object_get(params, param_asks[i]) &&
		    !json_object_get(beyond, param_asks[i]))
			return true;
	return false;
}

void params_unask(json_t *params)
{
	for (size_t i = 0; i < PARAM_ASKS; i++)
		json_object_del(params, param_asks[i]);
}

size_t summary_plan_rank(const json_t *plan, const char *scenario)
{
	size_t i, len = strlen(scenario);
	const json_t *one;

	json_array_foreach (plan, i, one) {
		const char *spec = json_string_value(json_object_get(one, "spec"));

		if (spec && !strncmp(spec, scenario, len) && (spec[len] == ':' || !spec[len]))
			break;
	}
	return i;
}

void summary_params_text(const json_t *params, char *buf, size_t len)
{
	const char *key;
	json_t *v;

	buf[0] = '\0';
	json_object_foreach ((json_t *)params, key, v) {
		size_t used = strlen(buf);
		const char *sep = used ? "," : "";

		/* The usual values are not worth their room. */
		if ((!strcmp(key, "pages") && json_integer_value(v) == 0) ||
		    (!strcmp(key, "pagesize") && json_is_string(v) &&
		     !strcmp(json_string_value(v), "4k")))
			continue;
		if (json_is_string(v))
			snprintf(buf + used, len - used, "%s%s=%s", sep, key, json_string_value(v));
		else
			snprintf(buf + used, len - used, "%s%s=%lld", sep, key,
				 (long long)json_integer_value(v));
	}
}
