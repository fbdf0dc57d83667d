// SPDX-License-Identifier: GPL-2.0-or-later
/* `activemm watch`: how many CR3 loads active_mm saves on the live system. */
#include "config.h"
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>
#include "bench/commands/commands.h"
#include "bench/watch/watch.h"
#include "lib/machine/clock.h"
#include "lib/switches/counts-perf.h"
#include "lib/base/member.h"

/* How often the perf source's buffers have to be emptied. */
#define DRAIN_MS 20

struct watch {
	struct watch_options options;
	struct watch_costs costs;
	struct watch_view view;
	struct watch_record *record;
	struct counts_bpf *trace;
	struct counts_perf *sample;
	struct watch_turns *turns;
	struct watch_estimates estimates;
	struct switch_counts written; /* to the textfile */
	struct switch_snapshot now, before, other;
	const char *source;
	char in_turns[64];
	char why_estimate[512];
	uint64_t start_ns;
	int signals; /* signalfd */
	struct watch_command command;
	bool ending;
};

static int sources_open(struct watch *watch, struct error *error)
{
	enum watch_source wanted = watch->options.source;
	int ret;

	watch->source = "BPF";
	if (watch->options.trace.in_turns) {
		snprintf(watch->in_turns, sizeof(watch->in_turns), "BPF in %g%% of the time",
			 100 * watch->options.share);
		watch->source = watch->in_turns;
	}
	if (wanted != WATCH_PERF) {
		ret = counts_bpf_open(&watch->trace, &watch->options.trace, error);
		if (ret && wanted != WATCH_AUTO)
			return ret;
		if (ret)
			snprintf(watch->why_estimate, sizeof(watch->why_estimate), "%s",
				 error->text);
		if (!ret && watch->options.trace.in_turns)
			return watch_turns_open(&watch->turns, &watch->options, watch->trace,
						error);
		if (!ret && wanted != WATCH_BOTH)
			return 0;
	}
	ret = counts_perf_open(&watch->sample, &watch->options.trace, error);
	if (ret && watch->why_estimate[0]) {
		char text[sizeof(error->text)];

		snprintf(text, sizeof(text), "%s", error->text);
		return error_set(
			error, -ret,
			"neither BPF nor perf events can be used here. BPF: %.220s; perf: %.220s",
			watch->why_estimate, text);
	}
	if (!watch->trace)
		watch->source = "perf events and /proc (classes are estimates)";
	return ret;
}

static int sources_read(struct watch *watch, bool with_pairs, struct error *error)
{
	int ret = 0;

	/* Groups that were made since the last look. The one we watch may have ended: no error. */
	if (watch->trace && watch->options.cgroup && !watch_cgroup_walk(&watch->options))
		ret = counts_bpf_select(watch->trace, watch->options.ids,
					watch->options.trace.id_count, error);
	if (!ret && watch->trace)
		ret = counts_bpf_read(watch->trace, &watch->now, with_pairs, error);
	if (!ret && watch->sample)
		ret = counts_perf_read(watch->sample, watch->trace ? &watch->other : &watch->now,
				       with_pairs, error);
	if (!ret && watch->turns)
		watch_turns_estimate(watch->turns, &watch->now, &watch->estimates);
	return ret;
}

static int signals_open(struct watch *watch, struct error *error)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCHLD);
	/* A reader who has gone is an error of write(), not a death with programs attached. */
	signal(SIGPIPE, SIG_IGN);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return error_set(error, errno, "sigprocmask: %s", strerror(errno));
	watch->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (watch->signals < 0)
		return error_set(error, errno, "signalfd: %s", strerror(errno));
	return 0;
}

static void signals_read(struct watch *watch)
{
	struct signalfd_siginfo info;

	while (read(watch->signals, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo != SIGCHLD || watch_command_ended(&watch->command))
			watch->ending = true;
	}
}

