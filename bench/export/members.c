// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <stdio.h>

#include "bench/export/members.h"
#include "lib/base/member.h"

const char *export_kernel(const struct export *x)
{
	return member_text(json_object_get(x->set->machine, "kernel"), "release");
}

const char *export_cpu(const struct export *x)
{
	return member_text(json_object_get(x->set->machine, "cpu"), "model");
}

const char *export_version(const struct export *x)
{
	return member_text(json_object_get(x->set->machine, "suite"), "version");
}

const char *export_param(const json_t *value, char *buf, size_t len)
{
	if (json_is_string(value))
		return json_string_value(value);
	if (json_is_integer(value))
		snprintf(buf, len, "%lld", (long long)json_integer_value(value));
	else if (json_is_number(value))
		snprintf(buf, len, "%g", json_number_value(value));
	else
		snprintf(buf, len, "%s", json_is_true(value) ? "true" : "");
	return buf;
}

double export_counter(const json_t *trial, const char *name)
{
	return member_number(json_object_get(json_object_get(trial, "counters"), name),
			     "per_round_trip");
}

static json_t *keys_of_all(const struct export *x, const char *member,
			   bool (*wanted)(const json_t *value))
{
	json_t *keys = json_object(), *t, *value;
	const char *key;
	size_t i;

	json_array_foreach (x->set->trials, i, t)
		json_object_foreach (json_object_get(t, member), key, value)
			if (wanted(value) && member_set(keys, key, json_true())) {
				json_decref(keys);
				return NULL;
			}
	return keys;
}

static bool was_counted(const json_t *counter)
{
	return isfinite(member_number(counter, "per_round_trip"));
}

static bool any(const json_t *value)
{
	return value != NULL;
}

json_t *export_counters(const struct export *x)
{
	return keys_of_all(x, "counters", was_counted);
}

json_t *export_params(const struct export *x)
{
	return keys_of_all(x, "params", any);
}
