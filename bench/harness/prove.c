// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench/harness/prove.h"
#include "lib/base/refusal.h"
#include "lib/counters/kprobe.h"
#include "lib/machine/clock.h"
#include "lib/machine/cpu.h"
#include "lib/machine/mem.h"

#define ROUND_TRIPS 20
#define PAGES	    512 /* touched for the first time: each is a miss, and a walk */
#define TURN_S	    0.04 /* for an event that shares its counter to have one */
#define TURN_SHARE  0.1 /* of the time, at least, to be judged */

/* What the process leaves. */
struct proof {
	struct error error;
	struct counter_value values[COUNTER_NR];
	uint64_t changes;
	struct witness witness;
	int done;
};

static void __attribute__((noreturn)) answer(int in, int out)
{
	char token;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(in, &token, 1) == 1 && write(out, &token, 1) == 1)
		;
	_exit(0);
}

/* To another process and back, on this CPU. The changes of mm at least; 0 where there can be no such process. */
static uint64_t change_mms(void)
{
	int to[2], from[2];
	char token = 0;
	uint64_t n = 0;
	pid_t pid;

	if (pipe(to))
		return 0;
	if (pipe(from)) {
		close(to[0]);
		close(to[1]);
		return 0;
	}
	pid = fork();
	if (pid == 0) {
		close(to[1]);
		close(from[0]);
		answer(to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	while (pid > 0 && n < ROUND_TRIPS && write(to[1], &token, 1) == 1 &&
	       read(from[0], &token, 1) == 1)
		n++;
	close(to[1]);
	close(from[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
	return 2 * n;
}

static void touch_pages(void)
{
	size_t size = (size_t)sysconf(_SC_PAGESIZE);
	volatile char *p = mmap(NULL, PAGES * size, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return;
	madvise((void *)p, PAGES * size, MADV_NOHUGEPAGE);
	for (size_t i = 0; i < PAGES; i++)
		(void)p[i * size];
	munmap((void *)p, PAGES * size);
}

/* What new pages and the work on them must move. Whether switches flush in the CPU's own eyes is the kernel's choice. */
static bool must_move(int id)
{
	return id == COUNTER_DTLB_LOAD_MISSES || id == COUNTER_DTLB_WALK_CYCLES ||
	       id == COUNTER_DTLB_WALKS || id == COUNTER_CYCLES || id == COUNTER_INSTRUCTIONS ||
	       id == COUNTER_CYCLES_USER || id == COUNTER_CYCLES_KERNEL;
}

static bool may_still_move(const struct counter_value *values)
{
	for (int id = 0; id < COUNTER_NR; id++)
		if (must_move(id) && values[id].available && !values[id].value &&
		    values[id].share < 1)
			return true;
	return false;
}

static void count(struct proof *p, int cpu, const struct counter_doubts *doubts)
{
	struct counter_source src = counter_kernel;
	struct counter_set *set;
	double end;

	src.doubts = doubts;
	if (counters_open(&set, &src, COUNTERS_ALL, cpu, &p->error))
		return;
	counters_enable(set);
	p->changes = change_mms();
	end = clock_monotonic_s() + TURN_S;
	do {
		touch_pages();
		counters_read(set, p->values);
	} while (may_still_move(p->values) && clock_monotonic_s() < end);
	counters_disable(set);
	counters_read(set, p->values);
	counters_close(set);
	p->done = 1;
}

/* In a batch of its own: what loads are counted by costs as much as ever. */
static void ask_witness(struct witness *w, int cpu)
{
	const struct counter_source *src = &counter_kernel;
	struct perf_event_attr attr = { .size = sizeof(attr), .disabled = 1 };
	struct error e = { 0 };
	int type = kprobe_type(&e), fd = type;

	for (const char *const *f = counter_functions; *f && type >= 0 && !w->function; f++) {
		kprobe_describe(&attr, type, *f);
		fd = src->open(src->ctx, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
		if (fd >= 0)
			w->function = *f;
	}
	if (!w->function) {
		if (type >= 0)
			refusal_set(&e, REFUSED_EVENT, -fd, "the kernel's functions");
		snprintf(w->why, sizeof(w->why), "%.223s", e.text);
		return;
	}
	src->control(src->ctx, fd, PERF_EVENT_IOC_ENABLE, 0);
	w->changes = change_mms();
	src->control(src->ctx, fd, PERF_EVENT_IOC_DISABLE, 0);
	if (src->read(src->ctx, fd, &w->seen, sizeof(w->seen)) != sizeof(w->seen))
		w->seen = 0;
	src->close(src->ctx, fd);
}

static bool by_tracepoint(const struct counter_value *v)
{
	return !strncmp(v->source, "tlb:", 4);
}

bool counters_miss_reloads(const struct counter_value *loads)
{
	return strstr(loads->source, "kprobe choose_new_asid") ||
	       strstr(loads->source, "kprobe switch_ldt");
}

static int prove_once(int cpu, const struct counter_doubts *doubts, struct proof *p,
		      struct error *e)
{
	pid_t pid = fork();

	if (pid < 0)
		return refusal_set(e, REFUSED_CALL, errno, "cannot fork");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (!cpu_pin(cpu, &p->error))
			count(p, cpu, doubts);
		if (p->done && p->values[COUNTER_CR3_LOADS].available &&
		    by_tracepoint(&p->values[COUNTER_CR3_LOADS]))
			ask_witness(&p->witness, cpu);
		_exit(0);
	}
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (p->done)
		return 0;
	return error_set(e, p->error.code ? p->error.code : ECHILD,
			 "the counters cannot be tried on CPU %d: %s", cpu,
			 p->error.code ? p->error.text : "the process that does was killed");
}

__attribute__((format(printf, 4, 5))) static void doubt(struct counter_doubts *doubts,
							struct counter_value *values, int id,
							const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(doubts->why[id], sizeof(doubts->why[id]), fmt, ap);
	va_end(ap);
	values[id].available = false;
	snprintf(values[id].why, sizeof(values[id].why), "%s", doubts->why[id]);
}

bool counters_doubt(struct counter_value *values, uint64_t changes, struct counter_doubts *doubts)
{
	struct counter_value *loads = &values[COUNTER_CR3_LOADS];
	char source[160];

	for (int id = 0; id < COUNTER_NR; id++) {
		const struct counter_value *v = &values[id];

		snprintf(source, sizeof(source), "%.*s", (int)strcspn(v->source, ","), v->source);
		if (must_move(id) && v->available && !v->value && v->share > TURN_SHARE)
			doubt(doubts, values, id,
			      "%s can be opened and counts nothing: this PMU does not have it",
			      source);
	}
	if (!changes)
		return false;
	if (loads->available && loads->value < changes / 2) {
		if (by_tracepoint(loads)) {
			doubts->tracepoint = true;
			return true;
		}
		snprintf(source, sizeof(source), "%.*s", (int)strcspn(loads->source, ","),
			 loads->source);
		doubt(doubts, values, COUNTER_CR3_LOADS, "%s: only %llu came at %llu changes of mm",
		      source, (unsigned long long)loads->value, (unsigned long long)changes);
	} else if (doubts->tracepoint && !loads->available) {
		doubt(doubts, values, COUNTER_CR3_LOADS,
		      "tlb:tlb_flush is there and never fired at %llu changes of mm, and %.140s",
		      (unsigned long long)changes, loads->why);
	}
	return false;
}

int counters_prove(int cpu, struct counter_doubts *doubts, struct counter_value *values,
		   struct witness *w, struct error *e)
{
	struct proof *p = mem_shared(sizeof(*p), -1, e);
	int rc;

	if (!p)
		return -ENOMEM;
	memset(doubts, 0, sizeof(*doubts));
	for (int again = 1; again;) {
		memset(p, 0, sizeof(*p));
		rc = prove_once(cpu, doubts, p, e);
		again = !rc && counters_doubt(p->values, p->changes, doubts);
	}
	memcpy(values, p->values, sizeof(p->values));
	*w = p->witness;
	mem_shared_free(p, sizeof(*p));
	return rc;
}
