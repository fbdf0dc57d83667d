#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Another architecture: the suite, cross-built, in an arm64 kernel with a PMU, in QEMU. Counts are the kernel's own there, of functions where
# x86 has a tracepoint. What cannot be had (libraries, a compiler, the kernel) is skipped.
set -u

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
kernel=${ACTIVEMM_LAB_TEST_ARM64:-newest}

"$top/scripts/kernel-lab" build --install --arch arm64 -o "$(dirname "$activemm")/arm64" >"$tmp/program" 2>"$tmp/log"
status=$?
case $status in
3 | 77) skip "arm64" && exit 0 ;;
0) ok "the suite is built for arm64" ;;
*) not_ok "the suite is built for arm64" && exit 1 ;;
esac
perf=${XDG_CACHE_HOME:-$HOME/.cache}/activemm-bench/sysroot/arm64/usr/bin/perf files=()
if [ -x "$perf" ]; then files=(--file "$perf:/bin/perf"); else skip "perf beside the suite: its libraries came without it"; fi
"$top/scripts/kernel-lab" boot "$kernel" --install --arch arm64 --accel icount --time 240 --activemm "$(cat "$tmp/program")" \
	--file "$here/arm64-guest.sh:/bin/arm64-guest.sh" "${files[@]}" --results "$tmp/results" -- sh /bin/arm64-guest.sh >"$tmp/guest" 2>"$tmp/log"
status=$?
case $status in
3 | 77) skip "an arm64 kernel" && exit 0 ;;
0) ok "$kernel: boots, and the lab brings back what it left" ;;
*) cat "$tmp/guest" >>"$tmp/log" && not_ok "$kernel: the kernel and the lab (status $status)" && exit 1 ;;
esac

# proves WHAT PYTHON: m is machine.json's object as `info' prints it, trials those of the run
proves() {
	if python3 - "$tmp/guest" "$tmp/results/claims/trials.jsonl" "$2" >"$tmp/log" 2>&1 <<'PY'; then ok "$kernel: $1"; else not_ok "$kernel: $1"; fi
import json, sys
text = open(sys.argv[1]).read()
m = json.loads(text[text.index("{"):text.index("== info:")])
trials = {}
for t in map(json.loads, open(sys.argv[2])):
    p = t["params"]
    trials[" ".join([t["scenario"]] + [str(p[k]) for k in ("n", "mm", "state", "borrow") if k in p and t["scenario"] != "kworker"])] = t
c = m["counters"]
exec(sys.argv[3])
PY
}

proves "the emulator and the CPU are known" '
assert m["hypervisor"] == "QEMU TCG" and m["cpu"]["model"] == "Arm Neoverse-N1" and not m["times_meaningful"], (m["hypervisor"], m["cpu"])'
proves "what counts is what was seen to count" '
assert "check_and_switch_context" in c["cr3-loads"]["source"] and "new_context" in c["cr3-flushes"]["source"], c
assert "broadcast" in c["tlb-ipis"]["unavailable"], c
assert "cycles" in c and "source" in c["cycles"], c
for dead in "dtlb-load-misses", "dtlb-walks":
    assert "counts nothing" in c[dead]["unavailable"], c[dead]'
proves "every claim holds there" '
want = {"thread": (2, 0), "process": (2, 2), "kworker": (2, 0), "ring 3": (3, 3), "ring 8": (8, 8), "interposed": (4, 2), "stale own": (2, 0),
        "stale other": (2, 0), "stopper": (3, 0), "refcount 2 shared": (2, 0)}
for name in list(want) + ["shootdown lazy", "shootdown active", "exit lazy", "exit none"]:
    t = trials[name]
    assert t["valid"] and t["verified"], t
for name, (switches, loads) in want.items():
    n, k = trials[name]["round_trips"]["counted"], trials[name]["counters"]
    for what, per in (("context-switches", switches), ("cr3-loads", loads), ("cr3-flushes", 0)):
        assert abs(k[what]["value"] - per * n) <= 8 + 0.005 * n * per + 0.05 * n, (name, what, k[what])
assert abs(trials["exit lazy"]["counters"]["cr3-loads"]["per_round_trip"] - 2) < 0.2 and trials["exit none"]["counters"]["cr3-loads"]["per_round_trip"] < 0.2, trials["exit lazy"]
for name in "shootdown lazy", "shootdown active":
    assert trials[name]["remote"]["counters"]["cr3-loads"]["per_round_trip"] <= 0.2, trials[name]["remote"]'
proves "a PMU's driver counts cycles and instructions, and user ones to the cycle" '
exact = [t["counters"] for t in map(json.loads, open(sys.argv[2].replace("claims", "exact"))) if t["valid"]]
users = [k["cycles-user"]["value"] for k in exact]
assert len(users) >= 2 and len(set(users)) < len(users) and min(users) > 0, users
for k in exact:
    assert abs(k["instructions"]["value"] / k["cycles"]["value"] - 0.5) < 0.02, k
    assert k["cycles-kernel"]["value"] > k["cycles-user"]["value"], k'
[ ${#files[@]} -gt 0 ] || exit 0
proves "perf stat around it counts the same" '
def perf(n):
    return {p[2]: float(p[0]) for p in (l.split(",") for l in open(sys.argv[2].replace("claims/trials.jsonl", "perf-%d" % n))) if len(p) > 3}
def own(n):
    return json.loads(open(sys.argv[2].replace("claims", "own-%d" % n)).readline())
a, b, x, y = perf(500), perf(1500), own(500), own(1500)
n = y["round_trips"]["total"] - x["round_trips"]["total"]
all = (b["instructions"] - a["instructions"]) / n
# What perf sees besides: the observed round trips take more in the kernel, and the driver evaluates them.
assert 0.97 < all / y["counters"]["instructions"]["per_round_trip"] < 1.15, (all, y["counters"])'
proves "beside more events than the PMU holds, what is scaled up says so, and is near" '
t, whole = (json.loads(open(sys.argv[2].replace("claims", d)).readline()) for d in ("beside", "own-1500"))
shared = [k for k, v in t["counters"].items() if v.get("multiplexed", 1) < 1]
assert t["valid"] and "cycles-user" in shared, t
for k in "cycles-user", "cycles-kernel", "instructions":
    assert abs(t["counters"][k]["per_round_trip"] / whole["counters"][k]["per_round_trip"] - 1) < 0.25, (k, t["counters"][k], whole["counters"][k])'
