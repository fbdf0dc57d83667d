// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/report/data.h"

FILE *data_open(const struct data *d, const char *name)
{
	char *path;
	FILE *f;

	if (asprintf(&path, "%s/data/%s.dat", d->dir, name) < 0) {
		error_set(d->e, ENOMEM, "out of memory");
		return NULL;
	}
	f = fopen(path, "we");
	if (!f)
		error_set(d->e, errno, "cannot write %s: %s", path, strerror(errno));
	free(path);
	return f;
}

int data_close(const struct data *d, FILE *f, const char *name)
{
	int bad = ferror(f);

	return (fclose(f) || bad)
		       ? error_set(d->e, EIO, "cannot write %s/data/%s.dat", d->dir, name)
		       : 0;
}

void picture_argument(struct picture *p, const char *fmt, ...)
{
	size_t used = strlen(p->argument);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->argument + used, sizeof(p->argument) - used, fmt, ap);
	va_end(ap);
}

void data_block(FILE *f, struct picture *p, const char *title)
{
	if (p->has_data)
		fprintf(f, "\n\n");
	picture_argument(p, "%s%s", p->has_data ? "," : "", title);
	p->has_data = true;
}

void data_interval(FILE *f, double median, double low, double high)
{
	if (isfinite(median))
		fprintf(f, " %.6g %.6g %.6g", median, isfinite(low) ? low : median,
			isfinite(high) ? high : median);
	else
		fprintf(f, " NaN NaN NaN");
}

static void interval_append(FILE *f, const json_t *i, double unit)
{
	data_interval(f, member_number(i, "median") / unit, member_number(i, "low") / unit,
		      member_number(i, "high") / unit);
}

bool data_speeds(FILE *f, const json_t *ns, double unit)
{
	const json_t *speeds = json_object_get(ns, "speeds");
	bool two = json_array_size(speeds) == 2;

	interval_append(f, two ? json_array_get(speeds, 0) : ns, unit);
	interval_append(f, two ? json_array_get(speeds, 1) : NULL, unit);
	return two;
}

static bool plain(const json_t *r)
{
	static const char *const own_picture[] = { "ring",     "base",	"shootdown",
						   "refcount", "flush", "exit" };

	for (size_t i = 0; i < sizeof(own_picture) / sizeof(*own_picture); i++)
		if (!strcmp(member_text(r, "scenario"), own_picture[i]))
			return false;
	return json_integer_value(json_object_get(json_object_get(r, "params"), "pages")) == 0;
}

/* The scenario's name, with the parameter that tells it from its siblings. */
static void label(const json_t *r, char *buf, size_t len)
{
	static const char *const telling[] = { "mode", "state", "wake",	   "membarrier",
					       "ibpb", "l1d",	"handover" };
	const json_t *params = json_object_get(r, "params");

	snprintf(buf, len, "%.24s", member_text(r, "scenario"));
	for (size_t i = 0; i < sizeof(telling) / sizeof(*telling); i++)
		if (*member_text(params, telling[i])) {
			const char *value = member_text(params, telling[i]);

			/* "on" alone tells nothing. */
			snprintf(buf + strlen(buf), len - strlen(buf), "\\n%.16s",
				 strcmp(value, "on") && strcmp(value, "private") ? value
										 : telling[i]);
			return;
		}
}

static int colour(const json_t *r)
{
	static const char *const names[] = { "kworker", "thread", "process", "idle" };

	for (int i = 0; i < 4; i++)
		if (!strcmp(member_text(r, "scenario"), names[i]))
			return i;
	return !strcmp(member_text(json_object_get(r, "params"), "mode"), "lazy") ? 0 : 4;
}

static int cost(const struct data *d, struct picture *p)
{
	FILE *f = data_open(d, p->name);
	const json_t *r;
	bool two = false;
	char name[64];
	size_t i;

	if (!f)
		return -EIO;
	json_array_foreach (d->results, i, r) {
		const json_t *ns = json_object_get(r, "ns");

		if (!plain(r) || !isfinite(member_number(ns, "median")))
			continue;
		label(r, name, sizeof(name));
		fprintf(f, "\"%s\" %d", name, colour(r));
		two |= data_speeds(f, ns, 1);
		fprintf(f, "\n");
		p->has_data = true;
	}
	snprintf(p->argument, sizeof(p->argument), "%d", two);
	return data_close(d, f, p->name);
}

