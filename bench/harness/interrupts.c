// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/harness/interrupts.h"
#include "lib/base/text.h"
#include "lib/machine/cpu.h"

/* Position of @cpu's column in /proc/interrupts' heading, which lists online CPUs only. */
static int interrupts_column(const char *heading, int cpu)
{
	int column = 0, number, used;

	for (; sscanf(heading, " CPU%d%n", &number, &used) == 1; heading += used, column++)
		if (number == cpu)
			return column;
	return -ENODEV;
}

static void interrupts_line(struct interrupts *irq, char *line, int column)
{
	char *rest = strchr(line, ':'), *name = line;
	unsigned long long count = 0;
	void *lines, *names;

	if (!rest)
		return;
	*rest++ = '\0';
	while (*name == ' ')
		name++;
	for (int i = 0; i <= column; i++) {
		char *end;

		count = strtoull(rest, &end, 10);
		if (end == rest) /* ERR and MIS have one column for all CPUs */
			return;
		rest = end;
	}
	lines = reallocarray(irq->lines, irq->n + 1, sizeof(*irq->lines));
	if (lines)
		irq->lines = lines;
	names = reallocarray(irq->names, irq->n + 1, sizeof(*irq->names));
	if (names)
		irq->names = names;
	if (!lines || !names)
		return;
	while (*rest == ' ' || (*rest >= '0' && *rest <= '9'))
		rest++;
	rest[strcspn(rest, "\n")] = '\0';
	irq->lines[irq->n] = count;
	snprintf(irq->names[irq->n], sizeof(*irq->names), "%.12s (%.30s)", name, rest);
	text_utf8(irq->names[irq->n]);
	irq->n++;
	irq->total += count;
}

struct stat_ns {
	double busy, steal;
};

/* @cpu's line of /proc/stat; false if it has none. */
static bool stat_read(int cpu, struct stat_ns *ns)
{
	unsigned long long user, nice, sys, irq, soft, steal;
	char *line = NULL, want[16];
	bool found = false;
	size_t cap = 0;
	FILE *f = cpu_stat_is_of_cpus() ? fopen("/proc/stat", "re") : NULL;

	snprintf(want, sizeof(want), "cpu%d ", cpu);
	while (f && !found && getline(&line, &cap, f) > 0)
		found = !strncmp(line, want, strlen(want)) &&
			sscanf(line + strlen(want), "%llu %llu %llu %*u %*u %llu %llu %llu", &user,
			       &nice, &sys, &irq, &soft, &steal) == 6;
	if (found) {
		double tick = 1e9 / (double)sysconf(_SC_CLK_TCK);

		ns->busy = (double)(user + nice + sys + irq + soft) * tick;
		ns->steal = (double)steal * tick;
	}
	if (f)
		fclose(f);
	free(line);
	return found;
}

int interrupts_read(struct interrupts *irq, int cpu)
{
	struct stat_ns stat;
	char *line = NULL;
	size_t cap = 0;
	int column = -ENODEV;
	FILE *f;

	*irq = (struct interrupts){ 0 };
	f = fopen("/proc/interrupts", "re");
	if (f && getline(&line, &cap, f) > 0)
		column = interrupts_column(line, cpu);
	while (f && column >= 0 && getline(&line, &cap, f) > 0)
		interrupts_line(irq, line, column);
	if (f)
		fclose(f);
	if (stat_read(cpu, &stat))
		irq->steal_ns = stat.steal;
	free(line);
	return column < 0 ? column : 0;
}

void interrupts_free(struct interrupts *irq)
{
	free(irq->lines);
	free(irq->names);
	*irq = (struct interrupts){ 0 };
}

uint64_t interrupts_culprit(const struct interrupts *before, const struct interrupts *after,
			    char *name, size_t len)
{
	uint64_t most = 0;

	snprintf(name, len, "unknown");
	for (unsigned int i = 0; i < after->n && i < before->n; i++) {
		uint64_t grown = after->lines[i] - before->lines[i];

		if (strcmp(after->names[i], before->names[i]) || grown <= most)
			continue;
		most = grown;
		snprintf(name, len, "%s", after->names[i]);
	}
	return most;
}

unsigned int interrupts_grown(const struct interrupts *before, const struct interrupts *after,
			      struct interrupt_line *lines, unsigned int most)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < after->n && i < before->n; i++) {
		uint64_t grown = after->lines[i] - before->lines[i];
		unsigned int at = n;

		if (!grown || strcmp(after->names[i], before->names[i]) != 0)
			continue;
		while (at > 0 && lines[at - 1].count < grown)
			at--;
		if (at == most)
			continue;
		if (n < most)
			n++;
		memmove(&lines[at + 1], &lines[at], (n - at - 1) * sizeof(*lines));
		lines[at].count = grown;
		memcpy(lines[at].name, after->names[i], sizeof(lines[at].name));
	}
	return n;
}

double cpu_busy_ns(int cpu)
{
	struct stat_ns stat;

	return stat_read(cpu, &stat) ? stat.busy : 0;
}
