// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/base/refusal.h"

/* Linux 5.8: older headers lack the names. */
#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#endif
#ifndef CAP_BPF
#define CAP_BPF 39
#endif

#define UNFILTER "let it through (docker run --security-opt seccomp=PROFILE, or unconfined)"

static bool has(const struct refusal_state *s, int capability)
{
	return s->capabilities >> capability & 1;
}

/* One number of a file that holds nothing else first; @otherwise where there is none. */
static long long file_number(const char *path, long long otherwise)
{
	FILE *f = fopen(path, "re");
	long long v;

	if (f && fscanf(f, "%lld", &v) != 1)
		v = otherwise;
	else if (!f)
		v = otherwise;
	if (f)
		fclose(f);
	return v;
}

/* Does a line of the file hold @text? */
static bool file_holds(const char *path, const char *text)
{
	FILE *f = fopen(path, "re");
	bool holds = false;
	char *line = NULL;
	size_t cap = 0;

	while (f && !holds && getline(&line, &cap, f) > 0)
		holds = strstr(line, text) != NULL;
	if (f)
		fclose(f);
	free(line);
	return holds;
}

/* The number after @key in the file of "Key: number" lines. */
static bool file_row(const char *path, const char *key, const char *format, uint64_t *v)
{
	FILE *f = fopen(path, "re");
	bool found = false;
	char *line = NULL;
	size_t cap = 0, len = strlen(key);

	while (f && !found && getline(&line, &cap, f) > 0)
		found = !strncmp(line, key, len) && sscanf(line + len, format, v) == 1;
	if (f)
		fclose(f);
	free(line);
	return found;
}

/* By the flags of the first CPU: the file is long where there are many. */
static bool cpu_is_guest(void)
{
	FILE *f = fopen("/proc/cpuinfo", "re");
	bool guest = false;
	char *line = NULL;
	size_t cap = 0;

	while (f && !guest && getline(&line, &cap, f) > 1)
		guest = !strncmp(line, "flags", 5) && strstr(line, " hypervisor");
	if (f)
		fclose(f);
	free(line);
	return guest;
}

/* The first user namespace maps all of its users onto themselves. */
static bool in_user_namespace(void)
{
	FILE *f = fopen("/proc/self/uid_map", "re");
	unsigned long inside, outside, n;
	bool own = f && (fscanf(f, "%lu %lu %lu", &inside, &outside, &n) != 3 || inside ||
			 outside || n != 4294967295ul);

	if (f)
		fclose(f);
	return own;
}

void refusal_read(struct refusal_state *s)
{
	struct rlimit limit = { 0 };
	uint64_t seccomp = 0;

	*s = (struct refusal_state){ .root = geteuid() == 0, .capabilities = UINT64_MAX };
	if (!getrlimit(RLIMIT_NOFILE, &limit))
		s->descriptors = limit.rlim_cur;
	s->user_namespace = in_user_namespace();
	s->confidential = file_holds("/sys/kernel/security/lockdown", "[confidentiality]") ||
			  file_holds("/proc/cmdline", "lockdown=confidentiality");
	file_row("/proc/self/status", "CapEff:", "%" SCNx64, &s->capabilities);
	file_row("/proc/self/status", "Seccomp:", "%" SCNu64, &seccomp);
	s->seccomp = seccomp == 2;
	s->guest = cpu_is_guest();
	s->tracing = file_holds("/proc/filesystems", "\ttracefs");
	s->paranoid = (int)file_number("/proc/sys/kernel/perf_event_paranoid", 2);
	s->aio_used = (uint64_t)file_number("/proc/sys/fs/aio-nr", 0);
	s->aio_most = (uint64_t)file_number("/proc/sys/fs/aio-max-nr", 0);
	file_row("/proc/meminfo", "HugePages_Total:", "%" SCNu64, &s->huge_all);
	file_row("/proc/meminfo", "HugePages_Free:", "%" SCNu64, &s->huge_free);
}

