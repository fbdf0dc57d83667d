// SPDX-License-Identifier: GPL-2.0-or-later
/* From log entries to a story: who runs, whose address space, and what is in CR3. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/explain/explain.h"
#include "lib/switches/kernel-flags.h"
#include "lib/switches/log-perf.h"
#include "lib/base/text.h"

/* One CPU while its entries are read. */
struct on_cpu {
	int cpu;
	const struct switch_log_entry *running; /* the switch to the task that runs */
	int loaded; /* the mm in CR3 */
	int latest; /* step of its latest switch, -1: none yet */
};

/* What is known while the entries are read one after the other. */
struct telling {
	struct story *story;
	const struct trial_window *window;
	struct trial own; /* the tasks, in the form that observe.h asks for */
	struct on_cpu cpus[2]; /* the measured one, the remote one */
	bool failed;
};

void story_log(void *context, const struct switch_log_entry *entry)
{
	struct story_log *log = context;

	if (log->count == log->room) {
		size_t room = log->room ? 2 * log->room : 1024;
		struct switch_log_entry *more = reallocarray(log->entries, room, sizeof(*more));

		if (!more) {
			log->full = true;
			return;
		}
		log->entries = more;
		log->room = room;
	}
	log->entries[log->count++] = *entry;
}

static int by_time(const void *a, const void *b)
{
	const struct switch_log_entry *x = a, *y = b;

	if (x->time_ns != y->time_ns)
		return x->time_ns < y->time_ns ? -1 : 1;
	/* A flush within the same nanosecond follows its switch. */
	return (int)x->kind - (int)y->kind;
}

void story_log_sort(struct story_log *log)
{
	if (log->count)
		qsort(log->entries, log->count, sizeof(*log->entries), by_time);
}

/* A, B, ..., Z, A1, B1, ...; init_mm has its name already. */
static void mm_name(const struct story *story, bool init, char *name, size_t length)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < story->nmms; i++)
		n += strcmp(story->mms[i].name, "init_mm") != 0;
	if (init)
		snprintf(name, length, "init_mm");
	else if (n < 26)
		snprintf(name, length, "%c", 'A' + n);
	else
		snprintf(name, length, "%c%u", 'A' + n % 26, n / 26);
}

static int mm_index(struct telling *telling, uint64_t id, bool init)
{
	struct story *story = telling->story;
	struct story_mm *more;

	if (!id)
		return STORY_NO_MM;
	for (unsigned int i = 0; i < story->nmms; i++)
		if (story->mms[i].id == id)
			return (int)i;
	/* init_mm, which was loaded before a task was seen on it. */
	for (unsigned int i = 0; init && i < story->nmms; i++)
		if (story->mms[i].id == UINT64_MAX) {
			story->mms[i].id = id;
			return (int)i;
		}
	more = reallocarray(story->mms, story->nmms + 1, sizeof(*more));
	if (!more) {
		telling->failed = true;
		return STORY_NO_MM;
	}
	story->mms = more;
	more[story->nmms] = (struct story_mm){ .id = id };
	mm_name(story, init, more[story->nmms].name, sizeof(more->name));
	return (int)story->nmms++;
}

/* init_mm's address is known once a task was seen on it; until then a load of it has no address. */
static int init_mm_index(struct telling *telling)
{
	const struct story *story = telling->story;

	for (unsigned int i = 0; i < story->nmms; i++)
		if (!strcmp(story->mms[i].name, "init_mm"))
			return (int)i;
	return mm_index(telling, UINT64_MAX, true);
}

static struct story_task task_of(struct telling *telling, const struct switch_log_task *task,
				 int cpu)
{
	struct story_task t = {
		.pid = task->pid,
		.tgid = task->tgid,
		.kernel = task->flags & PF_KTHREAD,
		.mm_users = -1,
		.mm_count = -1,
	};

	memcpy(t.comm, task->comm, COMM_LEN);
	text_utf8(t.comm);
	t.mm = mm_index(telling, task->mm, task->on_init_mm);
	t.active_mm = mm_index(telling, task->active_mm, task->on_init_mm);
	t.own = cpu == telling->story->cpu
			? task_is_own(telling->own.tasks, telling->own.ntasks,
				      &telling->story->claim, cpu, (pid_t)t.pid, t.comm)
			: !t.pid || !strcmp(t.comm, program_invocation_short_name);
	return t;
}

static struct story_step *step_add(struct telling *telling, const struct switch_log_entry *entry)
{
	struct story *story = telling->story;
	struct story_step *more = reallocarray(story->steps, story->nsteps + 1, sizeof(*more));

