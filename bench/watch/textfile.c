// SPDX-License-Identifier: GPL-2.0-or-later
/* For the textfile collector of Prometheus's node exporter: counters since the watch began, replaced at each interval. */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bench/watch/watch.h"

static void family(FILE *out, const char *name, const char *type, const char *help)
{
	fprintf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void loads(FILE *out, const struct switch_counts *counts)
{
	family(out, "activemm_cr3_loads_total", "counter",
	       "Loads of CR3, with the TLB kept or flushed.");
	fprintf(out, "activemm_cr3_loads_total{tlb=\"kept\"} %" PRIu64 "\n",
		switch_counts_loads(counts, LOAD_KEPT));
	fprintf(out, "activemm_cr3_loads_total{tlb=\"flushed\"} %" PRIu64 "\n",
		switch_counts_loads(counts, LOAD_FLUSHED));
	family(out, "activemm_shootdowns_total", "counter",
	       "TLB flushes asked of other CPUs, and done for others.");
	fprintf(out, "activemm_shootdowns_total{direction=\"sent\"} %" PRIu64 "\n",
		(uint64_t)counts->flushes[FLUSH_REMOTE_SENT]);
	fprintf(out, "activemm_shootdowns_total{direction=\"received\"} %" PRIu64 "\n",
		(uint64_t)counts->flushes[FLUSH_REMOTE_RECEIVED]);
}

static void sampling(FILE *out, const struct watch_estimates *estimates)
{
	static const char *const bounds[] = { "low", "high" };

	family(out, "activemm_watch_windows_total", "counter",
	       "Windows in which was counted; the rest is extrapolated.");
	fprintf(out, "activemm_watch_windows_total %" PRIu64 "\n", estimates->windows);
	family(out, "activemm_watch_share_ratio", "gauge",
	       "Part of the time that the windows had.");
	fprintf(out, "activemm_watch_share_ratio %.6f\n", estimates->open_share);
	family(out, "activemm_switches_bound", "gauge",
	       "95% interval of the switches since the start, by class.");
	for (int class = 0; class < SWITCH_CLASSES; class ++)
		for (int high = 0; high < 2; high++)
			fprintf(out, "activemm_switches_bound{class=\"%s\",bound=\"%s\"} %.0f\n",
				switch_class_name(class), bounds[high],
				high ? ceil(estimates->kinds[class].high)
				     : floor(estimates->kinds[class].low));
	family(out, "activemm_cr3_loads_saved_bound", "gauge",
	       "95% interval of the CR3 loads saved since the start.");
	for (int high = 0; high < 2; high++) {
		double value = high ? ceil(estimates->kinds[WATCH_SAVED].high)
				    : floor(estimates->kinds[WATCH_SAVED].low);

		if (isfinite(value))
			fprintf(out, "activemm_cr3_loads_saved_bound{bound=\"%s\"} %.0f\n",
				bounds[high], value);
		else
			fprintf(out, "activemm_cr3_loads_saved_bound{bound=\"%s\"} +Inf\n",
				bounds[high]);
	}
}

static void metrics(FILE *out, const struct switch_snapshot *now,
		    const struct switch_counts *counts, double since)
{
	family(out, "activemm_switches_total", "counter",
	       now->estimated ? "Context switches by class; the classes are estimates."
			      : "Context switches by class.");
	for (int class = 0; class < SWITCH_CLASSES; class ++)
		fprintf(out, "activemm_switches_total{class=\"%s\"} %" PRIu64 "\n",
			switch_class_name(class), switch_counts_class(counts, class));
	family(out, "activemm_cr3_loads_saved_total", "counter",
	       now->no_loads ? "CR3 loads that borrowing saved at most: the loads are not counted."
			     : "CR3 loads that borrowing saved.");
	fprintf(out, "activemm_cr3_loads_saved_total %" PRIu64 "\n", switch_counts_saved(counts));
	if (!now->no_loads)
		loads(out, counts);
	family(out, "activemm_watch_missed_events_total", "counter",
	       "Events that the watch saw itself miss.");
	fprintf(out, "activemm_watch_missed_events_total %" PRIu64 "\n", now->missed);
	family(out, "activemm_watch_start_time_seconds", "gauge",
	       "When the counters began, in seconds since the epoch.");
	fprintf(out, "activemm_watch_start_time_seconds %.3f\n", since);
}

int watch_textfile_write(const char *path, const struct switch_snapshot *now, uint64_t start_ns,
			 const struct watch_estimates *estimates, struct switch_counts *written,
			 struct error *error)
{
	struct switch_counts counts = switch_counts_between(now, NULL, -1);
	__u64 *latest = (__u64 *)written;
	const __u64 *value = (const __u64 *)&counts;
	char part[4096];
	struct timespec wall;
	bool bad;
	FILE *out;
	int err;

	/* The collector reads *.prom only: the unfinished one has another name, in the same folder. */
	if (snprintf(part, sizeof(part), "%s.%d", path, (int)getpid()) >= (int)sizeof(part))
		return error_set(error, ENAMETOOLONG, "--textfile: the path is too long");
	out = fopen(part, "we");
	if (!out)
		return error_set(error, errno, "%.300s: %s", part, strerror(errno));
	clock_gettime(CLOCK_REALTIME, &wall);
	for (size_t i = 0; i < sizeof(counts) / sizeof(*value); i++)
		if (value[i] > latest[i])
			latest[i] = value[i];
	metrics(out, now, written,
		(double)wall.tv_sec + (double)wall.tv_nsec * 1e-9 -
			(double)(now->time_ns - start_ns) * 1e-9);
	if (estimates)
		sampling(out, estimates);
	bad = fchmod(fileno(out), 0644) || fflush(out);
	err = errno;
	if (fclose(out) && !bad) {
		bad = true;
		err = errno;
	}
	if (!bad && !rename(part, path))
		return 0;
	err = bad ? err : errno;
	unlink(part);
	return error_set(error, err, "%.300s: %s", path, strerror(err));
}