/* What a process without the capability @name is to do. @besides: another way, "" if there is none. */
static void lacks(const struct refusal_state *s, const char *name, const char *besides, char *buf,
		  size_t len)
{
	if (s->user_namespace)
		snprintf(buf, len,
			 "this is a user namespace, whose root lacks %s in the kernel's eyes: run "
			 "outside "
			 "of it%s",
			 name, besides);
	else if (s->root)
		snprintf(buf, len, "this root lacks %s: give it (docker run --cap-add)%s", name,
			 besides);
	else
		snprintf(buf, len, "it takes %s: run as root, or give the capability%s", name,
			 besides);
}

static void event_forbidden(const struct refusal_state *s, char *buf, size_t len)
{
	char besides[96];

	if (!s->user_namespace && (has(s, CAP_PERFMON) || has(s, CAP_SYS_ADMIN))) {
		if (s->seccomp)
			snprintf(buf, len, "a seccomp filter forbids perf_event_open: " UNFILTER);
		else
			snprintf(buf, len,
				 "a security module forbids perf_event_open, whatever the "
				 "capabilities");
		return;
	}
	snprintf(besides, sizeof(besides), ", or sysctl kernel.perf_event_paranoid=-1 (it is %d)",
		 s->paranoid);
	lacks(s, "CAP_PERFMON", s->paranoid > -1 ? besides : "", buf, len);
}

static void event_words(const struct refusal_state *s, bool pmu, int err, char *buf, size_t len)
{
	switch (err) {
	case EACCES:
	case EPERM:
		event_forbidden(s, buf, len);
		break;
	case ENOENT:
	case ENODEV:
	case EOPNOTSUPP:
		if (pmu && s->guest)
			snprintf(buf, len,
				 "no PMU counts it here: run on hardware, or let the "
				 "hypervisor expose a virtual PMU");
		else if (pmu)
			snprintf(buf, len,
				 "no PMU counts it here: this CPU or kernel has no such event");
		else
			snprintf(buf, len, "this kernel has no such event");
		break;
	case ENOSYS:
		snprintf(buf, len, "no perf_event_open: the kernel needs CONFIG_PERF_EVENTS%s",
			 s->seccomp ? ", and the seccomp filter has to let it through" : "");
		break;
	case EBUSY:
		snprintf(buf, len,
			 "others hold the PMU for themselves: end them (perf, a hypervisor)");
		break;
	default:
		snprintf(buf, len, "perf_event_open: %s", strerror(err));
	}
}

static void tracefs_words(const struct refusal_state *s, int err, char *buf, size_t len)
{
	if (s->confidential)
		snprintf(buf, len,
			 "the kernel is locked down (confidentiality), which closes tracefs to "
			 "all: boot without lockdown=confidentiality");
	else if (!s->tracing)
		snprintf(buf, len, "the kernel has no tracefs: it needs CONFIG_TRACING");
	else if (err == ENOENT)
		snprintf(buf, len, "this kernel has no such tracepoint");
	else if ((err == EACCES || err == EPERM) && s->user_namespace)
		snprintf(buf, len,
			 "tracefs is out of reach in a user namespace: run outside of it");
	else if (err == EACCES || err == EPERM)
		snprintf(buf, len,
			 "tracefs may not be read or mounted: run as root with CAP_SYS_ADMIN, or "
			 "mount it on /sys/kernel/tracing and let this user's group read it");
	else
		snprintf(buf, len, "tracefs: %s", strerror(err));
}

static void bpf_words(const struct refusal_state *s, int err, char *buf, size_t len)
{
	if (err == ENOSYS)
		snprintf(buf, len, "no bpf(): the kernel needs CONFIG_BPF_SYSCALL%s",
			 s->seccomp ? ", and the seccomp filter has to let it through" : "");
	else if (err != EPERM && err != EACCES)
		snprintf(buf, len, "the kernel refuses the BPF programs: %s", strerror(err));
	else if (s->confidential)
		snprintf(buf, len,
			 "the kernel is locked down (confidentiality), and BPF may not read it: "
			 "boot without lockdown=confidentiality");
	else if (s->user_namespace ||
		 (!has(s, CAP_SYS_ADMIN) && !(has(s, CAP_BPF) && has(s, CAP_PERFMON))))
		lacks(s, "CAP_BPF and CAP_PERFMON", "", buf, len);
	else
		snprintf(buf, len,
			 s->seccomp ? "a seccomp filter forbids bpf(): " UNFILTER
				    : "a security module forbids BPF, whatever the capabilities");
}