static int loads(const struct data *d, struct picture *p)
{
	FILE *f = data_open(d, p->name);
	bool borrowed = false, loaded = false;
	const json_t *r;
	char name[64];
	size_t i;

	if (!f)
		return -EIO;
	json_array_foreach (d->results, i, r) {
		const json_t *c = json_object_get(r, "counters");
		double all = member_number(c, "cr3-loads"),
		       flushing = member_number(c, "cr3-flushes");

		if (!plain(r) || !isfinite(all) || !isfinite(flushing))
			continue;
		label(r, name, sizeof(name));
		fprintf(f, "\"%s\" %.4f %.4f\n", name, all - flushing, flushing);
		p->has_data = true;
		borrowed |= colour(r) == 0 && all < 0.05;
		loaded |= colour(r) == 0 && all >= 0.05;
	}
	if (borrowed && !loaded)
		snprintf(p->title, sizeof(p->title), "A borrowed address space needs no CR3 load");
	return data_close(d, f, p->name);
}

const struct workset_curve workset_curves[WORKSET_CURVES] = {
	{ "kworker", "", "lazy (kworker)" },
	{ "thread", "", "same mm (thread)" },
	{ "process", "", "real (process)" },
	{ "kthread", "lazy", "lazy (kernel thread)" },
	{ "kthread", "isolated", "isolated (kernel thread)" },
};

static int workset(const struct data *d, struct picture *p)
{
	FILE *f = data_open(d, p->name);
	const json_t *r;
	bool two = false;
	size_t i;

	if (!f)
		return -EIO;
	for (size_t c = 0; c < WORKSET_CURVES; c++) {
		int points = 0;

		json_array_foreach (d->results, i, r) {
			const json_t *params = json_object_get(r, "params"),
				     *ns = json_object_get(r, "ns");

			if (strcmp(member_text(r, "scenario"), workset_curves[c].scenario) ||
			    strcmp(member_text(params, "mode"), workset_curves[c].mode) ||
			    strcmp(member_text(params, "pagesize"), "4k") ||
			    !(member_number(ns, "median") > 0))
				continue;
			if (!points)
				data_block(f, p, workset_curves[c].title);
			fprintf(f, "%lld",
				(long long)json_integer_value(json_object_get(params, "pages")));
			two |= data_speeds(f, ns, 1);
			fprintf(f, "\n");
			points++;
		}
	}
	picture_argument(p, "|%d", two);
	return data_close(d, f, p->name);
}

/* A row of the ring's picture: no working set, both counted and timed. */
static bool ring_row(const json_t *r, double *n, double *flushing)
{
	const json_t *params = json_object_get(r, "params");

	*n = member_number(params, "n");
	*flushing = member_number(json_object_get(r, "counters"), "cr3-flushes");
	return !strcmp(member_text(r, "scenario"), "ring") && *n > 1 && isfinite(*flushing) &&
	       isfinite(member_number(json_object_get(r, "ns"), "median")) &&
	       !(member_number(params, "pages") > 0);
}

static int ring(const struct data *d, struct picture *p)
{
	FILE *f = data_open(d, p->name);
	const json_t *r;
	int first = 0, last = 0, cliff = 0, flushed = 0, rows = 0;
	bool two = false;
	double n, flushing;
	size_t i;

	if (!f)
		return -EIO;
	json_array_foreach (d->results, i, r) {
		/* Working sets are another matter. */
		if (!ring_row(r, &n, &flushing))
			continue;
		fprintf(f, "%.0f %.4f", n, flushing / n);
		two |= data_speeds(f, json_object_get(r, "ns"), n);
		fprintf(f, "\n");
		if (flushing > 0.05 * n && (!cliff || n < cliff))
			cliff = (int)n;
		flushed += flushing > 0.95 * n;
		rows++;
		first = first ? (int)fmin(first, n) : (int)n;
		last = (int)fmax(last, n);
		p->has_data = true;
	}
	/* An edge lies between two sizes; where all flush there is none. */
	picture_argument(p, "%d|%d|%d|%d", cliff > first ? cliff : 0, first, last, two);
	if (cliff > first)
		snprintf(p->title, sizeof(p->title),
			 "From %d processes on, CR3 loads flush the TLB", cliff);
	else if (rows == 1)
		snprintf(p->title, sizeof(p->title), "%d processes in turn: %s", last,
			 cliff ? "CR3 loads flush the TLB" : "no CR3 load flushes the TLB");
	else if (flushed == rows && rows)
		snprintf(p->title, sizeof(p->title),
			 "With %d to %d processes, every CR3 load flushes the TLB", first, last);
	else if (cliff)
		snprintf(p->title, sizeof(p->title),
			 "CR3 loads flush the TLB from %d processes, the fewest, on", cliff);
	else if (rows)
		snprintf(p->title, sizeof(p->title),
			 "Up to %d processes, no CR3 load flushes the TLB", last);
	return data_close(d, f, p->name);
}

