// SPDX-License-Identifier: GPL-2.0-or-later
#include <math.h>
#include <string.h>

#include "bench/summary.h"
#include "lib/member.h"

#define COLUMNS 100

/* Prints @text, broken at blanks to @COLUMNS, later lines indented by @indent. */
static void print_wrapped(FILE *out, int at, int indent, const char *text)
{
	while (*text == ' ') {
		fputc(' ', out);
		text++;
		at++;
	}
	while (*text) {
		size_t word = strcspn(text, " ");

		if (at + (int)word > COLUMNS && at > indent) {
			fprintf(out, "\n%*s", indent, "");
			at = indent;
		}
		fprintf(out, "%.*s", (int)word, text);
		at += (int)word;
		text += word;
		while (*text == ' ')
			text++;
		if (*text && at + 1 + (int)strcspn(text, " ") <= COLUMNS)
			fputc(' ', out);
		if (*text)
			at++;
	}
	fputc('\n', out);
}

/* "1834 ns [1801, 1866]", or microseconds from 10 us on; without an interval where there is none. */
static void interval_text(const json_t *i, char *buf, size_t len)
{
	double m = member_number(i, "median"), l = member_number(i, "low"),
	       h = member_number(i, "high");
	double unit = fabs(m) >= 10000 ? 1000 : 1;
	const char *name = unit > 1 ? "us" : "ns";
	int digits = fabs(m) / unit < 100 ? 1 : 0;

	if (unit > 1)
		digits = 2;
	if (!isfinite(m))
		snprintf(buf, len, "-");
	else if (!isfinite(l) || !isfinite(h))
		snprintf(buf, len, "%.*f %s", digits, m / unit, name);
	else
		snprintf(buf, len, "%.*f %s [%.*f, %.*f]", digits, m / unit, name, digits, l / unit,
			 digits, h / unit);
}

