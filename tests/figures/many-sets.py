#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes many small result sets of several kernels: many-sets.py DIR SETS KERNELS [KERNEL:FACTOR]... Then, for the time it takes:
time activemm history add DIR --db FILE; time activemm history trend process --db FILE. Kernel k is 6.k.0; a factor holds from its
kernel on, for the times of `process'; sessions of a kernel are 1 % apart, trials 2 %. Sets are in the order of time."""
import datetime
import json
import os
import random
import sys

ROWS = [(s, {"handover": "yield", "pages": p, "pagesize": "4k"}, ns + 5 * p, loads)
        for s, ns, loads in (("thread", 2400, 0), ("process", 2500, 2)) for p in (0, 8, 64, 512)]
directory, sets, kernels = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
factors = [(int(k), float(f)) for k, f in (a.split(":") for a in sys.argv[4:])]
r = random.Random(1)
for i in range(sets):
    kernel = i * kernels // sets
    factor = 1.0
    for k, f in factors:
        factor *= f if kernel >= k else 1
    at = os.path.join(directory, f"{i // 1000:03}", f"{i % 1000:03}")
    os.makedirs(at)
    with open(at + "/machine.json", "w") as f:
        json.dump({"schema": 1, "kernel": {"release": f"6.{kernel}.0", "version": "#1 SMP"}, "cpu": {"model": "made"}, "topology": {"cpus": 4},
                   "times_meaningful": True}, f)
    with open(at + "/trials.jsonl", "w") as f:
        for n, (scenario, params, ns, loads) in enumerate(ROWS):
            session = ns * r.gauss(1, 0.01) * (factor if scenario == "process" else 1)
            for trial in range(6):
                f.write(json.dumps({"schema": 1, "scenario": scenario, "params": params, "trial": trial,
                    "end": (datetime.datetime(2024, 1, 1) + datetime.timedelta(minutes=i)).strftime("%Y-%m-%dT%H:%M:%SZ"),
                    "ns_per_round_trip": session * r.gauss(1, 0.02),
                    "counters": {"context-switches": {"value": 2, "per_round_trip": 2.0}, "cr3-loads": {"value": 2, "per_round_trip": float(loads)}},
                    "valid": True, "verified": True, "violations": []}, separators=(",", ":")) + "\n")