/* All valid trials' histograms of one scenario without a working set, as the share that takes longer. */
static bool latency_block(const struct data *d, FILE *f, const char *scenario, bool first)
{
	struct bin {
		double high, n;
	} *bins = NULL;
	size_t count = 0, room = 0, i, k;
	const json_t *t, *bin;
	double total = 0, longer;

	json_array_foreach (d->set->trials, i, t) {
		const json_t *params = json_object_get(t, "params");

		if (strcmp(member_text(t, "scenario"), scenario) ||
		    !json_is_true(json_object_get(t, "valid")) ||
		    json_integer_value(json_object_get(params, "pages")) ||
		    (*member_text(params, "mode") && strcmp(member_text(params, "mode"), "lazy")))
			continue;
		json_array_foreach (json_object_get(json_object_get(t, "latency"), "histogram"), k,
				    bin) {
			double high = json_number_value(json_array_get(bin, 1)),
			       n = json_number_value(json_array_get(bin, 2));
			size_t at = 0;

			if (!(high > 0) || !(n > 0))
				continue;
			/* Trials' bins differ in where they begin: gather them on one grid of 2 %. */
			high = exp(ceil(log(high) / log(1.02)) * log(1.02));
			while (at < count && fabs(bins[at].high - high) > 1e-6 * high)
				at++;
			if (at == room) {
				struct bin *more = reallocarray(bins, room = 2 * room + 64,
								sizeof(*bins));

				if (!more)
					break;
				bins = more;
			}
			if (at == count)
				bins[count++] = (struct bin){ high, 0 };
			bins[at].n += n;
			total += n;
		}
	}
	for (i = 0; i < count; i++) /* few bins: insertion sort by where they end */
		for (k = i; k > 0 && bins[k - 1].high > bins[k].high; k--) {
			struct bin swap = bins[k];

			bins[k] = bins[k - 1];
			bins[k - 1] = swap;
		}
	if (count)
		fprintf(f, "%s%.2f 1\n", first ? "" : "\n\n", bins[0].high / 1.02);
	for (i = 0, longer = total; i < count; i++) {
		longer -= bins[i].n;
		fprintf(f, "%.2f %.8f\n", bins[i].high, fmax(longer, 0) / total);
	}
	free(bins);
	return count > 0;
}

static int latency(const struct data *d, struct picture *p)
{
	static const char *const names[] = { "kworker", "thread", "process", "idle", "kthread" };
	FILE *f = data_open(d, p->name);

	if (!f)
		return -EIO;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		if (!latency_block(d, f, names[i], !p->has_data))
			continue;
		picture_argument(p, "%s%s", p->has_data ? "," : "", names[i]);
		p->has_data = true;
	}
	return data_close(d, f, p->name);
}

void report_subject(const struct result_set *set, char *buf, size_t len)
{
	const json_t *m = set->machine;
	const char *model = member_text(json_object_get(m, "cpu"), "model"),
		   *release = member_text(json_object_get(m, "kernel"), "release");

	snprintf(buf, len, "%.60s, Linux %.60s", *model ? model : "unknown CPU",
		 *release ? release : "unknown");
}

