#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What a comparison of fleet-sets.py's sets says, held against their truth: fleet-truth.py truth.json comparison.json. A line for each kind
of answer, "held 23 of 24"."""
import json
import sys

truth, comparison = (json.load(open(p, encoding="utf-8")) for p in sys.argv[1:3])
tally = {}


def count(what, good):
    good_so_far, n = tally.get(what, (0, 0))
    tally[what] = good_so_far + good, n + 1


for pair in comparison:
    named = {s["node"] for s in pair["nodes"]["strangers"]}
    count("comparisons that name no node that is none", not named - set(truth["strangers"]))
    for node in truth["strangers"]:
        count("strangers named", node in named)
    for s in pair["nodes"]["strangers"]:
        count("strangers of which the memory is named", any(d["what"] == "topology.memory_bytes" for d in s["differs"]))
    for row in pair["times"]:
        true = {t["model"]: t["ratio"] for t in truth["slower"]
                if (t["kernel"], t["scenario"], t["pages"]) == (pair["other_name"], row["scenario"], row["parameters"]["pages"])}
        at = truth["rows"].index([row["scenario"], row["parameters"]["pages"]])
        # A fortieth of the nodes is 15 % slower, and means are of all nodes.
        share = len(truth["strangers"]) / truth["nodes"] if row["scenario"] == "thread" else 0
        for model in row["pooled"]["models"]:
            if "low" in model and not share:
                count("intervals of a model that hold the truth", model["low"] <= true[model["model"]] <= model["high"])
        for one in row["pooled"]["each"]:
            if "low" in one:
                answer = truth["answers"][one["node"]][int(pair["other_name"].split(".")[1])]
                count("intervals of a node that hold its truth", one["low"] <= answer[at] <= one["high"])
        if row["scenario"] == "process":
            count("kernels that are slower, called so", row["verdict"] == "slower")
        elif not share:
            count("equal kernels not called different", row["verdict"] not in ("slower", "faster"))
    flushes = [c for c in pair["counts"] if c["count"] == "cr3-flushes"]
    count("comparisons with the flushes on the second model alone",
          len(flushes) == 2 and all(c["where"] == truth["models"][1] and c["base"] == 0 and c["other"] == 1 for c in flushes)
          and len(pair["counts"]) == 2)
for what, (good, n) in tally.items():
    print(f"{what}: {good} of {n}")
