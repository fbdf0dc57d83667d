// SPDX-License-Identifier: GPL-2.0-or-later
/* The history on a terminal. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench/history/history.h"
#include "lib/base/member.h"

static void day(int64_t when, char buf[24])
{
	time_t t = when;
	struct tm tm;

	gmtime_r(&t, &tm);
	strftime(buf, 24, "%Y-%m-%d %H:%M", &tm);
}

void history_print_sets(const struct history_view *v, const struct history_set *sets, size_t n,
			FILE *out)
{
	char when[24];

	for (size_t m = 0; m < v->names.nmachines; m++) {
		const struct history_machine *machine = &v->names.machines[m];
		bool head = false;

		for (size_t i = 0; i < n; i++) {
			const struct history_kernel *k;

			if (sets[i].machine != machine->id)
				continue;
			if (!head)
				fprintf(out, "%s%s\n", machine->name,
					machine->emulated ? " (counts only: emulated)" : "");
			head = true;
			k = history_kernel(&v->names, sets[i].kernel);
			day(sets[i].ended, when);
			fprintf(out, "  %s  %-28s %6lld trials  %s%s\n", when, k ? k->release : "?",
				(long long)sets[i].trials, sets[i].dir,
				sets[i].verified ? "" : "  (unverified)");
		}
	}
}

static void value(FILE *out, double v, const char *fmt)
{
	if (isfinite(v))
		fprintf(out, fmt, v);
	else
		fprintf(out, "%12s", "-");
}

void history_print_trend(const struct history_view *v, const struct history_line *line, FILE *out)
{
	bool times = !line->machine->emulated;
	char label[HISTORY_LABEL], when[24];

	view_label(line->series, label);
	fprintf(out, "%s on %s: %s, by %s\n", label, line->machine->name,
		times ? "median ns per round trip" : "counts per round trip (emulated: no times)",
		v->q.by_time ? "time" : "kernel");
	fprintf(out, "  %-28s %-16s %5s", "kernel", "first", "sets");
	if (times)
		fprintf(out, " %12s %12s %12s", "ns", "from", "to");
	fprintf(out, " %12s %12s\n", "CR3 loads", "flushing");
	for (size_t i = 0; i < line->nsteps; i++) {
		const struct history_step *s = &line->steps[i];

		day(s->ended, when);
		fprintf(out, "  %-28s %s %5zu", s->kernel ? s->kernel->release : "?", when,
			s->sets);
		if (times) {
			value(out, s->ns.median, " %12.1f");
			value(out, s->ns.low, " %12.1f");
			value(out, s->ns.high, " %12.1f");
		}
		value(out, s->count[LOADS].median, " %12.2f");
		value(out, s->count[FLUSHES].median, " %12.2f");
		fputc('\n', out);
	}
	fputs(v->q.by_time ? "  from, to: 95 % interval of the median over the set's trials\n"
			   : "  from, to: extremes of a kernel's sets; of one set, the 95 % "
			     "interval of its median\n",
	      out);
}

/* The tag of a kernel: Debian tells the version in uname -v, others in the release. v6.13, not v6.13.0. */
static void tag(const struct history_kernel *k, char buf[48])
{
	const char *debian = strstr(k->version, "Debian ");
	unsigned int major, minor, patch = 0, candidate = 0;
	const char *from = debian ? debian + 7 : k->release, *rc = strstr(from, "rc");
	int n = sscanf(from, "%u.%u.%u", &major, &minor, &patch);

	if (n < 2) {
		snprintf(buf, 48, "%.47s", k->release);
		return;
	}
	n = snprintf(buf, 48, "v%u.%u", major, minor);
	if (patch)
		n += snprintf(buf + n, 48 - (size_t)n, ".%u", patch);
	if (rc > from && (rc[-1] == '-' || rc[-1] == '~') && sscanf(rc, "rc%u", &candidate) == 1)
		snprintf(buf + n, 48 - (size_t)n, "-rc%u", candidate);
}

/* "process:handover=yield,pages=0", as the command line has it. */
static void spec(const struct history_series *s, FILE *out)
{
	json_t *params = json_loads(s->params, 0, NULL), *v;
	const char *key, *sep = ":";

	fprintf(out, " %s", s->scenario);
	json_object_foreach (params, key, v) {
		if (json_is_string(v))
			fprintf(out, "%s%s=%s", sep, key, json_string_value(v));
		else
			fprintf(out, "%s%s=%lld", sep, key, (long long)json_integer_value(v));
		sep = ",";
	}
	json_decref(params);
}

/* What tells commits apart: counts, but not those of switches where others changed, for visitors of the CPU switch, too. */
static bool tells(const struct history_change *c, bool exact)
{
	return c->quantity != QUANTITY_NS && (!exact || c->quantity != SWITCHES);
}

static void specs(const struct history_change *c, size_t n, FILE *out)
{
	const struct history_series *last = NULL;
	bool exact = false;

	for (size_t i = 0; i < n; i++)
		exact |= tells(&c[i], true);
	for (size_t i = 0; i < n; i++)
		if (tells(&c[i], exact) && c[i].series != last) {
			last = c[i].series;
			spec(last, out);
		}
}

