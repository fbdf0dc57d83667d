// SPDX-License-Identifier: GPL-2.0-or-later
/* Adds the pairs of borrower and lender up to one line per borrower, or per process. */
#include "config.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "bench/watch/watch.h"
#include "lib/base/text.h"

uint64_t watch_top_weight(const struct watch_top *top, enum watch_by by)
{
	uint64_t lazy = top->switches[SWITCH_BORROW] + top->switches[SWITCH_PASS];

	if (by == WATCH_BY_BORROWER)
		return lazy;
	return lazy + top->switches[SWITCH_BACK] + top->switches[SWITCH_ON] +
	       top->switches[SWITCH_THREAD] + top->switches[SWITCH_REAL];
}

static int by_key(const void *left, const void *right)
{
	const struct switch_pair *a = left, *b = right;

	return a->key < b->key ? -1 : a->key > b->key;
}

static int by_id(const void *left, const void *right)
{
	const struct watch_top *a = left, *b = right;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	return a->most_tgid < b->most_tgid ? -1 : a->most_tgid > b->most_tgid;
}

static int by_lazy(const void *left, const void *right)
{
	uint64_t a = watch_top_weight(left, WATCH_BY_BORROWER);
	uint64_t b = watch_top_weight(right, WATCH_BY_BORROWER);

	return a < b ? 1 : a > b ? -1 : by_id(left, right);
}

static int by_all(const void *left, const void *right)
{
	uint64_t a = watch_top_weight(left, WATCH_BY_PROCESS);
	uint64_t b = watch_top_weight(right, WATCH_BY_PROCESS);

	return a < b ? 1 : a > b ? -1 : by_id(left, right);
}

static uint64_t less(uint64_t now, uint64_t before)
{
	return now > before ? now - before : 0;
}

/* A pair's counts since `old`; one that was evicted and came back starts again from nothing. */
static struct switch_row row_since(const struct switch_row *now, const struct switch_row *old)
{
	struct switch_row row = *now;

	if (!old)
		return row;
	for (int class = 0; class < SWITCH_CLASSES; class ++)
		if (old->switches[class] > now->switches[class])
			return row;
	for (int class = 0; class < SWITCH_CLASSES; class ++)
		row.switches[class] -= old->switches[class];
	for (int i = 0; i < 2; i++) {
		row.loads[i] = less(row.loads[i], old->loads[i]);
		row.sent[i] = less(row.sent[i], old->sent[i]);
	}
	row.saved = less(row.saved, old->saved);
	return row;
}

static void row_scale(struct switch_row *row, double factor)
{
	for (int class = 0; class < SWITCH_CLASSES; class ++)
		row->switches[class] = switch_count_scale(row->switches[class], factor);
	for (int i = 0; i < 2; i++) {
		row->loads[i] = switch_count_scale(row->loads[i], factor);
		row->sent[i] = switch_count_scale(row->sent[i], factor);
	}
	row->saved = switch_count_scale(row->saved, factor);
}

/* Does the pair say anything about a line of this kind? */
static bool pair_line(struct watch_top *line, const struct switch_pair *pair,
		      const struct switch_row *row, enum watch_by by)
{
	uint32_t who = pair->key >> 32, kind = who & WHO_KIND;

	memset(line, 0, sizeof(*line));
	memcpy(line->switches, row->switches, sizeof(line->switches));
	memcpy(line->loads, row->loads, sizeof(line->loads));
	line->saved = row->saved;
	if (by == WATCH_BY_BORROWER) {
		if (kind == WHO_NONE)
			return false;
		line->id = kind ? kind : who;
		snprintf(line->name, COMM_LEN, "%.15s",
			 kind == WHO_IDLE      ? "swapper (idle)"
			 : kind == WHO_EXITING ? "tasks in exit()"
					       : row->who);
		memcpy(line->most, row->whose, COMM_LEN);
		line->most_tgid = (uint32_t)pair->key;
		line->most_count = watch_top_weight(line, by);
		line->sent = row->sent[1];
		return true;
	}
	line->id = (uint32_t)pair->key;
	memcpy(line->name, row->whose, COMM_LEN);
	line->sent = row->sent[0];
	/* The way on is counted with the lender whom it left; who is entered has a row for loads. */
	if (kind == WHO_NONE)
		line->switches[SWITCH_ON] = 0;
	return true;
}

static void line_add(struct watch_top *sum, const struct watch_top *line)
{
	for (int class = 0; class < SWITCH_CLASSES; class ++)
		sum->switches[class] += line->switches[class];
	for (int kind = 0; kind < LOAD_KINDS; kind++)
		sum->loads[kind] += line->loads[kind];
	sum->sent += line->sent;
	sum->saved += line->saved;
	if (line->most_tgid == sum->most_tgid) {
		sum->most_count += line->most_count;
	} else if (line->most_count > sum->most_count) {
		sum->most_count = line->most_count;
		sum->most_tgid = line->most_tgid;
		memcpy(sum->most, line->most, COMM_LEN);
	}
	if (!sum->name[0])
		memcpy(sum->name, line->name, COMM_LEN);
}