static void aio_words(const struct refusal_state *s, int err, char *buf, size_t len)
{
	if (err == EAGAIN)
		snprintf(buf, len,
			 "all AIO contexts are in use (%" PRIu64 " of fs.aio-max-nr %" PRIu64
			 "): raise it: sysctl fs.aio-max-nr=%" PRIu64,
			 s->aio_used, s->aio_most, 2 * s->aio_most + 65536);
	else if (err == ENOSYS)
		snprintf(buf, len, "the kernel needs CONFIG_AIO%s",
			 s->seccomp ? ", and the seccomp filter has to let io_setup through" : "");
	else if (err == EPERM || err == EACCES)
		snprintf(buf, len,
			 "a seccomp filter forbids io_setup (containers' often do): " UNFILTER);
	else
		snprintf(buf, len, "io_setup: %s", strerror(err));
}

static void huge_words(const struct refusal_state *s, char *buf, size_t len)
{
	if (s->huge_free < s->huge_all)
		snprintf(buf, len,
			 "%" PRIu64 " of the pool's %" PRIu64
			 " huge pages are in use by others: as root, raise sysctl vm.nr_hugepages, "
			 "or ",
			 s->huge_all - s->huge_free, s->huge_all);
	else
		snprintf(buf, len,
			 "the pool holds %" PRIu64
			 " huge pages: as root, raise sysctl vm.nr_hugepages, or ",
			 s->huge_all);
	snprintf(buf + strlen(buf), len - strlen(buf),
		 "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
}

void refusal_words(const struct refusal_state *s, enum refused what, int err, char *buf, size_t len)
{
	/* These mean the same whatever was asked for. */
	if (err == EMFILE) {
		snprintf(buf, len,
			 "this process may have %" PRIu64 " descriptors, and all are in use: raise "
			 "ulimit -n",
			 s->descriptors);
		return;
	}
	if (err == ENFILE) {
		snprintf(buf, len,
			 "all of the system's descriptors are in use: raise sysctl fs.file-max");
		return;
	}
	switch (what) {
	case REFUSED_EVENT:
	case REFUSED_PMU:
		event_words(s, what == REFUSED_PMU, err, buf, len);
		return;
	case REFUSED_TRACEFS:
		tracefs_words(s, err, buf, len);
		return;
	case REFUSED_BPF:
		bpf_words(s, err, buf, len);
		return;
	case REFUSED_AIO:
		aio_words(s, err, buf, len);
		return;
	case REFUSED_HUGE:
		huge_words(s, buf, len);
		return;
	case REFUSED_CALL:
		break;
	}
	if (err == EAGAIN)
		snprintf(buf, len,
			 "%s: this user or control group may have no more tasks: raise ulimit -u, "
			 "or pids.max",
			 strerror(err));
	else if (s->seccomp && (err == EPERM || err == ENOSYS))
		snprintf(buf, len, "%s: a seccomp filter may be why: " UNFILTER, strerror(err));
	else
		snprintf(buf, len, "%s", strerror(err));
}

int refusal_set(struct error *e, enum refused what, int err, const char *subject, ...)
{
	struct refusal_state s;
	char about[160], words[320];
	va_list ap;

	if (!e)
		return -err;
	va_start(ap, subject);
	vsnprintf(about, sizeof(about), subject, ap);
	va_end(ap);
	refusal_read(&s);
	refusal_words(&s, what, err, words, sizeof(words));
	return error_set(e, err, "%s: %s", about, words);
}
