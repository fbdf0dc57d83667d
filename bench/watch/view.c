// SPDX-License-Identifier: GPL-2.0-or-later
/* One interval, as a table redrawn in place, as a line, or as JSON. */
#include "config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "bench/watch/watch.h"
#include "lib/base/member.h"

static const char *const what_happens[SWITCH_CLASSES] = {
	[SWITCH_BORROW] = "user task to kernel thread (borrows)",
	[SWITCH_PASS] = "kernel thread to kernel thread",
	[SWITCH_BACK] = "back to the same mm (saves 2 loads)",
	[SWITCH_ON] = "on to another mm (only delays)",
	[SWITCH_THREAD] = "thread to thread of one mm",
	[SWITCH_REAL] = "real switch to another mm",
};

/* The table grows downwards; what does not fit is left out, so that redrawing in place works. */
struct screen {
	int rows, columns, used;
};

static void screen_size(struct screen *screen)
{
	struct winsize size;

	*screen = (struct screen){ .rows = 24, .columns = 80 };
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_row && size.ws_col) {
		screen->rows = size.ws_row;
		screen->columns = size.ws_col;
	}
}

static void __attribute__((format(printf, 2, 3)))
screen_line(struct screen *screen, const char *format, ...)
{
	char text[512];
	va_list args;

	if (screen->used >= screen->rows - 1)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* Clear to the end of the line: the one before may have been longer. */
	printf("%.*s\033[K\n", screen->columns - 1, text);
	screen->used++;
}

/* A rate in at most eight characters. */
static const char *rate(char text[16], uint64_t count, double seconds)
{
	double value = seconds > 0 ? count / seconds : 0;

	if (value >= 999999.5)
		snprintf(text, 16, "%.2fM", value / 1e6);
	else if (value > 0 && value < 9.95)
		snprintf(text, 16, "%.1f", value);
	else
		snprintf(text, 16, "%.0f", value);
	return text;
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * part / whole : 0;
}

static uint64_t lazy(const struct switch_counts *counts)
{
	return switch_counts_switches(counts) - switch_counts_class(counts, SWITCH_THREAD) -
	       switch_counts_class(counts, SWITCH_REAL);
}

/* The 95 % interval of a share since the start, of a watch in turns; else nothing. */
static const char *so_far(char text[48], const struct watch_estimates *estimates,
			  const struct stats_total *total)
{
	text[0] = '\0';
	if (estimates && estimates->all)
		snprintf(text, 48, "   %.1f to %.1f%%", 100 * total->low / (double)estimates->all,
			 100 * total->high / (double)estimates->all);
	return text;
}

static void classes_draw(struct screen *screen, const struct watch_view *view,
			 const struct switch_counts *counts, double seconds)
{
	const struct watch_estimates *estimates = view->estimates;
	uint64_t all = switch_counts_switches(counts);
	char one[16], two[16], three[48];

	screen_line(screen, "%-40s %10s %7s %12s%s", "", "per second", "share", "of it idle",
		    estimates ? "   since the start" : "");
	for (int class = 0; class < SWITCH_CLASSES; class ++)
		screen_line(screen, "%-40s %10s %6.1f%% %12s%s", what_happens[class],
			    rate(one, switch_counts_class(counts, class), seconds),
			    share(switch_counts_class(counts, class), all),
			    rate(two, counts->switches[class][1], seconds),
			    so_far(three, estimates, estimates ? &estimates->kinds[class] : NULL));
	screen_line(screen, "%-40s %10s %6.1f%%", "all switches, and the lazy ones' share",
		    rate(one, all, seconds), share(lazy(counts), all));
}

