/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is recorded of the machine and kernel beside every result. */
#ifndef LIB_MACHINE_RECORD_H
#define LIB_MACHINE_RECORD_H

#include <jansson.h>
#include <stdbool.h>

#include "lib/machine/cpu.h"

/*
 * Everything that can explain a figure, as machine.json holds it (results/schema/machine.schema.json):
 * kernel release, version, command line, config options that matter, CPU model and microcode, topology, PCID, INVPCID,
 * PTI, INVLPGB, mitigations, governor, turbo, cpuidle driver and states, SMT, THP, NUMA balancing, hypervisor,
 * perf_event_paranoid, load, accelerator. What cannot be read is {"unavailable": why}. New reference; NULL without memory.
 */
json_t *machine_record(struct cpu_topology *topo, const struct cpu_choice *choice);

/* Does this kernel use PCIDs (CPU flag, not disabled by nopcid)? Decides whether switches should flush. */
bool machine_has_pcid(void);

/* Does a load of another address space keep what the TLB holds: by PCIDs, or by ASIDs where every such CPU has them? */
bool machine_keeps_tlb(void);

/*
 * Is this a PREEMPT_RT kernel? The patches have /sys/kernel/realtime, mainline only uname's version ("PREEMPT RT" in old
 * patches; scripts/mkcompile_h, init/Makefile). There soft interrupts and timers of ordinary tasks have threads.
 */
bool machine_is_realtime(void);

/* True under software emulation (QEMU TCG, or ACTIVEMM_LAB_ACCEL=tcg): times mean nothing there, only counts do. */
bool machine_emulated(void);

#endif
