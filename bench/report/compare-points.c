// SPDX-License-Identifier: GPL-2.0-or-later
/* What the pictures of a comparison are drawn from: sets, rows and figures of compare_sets()'s table. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bench/report/compare.h"

/* Keeps @text's start and end, which tell kernels apart; bytes of a UTF-8 character stay together. */
static void shorten(const char *text, char *buf, size_t room)
{
	size_t len = strlen(text), head = room / 2 - 2, tail = len - (room - head - 4);

	if (len < room) {
		memcpy(buf, text, len + 1);
	} else {
		while (head && (text[head] & 0xc0) == 0x80)
			head--;
		while ((text[tail] & 0xc0) == 0x80)
			tail++;
		snprintf(buf, room, "%.*s...%s", (int)head, text, text + tail);
	}
	for (char *c = buf; *c; c++)
		*c = (unsigned char)*c < ' ' || *c == 127 ? '?'
		     : *c == '"'			  ? '\''
		     : *c == '|' || *c == '\\'		  ? '/'
							  : *c;
}

bool compared_times(const struct comparison *c)
{
	const json_t *pair, *row;
	size_t p, i;

	json_array_foreach (c->all, p, pair)
		json_array_foreach (json_object_get(pair, "times"), i, row)
			if (json_object_get(row, "difference"))
				return true;
	return false;
}

const char *compared_full_name(const struct comparison *c, size_t set)
{
	return member_text(json_array_get(c->all, set ? set - 1 : 0),
			   set ? "other_name" : "base_name");
}

/* The length of what all names end with, from a sign on that parts words: kernels' flavours. */
static size_t common_end(const struct comparison *c)
{
	const char *base = compared_full_name(c, 0);
	size_t len = strlen(base), common = len ? len - 1 : 0;

	for (size_t set = 1; set < c->n; set++) {
		const char *name = compared_full_name(c, set);
		size_t own = strlen(name), n = 0;

		while (n < common && n + 1 < own && name[own - n - 1] == base[len - n - 1])
			n++;
		common = n;
	}
	while (common && !strchr("+-_", base[len - common]))
		common--;
	return common;
}

void compared_name(const struct comparison *c, size_t set, char buf[SET_LABEL])
{
	const char *full = compared_full_name(c, set);
	char name[256];

	snprintf(name, sizeof(name), "%.*s", (int)(strlen(full) - common_end(c)), full);
	shorten(name, buf, SET_LABEL);
}

size_t compared_longest(const struct comparison *c, size_t from)
{
	char name[SET_LABEL];
	size_t longest = 0;

	for (size_t i = from; i < c->n; i++) {
		compared_name(c, i, name);
		longest = strlen(name) > longest ? strlen(name) : longest;
	}
	return longest;
}

void compared_label(const json_t *row, const char *params, char buf[PANEL_LABEL])
{
	const char *quantity = member_text(row, "quantity");
	char text[192];

	if (!params)
		params = strcmp(quantity, "ns-per-round-trip") ? quantity
							       : member_text(row, "params");
	snprintf(text, sizeof(text), "%.40s%s%.120s", member_text(row, "scenario"),
		 *params ? " " : "", params);
	shorten(text, buf, PANEL_LABEL);
}

/* Is @row's @count among those that changed in @pair, and which way? */
static enum compared_mark count_mark(const json_t *pair, const json_t *row, const char *count)
{
	const json_t *v;
	size_t i;

	json_array_foreach (json_object_get(pair, "counts"), i, v)
		if (!strcmp(member_text(v, "count"), count) &&
		    !strcmp(member_text(v, "scenario"), member_text(row, "scenario")) &&
		    !strcmp(member_text(v, "params"), member_text(row, "params")))
			return member_number(v, "other") > member_number(v, "base") ? MARK_MORE
										    : MARK_LESS;
	return MARK_LIKE;
}

static enum compared_mark time_mark(const json_t *row)
{
	const char *verdict = member_text(row, "verdict");

	return !strcmp(verdict, "slower") || !strcmp(verdict, "more")	 ? MARK_MORE
	       : !strcmp(verdict, "faster") || !strcmp(verdict, "fewer") ? MARK_LESS
									 : MARK_LIKE;
}

/* A row's figure of one side. */
static struct compared_point side_point(const json_t *row, bool base, const char *count)
{
	struct compared_point p = {
		.median = member_number(row, base ? "base_median" : "other_median"),
		.low = member_number(row, base ? "base_low" : "other_low"),
		.high = member_number(row, base ? "base_high" : "other_high"),
	};

	if (count)
		p.median = p.low = p.high = member_number(
			json_object_get(row, base ? "base_counts" : "other_counts"), count);
	if (!isfinite(p.low) || !isfinite(p.high))
		p.low = p.high = p.median;
	return p;
}

struct compared_point compared_point(const struct comparison *c, const json_t *row, size_t set,
				     const char *count)
{
	struct compared_point p = { .median = NAN, .low = NAN, .high = NAN };
	const json_t *pair = json_array_get(c->all, set - 1);

	if (set) {
		row = compare_row_like(pair, row);
		p = side_point(row, false, count);
		p.mark = count ? count_mark(pair, row, count) : time_mark(row);
		return p;
	}
	/* The base's own figure stands in every pair that is not refused. */
	json_array_foreach (c->all, set, pair)
		if (!isfinite(p.median))
			p = side_point(compare_row_like(pair, row), true, count);
	p.mark = MARK_BASE;
	return p;
}

bool compared_changed(const struct comparison *c, const json_t *row, const char *count)
{
	for (size_t set = 1; set < c->n; set++)
		if (compared_point(c, row, set, count).mark != MARK_LIKE)
			return true;
	return false;
}

bool compared_counts_changed(const struct comparison *c)
{
	const json_t *pair;
	size_t p;

	json_array_foreach (c->all, p, pair)
		if (json_array_size(json_object_get(pair, "counts")))
			return true;
	return false;
}

const char *compared_count_noun(const char *count)
{
	static const struct {
		const char *count, *noun;
	} nouns[] = {
		{ "cr3-loads", "CR3 loads" },
		{ "cr3-flushes", "flushing CR3 loads" },
		{ "context-switches", "switches" },
		{ "tlb-ipis", "flushes asked" },
		{ "remote-cr3-loads", "CR3 loads, other CPU" },
		{ "remote-tlb-shootdowns", "interrupts, other CPU" },
		{ "remote-tlb-shootdowns-left", "interrupts after leaving" },
		{ "tlb-interrupts-all", "interrupts, all CPUs" },
		{ "tlb-interrupts-lazy", "interrupts, lazy CPUs" },
	};

	for (size_t i = 0; i < sizeof(nouns) / sizeof(*nouns); i++)
		if (!strcmp(nouns[i].count, count))
			return nouns[i].noun;
	return count;
}
