/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PID namespaces: the kernel's events name tasks by the numbers of the initial one, while gettid() and fork() say the caller's own.
 */
#ifndef LIB_COUNTERS_PIDNS_H
#define LIB_COUNTERS_PIDNS_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/base/error.h"

/* Is the caller's the initial one? True also where that cannot be told. */
bool pidns_is_initial(void);

/*
 * The numbers in the initial namespace of @n tasks, threads or children of the caller that leave SIGURG alone (which they are sent and
 * ignore: its event carries the number). 0, or -errno with the remedy where that event is out of reach.
 */
int pidns_numbers(const pid_t *tasks, unsigned int n, pid_t *numbers, struct error *e);

/* -ENOTSUP, saying that @what is not to be had in a PID namespace, and the remedy. */
int pidns_refuse(const char *what, struct error *e);

/* Does /proc number tasks as the caller does? Not where a new namespace kept the old mount. */
bool pidns_proc_is_own(void);

#endif