void summary_print_headline(const json_t *summary, FILE *out)
{
	const json_t *h = json_object_get(summary, "headline"),
		     *why = json_object_get(h, "unavailable");
	char lazy[80], real[80], saving[80], text[640], loads[80] = "";
	double n = member_number(h, "saving_cr3_loads"),
	       misses = member_number(h, "saving_dtlb_load_misses");
	const char *basis = json_string_value(json_object_get(h, "basis"));

	if (json_is_false(json_object_get(summary, "times_meaningful"))) {
		print_wrapped(out, 0, 0,
			      "Times mean nothing under software emulation and are not shown: only "
			      "counts are.");
		return;
	}
	if (json_is_string(why)) {
		snprintf(text, sizeof(text), "No answer to \"what does active_mm save\": %.400s.",
			 json_string_value(why));
		print_wrapped(out, 0, 0, text);
		return;
	}
	interval_text(json_object_get(h, "lazy_ns"), lazy, sizeof(lazy));
	interval_text(json_object_get(h, "real_ns"), real, sizeof(real));
	interval_text(json_object_get(h, "saving_ns"), saving, sizeof(saving));
	if (isfinite(n))
		snprintf(loads, sizeof(loads), " and %.2f CR3 loads", n);
	if (isfinite(misses))
		snprintf(loads, sizeof(loads), ", %.2f CR3 loads and %.1f dTLB misses", n, misses);
	snprintf(text, sizeof(text),
		 "A lazy switch costs %s, a real one %s; active_mm saves %s per round trip (%.1f "
		 "%%)%s.",
		 lazy, real, saving, member_number(h, "saving_percent"), loads);
	print_wrapped(out, 0, 0, text);
	snprintf(text, sizeof(text), "(There and back: %.64s against %.64s. The saving is %.200s.)",
		 json_string_value(json_object_get(h, "lazy")),
		 json_string_value(json_object_get(h, "real")), basis ? basis : "-");
	print_wrapped(out, 0, 0, text);
	if (json_is_false(json_object_get(h, "same_work")))
		print_wrapped(
			out, 0, 0,
			"(The lazy round trip also pays for AIO and the workqueue: compare it with "
			"the saving, not with the real "
			"switch. The module's kthread scenario makes both with the same work.)");
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

static void count_text(const json_t *counters, const char *name, char *buf, size_t len)
{
	double v = member_number(counters, name);

	if (isfinite(v))
		snprintf(buf, len, "%.2f", v);
	else
		snprintf(buf, len, "-");
}

/* The longest parameters, in reason. */
static int params_width(const json_t *summary)
{
	size_t i, width = 10;
	char params[96];
	json_t *r;

	json_array_foreach (json_object_get(summary, "results"), i, r) {
		summary_params_text(json_object_get(r, "params"), params, sizeof(params));
		if (strlen(params) > width)
			width = strlen(params);
	}
	return width < 40 ? (int)width : 40;
}

/* What a scenario found out beside the counts, on a line of its own. */
static void print_figures(const json_t *figures, FILE *out)
{
	char text[400] = "          ";
	const char *name;
	json_t *f;

	json_object_foreach ((json_t *)figures, name, f) {
		const char *unit = json_string_value(json_object_get(f, "unit"));
		size_t used = strlen(text);

		if (isfinite(member_number(f, "median")))
			snprintf(text + used, sizeof(text) - used, " %s %.4g%s%s,", name,
				 member_number(f, "median"), unit && *unit ? " " : "",
				 unit ? unit : "");
	}
	if (text[10]) {
		text[strlen(text) - 1] = '\0';
		fprintf(out, "%s\n", text);
	}
}

static void print_table(const json_t *summary, FILE *out)
{
	int width = params_width(summary);
	bool times = !json_is_false(json_object_get(summary, "times_meaningful"));
	json_t *r;
	size_t i;

	fprintf(out, "\n%-10s %-*s %7s  %-30s %6s %6s %6s\n", "scenario", width, "parameters",
		"valid", times ? "per round trip, 95 % interval" : "", "switch", "CR3", "flush");
	json_array_foreach (json_object_get(summary, "results"), i, r) {
		const json_t *c = json_object_get(r, "counters");
		char params[96], ns[80] = "", valid[32], s[16], l[16], f[16];

		summary_params_text(json_object_get(r, "params"), params, sizeof(params));
		if (times)
			interval_text(json_object_get(r, "ns"), ns, sizeof(ns));
		snprintf(valid, sizeof(valid), "%lld/%lld",
			 (long long)json_integer_value(json_object_get(r, "valid")),
			 (long long)json_integer_value(json_object_get(r, "trials")));
		count_text(c, "context-switches", s, sizeof(s));
		count_text(c, "cr3-loads", l, sizeof(l));
		count_text(c, "cr3-flushes", f, sizeof(f));
		fprintf(out, "%-10.10s %-*.*s %7.7s  %-30.30s %6.6s %6.6s %6.6s\n",
			json_string_value(json_object_get(r, "scenario")), width, width, params,
			valid, ns, s, l, f);
		print_figures(json_object_get(r, "figures"), out);
	}
}

/* What switches cost beyond the same system calls, and what a flush costs the working set. */
static void print_net(const json_t *summary, FILE *out)
{
	const json_t *refill = json_object_get(summary, "tlb_refill"), *r,
		     *pages = json_object_get(json_array_get(json_object_get(refill, "curves"), 0),
					      "pages");
	char text[900] = "", one[80], params[64], other[64], half[32] = "";
	size_t i, used;

	if (json_is_false(json_object_get(summary, "times_meaningful")))
		return;
	json_array_foreach (json_object_get(summary, "net"), i, r) {
		const json_t *of = json_object_get(r, "params");

		if (!json_is_true(json_object_get(json_object_get(r, "base"), "same_calls")) ||
		    json_integer_value(json_object_get(of, "pages")) || json_object_get(of, "n"))
			continue;
		used = strlen(text);
		interval_text(json_object_get(r, "ns"), one, sizeof(one));
		snprintf(text + used, sizeof(text) - used, "%s%.20s %s",
			 used ? "; " : "Net of the same system calls without a switch: ",
			 json_string_value(json_object_get(r, "scenario")), one);
	}
	if (*text) {
		fprintf(out, "\n");
		print_wrapped(out, 0, 2, strcat(text, "."));
	}
	if (!json_object_get(refill, "ns_per_page")) {
		if (json_array_size(pages)) {
			snprintf(text, sizeof(text),
				 "Refilling the TLB: no figure, because %.400s.",
				 json_string_value(json_object_get(refill, "unavailable")));
			print_wrapped(out, 0, 2, text);
		}
		return;
	}
	interval_text(json_object_get(refill, "ns_per_page"), one, sizeof(one));
	r = json_object_get(refill, "minus");
	summary_params_text(json_object_get(refill, "params"), params, sizeof(params));
	summary_params_text(json_object_get(r, "params"), other, sizeof(other));
	if (isfinite(member_number(refill, "percent"))) /* one round has no interval */
		snprintf(half, sizeof(half), ", +-%.1f %%", member_number(refill, "percent"));
	snprintf(text, sizeof(text),
		 "Refilling the TLB after a flush costs %s per 4 KiB page%s (%.20s %s minus "
		 "%.20s %s, up to %lld pages).",
		 one, half, json_string_value(json_object_get(refill, "of")), params,
		 json_string_value(json_object_get(r, "scenario")), other,
		 (long long)json_integer_value(json_object_get(refill, "largest")));
	print_wrapped(out, 0, 2, text);
}

static void print_scaling(const json_t *summary, FILE *out)
{
	bool begun = false;
	const json_t *r;
	size_t i;

	if (json_is_false(json_object_get(summary, "times_meaningful")))
		return;
	json_array_foreach (json_object_get(summary, "scaling"), i, r) {
		const json_t *percent = json_object_get(r, "efficiency_percent");
		char params[96];

		if (!isfinite(member_number(percent, "median")))
			continue;
		if (!begun)
			fprintf(out,
				"Scaling, refcount: each CPU's pace against that of one alone.\n");
		begun = true;
		summary_params_text(json_object_get(r, "params"), params, sizeof(params));
		fprintf(out, "  %-42s %.0f %%", params, member_number(percent, "median"));
		if (isfinite(member_number(percent, "low")))
			fprintf(out, " [%.0f, %.0f]", member_number(percent, "low"),
				member_number(percent, "high"));
		fprintf(out, "\n");
	}
}

static void print_invalid(const json_t *summary, FILE *out)
{
	bool begun = false;
	json_t *r, *v;
	size_t i;

	json_array_foreach (json_object_get(summary, "results"), i, r) {
		json_int_t n = json_integer_value(json_object_get(r, "invalid"));
		char params[64], text[640];

		if (!n)
			continue;
		if (!begun)
			fprintf(out,
				"\nInvalid trials, kept in the record and out of the figures:\n");
		begun = true;
		summary_params_text(json_object_get(r, "params"), params, sizeof(params));
		v = json_array_get(json_object_get(r, "violations"), 0);
		snprintf(text, sizeof(text), "  %.32s%s%s: %lld: %.400s",
			 json_string_value(json_object_get(r, "scenario")), *params ? " " : "",
			 params, (long long)n, json_is_string(v) ? json_string_value(v) : "?");
		print_wrapped(out, 0, 4, text);
	}
}

/* What else the CPU did, and what makes times less steady. */
static void print_company(const json_t *summary, const struct result_set *set, FILE *out)
{
	const json_t *list = json_object_get(summary, "interrupts"),
		     *warnings = json_object_get(set->machine, "warnings");
	char text[600] = "";
	json_t *one;
	size_t i;

	json_array_foreach (list, i, one) {
		size_t used = strlen(text);

		if (i < 4)
			snprintf(text + used, sizeof(text) - used, "%s%s %.0f",
				 used ? ", "
				      : "Interrupts per second on the CPU during the trials: ",
				 json_string_value(json_array_get(one, 0)),
				 json_real_value(json_array_get(one, 1)));
	}
	fprintf(out, "\n");
	if (*text)
		print_wrapped(out, 0, 2, text);
	json_array_foreach (warnings, i, one) {
		snprintf(text, sizeof(text), "Warning: %.500s.", json_string_value(one));
		print_wrapped(out, 0, 2, text);
	}
}

static void print_unavailable(const json_t *summary, FILE *out)
{
	const json_t *list = json_object_get(summary, "unavailable");
	json_t *u;
	size_t i;

	if (json_array_size(list))
		fprintf(out, "\nNot available here:\n");
	json_array_foreach (list, i, u) {
		const char *what = json_string_value(json_object_get(u, "what")),
			   *why = json_string_value(json_object_get(u, "why"));
		char text[640];

		snprintf(text, sizeof(text), "  %.100s: %.500s", what ? what : "?",
			 why ? why : "?");
		print_wrapped(out, 0, 4, text);
	}
}

void summary_print(const json_t *summary, const struct result_set *set, FILE *out)
{
	const json_t *m = set->machine, *cpu = json_object_get(m, "cpu");
	const char *model = json_string_value(json_object_get(cpu, "model"));
	const char *release =
		json_string_value(json_object_get(json_object_get(m, "kernel"), "release"));

	fprintf(out, "\n");
	if (!json_is_true(json_object_get(summary, "verified")))
		print_wrapped(out, 0, 0,
			      "UNVERIFIED: the kernel's events were out of reach, so nothing "
			      "proves what these figures measured.");
	summary_print_headline(summary, out);
	fprintf(out, "%.48s, Linux %.40s\n", model ? model : "unknown CPU",
		release ? release : "unknown");
	print_table(summary, out);
	print_net(summary, out);
	print_scaling(summary, out);
	print_invalid(summary, out);
	print_company(summary, set, out);
	print_unavailable(summary, out);
}
