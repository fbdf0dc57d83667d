// SPDX-License-Identifier: GPL-2.0-or-later
/* A story as a table for the terminal, and as JSON. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/explain/explain.h"
#include "lib/base/member.h"

static const char *mm_text(const struct story *story, int mm)
{
	return mm == STORY_NO_MM ? "-" : story->mms[mm].name;
}

/*
 * The kernel shows addresses in /proc/kallsyms to those who may see them; to others the legend shows a hash, by which two
 * stories of one boot can still be set side by side.
 */
static bool addresses_shown(void)
{
	unsigned long long address = 0;
	FILE *file = fopen("/proc/kallsyms", "re");

	if (!file)
		return false;
	if (fscanf(file, "%llx", &address) != 1)
		address = 0;
	fclose(file);
	return address != 0;
}

/* The finaliser of MurmurHash3: small differences do not stay small. */
static uint64_t hash(uint64_t x)
{
	x = (x ^ x >> 33) * 0xff51afd7ed558ccdull;
	x = (x ^ x >> 33) * 0xc4ceb9fe1a85ec53ull;
	return x ^ x >> 33;
}

/* "0xffff888101234000", "hash 1a2b3c4d", or "" where no address is known. */
static void mm_pointer(const struct story *story, const struct story_mm *mm, char *text,
		       size_t length)
{
	text[0] = '\0';
	if (!story->exact || mm->id == UINT64_MAX)
		return;
	if (addresses_shown())
		snprintf(text, length, "0x%llx", (unsigned long long)mm->id);
	else
		snprintf(text, length, "hash %08x", (unsigned int)(hash(mm->id) >> 32));
}

static void counts_text(const struct story_task *task, char *text, size_t length)
{
	if (task->mm_count < 0)
		snprintf(text, length, "-");
	else
		snprintf(text, length, "%d/%d", task->mm_users, task->mm_count);
}

/* Widths of the table's columns: as wide as what is in them. */
struct widths {
	int task, mm, counts;
};

static void task_name(const struct story_task *task, char *text, size_t length)
{
	snprintf(text, length, "%.15s %u", story_name(task), task->pid);
}

static int wider(int width, const char *text)
{
	int length = (int)strlen(text);

	return length > width ? length : width;
}

static struct widths widths_find(const struct story *story)
{
	struct widths w = { .task = 9, .mm = 2, .counts = 5 };
	char text[40];

	for (unsigned int i = 0; i < story->nmms; i++)
		w.mm = wider(w.mm, story->mms[i].name);
	for (unsigned int i = 0; i < story->nsteps; i++) {
		const struct story_step *step = &story->steps[i];
		const struct story_task *both[] = { &step->prev, &step->next };

		for (int k = 0; k < (step->is_switch ? 2 : 1); k++) {
			task_name(both[k], text, sizeof(text));
			w.task = wider(w.task, text);
			counts_text(both[k], text, sizeof(text));
			w.counts = wider(w.counts, text);
		}
	}
	return w;
}

static void task_print(const struct story *story, const struct story_task *task, struct widths w,
		       FILE *out)
{
	char name[40], counts[24];

	task_name(task, name, sizeof(name));
	counts_text(task, counts, sizeof(counts));
	fprintf(out, "%-*s %-*s %-*s %-*s", w.task, name, w.mm, mm_text(story, task->mm), w.mm + 1,
		mm_text(story, task->active_mm), w.counts, counts);
}

static const char *load_text(const struct story_step *step)
{
	if (!step->loads)
		return step->blind ? "unknown" : "none";
	return step->flushes ? "flushed" : "kept";
}

static void step_print(const struct story *story, const struct story_step *step, struct widths w,
		       FILE *out)
{
	fprintf(out, "%8.2f  ", step->us);
	if (story->remote.cpu >= 0)
		fprintf(out, "%3d  ", step->cpu);
	if (!step->is_switch) {
		fprintf(out, "%s %u: %s\n", story_name(&step->prev), step->prev.pid, step->what);
		return;
	}
	task_print(story, &step->prev, w, out);
	fprintf(out, " -> ");
	task_print(story, &step->next, w, out);
	fprintf(out, "  %s\n", step->what);
}

static void steps_print(const struct story *story, FILE *out)
{
	struct widths w = widths_find(story);

	fprintf(out, "%8s  ", "us");
	if (story->remote.cpu >= 0)
		fprintf(out, "CPU  ");
	fprintf(out, "%-*s %-*s %-*s %-*s    %-*s %-*s %-*s %-*s  what it is, and CR3\n", w.task,
		"prev, pid", w.mm, "mm", w.mm + 1, "act", w.counts, "us/ct", w.task, "next, pid",
		w.mm, "mm", w.mm + 1, "act", w.counts, "us/ct");
	for (unsigned int i = 0; i < story->nsteps; i++)
		step_print(story, &story->steps[i], w, out);
}

/* Words of @text in lines of 100 columns. */
static void wrapped_print(FILE *out, const char *text)
{
	size_t column = 0;

	while (*text) {
		size_t length = strcspn(text, " ");

		if (column && column + 1 + length > 100) {
			fputc('\n', out);
			column = 0;
		}
		column += (size_t)fprintf(out, "%s%.*s", column ? " " : "", (int)length, text);
		text += length;
		text += strspn(text, " ");
	}
	fputc('\n', out);
}

static void legend_print(const struct story *story, FILE *out)
{
	for (unsigned int i = 0; i < story->nmms; i++) {
		const struct story_mm *mm = &story->mms[i];
		char pointer[40];

		mm_pointer(story, mm, pointer, sizeof(pointer));
		fprintf(out, "  %-7s  %-20s %s\n", mm->name, pointer,
			mm->whose[0]		      ? mm->whose
			: strcmp(mm->name, "init_mm") ? "of a task that does not run here"
						      : "the kernel's own");
	}
}

