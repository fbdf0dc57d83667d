#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the inner shells expand
# What a user reads: the short summary, the whole one, the page. Of sets that are there already: nothing is measured.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
reference=$(cd "$(dirname "$0")/../../results/reference" && pwd)
vm=$reference/linux-6.18-amd-epyc-vm

# report SET ARGUMENTS...: the text in $tmp/out, the rest in $tmp/report; without gnuplot, where the text is what matters.
report() {
	local set=$1
	shift
	PATH=$tmp/none "$activemm" report "$set" -o "$tmp/report" "$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
}
short() { [ "$(wc -l <"$tmp/out")" -le 48 ] && [ "$(wc -L <"$tmp/out")" -le 100 ]; }
says() { tr -s ' \n' ' ' <"$tmp/out" | grep -qF -- "$1"; }

for set in "$reference"/linux-*; do
	report "$set"
	check "the summary of ${set##*/} is short" short
done
report "$vm"
check "a line per scenario" [ "$(grep -cE '^(thread|process|kworker|idle|stopper|interposed|ring|shootdown|refcount|base) ' "$tmp/out")" = 10 ]
check "what was skipped is named, once for one reason" says "Skipped: stale, exit: on CPU 1"
check "  and what was not counted" says "Not counted: cycles, cycles-kernel, cycles-user, dtlb-load-misses"
report "$vm" --all
check "--all has every row" [ "$(grep -cE ' [0-9]+/[0-9]+ ' "$tmp/out")" = "$(python3 -c '
import json, sys
print(len({(t["scenario"], str(t["params"])) for t in map(json.loads, open(sys.argv[1]))}))' "$vm/trials.jsonl")" ]
check "  and fits 100 columns" [ "$(wc -L <"$tmp/out")" -le 100 ]
check "the page has parameters in words, folded by scenario" sh -c '
	grep -q "6 processes, by yield" "$1" && ! grep -q "{&quot;" "$1" && [ "$(grep -c "<details><summary><b>" "$1")" = 10 ]' - "$tmp/report/report.html"
check "  in units that suit the size" grep -q "2.31 µs" "$tmp/report/report.html"

# Far more reasons than lines: each thing that was skipped is still named.
change "$vm" "$tmp/many" '
m["skipped"] = [{"what": "scenario%d:pages=%d" % (i, i), "why": "reason %d, told at some length, for a terminal has only so many columns to tell it in" % i} for i in range(25)]
m["findings"] = [{"what": "shootdown", "text": "asked for 2.00 flushes per operation, none arrived: the hypervisor flushes for the guest"}]
m["warnings"] = ["w%d" % i for i in range(30)]'
report "$tmp/many"
check "a summary with 56 notes is short, too" short
all_named() { for i in $(seq 0 24); do says "scenario$i:pages=$i" || return 1; done; }
check "  and names all that was skipped" all_named
check "  and what was found" says "Found: shootdown"
report "$tmp/many" --all
check "  --all says what was found" says "shootdown: asked for 2.00 flushes per operation, none arrived"

# A saving that may be nothing is no answer.
change "$vm" "$tmp/nothing" '
for t in lines:
    if t["scenario"] in ("thread", "process"):
        t["ns_per_round_trip"] = 2000 + 37 * (t["trial"] * (7 if t["scenario"] == "thread" else 11) % 5) + t["params"]["pages"]'
report "$tmp/nothing"
check "a saving whose interval holds zero is not told" says "what time active_mm saves per round trip could not be told ("
check "  nor in the page" grep -q "could not be told (" "$tmp/report/report.html"
check "  and summary.json says so" python3 -c 'import json, sys; assert json.load(open(sys.argv[1]))["headline"]["told"] is False' "$tmp/report/summary.json"

# A machine with two speeds.
change "$vm" "$tmp/speeds" '
for t in lines:
    if t["scenario"] == "thread":
        t["ns_per_round_trip"] = (3700 if t["trial"] < 3 else 5200) + t["trial"]'
report "$tmp/speeds"
check "a row of two speeds shows both" grep -qE "^thread .* 3.70 or 5.20 us \(two speeds\) " "$tmp/out"
check "  and a sentence says how many have them" says "Two speeds: the trials of"
report "$tmp/speeds" --all
check "  --all tells how many trials each" says "3.70 us [3.70, 3.70] in 3 trials, 5.20 us [5.20, 5.20] in 2 trials"
check "  the page, too" grep -q "3.70 µs \[3.70, 3.70\] in 3 trials" "$tmp/report/report.html"
check "  summary.json has both medians" python3 -c '
import json, sys
r = [r for r in json.load(open(sys.argv[1]))["results"] if r["scenario"] == "thread"][0]
assert [s["median"] for s in r["ns"]["speeds"]] == [3701, 5203.5]' "$tmp/report/summary.json"

# Unverified: switches are the own tasks'.
change "$vm" "$tmp/unverified" '
for t in lines:
    t["verified"] = False'
report "$tmp/unverified"
check "unverified switches are marked" grep -qE "^kworker .* 2\.00\* " "$tmp/out"
check "  and explained" says "How often the trial's own tasks left the CPU"
report "$vm"
check "  verified ones are not" sh -c '! grep -q "\*" "$1"' - "$tmp/out"

# Another architecture, in emulation: claims of its own page tables' base, counts only.
for kernel in 6.1 6.12 7.3; do
	report "$reference/linux-$kernel-arm64-icount" --all
	check "arm64, $kernel: its rows hold what they claim" python3 -c '
import json, sys
want = {"base": (0, 0), "thread": (2, 0), "process": (2, 2), "kworker": (2, 0), "idle": (2, 0), "interposed": (4, 2), "ring": (8, 8), "stale": (2, 0), "shootdown": (0, 0)}
s = json.load(open(sys.argv[1]))
assert s["verified"] and not s["times_meaningful"] and {r["scenario"] for r in s["results"]} == set(want)
for r in s["results"]:
    c = r["counters"]
    assert r["valid"] == 5, r
    for name, n in zip(("context-switches", "cr3-loads", "cr3-flushes"), want[r["scenario"]] + (0,)):
        assert abs(c[name] - n) < 0.08, (r["scenario"], name, c[name])' "$tmp/report/summary.json"
	check "  no times of it are shown" sh -c 'grep -q "^Times mean nothing under software emulation" "$1" && ! grep -q "95 % interval" "$1" && grep -q "valid  *switch" "$1"' - "$tmp/out"
	check "  and flushes of other CPUs are not counted, for a reason" says "tlb-ipis, tlb-shootdowns, tlb-shootdowns-left: TLB invalidations reach other CPUs by broadcast"
done
check "  what was counted whole is not called scaled up" sh -c '! grep -q "Scaled up" "$1" "$2"' - "$tmp/out" "$tmp/report/report.html"

# Others' events had the PMU most of the time.
change "$reference/linux-7.3-arm64-icount" "$tmp/shared" '
for t in lines:
    if t["scenario"] == "thread" and t["trial"] == 2:
        t["counters"]["cycles"]["multiplexed"] = 0.191
        t["counters"]["instructions"]["multiplexed"] = 0.4
    if t["scenario"] == "kworker":
        t["counters"]["instructions"]["multiplexed"] = 0.6
        t["counters"]["cycles-user"]["multiplexed"] = 0.01
        t["valid"] = False'
for all in "" --all; do
	report "$tmp/shared" $all
	check "what was scaled up says so ${all:-in short}" says "cycles, instructions: an estimate: counted in 19 % of the time at least"
done
check "  the page, too" grep -q "an estimate: counted in 19 % of the time at least" "$tmp/report/report.html"

if python3 -c 'import jsonschema' 2>/dev/null; then
	for set in shared many nothing speeds unverified; do
		report "$tmp/$set"
		check "summary.json of $set follows its schema" python3 -c '
import json, jsonschema, sys
jsonschema.validate(json.load(open(sys.argv[1])), json.load(open(sys.argv[2])))' "$tmp/report/summary.json" "$reference/../schema/summary.schema.json"
	done
else
	skip "schemas: python3-jsonschema is not installed"
fi
true
