// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "bench/harness/scenario.h"
#include "lib/base/refusal.h"
#include "lib/machine/ask.h"
#include "lib/counters/pidns.h"
#include "lib/machine/cpu.h"

const char *const page_size_choices[] = { "4k", "2m", NULL };
const char *const membarrier_choices[] = { "off", "private", NULL };
const char *const ask_choices[] = { "off", "on", NULL };
const char *const place_choices[] = { "near", "package", "spread", NULL };

const struct scenario *scenario_find(const char *name)
{
	scenario_foreach (s)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

int scenario_param(const struct scenario *s, const char *key)
{
	for (int i = 0; s->params[i].key; i++)
		if (!strcmp(s->params[i].key, key))
			return i;
	return -1;
}

long trial_param(const struct trial *t, const char *key, long otherwise)
{
	int i = scenario_param(t->scenario, key);

	return i < 0 ? otherwise : t->params[i];
}

void scenario_params_default(const struct scenario *s, long *values)
{
	for (int i = 0; s->params[i].key; i++)
		values[i] = s->params[i].def;
}

/* Appends to @buf, which stays ended whatever its size. */
__attribute__((format(printf, 3, 4))) static void append(char *buf, size_t len, const char *fmt,
							 ...)
{
	size_t used = strlen(buf);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf + used, len - used, fmt, ap);
	va_end(ap);
}

int scenario_param_set(const struct scenario *s, long *values, const char *key, const char *text,
		       struct error *e)
{
	char allowed[256] = "";
	int i = scenario_param(s, key);
	char *end;
	long v;

	if (i < 0) {
		for (int k = 0; s->params[k].key; k++)
			append(allowed, sizeof(allowed), "%s%s", k ? ", " : "", s->params[k].key);
		return error_set(e, EINVAL, "scenario %s takes no parameter '%s': it takes %s",
				 s->name, key, allowed);
	}
	if (!s->params[i].choices) {
		errno = 0;
		v = strtol(text, &end, 10);
		if (errno || end == text || *end || v < s->params[i].min || v > s->params[i].max)
			return error_set(e, EINVAL,
					 "%s:%s=%s: the value must be a number from %ld to %ld",
					 s->name, key, text, s->params[i].min, s->params[i].max);
		values[i] = v;
		return 0;
	}
	for (v = 0; s->params[i].choices[v]; v++) {
		if (!strcmp(s->params[i].choices[v], text)) {
			values[i] = v;
			return 0;
		}
		append(allowed, sizeof(allowed), "%s%s", v ? ", " : "", s->params[i].choices[v]);
	}
	return error_set(e, EINVAL, "%s:%s=%s: the value must be one of %s", s->name, key, text,
			 allowed);
}

void scenario_params_text(const struct scenario *s, const long *values, bool all, char *buf,
			  size_t len)
{
	buf[0] = '\0';
	for (int i = 0; s->params[i].key; i++) {
		const struct param *p = &s->params[i];

		if ((!all || p->later) && values[i] == p->def)
			continue;
		append(buf, len, "%s%s=", buf[0] ? "," : "", p->key);
		if (p->choices)
			append(buf, len, "%s", p->choices[values[i]]);
		else
			append(buf, len, "%ld", values[i]);
	}
}

/* Each that is asked for, by @how. */
static int each_ask(const struct trial *t, int (*how)(enum ask what, int cpu, struct error *e),
		    struct error *e)
{
	static const char *const keys[] = {
		[ASK_MEMBARRIER] = "membarrier", [ASK_IBPB] = "ibpb", [ASK_L1D] = "l1d"
	};
	int rc = 0;

	for (unsigned int i = 0; i < sizeof(keys) / sizeof(*keys) && !rc; i++)
		if (trial_param(t, keys[i], 0))
			rc = how((enum ask)i, t->cpu, e);
	return rc;
}

int trial_ask(const struct trial *t, struct error *e)
{
	return each_ask(t, ask, e);
}