void story_print(const struct story *story, FILE *out)
{
	fprintf(out, "%s%s%s: %llu round trip%s on CPU %d, %.1f us, by %s\n", story->scenario->name,
		story->params[0] ? ":" : "", story->params, (unsigned long long)story->round_trips,
		story->round_trips == 1 ? "" : "s", story->cpu, story->length_us,
		story->exact ? "BPF" : "perf events");
	fprintf(out, "  %s\n\n", story->scenario->summary);
	if (story->nsteps)
		steps_print(story, out);
	if (story->nmms) {
		fprintf(out, "\n");
		legend_print(story, out);
		if (story->exact)
			fprintf(out,
				"  act: active_mm; us/ct: its mm_users and mm_count; of prev as it "
				"leaves the CPU,\n  of next as it leaves in its turn\n");
	}
	fprintf(out, "\n");
	wrapped_print(out, story->conclusion);
	if (story->missing[0])
		wrapped_print(out, story->missing);
}

static json_t *number_or_null(int value)
{
	return value < 0 ? json_null() : json_integer(value);
}

static json_t *mm_json(const struct story *story, int mm)
{
	return mm == STORY_NO_MM ? json_null() : member_string(story->mms[mm].name);
}

static json_t *task_json(const struct story *story, const struct story_task *task)
{
	return member_pack("{s:o, s:i, s:i, s:b, s:b, s:o, s:o, s:o, s:o}", "comm",
			   member_string(story_name(task)), "pid", (int)task->pid, "tgid",
			   (int)task->tgid, "kernel", task->kernel, "own", task->own, "mm",
			   mm_json(story, task->mm), "active_mm", mm_json(story, task->active_mm),
			   "mm_users", number_or_null(task->mm_users), "mm_count",
			   number_or_null(task->mm_count));
}

static json_t *step_json(const struct story *story, const struct story_step *step)
{
	static const char *const classes[SWITCH_CLASSES] = {
		[SWITCH_BORROW] = "borrow", [SWITCH_PASS] = "pass",	[SWITCH_BACK] = "back",
		[SWITCH_ON] = "on",	    [SWITCH_THREAD] = "thread", [SWITCH_REAL] = "real",
	};

	if (!step->is_switch)
		return member_pack("{s:f, s:i, s:s, s:o, s:i, s:I, s:s, s:o, s:o}", "us", step->us,
				   "cpu", step->cpu, "kind", "event", "task",
				   task_json(story, &step->prev), "reason", step->reason, "pages",
				   (json_int_t)step->pages, "cr3", load_text(step), "loaded",
				   mm_json(story, step->loaded), "what", member_string(step->what));
	return member_pack("{s:f, s:i, s:s, s:o, s:o, s:s, s:s, s:o, s:o}", "us", step->us, "cpu",
			   step->cpu, "kind", "switch", "prev", task_json(story, &step->prev),
			   "next", task_json(story, &step->next), "class", classes[step->class],
			   "cr3", load_text(step), "loaded", mm_json(story, step->loaded), "what",
			   member_string(step->what));
}

static json_t *range_json(const struct claim_range *range)
{
	if (!range->claimed)
		return json_null();
	return isinf(range->max) ? member_pack("{s:f}", "min", range->min)
				 : member_pack("{s:f, s:f}", "min", range->min, "max", range->max);
}

static json_t *remote_json(const struct story *story)
{
	if (story->remote.cpu < 0)
		return json_null();
	return member_pack("{s:i, s:i, s:i, s:i, s:i, s:i}", "cpu", story->remote.cpu, "switches",
			   (int)story->remote.switches, "cr3_loads", (int)story->remote.loads,
			   "cr3_flushes", (int)story->remote.flushes, "shootdowns",
			   (int)story->remote.shootdowns, "foreign", (int)story->remote.foreign);
}

json_t *story_json(const struct story *story)
{
	json_t *mms = json_object(), *steps = json_array();

	for (unsigned int i = 0; i < story->nmms; i++) {
		char pointer[40];

		mm_pointer(story, &story->mms[i], pointer, sizeof(pointer));
		member_set(mms, story->mms[i].name,
			   member_pack("{s:s, s:o}", "pointer", pointer, "tasks",
				       member_string(story->mms[i].whose)));
	}
	for (unsigned int i = 0; i < story->nsteps; i++)
		member_append(steps, step_json(story, &story->steps[i]));
	return member_pack(
		"{s:i, s:s, s:s, s:i, s:I, s:s, s:o, s:I, s:f, s:o, s:o, s:{s:i, s:o, s:o, s:i}, "
		"s:{s:o, s:o, s:o, s:o, s:o}, s:o, s:b, s:o}",
		"schema", 1, "scenario", story->scenario->name, "params", story->params, "cpu",
		story->cpu, "round_trips", (json_int_t)story->round_trips, "source",
		story->exact ? "bpf" : "perf", "missing", member_string(story->missing), "lost",
		(json_int_t)story->lost, "length_us", story->length_us, "mms", mms, "steps", steps,
		"totals", "switches", (int)story->switches, "cr3_loads",
		story->blind ? json_null() : json_integer(story->loads), "cr3_flushes",
		story->blind ? json_null() : json_integer(story->flushes), "intrusions",
		(int)story->intrusions, "claim", "switches", range_json(&story->claim.switches),
		"cr3_loads", range_json(&story->claim.cr3_loads), "cr3_flushes",
		range_json(&story->claim.cr3_flushes), "remote_shootdowns",
		range_json(&story->claim.remote_shootdowns), "remote_loads",
		range_json(&story->claim.remote_loads), "remote", remote_json(story), "kept",
		story->kept, "conclusion", member_string(story->conclusion));
}