	if (!more) {
		telling->failed = true;
		return NULL;
	}
	story->steps = more;
	more += story->nsteps++;
	*more = (struct story_step){ .is_switch = entry->kind == LOG_SWITCH,
				     .cpu = (int)entry->cpu };
	more->us = (double)(entry->time_ns - telling->window->start_ns) / 1000;
	return more;
}

static enum switch_class class_of(const struct story_step *step)
{
	bool from = step->prev.mm != STORY_NO_MM, to = step->next.mm != STORY_NO_MM;

	if (!to)
		return from ? SWITCH_BORROW : SWITCH_PASS;
	if (!from)
		return step->prev.active_mm == step->next.mm ? SWITCH_BACK : SWITCH_ON;
	return step->prev.mm == step->next.mm ? SWITCH_THREAD : SWITCH_REAL;
}

/* @after: the next switch on that CPU, in which the task that came leaves again; or NULL. */
static void switch_tell(struct telling *telling, struct on_cpu *on,
			const struct switch_log_entry *entry, const struct switch_log_entry *after)
{
	struct story_step *step = step_add(telling, entry);
	struct story *story = telling->story;
	struct story_task *next;

	if (!step)
		return;
	step->prev = task_of(telling, &entry->prev, on->cpu);
	step->prev.mm_users = entry->mm_users;
	step->prev.mm_count = entry->mm_count;
	step->next = task_of(telling, &entry->next, on->cpu);
	next = &step->next;
	next->active_mm = next->mm;
	if (after && after->prev.pid == next->pid) {
		int active = mm_index(telling, after->prev.active_mm, after->prev.on_init_mm);

		if (next->mm == STORY_NO_MM)
			next->active_mm = active;
		if (next->active_mm == active) {
			next->mm_users = after->mm_users;
			next->mm_count = after->mm_count;
		}
	}
	step->class = class_of(step);
	step->blind = !story->loads_seen || entry->reason == LOG_PERF_BLIND;
	if (on->loaded == STORY_NO_MM)
		on->loaded = step->prev.active_mm;
	if (next->mm != STORY_NO_MM)
		on->loaded = next->mm;
	step->loaded = on->loaded;
	on->latest = (int)story->nsteps - 1;
	if (on->cpu != story->cpu) {
		story->remote.switches++;
		story->remote.foreign += !next->own;
		return;
	}
	story->blind += step->blind;
	story->switches++;
	story->classes[step->class]++;
	story->intrusions += !next->own;
}

static void load_count(struct story *story, struct story_step *step, bool flushed)
{
	bool here = step->cpu == story->cpu;

	step->loads++;
	step->flushes += flushed;
	*(here ? &story->loads : &story->remote.loads) += 1;
	*(here ? &story->flushes : &story->remote.flushes) += flushed;
}

static void event_tell(struct telling *telling, struct on_cpu *on,
		       const struct switch_log_entry *entry)
{
	const struct switch_log_entry *running = on->running;
	bool load = entry->reason == FLUSH_ON_TASK_SWITCH;
	struct story *story = telling->story;
	struct story_step *step;

	if (load && entry->in_switch) {
		/* Without a step the window began between the switch and its load. */
		if (on->latest >= 0)
			load_count(story, &story->steps[on->latest], entry->pages != 0);
		return;
	}
	step = step_add(telling, entry);
	if (!step)
		return;
	step->reason = entry->reason;
	step->pages = entry->pages;
	if (running) {
		step->prev = task_of(telling, &running->next, on->cpu);
		if (on->loaded == STORY_NO_MM)
			on->loaded = step->prev.mm != STORY_NO_MM
					     ? step->prev.mm
					     : mm_index(telling, running->prev.active_mm,
							running->prev.on_init_mm);
		/* A kernel thread without an mm has nothing else to load. */
		if (load && step->prev.mm == STORY_NO_MM)
			on->loaded = init_mm_index(telling);
	}
	step->loaded = on->loaded;
	if (load)
		load_count(story, step, entry->pages != 0);
	else if (entry->reason == FLUSH_REMOTE_RECEIVED && on->cpu == story->remote.cpu)
		story->remote.shootdowns++;
}

