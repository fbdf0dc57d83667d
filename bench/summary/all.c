// SPDX-License-Identifier: GPL-2.0-or-later
/* Every row and every reason, for `report --all'; and what follows from the rows, which the short summary has, too. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/summary/labels.h"
#include "bench/summary/private.h"
#include "bench/summary/words.h"
#include "bench/summary/summary.h"
#include "lib/base/member.h"

/* Each scenario's part of its time beyond the same system calls. */
static void print_net(const json_t *summary, FILE *out)
{
	char text[900] = "", one[FIGURE_TEXT];
	const json_t *r;
	size_t i;

	json_array_foreach (json_object_get(summary, "net"), i, r) {
		const json_t *of = json_object_get(r, "params");
		size_t used = strlen(text);

		if (!json_is_true(json_object_get(json_object_get(r, "base"), "same_calls")) ||
		    json_integer_value(json_object_get(of, "pages")) || json_object_get(of, "n") ||
		    params_ask(of, NULL)) /* what that adds is told by itself */
			continue;
		figure_told_text(json_object_get(r, "ns"), one, sizeof(one));
		snprintf(text + used, sizeof(text) - used, "%s%.20s %s",
			 used ? "; " : "Net of the same system calls without a switch: ",
			 member_text(r, "scenario"), one);
	}
	if (*text)
		summary_wrapped(out, 0, 2, strcat(text, "."));
}

static void print_asked(const json_t *summary, bool all, FILE *out)
{
	char text[900] = "", one[FIGURE_TEXT + 120];
	const json_t *r;
	size_t i;

	json_array_foreach (json_object_get(summary, "asked"), i, r) {
		size_t used = strlen(text);

		if (!json_object_get(r, "adds_ns"))
			continue;
		asked_text(r, one, sizeof(one));
		snprintf(text + used, sizeof(text) - used, "%s%s",
			 used ? "; " : "Asked for, it adds to a round trip: ", one);
	}
	if (*text)
		summary_wrapped(out, 0, 2, strcat(text, "."));
	mm_switch_text(summary, text, sizeof(text));
	if (all && *text)
		summary_wrapped(out, 0, 2, text);
}

/* Of a scenario the most tasks, whose pace tells most, doing what the plan has first. */
static const json_t *most_tasks(const json_t *list, const char *scenario)
{
	const json_t *most = NULL, *r;
	size_t i;

	json_array_foreach (list, i, r) {
		const json_t *of = json_object_get(r, "params");

		if (!strcmp(member_text(r, "scenario"), scenario) &&
		    (!most || member_number(of, "n") > member_number(most, "n")))
			most = of;
	}
	return most;
}

static void print_scaling(const json_t *summary, bool all, FILE *out)
{
	const json_t *list = json_object_get(summary, "scaling"), *r;
	char params[128], text[FIGURE_TEXT];
	bool begun = false;
	size_t i;

	json_array_foreach (list, i, r) {
		const json_t *of = json_object_get(r, "params");
		const char *name = member_text(r, "scenario");
		const json_t *most = most_tasks(list, name);

		if (!all && (member_number(of, "n") != member_number(most, "n") ||
			     strcmp(member_text(of, "op"), member_text(most, "op")) ||
			     strcmp(member_text(of, "place"), "near")))
			continue;
		if (!begun)
			fputs("Scaling: each CPU's pace against that of one alone.\n", out);
		begun = true;
		params_words(name, of, params, sizeof(params));
		scaling_text(r, text, sizeof(text));
		fprintf(out, "  %-9s %-39s %s\n", name, params, text);
	}
}

void summary_print_findings(const json_t *summary, bool all, FILE *out)
{
	char *text = NULL, refill[900];
	size_t len = 0;
	FILE *f;

	if (json_is_false(json_object_get(summary, "times_meaningful")))
		return;
	f = open_memstream(&text, &len);
	if (!f)
		return;
	print_net(summary, f);
	print_asked(summary, all, f);
	refill_text(summary, refill, sizeof(refill));
	if (*refill)
		summary_wrapped(f, 0, 2, refill);
	print_scaling(summary, all, f);
	fclose(f);
	if (len)
		fprintf(out, "\n%s", text);
	free(text);
}

