// SPDX-License-Identifier: GPL-2.0-or-later
/* A story as a timeline: a row per task, bars in the colour of the mm that is loaded, ticks for CR3 loads. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/explain/explain.h"
#include "bench/report/gnuplot.h"

/* Colours that bars can have (plots/explain/explain.gp): init_mm's is the first. */
#define COLOURS 8

/* A row: a task on a CPU, for every CPU's idle task has the same pid. */
struct row {
	uint32_t pid;
	int cpu;
};

struct rows {
	struct row *list;
	unsigned int n;
};

static int row_of(struct rows *rows, uint32_t pid, int cpu)
{
	struct row *more;

	for (unsigned int i = 0; i < rows->n; i++)
		if (rows->list[i].pid == pid && rows->list[i].cpu == cpu)
			return (int)i;
	more = reallocarray(rows->list, rows->n + 1, sizeof(*more));
	if (!more)
		return -1;
	rows->list = more;
	more[rows->n] = (struct row){ pid, cpu };
	return (int)rows->n++;
}

static int colour_of(const struct story *story, int mm)
{
	int index = 0;

	if (mm == STORY_NO_MM || !strcmp(story->mms[mm].name, "init_mm"))
		return 0;
	for (int i = 0; i < mm; i++)
		index += strcmp(story->mms[i].name, "init_mm") != 0;
	return 1 + index % (COLOURS - 1);
}

/* "row start end", with the mm loaded in between; from step to step of a CPU, so that a load in between cuts a bar. */
static void bars_write(const struct story *story, struct rows *rows, int cpu, int mm, FILE *file)
{
	struct story_stretch s = { .cpu = cpu };

	while (story_stretch_next(story, &s))
		if (s.running && s.loaded == mm && s.until > s.since)
			fprintf(file, "%d %.3f %.3f\n", row_of(rows, s.running->pid, cpu), s.since,
				s.until);
}

enum tick { TICK_KEPT, TICK_FLUSHED, TICK_SHOOTDOWN, TICKS };

static enum tick tick_of(const struct story_step *step)
{
	if (step->loads)
		return step->flushes ? TICK_FLUSHED : TICK_KEPT;
	return step->is_switch ? TICKS : TICK_SHOOTDOWN;
}

static unsigned int ticks_write(const struct story *story, struct rows *rows, enum tick kind,
				FILE *file)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < story->nsteps; i++) {
		const struct story_step *step = &story->steps[i];
		const struct story_task *task = step->is_switch ? &step->next : &step->prev;

		if (tick_of(step) != kind)
			continue;
		fprintf(file, "%d %.3f\n", row_of(rows, task->pid, step->cpu), step->us);
		n++;
	}
	return n;
}

static void row_write(const struct story *story, int row, const struct story_task *task, int cpu,
		      FILE *file)
{
	fprintf(file, "%d \"%s %u", row, story_name(task), task->pid);
	if (story->remote.cpu >= 0)
		fprintf(file, ", CPU %d", cpu);
	fprintf(file, "\"\n");
}

static void block_begin(FILE *file, bool *begun)
{
	if (*begun)
		fprintf(file, "\n\n");
	*begun = true;
}

/*
 * A block of rows, then one per mm, then one per kind of tick that there is. @argument tells plots/explain/explain.gp which: "ROWS mm COLOUR
 * NAME ... ticks kept flushed shootdown".
 */
static void data_write(const struct story *story, struct rows *rows, FILE *file, FILE *argument)
{
	static const char *const kinds[TICKS] = { "kept", "flushed", "shootdown" };
	bool begun = false;

	block_begin(file, &begun);
	for (unsigned int i = 0; i < story->nsteps; i++) {
		const struct story_step *step = &story->steps[i];
		const struct story_task *both[] = { &step->prev, &step->next };

		for (int k = 0; k < (step->is_switch ? 2 : 1); k++) {
			unsigned int known = rows->n;
			int row = row_of(rows, both[k]->pid, step->cpu);

			if (rows->n > known)
				row_write(story, row, both[k], step->cpu, file);
		}
	}
	fprintf(argument, "%u", rows->n);
	for (unsigned int i = 0; i < story->nmms; i++) {
		char *block = NULL;
		size_t length;
		FILE *memory = open_memstream(&block, &length);

		if (!memory)
			return;
		bars_write(story, rows, story->cpu, (int)i, memory);
		if (story->remote.cpu >= 0)
			bars_write(story, rows, story->remote.cpu, (int)i, memory);
		fclose(memory);
		if (length) {
			block_begin(file, &begun);
			fputs(block, file);
			fprintf(argument, " %d %s", colour_of(story, (int)i), story->mms[i].name);
		}
		free(block);
	}
	fprintf(argument, " ticks");
	for (int kind = 0; kind < TICKS; kind++) {
		bool any = false;

		for (unsigned int i = 0; i < story->nsteps; i++)
			any |= tick_of(&story->steps[i]) == (enum tick)kind;
		if (!any)
			continue;
		block_begin(file, &begun);
		ticks_write(story, rows, kind, file);
		fprintf(argument, " %s", kinds[kind]);
	}
}

static int folder_make(const char *path, struct error *error)
{
	if (mkdir(path, 0777) && errno != EEXIST)
		return error_set(error, errno, "cannot make %s: %s", path, strerror(errno));
	return 0;
}

int story_draw(const struct story *story, const char *dir, const char *subject, struct error *error)
{
	char data[4096], title[200], *argument = NULL;
	char why[200];
	struct rows rows = { 0 };
	FILE *file, *memory;
	size_t length;
	int ret;

	snprintf(data, sizeof(data), "%s/data", dir);
	ret = folder_make(dir, error);
	if (!ret)
		ret = folder_make(data, error);
	if (ret)
		return ret;
	if (!story->nsteps)
		return 0;
	snprintf(data, sizeof(data), "%s/data/explain.dat", dir);
	file = fopen(data, "we");
	if (!file)
		return error_set(error, errno, "cannot write %s: %s", data, strerror(errno));
	memory = open_memstream(&argument, &length);
	if (memory) {
		data_write(story, &rows, file, memory);
		fclose(memory);
	}
	ret = ferror(file);
	ret |= fclose(file);
	if (ret || !memory) {
		ret = error_set(error, memory ? EIO : ENOMEM, "cannot write %s", data);
	} else {
		struct drawing drawing = { "explain", "explain", dir, data,
					   title,     subject,	 "",  argument };

		snprintf(title, sizeof(title),
			 "%s%s%.100s: %u switches, %u CR3 loads, %u of them flushing",
			 story->scenario->name, story->params[0] ? ":" : "", story->params,
			 story->switches, story->loads, story->flushes);
		ret = gnuplot_draw(&drawing, why, sizeof(why));
		if (ret)
			ret = error_set(error, -ret, "the timeline is not drawn: %s", why);
		else if (why[0])
			complain(0, "explain: explain.png is not drawn: %s", why);
	}
	free(argument);
	free(rows.list);
	return ret;
}
