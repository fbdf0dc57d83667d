/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a task may ask the kernel to do whenever its mm comes or goes. */
#ifndef LIB_MACHINE_ASK_H
#define LIB_MACHINE_ASK_H

#include <jansson.h>

#include "lib/base/error.h"

enum ask {
	ASK_MEMBARRIER, /* private expedited: a barrier on the way from a kernel thread to the process's user code */
	ASK_IBPB, /* no branch predictions of others: a barrier when another mm is loaded before or after it */
	ASK_L1D, /* the L1 data cache is flushed when it leaves for another mm */
};

/* Could ask() here, on @cpu? Changes nothing. 0, or -errno with the reason and the remedy. */
int ask_possible(enum ask what, int cpu, struct error *e);

/* Asks for the calling task (ASK_MEMBARRIER: its process) and what it forks, and reads it back. 0, or -errno. */
int ask(enum ask what, int cpu, struct error *e);

/* What a change of mm does on this machine beside loading CR3, for machine.json: {"ibpb": "...", ...}. New reference. */
json_t *ask_record(void);

#endif