static void whose_add(struct story *story, const struct story_task *task)
{
	struct story_mm *mm;
	char text[40];
	size_t used;

	if (task->mm == STORY_NO_MM)
		return;
	mm = &story->mms[task->mm];
	used = strlen(mm->whose);
	snprintf(text, sizeof(text), "%s%s %u", used ? ", " : "", task->comm, task->pid);
	/* Each task once, as long as there is room. */
	if (!strstr(mm->whose, text + (used ? 2 : 0)) && used + strlen(text) < sizeof(mm->whose))
		memcpy(mm->whose + used, text, strlen(text) + 1);
}

static bool claim_kept(const struct story *story, const struct claim_range *range,
		       unsigned int count)
{
	double n = (double)story->round_trips;

	return !range->claimed || (count >= range->min * n && count <= ceil(range->max * n));
}

static bool claims_kept(const struct story *story)
{
	const struct claim *c = &story->claim;
	bool kept = claim_kept(story, &c->switches, story->switches);

	if (!story->blind)
		kept &= claim_kept(story, &c->cr3_loads, story->loads) &&
			claim_kept(story, &c->cr3_flushes, story->flushes);
	/* Tasks that nobody keeps from the helper CPU have loads of their own. */
	if (story->remote.cpu >= 0 && story->loads_seen && !story->remote.foreign)
		kept &= claim_kept(story, &c->remote_shootdowns, story->remote.shootdowns) &&
			claim_kept(story, &c->remote_loads, story->remote.loads);
	return kept;
}

static int own_make(struct telling *telling, const struct bench *bench)
{
	telling->own.cpu = bench->cpu.cpu;
	for (unsigned int i = 0; i < telling->window->ntasks; i++)
		if (trial_add_task(&telling->own, telling->window->tasks[i].tid))
			return -ENOMEM;
	return 0;
}

static const struct switch_log_entry *switch_after(const struct story_log *log, size_t at)
{
	for (size_t k = at + 1; k < log->count; k++)
		if (log->entries[k].kind == LOG_SWITCH &&
		    log->entries[k].cpu == log->entries[at].cpu)
			return &log->entries[k];
	return NULL;
}

static void entries_tell(struct telling *telling, const struct story_log *log)
{
	for (size_t i = 0; i < log->count; i++) {
		const struct switch_log_entry *entry = &log->entries[i];
		struct on_cpu *on = &telling->cpus[(int)entry->cpu != telling->story->cpu];
		bool inside = entry->time_ns >= telling->window->start_ns &&
			      entry->time_ns <= telling->window->stop_ns;

		if (entry->kind != LOG_SWITCH) {
			if (inside)
				event_tell(telling, on, entry);
			continue;
		}
		on->running = entry;
		if (inside)
			switch_tell(telling, on, entry, switch_after(log, i));
	}
}

int story_tell(struct story *story, const struct story_log *log, const struct trial_window *window,
	       const struct bench *bench, struct error *error)
{
	struct telling telling = { .story = story, .window = window };
	const int cpus[] = { story->cpu, story->remote.cpu };

	story->length_us = (double)(window->stop_ns - window->start_ns) / 1000;
	story->module_loads = window->module_loads;
	for (int i = 0; i < 2; i++)
		telling.cpus[i] = (struct on_cpu){ cpus[i], NULL, STORY_NO_MM, -1 };
	if (log->full || own_make(&telling, bench))
		telling.failed = true;
	else
		entries_tell(&telling, log);
	free(telling.own.tasks);
	if (telling.failed)
		return error_set(error, ENOMEM, "no memory for the story");
	for (unsigned int i = 0; i < story->nsteps; i++) {
		whose_add(story, &story->steps[i].prev);
		if (story->steps[i].is_switch)
			whose_add(story, &story->steps[i].next);
	}
	story->kept = claims_kept(story);
	return 0;
}

bool story_stretch_next(const struct story *story, struct story_stretch *s)
{
	const struct story_step *last = s->end, *step;
	bool began = s->index > 0;

	if (s->over)
		return false;
	if (began) {
		s->since = s->until;
		s->loaded = last->loaded;
		if (last->is_switch)
			s->running = &last->next;
	}
	while (s->index < story->nsteps && story->steps[s->index].cpu != s->cpu)
		s->index++;
	step = s->index < story->nsteps ? &story->steps[s->index++] : NULL;
	if (step && !began) { /* the first one tells what was before it */
		s->running = &step->prev;
		s->loaded = step->is_switch ? step->prev.active_mm : step->loaded;
	}
	s->end = step;
	s->until = step ? step->us : story->length_us;
	s->over = !step;
	return true;
}

void story_free(struct story *story)
{
	free(story->mms);
	free(story->steps);
	story->mms = NULL;
	story->steps = NULL;
}