/* How the commit is found: in the lab by counts; times show on the machine alone. */
static void bisection(const struct history_change *c, size_t n, FILE *out)
{
	const struct history_kernel *good = c->kernel[0], *bad = c->kernel[1];
	char from[48], to[48];
	bool counts = false;

	if (good == bad)
		return;
	for (size_t i = 0; i < n; i++)
		counts |= c[i].quantity != QUANTITY_NS;
	tag(good, from);
	tag(bad, to);
	if (!counts) {
		fprintf(out,
			"  the commit: by times only, which bisect-step does not see; on this "
			"machine: git bisect "
			"start %s %s\n",
			to, from);
		return;
	}
	fprintf(out, "  the commit, in a kernel tree:\n    scripts/kernel-lab run %s -o good --",
		strstr(good->version, "Debian") ? good->release : "GOOD-BZIMAGE");
	specs(c, n, out);
	fprintf(out, " --trials 3 --iterations 100\n    git bisect start %s %s\n", to, from);
	fprintf(out, "    BUILD='make -sj8 bzImage' git bisect run scripts/bisect-step good "
		     "arch/x86/boot/bzImage");
	specs(c, n, out);
	fputc('\n', out);
}

static bool same_place(const struct history_change *a, const struct history_change *b, bool by_time)
{
	return a->machine == b->machine && a->kernel[0] == b->kernel[0] &&
	       a->kernel[1] == b->kernel[1] &&
	       (!by_time || (a->ended[0] == b->ended[0] && a->ended[1] == b->ended[1]));
}

static void change_print(const struct history_change *c, FILE *out)
{
	char label[HISTORY_LABEL];

	view_label(c->series, label);
	fprintf(out, "  %-40s ", label);
	if (c->quantity == QUANTITY_NS)
		fprintf(out, "%.1f -> %.1f ns per round trip (%+.1f %%, p %.2g)\n", c->value[0],
			c->value[1], 100 * (c->value[1] / c->value[0] - 1), c->p);
	else
		fprintf(out, "%.2f -> %.2f %s per round trip\n", c->value[0], c->value[1],
			history_counters[c->quantity]);
}

void history_print_changes(const struct history_view *v, const struct history_changes *c, FILE *out)
{
	char from[24], to[24];

	for (size_t i = 0, n; i < c->n; i += n) {
		const struct history_change *first = &c->list[i];

		fprintf(out, "%s -> %s on %s", first->kernel[0]->release, first->kernel[1]->release,
			first->machine->name);
		day(first->ended[0], from);
		day(first->ended[1], to);
		if (v->q.by_time)
			fprintf(out, ", between %s and %s", from, to);
		fputs(":\n", out);
		for (n = 0; i + n < c->n && same_place(first, first + n, v->q.by_time); n++)
			change_print(first + n, out);
		bisection(first, n, out);
	}
	if (!c->n)
		fputs("No change.\n", out);
	fprintf(out,
		"Times of %zu lines were looked at; a history without any change is said to have "
		"one with "
		"probability %.3g at most\n(E-divisive, permutations, %.2g a line), where sessions "
		"of one kernel do not "
		"resemble their neighbours. Changes below %.3g %% are\nleft out. Counts changed "
		"where no trial of one "
		"side has what a trial of the other has.\n",
		c->lines, v->q.alpha, c->alpha, 100 * v->q.share);
	if (c->few)
		fprintf(out,
			"In %zu of them no change could be told: too few sets. Add sessions.\n",
			c->few);
}

struct spread_print {
	const struct history_view *v;
	FILE *out;
	size_t shown;
};

static int spread_line(struct history_line *line, void *context)
{
	struct spread_print *p = context;
	struct history_spread s = history_spread(line->points, line->npoints);
	char label[HISTORY_LABEL];

	if (line->machine->emulated || !isfinite(s.between))
		return 0;
	if (!p->shown++)
		fprintf(p->out, "%-44s %5s %8s %10s %10s  %s\n", "scenario", "sets", "kernels",
			"between", "within", "machine");
	view_label(line->series, label);
	fprintf(p->out, "%-44s %5zu %8zu %9.2f%% ", label, s.sets, s.kernels, 100 * s.between);
	if (isfinite(s.within))
		fprintf(p->out, "%9.2f%%", 100 * s.within);
	else
		fprintf(p->out, "%10s", "-");
	fprintf(p->out, "  %s\n", line->machine->name);
	return 0;
}

int history_print_spread(const struct history_view *v, FILE *out, struct error *e)
{
	struct spread_print p = { v, out, 0 };
	int rc = view_lines(v, spread_line, &p, e);

	if (!rc && !p.shown)
		fputs("No kernel has two sets of one machine with times: there is no spread "
		      "between sessions yet.\n",
		      out);
	else if (!rc)
		fputs("between: standard deviation of sessions of one kernel, over all kernels "
		      "that have several; "
		      "within: what of it\nthe trials' own scatter explains.\n",
		      out);
	return rc;
}