static void loads_draw(struct screen *screen, const struct watch_view *view,
		       const struct switch_snapshot *now, const struct switch_counts *counts,
		       double seconds)
{
	uint64_t saved = switch_counts_saved(counts);
	char one[16], two[16], three[16], four[16];
	char worth[64] = "";

	if (view->costs && view->costs->known && seconds > 0)
		snprintf(worth, sizeof(worth), ", worth %.3f ms/s of CPU time",
			 saved / seconds * view->costs->load_ns / 1e6);
	screen_line(screen, "loads saved %s/s%s%s", rate(one, saved, seconds),
		    now->estimated  ? " (estimate)"
		    : now->no_loads ? " at most"
				    : "",
		    worth);
	if (now->no_loads) {
		screen_line(screen, "CR3 loads: not available, %s", now->no_loads);
		return;
	}
	screen_line(screen,
		    "CR3 loads: kept %s/s, flushing %s/s; shootdowns sent %s/s, received %s/s",
		    rate(one, switch_counts_loads(counts, LOAD_KEPT), seconds),
		    rate(two, switch_counts_loads(counts, LOAD_FLUSHED), seconds),
		    rate(three, counts->flushes[FLUSH_REMOTE_SENT], seconds),
		    rate(four, counts->flushes[FLUSH_REMOTE_RECEIVED], seconds));
}

static void cpus_draw(struct screen *screen, const struct watch_view *view,
		      const struct switch_snapshot *now, const struct switch_snapshot *before,
		      double seconds, int room)
{
	char one[16], two[16], three[16], four[16], five[16];

	screen_line(screen, "%-6s %10s %7s %9s %9s %9s %9s", "CPU", "switches/s", "lazy", "saved/s",
		    "kept/s", "flush/s", "IPIs/s");
	for (unsigned int cpu = 0; cpu < now->cpu_count && room > 0; cpu++) {
		struct switch_counts counts;

		if (view->cpus && !hwloc_bitmap_isset(view->cpus, cpu))
			continue;
		counts = switch_counts_between(now, before, cpu);
		/* With many CPUs only the busy ones are worth a line. */
		if (now->cpu_count > 8 && !switch_counts_switches(&counts))
			continue;
		screen_line(screen, "%-6u %10s %6.1f%% %9s %9s %9s %9s", cpu,
			    rate(one, switch_counts_switches(&counts), seconds),
			    share(lazy(&counts), switch_counts_switches(&counts)),
			    rate(two, switch_counts_saved(&counts), seconds),
			    rate(three, switch_counts_loads(&counts, LOAD_KEPT), seconds),
			    rate(four, switch_counts_loads(&counts, LOAD_FLUSHED), seconds),
			    rate(five, counts.flushes[FLUSH_REMOTE_SENT], seconds));
		room--;
	}
}

static int tops_draw(struct screen *screen, const struct switch_snapshot *now,
		     const struct switch_snapshot *before, double seconds, struct error *error)
{
	struct watch_top tops[64], others;
	int room, count;
	char one[16], two[16], three[16], four[16];

	for (enum watch_by by = WATCH_BY_BORROWER; by <= WATCH_BY_PROCESS; by++) {
		room = (screen->rows - 1 - screen->used) / (by == WATCH_BY_BORROWER ? 2 : 1) - 2;
		room = room < 0 ? 0 : room > 64 ? 64 : room;
		count = watch_top_build(tops, room, &others, by, now, before, error);
		if (count < 0)
			return count;
		if (by == WATCH_BY_BORROWER)
			screen_line(screen, "%-16s %10s %9s %9s  %s", "BORROWER", "times/s",
				    "back/s", "on/s", "most from");
		else
			screen_line(screen, "%-16s %10s %9s %9s %9s", "ADDRESS SPACE", "lent/s",
				    "back/s", "real/s", "thread/s");
		for (int i = 0; i <= count; i++) {
			const struct watch_top *top = i < count ? &tops[i] : &others;

			rate(one, watch_top_weight(top, WATCH_BY_BORROWER), seconds);
			rate(two, top->switches[SWITCH_BACK], seconds);
			if (by == WATCH_BY_BORROWER)
				screen_line(screen, "%-16.16s %10s %9s %9s  %.16s", top->name, one,
					    two, rate(three, top->switches[SWITCH_ON], seconds),
					    top->most);
			else
				screen_line(screen, "%-16.16s %10s %9s %9s %9s", top->name, one,
					    two, rate(three, top->switches[SWITCH_REAL], seconds),
					    rate(four, top->switches[SWITCH_THREAD], seconds));
		}
	}
	return 0;
}

