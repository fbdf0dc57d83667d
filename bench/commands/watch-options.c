// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include "bench/commands/commands.h"
#include "bench/watch/watch.h"
#include "lib/counters/pidns.h"

/* So that it costs under 25 ns a switch where the programs cost 500: see tests/figures/README.md. */
#define SHARE 0.05

static const char help[] =
	"Usage: activemm watch [OPTION]... [-- COMMAND [ARGUMENT]...]\n"
	"How many CR3 loads active_mm saves on this running system.\n"
	"\n"
	"  --cpus LIST       watch these CPUs only, e.g. 0-3,8 (default: all)\n"
	"  --interval S      seconds between two updates, 0.05 to 3600 (default 1)\n"
	"  --duration S      stop after so many seconds (default: at a signal)\n"
	"  --pid LIST        only switches in which these processes, or their address spaces, take "
	"part\n"
	"  --comm NAME       the same by command name; a final * matches any rest\n"
	"  --cgroup PATH     the same by control group (version 2), its descendants included\n"
	"  --share PERCENT   count in windows at random times, so much of the time (0.1 to 50), "
	"and\n                    extrapolate; 100: all the time (default 5)\n"
	"  --seed N          of the windows' times (default: random, and told)\n"
	"  --no-loads        do not count CR3 loads and shootdowns: half the cost of a real "
	"switch\n"
	"  --json            one JSON object a line: intervals, then the summary\n"
	"  --costs DIR       value the loads saved with the costs of this result set\n"
	"  --record DIR      write a result set for `report' and `compare'\n"
	"  --textfile FILE   keep the counters in FILE, for Prometheus's node exporter (a name in "
	".prom)\n"
	"  --source WHICH    bpf, perf (estimates, no BPF needed), both (compares them), or auto\n"
	"  -h, --help        this text\n"
	"\n"
	"With a COMMAND the whole system is watched while it runs; the exit status is the "
	"command's.\n";

static int __attribute__((format(printf, 1, 2))) usage(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return complain(EXIT_USAGE, "watch: %s (activemm watch --help shows the usage)", text);
}

static int seconds_parse(double *seconds, const char *text, const char *name, double low)
{
	char *end;

	*seconds = strtod(text, &end);
	if (end != text && !*end && *seconds >= low && *seconds <= 31536000)
		return 0;
	return usage("%s %s: give seconds, at least %g", name, text, low);
}

static int cpus_parse(struct watch_options *options, const char *text)
{
	hwloc_bitmap_t cpus = hwloc_bitmap_alloc();
	struct error error;
	int count;

	count = switch_cpu_count(&error);
	if (count < 0) {
		hwloc_bitmap_free(cpus);
		return usage("%s", error.text);
	}
	hwloc_bitmap_free(options->cpus);
	options->cpus = cpus;
	options->trace.cpus = cpus;
	if (strspn(text, "0123456789,-") == strlen(text) && !hwloc_bitmap_list_sscanf(cpus, text) &&
	    hwloc_bitmap_weight(cpus) > 0 && hwloc_bitmap_last(cpus) < count)
		return 0;
	return usage("--cpus %s: give a list such as 0,2-3 within 0-%d", text, count - 1);
}

/* Any thread of a process names it. */
static long pid_to_tgid(long pid)
{
	char path[64], line[256];
	long tgid = -1;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/status", pid);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "Tgid: %ld", &tgid) == 1)
			break;
	fclose(file);
	return tgid;
}

static int pids_parse(struct watch_options *options, const char *text)
{
	const char *at = text;
	struct error error;
	long pid, tgid;
	char *end;

	if (!pidns_is_initial()) {
		pidns_refuse("--pid cannot be followed here", &error);
		return usage("%s; or watch by --comm or --cgroup", error.text);
	}
	do {
		pid = strtol(at, &end, 10);
		if (end == at || (*end && *end != ',') || pid <= 0)
			return usage("--pid %s: give process numbers, separated by commas", text);
		tgid = pid_to_tgid(pid);
		if (tgid < 0)
			return usage("--pid %s: there is no such process", text);
		if (watch_id_add(options, tgid))
			return usage("--pid %s: no memory", text);
		at = end + 1;
	} while (*end);
	return 0;
}

static int cgroup_parse(struct watch_options *options, const char *text)
{
	struct error error;

	return watch_cgroup_find(options, text, &error) ? usage("%s", error.text) : 0;
}

static int source_parse(struct watch_options *options, const char *text)
{
	static const char *const names[] = {
		[WATCH_AUTO] = "auto",
		[WATCH_BPF] = "bpf",
		[WATCH_PERF] = "perf",
		[WATCH_BOTH] = "both",
	};

	for (int i = 0; i <= WATCH_BOTH; i++) {
		if (strcmp(text, names[i]))
			continue;
		options->source = i;
		return 0;
	}
	return usage("--source %s: one of auto, bpf, perf, both", text);
}

