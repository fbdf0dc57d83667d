#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes a large result set of lines like real ones: large-set.py DIR TRIALS [FACTOR]. Then, for the time and memory it takes:
/usr/bin/time -v activemm compare DIR OTHER."""
import json
import os
import random
import sys

ROWS = [(s, {"handover": "yield", "pages": p, "pagesize": "4k"}, ns + 5 * p) for s, ns in (("thread", 2400), ("process", 2500), ("ring", 4000), ("kworker", 4500))
        for p in (0, 1, 8, 64, 512, 4096)]
UNAVAILABLE = "no PMU counts it here: run on hardware, or let the hypervisor expose a virtual PMU"
directory, trials, factor = sys.argv[1], int(sys.argv[2]), float(sys.argv[3]) if len(sys.argv) > 3 else 1
r = random.Random(directory)
os.mkdir(directory)
with open(directory + "/machine.json", "w") as f:
    json.dump({"schema": 1, "kernel": {"release": "6.0-" + os.path.basename(directory)}, "cpu": {"model": "made"}, "times_meaningful": True}, f)
with open(directory + "/trials.jsonl", "w") as f:
    for i in range(trials):
        scenario, params, ns = ROWS[i % len(ROWS)]
        value = ns * factor * r.gauss(1, 0.02)
        loads = 2.0 if scenario == "process" else 0.0
        f.write(json.dumps({"schema": 1, "scenario": scenario, "params": params, "trial": i // len(ROWS), "round": i // len(ROWS), "attempt": 1, "cpu": 1,
            "end": "2026-01-01T00:00:00Z", "seed": 1795455205, "iterations": 4561,
            "round_trips": {"timed": 4561, "counted": 4561, "sampled": 456, "warmup": 333, "total": 9911},
            "elapsed_ns": value * 4561, "ns_per_round_trip": value,
            "batches": {"count": 20, "mad_ns": value / 100, "series_ns": [value * (1 + k / 1000) for k in range(20)], "counted_ns_per_round_trip": value * 1.2},
            "counters": {"context-switches": {"value": 9124, "per_round_trip": 2.0 + i % 7 / 1000, "source": "perf software event, CPU-wide"},
                "cr3-loads": {"value": 0, "per_round_trip": loads, "source": "tlb:tlb_flush reason == 0, CPU-wide"},
                "cr3-flushes": {"value": 0, "per_round_trip": 0.0, "source": "tlb:tlb_flush reason == 0 && pages == 0xffffffffffffffff, CPU-wide"},
                "tlb-ipis": {"value": 0, "per_round_trip": 0.0, "source": "tlb:tlb_flush reason == 4, CPU-wide"},
                "dtlb-load-misses": {"unavailable": UNAVAILABLE}, "tsc-cycles": {"value": 49407982, "per_round_trip": value * 2.6, "source": "rdtscp"}},
            "claim": {"switches": {"min": 2.0, "max": 2.0}}, "valid": True, "verified": True, "violations": [], "intruders": [],
            "interrupts": {"total": 48, "per_second": 355.21654310409599}, "warnings": []}, separators=(",", ":")) + "\n")
