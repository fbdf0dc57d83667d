// SPDX-License-Identifier: GPL-2.0-or-later
/* What each step of a story is in words, and what all of them say of the claim. */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "bench/explain/explain.h"

const char *story_name(const struct story_task *task)
{
	return task->pid ? task->comm : "idle";
}

static const char *mm_name(const struct story *story, int mm)
{
	return mm == STORY_NO_MM ? "?" : story->mms[mm].name;
}

/* Appends to @text, which stays ended. */
__attribute__((format(printf, 3, 4))) static void append(char *text, size_t length,
							 const char *format, ...)
{
	size_t used = strlen(text);
	va_list args;

	va_start(args, format);
	vsnprintf(text + used, length - used, format, args);
	va_end(args);
}

static const char *load_word(const struct story_step *step)
{
	if (!step->loads)
		return step->blind ? "CR3 not seen" : "no load";
	return step->flushes ? "load, flushed" : "load, kept";
}

/* @before: the mm in CR3 when the switch began. */
static void back_words(const struct story *story, struct story_step *step, int before)
{
	const char *mm = mm_name(story, step->next.mm);

	if (step->loads && before != step->next.mm && before != STORY_NO_MM)
		append(step->what, sizeof(step->what), "back to %s from %s", mm,
		       mm_name(story, before));
	else
		append(step->what, sizeof(step->what), "gives %s back%s", mm,
		       step->loads ? ", changed meanwhile" : "");
}

static void switch_words(const struct story *story, struct story_step *step, int before)
{
	const char *from = mm_name(story, step->prev.active_mm);
	const char *to = mm_name(story, step->next.mm);
	char *what = step->what;
	size_t length = sizeof(step->what);

	if (!step->next.own && step->cpu == story->cpu)
		append(what, length, "intrusion: ");
	if (!step->prev.kernel && step->prev.mm == STORY_NO_MM)
		append(what, length, "%s has exited: ", story_name(&step->prev));
	switch (step->class) {
	case SWITCH_BORROW:
		append(what, length, "borrows %s", from);
		break;
	case SWITCH_PASS:
		append(what, length, "hands %s on", from);
		break;
	case SWITCH_BACK:
		back_words(story, step, before);
		break;
	case SWITCH_ON:
		append(what, length, "%s -> %s, only put off by borrowing", from, to);
		break;
	case SWITCH_THREAD:
		append(what, length, "same mm");
		break;
	default:
		append(what, length, "real switch %s -> %s", from, to);
		break;
	}
	append(what, length, ": %s", load_word(step));
	if (step->prev.mm_users == 0)
		append(what, length, "; %s is a zombie, mm_users 0", from);
}

static void pages_words(const struct story_step *step, char *text, size_t length)
{
	if (step->pages < 0)
		snprintf(text, length, "everything");
	else
		snprintf(text, length, "%lld page%s", (long long)step->pages,
			 step->pages == 1 ? "" : "s");
}

static void event_words(const struct story *story, struct story_step *step)
{
	static const char *const reasons[] = {
		[FLUSH_REMOTE_RECEIVED] = "shootdown received",
		[FLUSH_LOCAL] = "local flush",
		[FLUSH_LOCAL_MM] = "local flush of the mm",
		[FLUSH_REMOTE_SENT] = "shootdown sent to other CPUs",
		[FLUSH_REMOTE_WRONG_CPU] = "shootdown received for an mm that is not loaded",
	};
	char pages[40];

	pages_words(step, pages, sizeof(pages));
	if (step->reason == FLUSH_ON_TASK_SWITCH)
		append(step->what, sizeof(step->what), "outside a switch, to %s: %s",
		       mm_name(story, step->loaded), load_word(step));
	else if (step->reason > 0 && step->reason < FLUSH_REASONS)
		append(step->what, sizeof(step->what), "%s: %s", reasons[step->reason], pages);
	else
		append(step->what, sizeof(step->what), "flush for reason %d: %s", step->reason,
		       pages);
}

void story_range_text(const struct story *story, const struct claim_range *range, char *text,
		      size_t length)
{
	double low = ceil(range->min * (double)story->round_trips);
	double high = ceil(range->max * (double)story->round_trips);

	if (!range->claimed)
		snprintf(text, length, "any number of");
	else if (isinf(high))
		snprintf(text, length, "at least %g", low);
	else if (low == high)
		snprintf(text, length, "%g", low);
	else
		snprintf(text, length, "%g to %g", low, high);
}

static const char *plural(unsigned int n)
{
	return n == 1 ? "" : "s";
}

