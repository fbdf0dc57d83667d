// SPDX-License-Identifier: GPL-2.0-or-later
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "lib/counters/kprobe.h"

int kprobe_type(struct error *e)
{
	FILE *f = fopen("/sys/bus/event_source/devices/kprobe/type", "re");
	int type = -1;

	if (f && fscanf(f, "%d", &type) != 1)
		type = -1;
	if (f)
		fclose(f);
	return type >= 0 ? type
			 : error_set(e, ENOENT,
				     "this kernel counts no entries into its functions: it is "
				     "built without kprobes (CONFIG_KPROBE_EVENTS), or /sys is not "
				     "mounted");
}

void kprobe_describe(struct perf_event_attr *attr, int type, const char *function)
{
	attr->type = (uint32_t)type;
	attr->config1 = (uint64_t)(uintptr_t)function; /* kprobe_func */
	attr->config2 = 0; /* probe_offset */
}
