// SPDX-License-Identifier: GPL-2.0-or-later
/* Instructions per round trip, where an emulated clock goes by them: a cost that repeats exactly, on no hardware at all. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/compare/private.h"
#include "lib/base/member.h"

#define ICOUNT_CYCLES 2 /* an instruction: kernel-lab's -icount shift=1 and a PMU of 1 GHz */
#define TRIALS_LEAST  3
#define CHANGE_LEAST  0.01 /* of what was: timer interrupts come and go */

/* What was scaled up, beside others' events, is no exact count. */
static bool counts_them(const struct scan_set *s)
{
	return !strcmp(member_text(s->machine, "accelerator"), "icount") &&
	       !(scan_share(s, "instructions") < 1) && !(scan_share(s, "cycles-user") < 1);
}

/* By the cycles there, which do not pass while a CPU waits. */
static double in_user(const struct side *s, const struct facts *f)
{
	return compare_middle(scan_counter(s->set, f->group, "cycles-user")) / ICOUNT_CYCLES;
}

static json_t *side_json(const struct side *s, const struct facts *f, double median,
			 const struct scan_values *v)
{
	double user = in_user(s, f);

	return member_pack("{s:f, s:f, s:f, s:o, s:o}", "median", median, "low", v->v[0], "high",
			   v->v[v->n - 1], "user", member_real(user), "kernel",
			   member_real(median - user));
}

json_t *instructions_compare(const struct side *a, const struct side *b)
{
	json_t *rows;

	if (!counts_them(a->set) || !counts_them(b->set))
		return NULL;
	rows = json_array();
	for (size_t i = 0; i < a->set->n; i++) {
		const struct facts *f = &a->facts[i], *g = facts_like(b, f);
		const struct scan_values *v, *w;
		double x, y;
		bool apart;

		if (!g)
			continue;
		v = scan_counter(a->set, f->group, "instructions");
		w = scan_counter(b->set, g->group, "instructions");
		x = compare_middle(v);
		y = compare_middle(w);
		if (!(x > 0) || !(y > 0))
			continue;
		apart = v->n >= TRIALS_LEAST && w->n >= TRIALS_LEAST &&
			(v->v[0] > w->v[w->n - 1] || w->v[0] > v->v[v->n - 1]);
		member_append(rows,
			      member_pack("{s:s, s:s, s:O, s:o, s:o, s:f, s:b}", "scenario",
					  f->scenario, "params", f->params, "parameters",
					  f->group->parsed, "base", side_json(a, f, x, v), "other",
					  side_json(b, g, y, w), "ratio", y / x, "changed",
					  apart && fabs(y / x - 1) > CHANGE_LEAST));
	}
	if (json_array_size(rows))
		return rows;
	json_decref(rows);
	return NULL;
}

const json_t *instructions_like(const json_t *pair, const json_t *row)
{
	const json_t *v;
	size_t i;

	json_array_foreach (json_object_get(pair, "instructions"), i, v)
		if (!strcmp(member_text(v, "scenario"), member_text(row, "scenario")) &&
		    json_equal(json_object_get(v, "parameters"),
			       json_object_get(row, "parameters")))
			return v;
	return NULL;
}

/* "process handover=eventfd takes 4.9 % more instructions (7060, was 6730), and 2 more rows changed; " */
void instructions_sentence(const json_t *pair, char *text, size_t len)
{
	const json_t *rows = json_object_get(pair, "instructions"), *v, *most = NULL;
	size_t i, n = 0;
	double ratio;

	*text = '\0';
	json_array_foreach (rows, i, v) {
		if (!json_is_true(json_object_get(v, "changed")))
			continue;
		n++;
		if (!most ||
		    fabs(log(member_number(v, "ratio"))) > fabs(log(member_number(most, "ratio"))))
			most = v;
	}
	if (!rows)
		return;
	if (!most) {
		snprintf(text, len, "no row takes more or fewer instructions; ");
		return;
	}
	ratio = member_number(most, "ratio");
	snprintf(text, len, "%s%s%s takes %.1f %% %s instructions (%.0f, was %.0f)",
		 member_text(most, "scenario"), *member_text(most, "params") ? " " : "",
		 member_text(most, "params"), 100 * fabs(ratio - 1), ratio > 1 ? "more" : "fewer",
		 member_number(json_object_get(most, "other"), "median"),
		 member_number(json_object_get(most, "base"), "median"));
	if (n > 1)
		snprintf(text + strlen(text), len - strlen(text), ", and %zu other rows changed",
			 n - 1);
	snprintf(text + strlen(text), len - strlen(text), "; ");
}

const char *instructions_title(void)
{
	return "Instructions per round trip, user + kernel, on an emulated clock that goes by "
	       "them; = is the same: what some trials of both sides have, or within 1 %.";
}

void instructions_cell(const json_t *row, bool base, char *buf, size_t len)
{
	const json_t *side = json_object_get(row, base ? "base" : "other");
	double user = member_number(side, "user"), all = member_number(side, "median"),
	       ratio = member_number(row, "ratio");
	size_t used;

	if (!row) {
		snprintf(buf, len, "-");
		return;
	}
	if (isfinite(user))
		snprintf(buf, len, "%.0f + %.0f", user, all - user);
	else
		snprintf(buf, len, "%.0f", all);
	used = strlen(buf);
	if (base)
		return;
	if (json_is_true(json_object_get(row, "changed")))
		snprintf(buf + used, len - used, " (%+.1f %%)", 100 * (ratio - 1));
	else
		snprintf(buf + used, len - used, " =");
}

void compare_print_instructions(const json_t *all, FILE *out, bool markdown)
{
	const json_t *first = NULL, *pair, *row;
	char text[512], label[160];
	size_t p, i;

	json_array_foreach (all, p, pair)
		if (!first && json_object_get(pair, "instructions"))
			first = pair;
	if (!first)
		return;
	fprintf(out, "\n%s\n", instructions_title());
	fprintf(out, markdown ? "\n| row | %s |" : "\n%-34s  %-16.16s",
		markdown ? compare_escape(member_text(first, "base_name"), true, text, sizeof(text))
			 : "row",
		member_text(first, "base_name"));
	json_array_foreach (all, p, pair)
		fprintf(out, markdown ? " %s |" : "  %-24.24s",
			compare_escape(member_text(pair, "other_name"), markdown, text,
				       sizeof(text)));
	fprintf(out, "\n");
	if (markdown) {
		fprintf(out, "|---|---|");
		json_array_foreach (all, p, pair)
			fprintf(out, "---|");
		fprintf(out, "\n");
	}
	json_array_foreach (json_object_get(first, "instructions"), i, row) {
		snprintf(label, sizeof(label), "%s%s%s", member_text(row, "scenario"),
			 *member_text(row, "params") ? " " : "", member_text(row, "params"));
		instructions_cell(row, true, text, sizeof(text));
		fprintf(out, markdown ? "| %s | %s |" : "%-34.34s  %-16s", label, text);
		json_array_foreach (all, p, pair) {
			instructions_cell(instructions_like(pair, row), false, text, sizeof(text));
			fprintf(out, markdown ? " %s |" : "  %-24s", text);
		}
		fprintf(out, "\n");
	}
}
