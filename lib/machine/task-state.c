// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>
#include <unistd.h>

#include "lib/machine/task-state.h"

bool taskstate_sleeps(int stat)
{
	char buf[128];
	ssize_t n = pread(stat, buf, sizeof(buf) - 1, 0);
	const char *comm_end;

	if (n <= 0)
		return true;
	buf[n] = '\0';
	/* The name may hold anything, parentheses too. */
	comm_end = strrchr(buf, ')');
	return comm_end && comm_end[1] && comm_end[2] == 'S';
}