int report_data(struct picture *p, const json_t *summary, const struct result_set *set,
		const char *dir, struct error *e)
{
	static const struct {
		const char *name, *title, *caption;
		int (*write)(const struct data *d, struct picture *p);
		bool time;
	} list[PICTURES] = {
		{ "cost", "What a round trip costs",
		  "Each bar is a task that leaves its CPU and comes back: the median of the "
		  "trials, with its 95 % interval. Of two speeds the slower one is pale.",
		  cost, true },
		{ "loads", "CR3 loads per round trip",
		  "CR3 loads that the kernel's own tlb_flush event counted on the measured CPU, "
		  "per round trip.",
		  loads, false },
		{ "workset", "What the working set adds",
		  "The measured task touches so many pages after each switch, each touch waiting "
		  "for the one before. The gap between real and same mm is what a change of mm "
		  "costs, TLB refill included.",
		  workset, true },
		{ "net", "What a switch costs beyond its system calls and touches",
		  "Each curve is a scenario minus the same system calls and touches without a "
		  "switch, paired by round. The dashed lines are the dTLB's levels, as far as the "
		  "machine tells them.",
		  picture_net, true },
		{ "dtlb", "What the PMU counted of the dTLB",
		  "Misses, and the cycles that page walks took, per round trip with the working "
		  "set's touches: what a load that flushes, or ASIDs that change, must refill.",
		  picture_dtlb, false },
		{ "decomposition", "What a round trip is made of",
		  "System calls: the same ones without a switch. Scheduler: what switching adds "
		  "without a change of mm. mm switch: what the change of mm adds. TLB refill: "
		  "what it adds again with a working set.",
		  picture_decomposition, true },
		{ "ring", "The ASID slots' capacity",
		  "n processes take turns on one CPU. The kernel keeps a few address spaces per "
		  "CPU in the TLB; one more, and loads flush, as all do without PCIDs. Just past "
		  "that the share depends on the order in which the trial filled the slots.",
		  ring, true },
		{ "latency", "How long single round trips take",
		  "Read across: at a height of 10^-2, one round trip in a hundred takes longer "
		  "than the curve's place on the axis.",
		  latency, true },
		{ "shootdown", "What flushing one page costs, by what the other CPU does",
		  "Active: it runs a thread of the process. Lazy: it is idle and has the mm still "
		  "loaded; only freeing page tables (munmap) sends it an IPI. Absent: it never "
		  "had it. Left: it ran the process and went on to another.",
		  picture_shootdown, true },
		{ "shootdown-cpus", "What a flush costs by how many CPUs have the mm",
		  "Each curve is a flush of one page with more and more other CPUs active or lazy "
		  "in the mm: its time on the CPU that asks, and the interrupts that reached the "
		  "others. Lazy CPUs are spared, but where page tables are freed (munmap).",
		  picture_shootdown_cpus, false },
		{ "refcount", "Contention on mm_count",
		  "Tasks on so many CPUs begin and end borrowing at once; with one mm they pass "
		  "its reference count around.",
		  picture_refcount, true },
		{ "exit", "What a borrowed mm costs the exiting task",
		  "A process exits while another CPU, idle, still borrows its mm: freeing the "
		  "page tables sends that CPU an IPI, and the mm itself lives on until the CPU "
		  "switches away.",
		  picture_exit, true },
	};
	struct data d = { .summary = summary,
			  .results = json_object_get(summary, "results"),
			  .set = set,
			  .dir = dir,
			  .e = e };
	char *sub;
	int rc = 0;

	d.times = !json_is_false(json_object_get(summary, "times_meaningful"));
	if (asprintf(&sub, "%s/data", dir) < 0)
		return error_set(e, ENOMEM, "out of memory");
	if ((mkdir(dir, 0777) && errno != EEXIST) || (mkdir(sub, 0777) && errno != EEXIST))
		rc = error_set(e, errno, "cannot make %s: %s", sub, strerror(errno));
	free(sub);
	for (int i = 0; i < PICTURES && !rc; i++) {
		p[i] = (struct picture){ .name = list[i].name, .caption = list[i].caption };
		snprintf(p[i].title, sizeof(p[i].title), "%s", list[i].title);
		if (list[i].time && !d.times) {
			p[i].why = "times mean nothing under software emulation";
			continue;
		}
		rc = list[i].write(&d, &p[i]);
		if (!p[i].has_data && !p[i].why)
			p[i].why = "the set holds no valid trial of its scenarios, or what it "
				   "shows was not counted";
	}
	return rc;
}