int scenario_possible(const struct trial *t, struct error *e)
{
	int rc = t->scenario->possible ? t->scenario->possible(t, e) : 0;

	return rc ? rc : each_ask(t, ask_possible, e);
}

int scenario_needs_helper(const struct trial *t, struct error *e)
{
	if (t->helper >= 0)
		return 0;
	return error_set(e, ENODEV,
			 "it needs a second CPU and only one is allowed: widen the cpuset");
}

int scenario_needs_place(const struct trial *t, struct error *e)
{
	long place = trial_param(t, "place", CPU_NEAR);

	if (place == CPU_NEAR ||
	    memcmp(t->cpus[place], t->cpus[CPU_NEAR], t->ncpus * sizeof(**t->cpus)) != 0)
		return 0;
	return error_set(e, ENODEV,
			 "on this machine place=%s is the same as place=near: it has one %s",
			 place_choices[place],
			 place == CPU_PACKAGE ? "core complex per package" : "package");
}

int scenario_needs_idle_events(const struct trial *t, bool helper, struct error *e)
{
	int cpu = helper ? t->helper : t->cpu, other = helper ? t->cpu : t->helper;

	if (helper ? !t->helper_blind : !t->idle_blind)
		return 0;
	return error_set(e, EOPNOTSUPP,
			 "on CPU %d this kernel's tracepoints miss what happens on the way out of "
			 "idle, so nothing would prove it: try another CPU (--cpu %d)",
			 cpu, helper ? cpu : other);
}

int scenario_needs_reloads(const struct trial *t, struct error *e)
{
	if (!t->reloads_unseen)
		return 0;
	return error_set(e, EOPNOTSUPP,
			 "only changes of mm are counted here, and its loads load the same one "
			 "again: it takes the tracepoint tlb:tlb_flush, see `activemm info'");
}

void trial_figure(struct trial *t, const char *name, const char *unit, double value,
		  const char *source)
{
	struct figure *f = &t->figures[t->nfigures];

	if (t->nfigures == FIGURES_MAX)
		return;
	t->nfigures++;
	snprintf(f->name, sizeof(f->name), "%s", name);
	snprintf(f->unit, sizeof(f->unit), "%s", unit);
	snprintf(f->source, sizeof(f->source), "%s", source);
	f->value = value;
}

static int list_add(pid_t **list, unsigned int *n, pid_t pid)
{
	pid_t *more = reallocarray(*list, *n + 1, sizeof(pid_t));

	if (!more)
		return -ENOMEM;
	*list = more;
	more[(*n)++] = pid;
	return 0;
}

int trial_add_task(struct trial *t, pid_t tid)
{
	return list_add(&t->tasks, &t->ntasks, tid);
}

int trial_numbers(const struct trial *t, pid_t *numbers, struct error *e)
{
	/* A kernel thread is the last that was added. */
	unsigned int own = t->ntasks - (t->kthread != 0);

	if (t->kthread)
		numbers[own] = t->kthread;
	return pidns_numbers(t->tasks, own, numbers, e);
}

pid_t trial_fork(struct trial *t, int cpu, void (*body)(struct trial *t, unsigned int index),
		 unsigned int index, struct error *e)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0)
		return refusal_set(e, REFUSED_CALL, errno, "cannot fork partner %u", index);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent || cpu_pin(cpu, NULL) || trial_ask(t, NULL))
			_exit(1);
		body(t, index);
		_exit(1);
	}
	if (list_add(&t->children, &t->nchildren, pid) ||
	    (cpu == t->cpu && trial_add_task(t, pid))) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		return error_set(e, ENOMEM, "out of memory");
	}
	return pid;
}

void trial_reap(struct trial *t)
{
	for (unsigned int i = 0; i < t->nchildren; i++)
		kill(t->children[i], SIGKILL);
	for (unsigned int i = 0; i < t->nchildren; i++)
		waitpid(t->children[i], NULL, 0);
	t->nchildren = 0;
}
