// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/refusal.h"
#include "lib/machine/irq-row.h"

/* As much of the file as there is room for. */
static size_t text_read(struct irq_row *r)
{
	size_t len = 0;
	ssize_t n;

	while ((n = pread(r->fd, r->text + len, r->room - 1 - len, (off_t)len)) > 0)
		len += (size_t)n;
	r->text[len] = '\0';
	return len;
}

void irq_row_read(struct irq_row *r)
{
	char *at, *end;

	text_read(r);
	at = strstr(r->text, r->name);
	r->there = at != NULL;
	if (at)
		at += strlen(r->name);
	for (unsigned int i = 0; i < r->columns; i++, at = end) {
		r->counts[i] = at ? strtoull(at, &end, 10) : 0;
		if (!at || end == at)
			end = NULL;
	}
}

/* CPUs in the heading before @end. */
static unsigned int columns(const char *text, const char *end)
{
	unsigned int n = 0;

	while ((text = strstr(text, "CPU")) && text < end) {
		n++;
		text += 3;
	}
	return n;
}

int irq_row_open(struct irq_row *r, const char *name, struct error *e)
{
	*r = (struct irq_row){ .fd = open("/proc/interrupts", O_RDONLY | O_CLOEXEC) };
	if (r->fd < 0)
		return refusal_set(e, REFUSED_CALL, errno, "/proc/interrupts");
	snprintf(r->name, sizeof(r->name), "%s:", name);
	/* Room for the file as it is, and for as much again: its numbers grow. */
	for (r->room = 1 << 16;; r->room *= 2) {
		free(r->text);
		r->text = calloc(1, r->room);
		if (!r->text)
			return error_set(e, ENOMEM, "out of memory");
		if (2 * text_read(r) < r->room)
			break;
	}
	/* Touched now: what later reads fill was there before. */
	memset(r->text + strlen(r->text), 0, r->room - strlen(r->text));
	r->columns = columns(r->text, strchrnul(r->text, '\n'));
	r->counts = calloc(r->columns + 1, sizeof(*r->counts));
	if (!r->counts)
		return error_set(e, ENOMEM, "out of memory");
	irq_row_read(r);
	return 0;
}

int irq_row_column(const struct irq_row *r, int cpu)
{
	char name[32];
	const char *at;

	snprintf(name, sizeof(name), "CPU%d", cpu);
	for (at = r->text; (at = strstr(at, name)); at++)
		if (at[strlen(name)] == ' ' || at[strlen(name)] == '\n')
			return (int)columns(r->text, at);
	return -1;
}