/* Sleep until the time, a signal, or the end of whoever reads us. */
static int wait_until(struct watch *watch, uint64_t until, struct error *error)
{
	while (!watch->ending) {
		struct pollfd fds[] = {
			{ .fd = watch->signals, .events = POLLIN },
			{ .fd = STDOUT_FILENO },
		};
		uint64_t now, wake = until;
		struct timespec timeout;
		int ret = 0;

		if (watch->turns)
			ret = watch_turns_act(watch->turns, error);
		if (ret)
			return ret;
		now = clock_monotonic_ns();
		if (now >= until)
			return 0;
		if (watch->turns && watch_turns_next(watch->turns) < wake)
			wake = watch_turns_next(watch->turns);
		if (watch->sample && wake > now + DRAIN_MS * 1000000ull)
			wake = now + DRAIN_MS * 1000000ull;
		if (wake > now + 3600000000000ull)
			wake = now + 3600000000000ull;
		wake = wake > now ? wake - now : 0;
		timeout = (struct timespec){ wake / 1000000000, wake % 1000000000 };
		ret = ppoll(fds, 2, &timeout, NULL);
		if (ret < 0 && errno != EINTR)
			return error_set(error, errno, "poll: %s", strerror(errno));
		if (ret > 0 && fds[0].revents)
			signals_read(watch);
		if (ret > 0 && fds[1].revents & (POLLERR | POLLHUP | POLLNVAL))
			watch->ending = true;
		if (watch->sample) {
			ret = counts_perf_drain(watch->sample, error);
			if (ret)
				return ret;
		}
	}
	return 0;
}

/* The latest snapshot becomes the one before. */
static void snapshots_turn(struct watch *watch)
{
	struct switch_snapshot old = watch->before;

	watch->before = watch->now;
	watch->now = old;
}

static int watch_loop(struct watch *watch, struct error *error)
{
	uint64_t step = watch->options.interval * 1e9, next = watch->start_ns + step;
	uint64_t end = watch->options.duration > 0
			       ? watch->start_ns + (uint64_t)(watch->options.duration * 1e9)
			       : UINT64_MAX;
	int ret;

	while (!watch->ending) {
		ret = wait_until(watch, next < end ? next : end, error);
		if (ret)
			return ret;
		if (clock_monotonic_ns() >= end)
			watch->ending = true;
		if (watch->ending && watch->turns) {
			ret = watch_turns_finish(watch->turns, error);
			if (ret)
				return ret;
		}
		/* The last read is the end's: it takes the pairs with it. */
		ret = sources_read(watch, watch->ending || watch->view.terminal, error);
		if (ret)
			return ret;
		if (watch->record) {
			ret = watch_record_interval(watch->record, &watch->now, &watch->before,
						    watch->start_ns, error);
			if (ret)
				return ret;
		}
		if (watch->options.textfile) {
			ret = watch_textfile_write(watch->options.textfile, &watch->now,
						   watch->start_ns, watch->view.estimates,
						   &watch->written, error);
			if (ret)
				return ret;
		}
		/* A line for the few microseconds before a command's end would only mislead. */
		if (!watch->ending || watch->now.time_ns - watch->before.time_ns > step / 2) {
			ret = watch_view_interval(&watch->view, &watch->now, &watch->before,
						  watch->start_ns, error);
			if (ret == -EPIPE)
				watch->ending = true;
			else if (ret)
				return ret;
		}
		if (!watch->ending)
			snapshots_turn(watch);
		next += step;
		/* Stopped or suspended meanwhile: no burst of empty intervals. */
		if (next < clock_monotonic_ns())
			next = clock_monotonic_ns() + step;
	}
	return 0;
}