static void classes_words(struct story *story)
{
	static const char *const words[SWITCH_CLASSES] = {
		[SWITCH_BORROW] = "borrowed",	    [SWITCH_PASS] = "handed on",
		[SWITCH_BACK] = "given back",	    [SWITCH_ON] = "on to another mm",
		[SWITCH_THREAD] = "in the same mm", [SWITCH_REAL] = "real",
	};
	const char *before = " (";

	for (int class = 0; class < SWITCH_CLASSES; class ++) {
		if (!story->classes[class])
			continue;
		append(story->conclusion, sizeof(story->conclusion), "%s%u %s", before,
		       story->classes[class], words[class]);
		before = ", ";
	}
	if (story->switches)
		append(story->conclusion, sizeof(story->conclusion), ")");
}

/* ": kworker/1:1 (pid 4), stress (pid 99) intruded" */
static void intruders_words(struct story *story)
{
	unsigned int named = 0;

	for (unsigned int i = 0; i < story->nsteps && named < 3; i++) {
		const struct story_step *step = &story->steps[i];
		bool told = false;

		if (!step->is_switch || step->next.own || step->cpu != story->cpu)
			continue;
		for (unsigned int k = 0; k < i && !told; k++)
			told = story->steps[k].is_switch && story->steps[k].cpu == story->cpu &&
			       story->steps[k].next.pid == step->next.pid;
		if (!told)
			append(story->conclusion, sizeof(story->conclusion), "%s%s (pid %u)",
			       named++ ? ", " : "; not of the scenario: ", story_name(&step->next),
			       step->next.pid);
	}
}

static void loads_words(struct story *story)
{
	char *text = story->conclusion;
	size_t length = sizeof(story->conclusion);

	if (!story->loads && story->blind)
		return;
	if (!story->loads) {
		append(text, length, " and did not load CR3 once");
		return;
	}
	append(text, length, " and loaded CR3 %u time%s, ", story->loads, plural(story->loads));
	if (!story->flushes)
		append(text, length, "keeping the TLB");
	else if (story->flushes == story->loads)
		append(text, length, "flushing each time");
	else
		append(text, length, "flushing %u time%s", story->flushes, plural(story->flushes));
}

/* "; CPU 0 received 4 shootdowns and loaded CR3 0 times (claimed: 2 to 4, 0)" */
static void remote_words(struct story *story)
{
	char shootdowns[32], loads[32], *text = story->conclusion;
	size_t length = sizeof(story->conclusion);

	if (story->remote.cpu < 0 || !story->loads_seen)
		return;
	story_range_text(story, &story->claim.remote_shootdowns, shootdowns, sizeof(shootdowns));
	story_range_text(story, &story->claim.remote_loads, loads, sizeof(loads));
	append(text, length, "; CPU %d received %u shootdown%s and loaded CR3 %u time%s",
	       story->remote.cpu, story->remote.shootdowns, plural(story->remote.shootdowns),
	       story->remote.loads, plural(story->remote.loads));
	if (story->claim.remote_shootdowns.claimed || story->claim.remote_loads.claimed)
		append(text, length, " (claimed: %s shootdowns, %s loads)", shootdowns, loads);
	if (story->remote.foreign)
		append(text, length, ", with other tasks on it");
}

static void conclusion_words(struct story *story)
{
	char switches[32], loads[32], flushes[32], *text = story->conclusion;
	size_t length = sizeof(story->conclusion);

	story_range_text(story, &story->claim.switches, switches, sizeof(switches));
	story_range_text(story, &story->claim.cr3_loads, loads, sizeof(loads));
	story_range_text(story, &story->claim.cr3_flushes, flushes, sizeof(flushes));
	append(text, length, "In %llu round trip%s the kernel switched %u time%s",
	       (unsigned long long)story->round_trips, plural(story->round_trips == 1 ? 1 : 2),
	       story->switches, plural(story->switches));
	classes_words(story);
	loads_words(story);
	append(text, length, ": %s %s claims (%s switches", story->kept ? "as" : "not what",
	       story->scenario->name, switches);
	if (!story->blind)
		append(text, length, ", %s loads, %s flushing", loads, flushes);
	append(text, length, ")");
	remote_words(story);
	if (story->module_loads)
		append(text, length,
		       "; the module wrote CR3 %llu times itself, which no event "
		       "shows",
		       (unsigned long long)story->module_loads);
	intruders_words(story);
	if (story->lost)
		append(text, length, "; %llu entries did not fit the log",
		       (unsigned long long)story->lost);
	append(text, length, ".");
}

void story_words(struct story *story)
{
	int in_cr3[2] = { STORY_NO_MM, STORY_NO_MM }; /* of the measured CPU, of the remote one */

	for (unsigned int i = 0; i < story->nsteps; i++) {
		struct story_step *step = &story->steps[i];
		int *before = &in_cr3[step->cpu != story->cpu];

		if (step->is_switch)
			switch_words(story, step, *before);
		else
			event_words(story, step);
		*before = step->loaded;
	}
	conclusion_words(story);
}