static int table_draw(struct watch_view *view, const struct switch_snapshot *now,
		      const struct switch_snapshot *before, uint64_t start_ns, struct error *error)
{
	double seconds = (now->time_ns - before->time_ns) / 1e9;
	struct switch_counts counts = switch_counts_between(now, before, -1);
	struct screen screen;
	int ret;

	screen_size(&screen);
	/* Home, and clear once: a screen that is cleared each time flickers. */
	fputs(view->header_shown ? "\033[H" : "\033[H\033[J", stdout);
	view->header_shown = true;
	screen_line(&screen, "activemm watch: %.0f s, every %.1f s, by %s",
		    (now->time_ns - start_ns) / 1e9, seconds, view->source);
	classes_draw(&screen, view, &counts, seconds);
	loads_draw(&screen, view, now, &counts, seconds);
	cpus_draw(&screen, view, now, before, seconds, (screen.rows - screen.used) / 3);
	ret = tops_draw(&screen, now, before, seconds, error);
	fputs("\033[J", stdout);
	return ret;
}

static void line_print(struct watch_view *view, const struct switch_snapshot *now,
		       const struct switch_snapshot *before, uint64_t start_ns)
{
	double seconds = (now->time_ns - before->time_ns) / 1e9;
	struct switch_counts counts = switch_counts_between(now, before, -1);
	char text[16];

	if (!view->header_shown)
		printf("%8s %10s %6s %9s %9s %9s %9s %9s %9s %9s %9s %9s\n", "seconds",
		       "switches/s", "lazy%", "borrow/s", "pass/s", "back/s", "on/s", "thread/s",
		       "real/s", "saved/s", "kept/s", "flush/s");
	view->header_shown = true;
	if (switch_counts_factor(now, before) == 0) {
		/* Cut short before a window: its switches are in the summary. */
		printf("%8.2f %10s  (no window)\n", (now->time_ns - start_ns) / 1e9,
		       rate(text, switch_counts_all(now, before), seconds));
		return;
	}
	printf("%8.2f %10s %6.1f", (now->time_ns - start_ns) / 1e9,
	       rate(text, switch_counts_switches(&counts), seconds),
	       share(lazy(&counts), switch_counts_switches(&counts)));
	for (int class = 0; class < SWITCH_CLASSES; class ++)
		printf(" %9s", rate(text, switch_counts_class(&counts, class), seconds));
	printf(" %9s", rate(text, switch_counts_saved(&counts), seconds));
	for (int kind = 0; kind < LOAD_KINDS; kind++)
		printf(" %9s", !now->no_loads
				       ? rate(text, switch_counts_loads(&counts, kind), seconds)
				       : "-");
	putchar('\n');
}

static int json_print(const struct switch_snapshot *now, const struct switch_snapshot *before,
		      uint64_t start_ns, struct error *error)
{
	struct switch_counts counts = switch_counts_between(now, before, -1);
	json_t *line;
	int ret;

	line = member_pack("{s:i, s:s, s:f, s:f, s:o*}", "schema", 1, "type", "interval", "seconds",
			   (now->time_ns - start_ns) / 1e9, "length_s",
			   (now->time_ns - before->time_ns) / 1e9, "counts",
			   watch_counts_json(&counts, now));
	if (!line)
		return error_set(error, ENOMEM, "no memory for a line of JSON");
	if (now->in_turns)
		member_set(line, "sampling",
			   member_pack("{s:I, s:I}", "seen",
				       (json_int_t)(now->cover.seen - before->cover.seen),
				       "switches", (json_int_t)switch_counts_all(now, before)));
	ret = member_print(line, stdout, JSON_COMPACT, error);
	json_decref(line);
	return ret;
}

int watch_stdout_flush(struct error *error)
{
	int code;

	if (!fflush(stdout) && !ferror(stdout))
		return 0;
	/* A terminal that was closed answers EIO: its reader has gone just as a pipe's. */
	code = errno == EIO ? EPIPE : errno;
	return error_set(error, code, "standard output: %s", strerror(code));
}

int watch_view_interval(struct watch_view *view, const struct switch_snapshot *now,
			const struct switch_snapshot *before, uint64_t start_ns,
			struct error *error)
{
	int ret = 0;

	if (view->json)
		ret = json_print(now, before, start_ns, error);
	else if (view->terminal)
		ret = table_draw(view, now, before, start_ns, error);
	else
		line_print(view, now, before, start_ns);
	return ret ? ret : watch_stdout_flush(error);
}