/* Adds up neighbours of one id; of one lender, too, in the first of two passes. */
static size_t lines_merge(struct watch_top *lines, size_t count, bool per_lender)
{
	size_t merged = 0;

	for (size_t i = 0; i < count; i++) {
		struct watch_top *last = merged ? &lines[merged - 1] : NULL;

		if (last && last->id == lines[i].id &&
		    (!per_lender || last->most_tgid == lines[i].most_tgid))
			line_add(last, &lines[i]);
		else
			lines[merged++] = lines[i];
	}
	return merged;
}

static void others_start(struct watch_top *others, enum watch_by by,
			 const struct switch_snapshot *now, const struct switch_snapshot *before)
{
	struct switch_counts total = switch_counts_between(now, before, -1);

	memset(others, 0, sizeof(*others));
	strcpy(others->name, "others");
	for (int class = 0; class < SWITCH_CLASSES; class ++)
		if (by == WATCH_BY_PROCESS || (class != SWITCH_THREAD && class != SWITCH_REAL))
			others->switches[class] = switch_counts_class(&total, class);
	others->saved = switch_counts_saved(&total);
	if (by != WATCH_BY_PROCESS)
		return;
	for (int kind = 0; kind < LOAD_KINDS; kind++)
		others->loads[kind] = switch_counts_loads(&total, kind);
	others->sent = total.flushes[FLUSH_REMOTE_SENT];
}

static void others_less(struct watch_top *others, const struct watch_top *line)
{
	for (int class = 0; class < SWITCH_CLASSES; class ++)
		others->switches[class] = less(others->switches[class], line->switches[class]);
	for (int kind = 0; kind < LOAD_KINDS; kind++)
		others->loads[kind] = less(others->loads[kind], line->loads[kind]);
	others->sent = less(others->sent, line->sent);
	others->saved = less(others->saved, line->saved);
}

/* Pairs that a kernel thread was handed do not know the name: another pair does, or /proc. */
static void name_find(char name[COMM_LEN], uint32_t tgid, const struct switch_snapshot *now)
{
	char path[64];
	FILE *file;

	for (size_t i = 0; i < now->pair_count && !name[0]; i++)
		if ((uint32_t)now->pairs[i].key == tgid)
			memcpy(name, now->pairs[i].row.whose, COMM_LEN);
	if (name[0])
		return;
	snprintf(path, sizeof(path), "/proc/%u/comm", tgid);
	file = tgid ? fopen(path, "re") : NULL;
	if (!file || !fgets(name, COMM_LEN, file))
		strcpy(name, "unknown");
	name[strcspn(name, "\n")] = '\0';
	if (file)
		fclose(file);
}

int watch_top_build(struct watch_top *tops, size_t room, struct watch_top *others, enum watch_by by,
		    const struct switch_snapshot *now, const struct switch_snapshot *before,
		    struct error *error)
{
	struct watch_top *lines = calloc(now->pair_count + 1, sizeof(*lines));
	double factor = switch_counts_factor(now, before);
	size_t count = 0, merged;

	if (!lines)
		return error_set(error, ENOMEM, "no memory for %zu borrowers", now->pair_count);
	if (before && before->pair_count)
		qsort(before->pairs, before->pair_count, sizeof(*before->pairs), by_key);
	for (size_t i = 0; i < now->pair_count; i++) {
		const struct switch_pair *pair = &now->pairs[i], *old = NULL;
		struct switch_row row;

		if (before && before->pair_count)
			old = bsearch(pair, before->pairs, before->pair_count, sizeof(*pair),
				      by_key);
		row = row_since(&pair->row, old ? &old->row : NULL);
		row_scale(&row, factor);
		if (pair_line(&lines[count], pair, &row, by))
			count++;
	}
	qsort(lines, count, sizeof(*lines), by_id);
	merged = lines_merge(lines, lines_merge(lines, count, true), false);
	qsort(lines, merged, sizeof(*lines), by == WATCH_BY_BORROWER ? by_lazy : by_all);
	while (merged && !watch_top_weight(&lines[merged - 1], by))
		merged--;
	others_start(others, by, now, before);
	if (merged > room)
		merged = room;
	for (size_t i = 0; i < merged; i++) {
		tops[i] = lines[i];
		if (by == WATCH_BY_BORROWER && !tops[i].most[0])
			name_find(tops[i].most, tops[i].most_tgid, now);
		else if (by == WATCH_BY_PROCESS && !tops[i].name[0])
			name_find(tops[i].name, tops[i].id, now);
		/* Not before: pairs are told apart, and names filtered, by what the tasks really call themselves. */
		text_utf8(tops[i].name);
		text_utf8(tops[i].most);
		others_less(others, &lines[i]);
	}
	free(lines);
	return merged;
}
