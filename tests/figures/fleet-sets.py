#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the result sets of a fleet whose truth is known: fleet-sets.py DIR NODES KERNELS SESSIONS [SEED]. Sets are
DIR/sets/NODE/SESSION-KERNEL, as scripts/fleet has them; DIR/truth.json has what is in them. Then, for the time and memory it takes:
cd DIR; /usr/bin/time -v activemm compare $(ls -d sets/*/*) --base 6.0 --json >comparison.json; fleet-truth.py truth.json comparison.json

Three in five nodes are of one CPU model, the others of a second. Kernel 6.k is slower than 6.0 in `process' by 2 % for each k on the
first model and by 4 % on the second; in all other rows kernels are equal. Nodes vary in what a kernel changes by 0.5 %, sessions
by 1 %, trials by 0.5 %. From 40 nodes on one in 40 is a stranger: `thread' is 15 % slower on it with every kernel but 6.0, and its
memory is half as large. On the second model 6.1 and later flush once more per round trip of `process'."""
import json
import math
import os
import random
import sys

ROWS = [("thread", 0, 2400, 0), ("process", 0, 2500, 2), ("process", 64, 2900, 2), ("kworker", 0, 4200, 0)]
MODELS = [("Made One 100", "MadeVendor"), ("Made Two 200", "MadeVendor")]
NODE, SESSION, TRIAL = 0.005, 0.01, 0.005
TRIALS = 3


def slower(model, kernel, row):
    """What kernel 6.KERNEL takes times what 6.0 does."""
    return 1 + (0.04 if model else 0.02) * kernel if row[0] == "process" else 1.0


def counter(n):
    return {"value": 100 * n, "per_round_trip": float(n), "source": "made"}


def machine(name, model, memory, kernel, session):
    return {"schema": 1, "host": name, "kernel": {"release": f"6.{kernel}", "version": "#1 SMP", "cmdline": f"root=UUID={name} ro"},
            "cpu": {"model": MODELS[model][0], "vendor": MODELS[model][1], "microcode": "0x1"},
            "topology": {"cpus": 64, "memory_bytes": memory}, "dmi": {"vendor": "Made", "product": "Rack", "firmware": "1.0"},
            "mitigations": {f"vulnerability_{i}": "Not affected" for i in range(16)},
            "run": {"scenarios": [{"spec": f"{s}:handover=yield,pages={p},pagesize=4k", "iterations": 1000} for s, p, _, _ in ROWS]},
            "session": {"boot_id": f"{name}-{kernel}-{session}", "started": 1700000000 + 100000 * session, "since_boot_s": 60.0},
            "times_meaningful": True}


def main():
    directory, nodes, kernels, sessions = sys.argv[1], *map(int, sys.argv[2:5])
    r = random.Random(int(sys.argv[5]) if len(sys.argv) > 5 else 1)
    strangers = {n for n in range(nodes) if nodes >= 40 and n % 40 == 17}
    answers = {}
    for n in range(nodes):
        name, model, speed = f"node{n:04}", int(n % 5 > 2), r.gauss(0, 0.05)
        own = {(k, i): r.gauss(0, NODE) if k else 0.0 for k in range(kernels) for i in range(len(ROWS))}
        answers[name] = [[slower(model, k, row) * math.exp(own[k, i]) * (1.15 if n in strangers and k and row[0] == "thread" else 1)
                          for i, row in enumerate(ROWS)] for k in range(kernels)]
        for k in range(kernels):
            for s in range(sessions):
                at = os.path.join(directory, "sets", name, f"{s + 1:02}-6.{k}")
                os.makedirs(at)
                with open(at + "/machine.json", "w", encoding="ascii") as f:
                    json.dump(machine(name, model, (64 if n in strangers else 128) << 30, k, s), f)
                lines = []
                for i, row in enumerate(ROWS):
                    scenario, pages, ns, loads = row
                    log = math.log(ns * slower(model, k, row)) + speed + own[k, i] + r.gauss(0, SESSION)
                    if n in strangers and k and scenario == "thread":
                        log += math.log(1.15)
                    flushes = 1 if model and k and scenario == "process" else 0
                    for trial in range(TRIALS):
                        lines.append(json.dumps({
                            "schema": 1, "scenario": scenario, "params": {"handover": "yield", "pages": pages, "pagesize": "4k"}, "trial": trial,
                            "attempt": 1, "ns_per_round_trip": math.exp(log + r.gauss(0, TRIAL)), "valid": True, "verified": True, "violations": [],
                            "round_trips": {"counted": 1000}, "counters": {"context-switches": counter(2), "cr3-loads": counter(loads),
                                                                           "cr3-flushes": counter(flushes), "tlb-ipis": counter(0)}},
                            separators=(",", ":")))
                with open(at + "/trials.jsonl", "w", encoding="ascii") as f:
                    f.write("\n".join(lines) + "\n")
    truth = {"nodes": nodes, "models": [m for m, _ in MODELS], "answers": answers, "rows": [[row[0], row[1]] for row in ROWS],
             "strangers": [f"node{n:04}" for n in sorted(strangers)],
             "slower": [{"kernel": f"6.{k}", "model": MODELS[m][0], "scenario": row[0], "pages": row[1], "ratio": slower(m, k, row)}
                        for k in range(1, kernels) for m in range(2) for row in ROWS]}
    with open(os.path.join(directory, "truth.json"), "w", encoding="ascii") as f:
        json.dump(truth, f, indent=1)


if __name__ == "__main__":
    main()