static int share_parse(struct watch_options *options, const char *text)
{
	char *end;
	double percent = strtod(text, &end);

	if (*end == '%')
		end++;
	options->share = percent / 100;
	if (end != text && !*end && ((percent >= 0.1 && percent <= 50) || percent == 100))
		return 0;
	return usage("--share %s: give a percentage from 0.1 to 50, or 100", text);
}

static int seed_parse(struct watch_options *options, const char *text)
{
	char *end;

	errno = 0;
	options->seed = strtoul(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno && options->seed <= UINT32_MAX)
		return 0;
	return usage("--seed %s: give a number from 0 to %u", text, UINT32_MAX);
}

/* What is not said, and what does not go together. */
static int turns_settle(struct watch_options *options)
{
	bool bpf = options->source == WATCH_AUTO || options->source == WATCH_BPF;
	double least;

	if (!options->share)
		options->share = bpf ? SHARE : 1;
	if (options->share == 1)
		return 0;
	if (!bpf)
		return usage("%s", "--share below 100 needs BPF alone: leave --source away");
	least = watch_turns_least(options->share);
	if (options->interval < least)
		return usage("--interval %g: at --share %g at least %g, or the windows would be "
			     "too short; or give --share 100",
			     options->interval, 100 * options->share, least);
	options->trace.in_turns = true;
	return 0;
}

static int filter_parse(struct watch_options *options, int option, const char *text)
{
	if (options->trace.filter != FILTER_NONE)
		return usage("%s", "give one of --pid, --comm and --cgroup");
	switch (option) {
	case 'p':
		options->trace.filter = FILTER_PID;
		return pids_parse(options, text);
	case 'n':
		options->trace.filter = FILTER_COMM;
		options->trace.comm = text;
		if (!*text || strlen(text) >= COMM_LEN)
			return usage("--comm '%s': a command name has 1 to 15 characters", text);
		return 0;
	default:
		options->trace.filter = FILTER_CGROUP;
		return cgroup_parse(options, text);
	}
}

int watch_options_parse(struct watch_options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{ "cpus", required_argument, NULL, 'c' },
		{ "interval", required_argument, NULL, 'i' },
		{ "duration", required_argument, NULL, 'd' },
		{ "pid", required_argument, NULL, 'p' },
		{ "comm", required_argument, NULL, 'n' },
		{ "cgroup", required_argument, NULL, 'g' },
		{ "json", no_argument, NULL, 'j' },
		{ "no-loads", no_argument, NULL, 'l' },
		{ "share", required_argument, NULL, 'S' },
		{ "seed", required_argument, NULL, 'R' },
		{ "costs", required_argument, NULL, 'C' },
		{ "record", required_argument, NULL, 'r' },
		{ "textfile", required_argument, NULL, 't' },
		{ "source", required_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	uint32_t seed;
	int option, ret = 0;

	*options = (struct watch_options){ .interval = 1 };
	if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed))
		options->seed = seed;
	else
		options->seed = time(NULL);
	optind = 0;
	while (!ret && (option = getopt_long(argc, argv, "+h", longs, NULL)) != -1) {
		switch (option) {
		case 'c':
			ret = cpus_parse(options, optarg);
			break;
		case 'i':
			ret = seconds_parse(&options->interval, optarg, "--interval", 0.05);
			break;
		case 'd':
			ret = seconds_parse(&options->duration, optarg, "--duration", 0.05);
			break;
		case 'p':
		case 'n':
		case 'g':
			ret = filter_parse(options, option, optarg);
			break;
		case 'j':
			options->json = true;
			break;
		case 'l':
			options->trace.no_loads = true;
			break;
		case 'S':
			ret = share_parse(options, optarg);
			break;
		case 'R':
			ret = seed_parse(options, optarg);
			break;
		case 'C':
			options->costs = optarg;
			break;
		case 'r':
			options->record = optarg;
			break;
		case 't':
			options->textfile = optarg;
			break;
		case 's':
			ret = source_parse(options, optarg);
			break;
		case 'h':
			fputs(help, stdout);
			return 1;
		default:
			return 2;
		}
	}
	if (!ret && optind < argc) {
		if (strcmp(argv[optind - 1], "--"))
			return usage("%s: put -- before the command", argv[optind]);
		options->command = argv + optind;
	}
	return ret ? ret : turns_settle(options);
}

void watch_options_free(struct watch_options *options)
{
	hwloc_bitmap_free(options->cpus);
	free(options->ids);
	free(options->cgroup);
}
