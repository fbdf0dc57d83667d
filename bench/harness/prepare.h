/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every trial of a run shares: the CPU, the clock, the counters. */
#ifndef BENCH_HARNESS_PREPARE_H
#define BENCH_HARNESS_PREPARE_H

#include <jansson.h>

#include "bench/harness/trial.h"
#include "lib/machine/record.h"

/*
 * Chooses the CPU (@wanted < 0: the best allowed one), calibrates the clock on it and finds out what can be
 * counted there. Missing counters are no error. No descriptor stays open; free with bench_close(), also after failure.
 */
int bench_open(struct bench *b, struct cpu_topology *topo, int wanted, struct error *e);
void bench_close(struct bench *b);

/* machine.json: the machine record with clock, counters and what else the suite found out. New reference. */
json_t *bench_machine(const struct bench *b, struct cpu_topology *topo);

#endif