/* What a scenario found out beside the counts, on a line of its own; and both speeds, where there are two. */
static void print_more(const json_t *row, bool times, FILE *out)
{
	const json_t *speeds = json_object_get(json_object_get(row, "ns"), "speeds"), *f;
	char text[400] = "", one[FIGURE_TEXT];
	const char *name;
	json_t *figure;
	size_t i;

	json_object_foreach ((json_t *)json_object_get(row, "figures"), name, figure) {
		const char *unit = member_text(figure, "unit");
		size_t used = strlen(text);

		if (isfinite(member_number(figure, "median")))
			snprintf(text + used, sizeof(text) - used, "%s%s %.4g%s%s",
				 used ? ", " : "", name, member_number(figure, "median"),
				 *unit ? " " : "", unit);
	}
	if (*text)
		fprintf(out, "    %s\n", text);
	json_array_foreach (speeds, i, f) {
		if (!times)
			break;
		figure_text(f, one, sizeof(one));
		fprintf(out, "%s%s in %lld trials%s", i ? "" : "    two speeds: ", one,
			(long long)json_integer_value(json_object_get(f, "n")), i ? "\n" : ", ");
	}
}

static void print_rows(const json_t *summary, FILE *out)
{
	const json_t *rows = json_object_get(summary, "results"), *r;
	struct summary_columns at = {
		.params = summary_params_width(rows, 38),
		.times = !json_is_false(json_object_get(summary, "times_meaningful")),
	};
	const char *before = "";
	size_t i;

	fprintf(out, "\n");
	summary_print_columns(&at, out);
	json_array_foreach (rows, i, r) {
		const char *name = member_text(r, "scenario");

		if (strcmp(name, before))
			fprintf(out, "%s\n", name);
		before = name;
		summary_print_row(&at, r, out);
		print_more(r, at.times, out);
	}
	summary_print_own_switches(summary, out);
}

static void print_invalid(const json_t *summary, FILE *out)
{
	bool begun = false;
	json_t *r, *v;
	size_t i;

	json_array_foreach (json_object_get(summary, "results"), i, r) {
		json_int_t n = json_integer_value(json_object_get(r, "invalid"));
		char params[128], text[700];

		if (!n)
			continue;
		if (!begun)
			fprintf(out,
				"\nInvalid trials, kept in the record and out of the figures:\n");
		begun = true;
		params_words(member_text(r, "scenario"), json_object_get(r, "params"), params,
			     sizeof(params));
		v = json_array_get(json_object_get(r, "violations"), 0);
		snprintf(text, sizeof(text), "  %.32s%s%s: %lld: %.400s",
			 member_text(r, "scenario"), *params ? " " : "", params, (long long)n,
			 json_is_string(v) ? json_string_value(v) : "?");
		summary_wrapped(out, 0, 4, text);
	}
}

/* What else the CPU did, and what makes times less steady. */
static void print_company(const json_t *summary, const struct result_set *set, FILE *out)
{
	const json_t *list = json_object_get(summary, "interrupts"), *one;
	char text[600] = "";
	size_t i;

	json_array_foreach (list, i, one) {
		size_t used = strlen(text);
		const char *name = json_string_value(json_array_get(one, 0));

		if (i < 4)
			snprintf(text + used, sizeof(text) - used, "%s%s %.0f",
				 used ? ", "
				      : "Interrupts per second on the CPU during the trials: ",
				 name ? name : "?", json_number_value(json_array_get(one, 1)));
	}
	fprintf(out, "\n");
	if (*text)
		summary_wrapped(out, 0, 2, text);
	json_array_foreach (json_object_get(set->machine, "warnings"), i, one) {
		snprintf(text, sizeof(text), "Warning: %.500s.",
			 json_string_value(one) ? json_string_value(one) : "?");
		summary_wrapped(out, 0, 2, text);
	}
}

static void print_reason(void *context, const char *what, const char *why)
{
	FILE *out = context;
	char text[900];

	snprintf(text, sizeof(text), "  %.380s: %.500s", what, why);
	summary_wrapped(out, 0, 4, text);
}

static void print_reasons(const json_t *list, const char *heading, FILE *out)
{
	if (json_array_size(list))
		fprintf(out, "\n%s\n", heading);
	reasons_each(list, print_reason, out);
}

void summary_print_all(const json_t *summary, const struct result_set *set, FILE *out)
{
	summary_print_head(summary, set, out);
	print_rows(summary, out);
	summary_print_findings(summary, true, out);
	print_reasons(json_object_get(summary, "findings"), "Found here:", out);
	print_invalid(summary, out);
	print_company(summary, set, out);
	print_reasons(json_object_get(summary, "scaled"), "Scaled up:", out);
	print_reasons(json_object_get(summary, "unavailable"), "Not available here:", out);
}