static int watch_end(struct watch *watch, struct error *error)
{
	struct watch_end end = {
		.now = &watch->now,
		.other = watch->trace && watch->sample ? &watch->other : NULL,
		.start_ns = watch->start_ns,
		.source = watch->source,
		.estimates = watch->view.estimates,
		.why_estimate = watch->why_estimate[0] ? watch->why_estimate : NULL,
		.costs = &watch->costs,
		.cpus = watch->options.cpus,
	};
	json_t *json = NULL;
	int ret = 0;

	if (watch->options.json || watch->record) {
		json = watch_summary_json(&end, error);
		if (!json)
			return -ENOMEM;
	}
	if (watch->record) {
		ret = watch_record_close(watch->record, json, error);
		watch->record = NULL;
	}
	if (watch->options.json) {
		if (!ret)
			ret = member_print(json, stdout, JSON_COMPACT, error);
	} else if (!ret) {
		ret = watch_summary_print(&end, error);
	}
	if (!ret)
		ret = watch_stdout_flush(error);
	/* Nobody may be reading any more: that is an end like any other, and nothing to complain of. */
	if (ret == -EPIPE) {
		__fpurge(stdout);
		clearerr(stdout);
		ret = 0;
	}
	json_decref(json);
	return ret;
}

static int watch_prepare(struct watch *watch, struct error *error)
{
	struct watch_options *options = &watch->options;
	int ret, cpus;

	if (options->costs) {
		ret = watch_costs_read(&watch->costs, options->costs, error);
		if (ret)
			return ret;
	}
	cpus = switch_cpu_count(error);
	if (cpus < 0)
		return cpus;
	ret = switch_snapshot_resize(&watch->before, cpus, error);
	/* A place that cannot be written is told before anything is counted. */
	if (!ret && options->textfile)
		ret = watch_textfile_write(options->textfile, &watch->before, 0, NULL,
					   &watch->written, error);
	if (!ret && options->record)
		ret = watch_record_open(&watch->record, options->record, error);
	if (!ret)
		ret = signals_open(watch, error);
	watch->view = (struct watch_view){
		.terminal = !options->json && isatty(STDOUT_FILENO),
		.json = options->json,
		.costs = &watch->costs,
		.cpus = options->cpus,
	};
	return ret;
}

static int watch_run(struct watch *watch, struct error *error)
{
	int ret;

	ret = watch_prepare(watch, error);
	/* Before the sources: a child must not hold their descriptors open. */
	if (!ret && watch->options.command)
		ret = watch_command_start(&watch->command, &watch->options, error);
	if (!ret)
		ret = sources_open(watch, error);
	watch->view.source = watch->source;
	watch->view.estimates = watch->turns ? &watch->estimates : NULL;
	if (!ret && watch->why_estimate[0])
		complain(0, "watch: estimates only, BPF cannot be used: %s", watch->why_estimate);
	watch->start_ns = clock_monotonic_ns();
	watch->before.time_ns = watch->start_ns;
	if (!ret && watch->turns)
		ret = watch_turns_start(watch->turns, watch->start_ns, error);
	if (!ret)
		ret = watch_command_release(&watch->command, error);
	if (!ret)
		ret = watch_loop(watch, error);
	/* Detach first: what follows takes its time. */
	watch_turns_close(watch->turns);
	counts_bpf_close(watch->trace);
	counts_perf_close(watch->sample);
	watch_command_stop(&watch->command);
	if (!ret)
		ret = watch_end(watch, error);
	if (watch->record)
		watch_record_close(watch->record, NULL, &(struct error){ 0 });
	return ret;
}

int cmd_watch(int argc, char **argv)
{
	struct watch watch = { .signals = -1, .command = { .gate = -1, .report = -1 } };
	struct error error = { 0 };
	int ret;

	ret = watch_options_parse(&watch.options, argc, argv);
	if (ret) {
		watch_options_free(&watch.options);
		return ret == 1 ? 0 : ret;
	}
	ret = watch_run(&watch, &error);
	if (ret)
		complain(EXIT_FAILED, "watch: %s", error.text);
	switch_snapshot_free(&watch.now);
	switch_snapshot_free(&watch.before);
	switch_snapshot_free(&watch.other);
	watch_options_free(&watch.options);
	if (watch.signals >= 0)
		close(watch.signals);
	return ret ? EXIT_FAILED : watch.command.status;
}
