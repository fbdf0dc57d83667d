// SPDX-License-Identifier: GPL-2.0-or-later
#include <stdio.h>
#include <string.h>

#include "bench/commands/commands.h"
#include "bench/harness/prepare.h"
#include "lib/base/member.h"

static const char help[] =
	"usage: activemm info [--json]\n\n"
	"Machine, kernel, mitigations and counters: what is recorded with every result set.\n";

/* Prints a value with its members indented; {"unavailable": why} on one line. */
static void value_print(const char *name, const json_t *v, int depth)
{
	const char *why = json_string_value(json_object_get(v, "unavailable"));
	const char *key;
	json_t *member;
	size_t i;

	printf("%*s%s:", 2 * depth, "", name);
	switch (json_typeof(v)) {
	case JSON_OBJECT:
		if (why) {
			printf(" not available: %s\n", why);
			return;
		}
		printf("\n");
		json_object_foreach ((json_t *)v, key, member)
			value_print(key, member, depth + 1);
		return;
	case JSON_ARRAY:
		printf("\n");
		json_array_foreach (v, i, member) {
			char index[24];

			snprintf(index, sizeof(index), "%zu", i);
			value_print(index, member, depth + 1);
		}
		return;
	case JSON_STRING:
		printf(" %s\n", json_string_value(v));
		return;
	case JSON_INTEGER:
		printf(" %lld\n", (long long)json_integer_value(v));
		return;
	case JSON_REAL:
		printf(" %g\n", json_real_value(v));
		return;
	case JSON_TRUE:
	case JSON_FALSE:
		printf(" %s\n", json_is_true(v) ? "yes" : "no");
		return;
	case JSON_NULL:
		printf(" -\n");
		return;
	}
}

int cmd_info(int argc, char **argv)
{
	bool json = argc == 2 && !strcmp(argv[1], "--json");
	struct cpu_topology *topo = NULL;
	struct error e = { 0 };
	struct bench b;
	json_t *machine, *v;
	const char *key;
	int rc = 0;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return EXIT_DONE;
	}
	if (argc > 1 && !json)
		return complain(EXIT_USAGE,
				"info: '%s' is not understood: see `activemm info --help'",
				argv[1]);
	if (cpu_topology_load(&topo, &e) || bench_open(&b, topo, -1, &e))
		return complain(EXIT_FAILED, "%s", e.text);
	machine = bench_machine(&b, topo);
	if (json || !machine)
		rc = member_print(machine, stdout, JSON_INDENT(1), &e);
	else
		json_object_foreach (machine, key, v)
			value_print(key, v, 0);
	json_decref(machine);
	bench_close(&b);
	cpu_topology_free(topo);
	return rc ? complain(EXIT_FAILED, "%s", e.text) : EXIT_DONE;
}
