// SPDX-License-Identifier: GPL-2.0-or-later
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "bench/commands/commands.h"
#include "bench/harness/prepare.h"
#include "lib/base/member.h"

static const char help[] =
	"usage: activemm list [--json]\n\n"
	"The scenarios: what they do, their parameters, what the kernel must do per round trip,\n"
	"and whether each can run here.\n";

static void range_text(const struct claim_range *r, char *buf, size_t len)
{
	if (!r->claimed)
		snprintf(buf, len, "any");
	else if (r->min == r->max)
		snprintf(buf, len, "%g", r->min);
	else
		snprintf(buf, len, "%g..%g", r->min, r->max);
}

static json_t *range_json(const struct claim_range *r)
{
	return r->claimed ? member_pack("{s:f, s:f}", "min", r->min, "max", r->max) : json_null();
}

static json_t *params_json(const struct scenario *s)
{
	json_t *list = json_array();

	for (int i = 0; s->params[i].key; i++) {
		const struct param *p = &s->params[i];
		json_t *o = member_pack("{s:s, s:s}", "key", p->key, "summary", p->summary);

		if (p->choices) {
			json_t *choices = json_array();

			for (int c = 0; p->choices[c]; c++)
				member_append(choices, member_string(p->choices[c]));
			member_set(o, "choices", choices);
			member_set(o, "default", member_string(p->choices[p->def]));
		} else {
			member_set(o, "min", json_integer(p->min));
			member_set(o, "max", json_integer(p->max));
			member_set(o, "default", json_integer(p->def));
		}
		member_append(list, o);
	}
	return list;
}

static json_t *scenario_json(const struct scenario *s, const struct trial *t)
{
	struct claim c = s->claim(t);
	struct error e = { 0 };
	bool runs = !scenario_possible(t, &e);
	json_t *o = member_pack("{s:s, s:s, s:o, s:{s:o, s:o, s:o}, s:b}", "name", s->name,
				"summary", s->summary, "params", params_json(s), "claim",
				"switches", range_json(&c.switches), "cr3_loads",
				range_json(&c.cr3_loads), "cr3_flushes", range_json(&c.cr3_flushes),
				"runs_here", runs);

	if (!runs)
		member_set(o, "why_not", member_string(e.text));
	return o;
}

static void scenario_print(const struct scenario *s, const struct trial *t)
{
	struct claim c = s->claim(t);
	char sw[32], loads[32], flushes[32];
	struct error e = { 0 };

	range_text(&c.switches, sw, sizeof(sw));
	range_text(&c.cr3_loads, loads, sizeof(loads));
	range_text(&c.cr3_flushes, flushes, sizeof(flushes));
	printf("%s: %s\n", s->name, s->summary);
	printf("    per round trip: %s switches, %s CR3 loads, %s of them flushing\n", sw, loads,
	       flushes);
	for (int i = 0; s->params[i].key; i++) {
		const struct param *p = &s->params[i];

		printf("    %s=", p->key);
		if (p->choices)
			for (int k = 0; p->choices[k]; k++)
				printf("%s%s", k ? "|" : "", p->choices[k]);
		else
			printf("%ld..%ld", p->min, p->max);
		printf("  %s", p->summary);
		if (p->choices)
			printf(" (%s)\n", p->choices[p->def]);
		else
			printf(" (%ld)\n", p->def);
	}
	if (scenario_possible(t, &e))
		printf("    cannot run here: %s\n", e.text);
	printf("\n");
}

int cmd_list(int argc, char **argv)
{
	bool json = argc == 2 && !strcmp(argv[1], "--json");
	struct cpu_topology *topo = NULL;
	struct error e = { 0 };
	struct bench b = { 0 };
	json_t *list = json_array();
	int rc;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return EXIT_DONE;
	}
	if (argc > 1 && !json)
		return complain(EXIT_USAGE,
				"list: '%s' is not understood: see `activemm list --help'",
				argv[1]);
	if (cpu_topology_load(&topo, &e) || cpu_choose(topo, -1, &b.cpu, &e))
		return complain(EXIT_FAILED, "%s", e.text);
	b.pcid = machine_keeps_tlb();
	scenario_foreach (s) {
		long params[PARAMS_MAX];
		struct trial_order order = { .scenario = s, .params = params };
		struct trial t;

		scenario_params_default(s, params);
		trial_describe(&b, &order, &t);
		if (json)
			member_append(list, scenario_json(s, &t));
		else
			scenario_print(s, &t);
	}
	rc = json ? member_print(list, stdout, JSON_INDENT(1), &e) : 0;
	json_decref(list);
	cpu_topology_free(topo);
	return rc ? complain(EXIT_FAILED, "%s", e.text) : EXIT_DONE;
}
