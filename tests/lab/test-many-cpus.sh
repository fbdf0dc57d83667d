#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Sixteen emulated CPUs: whom a flush reaches.
set -u

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
kernel=newest

# What many CPUs that have the mm are asked, and what reaches them: exact.
many() { # SET
	python3 - "$1" <<'PY'
import json, sys
trials = [t for t in map(json.loads, open(sys.argv[1] + "/trials.jsonl")) if t["valid"]]
seen = set()
for t in trials:
    op, figures, asked = t["params"]["op"], t["figures"], t["counters"]["tlb-ipis"]["per_round_trip"]
    arrived = {k[len("tlb-interrupts"):]: v["value"] for k, v in figures.items() if k.startswith("tlb-interrupts")}
    want = {"": 15 * asked} if t["scenario"] == "flush" else {"": asked, "-all": 8 * asked + 4 * (op == "munmap"), "-lazy": 4 * (op == "munmap")}
    seen.add((t["scenario"], op))
    assert 1 <= round(asked, 1) <= 1 + (op == "mprotect") and set(arrived) == set(want), (t["params"], asked, arrived)
    # A CPU whose thread has not come to spin yet, or that a kernel thread visits, is spared; and one is not lazy before its thread sleeps.
    assert all(abs(arrived[k] - want[k]) <= 0.3 + 0.02 * want[k] for k in want), (t["params"], asked, arrived, want)
assert seen == {("flush", "madvise"), ("shootdown", "mprotect"), ("shootdown", "munmap")}, seen
PY
}

# shellcheck disable=SC2016 # the guest's shell expands
"$top/scripts/kernel-lab" boot "$kernel" --boot mitigations=off --cpus 16 --time 300 --activemm "$activemm" --results "$tmp/many" -- sh -c \
	'activemm run shootdown:op=mprotect/munmap,cpus=8,lazy=4 flush:n=16 --trials 1 --iterations 20 -o "$ACTIVEMM_LAB_RESULTS/set"' >"$tmp/log" 2>&1
case $? in
3 | 77) skip "$kernel with 16 CPUs" ;;
0) if many "$tmp/many/set" >>"$tmp/log" 2>&1; then ok "$kernel: flushes reach each of 16 CPUs that must have them, and no other"; else not_ok "$kernel: flushes on 16 CPUs"; fi ;;
*) not_ok "$kernel with 16 CPUs" ;;
esac
