#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Another architecture: the suite, cross-built, in an arm64 kernel with a PMU, in QEMU. Counts are the kernel's own there, of functions where
# x86 has a tracepoint. What cannot be had (libraries, a compiler, the kernel) is skipped.
set -u

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
kernel=${ACTIVEMM_LAB_TEST_ARM64:-newest}

CFLAGS=-O1 "$top/scripts/kernel-lab" build --install --arch arm64 -o "$(dirname "$activemm")/arm64" >"$tmp/program" 2>"$tmp/log"
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
def read(folder):
    try:
        return [json.loads(l) for l in open(sys.argv[2].replace("claims", folder))]
    except OSError:
        return [] # without perf
exact = [t["counters"] for t in read("exact") if t["valid"]]
runs = {name: t for name in ("3", "3-short", "6", "7", "6-pinned", "7-pinned") for t in read("beside-" + name)}
beside = {name: t["counters"] for name, t in runs.items()}
def pmu(counters):
    return [counters[name] for name in ("cycles", "instructions", "cycles-user", "cycles-kernel")]
def whole(counters):
    return all("value" in k and "multiplexed" not in k for k in pmu(counters))
def near(name, most):
    for alone, k in zip(pmu(exact[0]), pmu(beside[name])):
        assert "unavailable" in k or abs(k["per_round_trip"] / alone["per_round_trip"] - 1) < most, (name, k, alone)
def perf(name):
    return {p[2]: float(p[0]) for p in (l.split(",") for l in open(sys.argv[2].replace("claims/trials.jsonl", "perf-" + name))) if len(p) > 3}
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
users = [k["cycles-user"]["value"] for k in exact]
# An interrupt on the way adds some tens of cycles.
assert len(users) == 2 and 0 < max(users) <= 1.001 * min(users), users
for k in exact:
    user, kernel, cycles, instructions = (k[name]["value"] for name in ("cycles-user", "cycles-kernel", "cycles", "instructions"))
    assert whole(k) and abs(instructions / cycles - 0.5) < 0.01 and kernel > user and abs((user + kernel) / cycles - 1) < 0.01, k'
# Some compilers make the BPF programs with the headers that are here.
proves "single switches are sampled, and what samples cannot tell is named" '
e = json.loads(text[text.index("== exact:"):text.index("== explain:")].split("\n", 1)[1])
assert (e["source"], bool(e["missing"])) in (("perf", True), ("bpf", False)), e
assert [s["class"] for s in e["steps"]] == ["real"] * 4 and ("BPF" in e["missing"] or e["source"] == "bpf"), e'
[ ${#files[@]} -gt 0 ] || exit 0
proves "beside three foreign events, pinned or not, there is room: to the cycle what it counts alone, and near what perf stat counts" '
assert whole(beside["3"]) and whole(beside["3-short"]), beside
near("3", 0.03)
users = [k["cycles-user"]["value"] for k in (*exact, beside["3"])]
assert len(set(users)) < 3 and max(users) <= 1.001 * min(users), users
n = runs["3"]["round_trips"]["total"] - runs["3-short"]["round_trips"]["total"]
ours = beside["3"]["instructions"]["per_round_trip"] - beside["3"]["cycles-user"]["per_round_trip"] / 2
# In the kernel, where what a start takes hardly varies; what the kernel counts of the trial by its own events takes more there.
assert 0.97 < (perf("3")["instructions:kD"] - perf("3-short")["instructions:kD"]) / n / ours < 1.5, (perf("3"), perf("3-short"), n, ours)'
proves "beside six or seven, what is scaled up says so, and is near" '
for name in "6", "7":
    assert all(0.2 < k["multiplexed"] < 0.9 for k in pmu(beside[name])), beside[name]
    near(name, 0.08)'
proves "beside six pinned ones each has its share of what is left, or is named as not counted" '
got = [k for k in pmu(beside["6-pinned"]) if "value" in k]
assert len(got) >= 2 and all(0.02 < k["multiplexed"] < 0.6 for k in got) and sum(k["multiplexed"] for k in got) < 1.3, beside["6-pinned"]
assert all("never had a counter free" in k["unavailable"] for k in pmu(beside["6-pinned"]) if "value" not in k), beside["6-pinned"]
near("6-pinned", 0.25)'
proves "beside seven pinned ones nothing is counted, and nothing is 0" '
assert all("never had a counter free" in k["unavailable"] for k in pmu(beside["7-pinned"])), beside["7-pinned"]
assert runs["7-pinned"]["valid"] and runs["7-pinned"]["counters"]["context-switches"]["per_round_trip"] < 2.2, runs["7-pinned"]'
