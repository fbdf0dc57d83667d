#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Comparing result sets: made ones whose difference is known, and the reference sets.
# shellcheck disable=SC2016 # the inner shells expand
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
reference=$(cd "$(dirname "$0")/../.." && pwd)/results/reference

golden=$(cd "$(dirname "$0")" && pwd)/golden
cd "$tmp" || exit 1
export XDG_DATA_HOME=$tmp/data # no history

# make_set DIR FACTOR CR3-LOADS [RELEASE]: 15 trials of each of three scenarios, all times multiplied by FACTOR.
make_set() {
	mkdir "$1"
	python3 - "$@" <<'PY'
import json, random, sys
d, factor, loads, release = sys.argv[1], float(sys.argv[2]), float(sys.argv[3]), (sys.argv[4:] + ["6.0"])[0]
json.dump({"schema": 1, "kernel": {"release": release, "version": d}, "cpu": {"model": "made"}, "times_meaningful": True}, open(d + "/machine.json", "w"))
r = random.Random(d)
with open(d + "/trials.jsonl", "w") as f:
    for trial in range(15):
        for name, ns in (("thread", 1000), ("process", 1200), ("kworker", 1800)):
            print(json.dumps({"schema": 1, "scenario": name, "params": {"pages": 0, "pagesize": "4k"}, "trial": trial, "attempt": 1,
                "ns_per_round_trip": ns * factor * r.gauss(1, 0.003), "valid": True, "verified": True, "violations": [], "counters": {
                "context-switches": {"value": 200, "per_round_trip": 2.0, "source": "made"},
                "cr3-loads": {"value": 0, "per_round_trip": loads if name == "kworker" else 0.0, "source": "made"}}}), file=f)
PY
}
# each FROM TO CODE: a copy of a set of which Python's CODE has changed each trial `t' (number `i') or the machine record `m'.
each() { change "$1" "$2" "for i, t in enumerate(lines): $3"; }
make_set a 1 0
make_set b 1 0
make_set slow 1.03 0 6.1
cp -r a copy
make_set loads 1 2

# is EXPRESSION: Python on the comparison `c' in $tmp/out.
is() { python3 -c 'import json,sys; c = json.load(open(sys.argv[1])); rows = c[0]["times"]; sys.exit(not eval(sys.argv[2]))' "$tmp/out" "$1"; }
verdicts() { run compare "$@" --json --one-session; python3 -c 'import json,sys; print(*sorted({r["verdict"] for r in json.load(open(sys.argv[1]))[0]["times"]}))' "$tmp/out"; }
check "a set equals its copy" [ "$(verdicts a copy)" = same ]
run compare a copy
check "  and says how much" grep -qE "^thread .* no difference larger than 0\.[1-9]+ %$" "$tmp/out"
check "two sets of one kind do not differ" [ "$(verdicts a b)" = same ]
check "3 % more is slower, where one session is to judge" [ "$(verdicts a slow)" = slower ]
check "and the other way round faster" [ "$(verdicts slow a)" = faster ]
run compare a slow
check "else it tells of the runs, not of the kernels" sh -c 'head -n 1 "$1" | grep -q "^6.1 against 6.0: these two runs differ (in 3 of 3 rows); whether the kernels do, one session a side cannot tell" && ! grep -q slower "$1"' - "$tmp/out"
each a noisy 't["ns_per_round_trip"] *= 1 + (i * 7919 % 45) / 45'
run compare a noisy --json --one-session
check "what is too noisy says how many trials would tell" is 'all(r["verdict"] in ("slower", "noisy") for r in rows)'
each noisy noisier 't["ns_per_round_trip"] *= 1 + (i * 104729 % 45) / 450'
run compare noisy noisier --one-session
check "  in words" grep -qE "too noisy to tell 2 % \([0-9]{3,4} trials would\)" "$tmp/out"

each a drifting 't["ns_per_round_trip"] *= 1 + i / 400'
run compare a drifting --json
check "drift is noted, of the set that drifts" is 'all(any("other drifts" in n for n in r["notes"]) and not any("base drifts" in n for n in r["notes"]) for r in rows)'
each a cold 't["batches"] = {"series_ns": [9.0, 9.0] + [8.0 + ((i * 31 + k) * 2654435761 >> 7) % 7 / 10 for k in range(18)]}'
run compare a cold --json
check "batches that warm up are noted" is 'all(any("the first 2 batches" in n for n in r["notes"]) for r in rows)'

run compare a slow --fail-above 2
check "a gate does not go by one session, and says so" sh -c '[ "$1" = 0 ] && grep -q "one session a side cannot tell.*--one-session" "$2"' - "$status" "$tmp/err"
run compare a slow --fail-above 2 --one-session
check "--fail-above 2 exits 3 and names it on one line" sh -c '[ "$1" = 3 ] && [ "$(grep -cE "slower by (2.[5-9]|3.[0-5]) %" "$2")" = 1 ]' - "$status" "$tmp/err"
run compare a slow --fail-above 5 --one-session
check "--fail-above 5 does not" [ "$status" = 0 ]
run compare a slow --fail-above 2.95 --one-session
check "nor one that the interval reaches" [ "$status" = 0 ]
run compare noisy noisier --fail-above 1 --one-session
check "a gate that noise has blinded says so" sh -c '[ "$1" = 0 ] && [ "$(wc -l <"$2")" = 1 ] && grep -q "3 rows were too noisy" "$2"' - "$status" "$tmp/err"
run compare a loads --fail-above 50
check "a kernel thread that begins to load CR3 is a regression" [ "$status" = 3 ]
check "  and the first line" sh -c 'head -n 1 "$1" | grep -q "cr3-loads of kworker changed from 0.00 to 2.00" && sed -n 2p "$1" | grep -q "^COUNT kworker.*cr3-loads.*2.00, was 0.00"' - "$tmp/out"
each a asks 't["counters"]["tlb-ipis"] = {"value": 0, "per_round_trip": 1.0 if t["scenario"] == "thread" else 0.0, "source": "made"}'
each asks asks-more 't["counters"]["tlb-ipis"]["per_round_trip"] += 0.5 if t["scenario"] == "thread" else 0.02'
run compare asks asks-more --fail-above 50
check "so is a kernel that asks more of other CPUs' TLBs" sh -c '[ "$1" = 3 ] && [ "$(grep -c ^COUNT "$2")" = 1 ] && grep -q "^COUNT thread.*tlb-ipis.*1.50, was 1.00" "$2"' - "$status" "$tmp/out"
each asks most 't["counters"]["tlb-ipis"]["per_round_trip"] += 0.5; t["counters"]["cr3-loads"]["per_round_trip"] += 3 if t["scenario"] == "process" else 0'
run compare asks most
check "the first line has the count that changed most" sh -c 'head -n 1 "$1" | grep -q "cr3-loads of process changed from 0.00 to 3.00 per round trip, and 3 more counts; "' - "$tmp/out"
each a long1 'm["kernel"]["cmdline"] = "same " * 30 + "nopcid"'
each a long2 'm["kernel"]["cmdline"] = "same " * 30 + "pti=on"'
run compare long1 long2
check "long differences are cut where they begin to differ" grep -qE '^  kernel.cmdline: \.\.\.([a-z]* )*nopcid" -> \.\.\.([a-z]* )*pti=on"$' "$tmp/out"
each asks remote 't["remote"] = {"cpu": 0, "counters": {"tlb-shootdowns": {"value": 0, "per_round_trip": 1.0, "source": "made"}, "tlb-shootdowns-left": {"value": 0, "per_round_trip": 0.0, "source": "made"}}}; t["figures"] = {"tlb-interrupts-all": {"value": 8.0, "unit": "per operation", "source": "made"}, "life": {"value": 9, "unit": "ns", "source": "made"}}'
each remote remote-more 'r = t["remote"]["counters"]; r["tlb-shootdowns-left"]["per_round_trip"] += t["scenario"] == "thread"; r["tlb-shootdowns"]["per_round_trip"] += 0.2; t["figures"]["tlb-interrupts-all"]["value"] += 4 * (t["scenario"] == "kworker")'
run compare remote remote-more --fail-above 50
check "  and one that interrupts them oftener, on the other CPU whose events are counted and on more" sh -c '[ "$1" = 3 ] && [ "$(grep -c ^COUNT "$2")" = 2 ] && grep -q "^COUNT thread.*: remote-tlb-shootdowns-left per round trip: 1.00, was 0.00" "$2" && grep -q "^COUNT kworker.*: tlb-interrupts-all per round trip: 12.00, was 8.00" "$2"' - "$status" "$tmp/out"
each remote escaped 't["comm"] = "\u00e9"'
run compare remote escaped
check "  however the line is read" sh -c '! grep -qE "^(COUNT|LOST)" "$1"' - "$tmp/out"
run compare asks remote
check "  a set from before they were counted is no change" sh -c '[ "$1" = 0 ] && ! grep -qE "^(COUNT|LOST)" "$2"' - "$status" "$tmp/out"
each a short 't["round_trips"] = {"counted": 60}'
each short visited 't["counters"]["context-switches"]["per_round_trip"] += 0.12'
run compare short visited
check "the edges of short trials are no change" sh -c '! grep -q ^COUNT "$1"' - "$tmp/out"
each short missed 't["counters"]["context-switches"]["per_round_trip"] -= 0.12'
run compare missed visited
check "  nor where one misses some and the other has as many too many" sh -c '! grep -q ^COUNT "$1"' - "$tmp/out"
each visited long-visited 't["round_trips"] = {"counted": 2000}'
each short long 't["round_trips"] = {"counted": 2000}'
run compare long long-visited
check "  in long ones as much is one" grep -q "^COUNT thread.*context-switches.*2.12, was 2.00" "$tmp/out"
# Where an emulated clock goes by instructions, kernels are told apart by how many they take.
change a counted 'm["accelerator"] = "icount"; m["times_meaningful"] = False
for i, t in enumerate(lines):
    n = {"thread": 4000, "process": 5000, "kworker": 9000}[t["scenario"]] + i % 7
    for name, v in (("instructions", n), ("cycles-user", 500), ("cycles-kernel", 2 * n - 500)):
        t["counters"][name] = {"value": 100 * v, "per_round_trip": v, "source": "made"}'
change counted more 'm["kernel"]["release"] = "6.1"
for t in lines:
    c = t["counters"]["instructions"]
    c["per_round_trip"] *= 1.05 if t["scenario"] == "process" else 1.001'
run compare counted more --json
check "instructions of an emulated clock are told apart where no trials are alike" is '[r["changed"] for r in c[0]["instructions"]] == [False, True, False] and abs(c[0]["instructions"][1]["ratio"] - 1.05) < 0.001 and c[0]["instructions"][1]["base"]["user"] == 250'
run compare counted more
check "  the first line says it" sh -c 'head -n 1 "$1" | grep -q "^6.1 against 6.0: process takes 5.0 % more instructions (5253, was 5003); no count changed; times are not compared.$"' - "$tmp/out"
check "  and a table" grep -qE "^process +250 [+] 4753 +250 [+] 5003 [(][+]5.0 %[)]" "$tmp/out"
run compare a counted --json --force
check "  beside a set without such a clock they are not" is '"instructions" not in c[0]'
cp -r a fewer && grep -v kworker a/trials.jsonl >fewer/trials.jsonl
run compare a fewer --fail-above 50
check "a scenario that is lost does not pass the gate" sh -c '[ "$1" = 3 ] && grep -q "^MISSING kworker" "$2"' - "$status" "$tmp/out"
run compare "$reference/linux-6.18-amd-epyc-vm" "$reference/linux-7.3-tcg"
check "times from emulation are refused, flushes compared" sh -c 'grep -q "Times are not compared: .*emulation" "$1" && grep -q "^COUNT process.*cr3-flushes.*2.00, was 0.00" "$1"' - "$tmp/out"
run compare "$reference/linux-6.18-amd-epyc-vm" "$reference/linux-7.3-tcg" --force
check "--force says so" grep -q "^FORCED: .*emulation" "$tmp/out"
run compare "$reference/linux-5.10-tcg" "$reference/linux-6.1-tcg" "$reference/linux-7.3-tcg"
check "from 5.10 to 7.3 no count has changed" sh -c '[ "$1" = 0 ] && ! grep -q "^COUNT" "$2"' - "$status" "$tmp/out"

run compare "$reference/linux-6.1-arm64-icount" "$reference/linux-6.12-arm64-icount" "$reference/linux-7.3-arm64-icount"
check "arm64 kernels differ in instructions and in no count" sh -c '[ "$1" = 0 ] && ! grep -q "^COUNT" "$2" && grep -qE "^process .* 157 \+ 10931 \(-3.4 %\) +157 \+ 14907 \(\+31.2 %\)" "$2"' - "$status" "$tmp/out"

run compare "$reference/linux-6.1-arm64-icount" "$reference/linux-7.3-arm64-icount" --json
check "  each row's median and its split are those of its trials, and called changed if no trials are alike and 1 % lies between" python3 - "$tmp/out" "$reference" <<'PY'
import json, statistics, sys
rows = json.load(open(sys.argv[1]))[0]["instructions"]
def values(kernel, row, name):
    trials = map(json.loads, open("%s/linux-%s-arm64-icount/trials.jsonl" % (sys.argv[2], kernel)))
    return [t["counters"][name]["per_round_trip"] for t in trials if t["valid"] and (t["scenario"], t["params"]) == (row["scenario"], row["parameters"])]
assert len(rows) == 11 and sum(r["changed"] for r in rows) == 11
for r in rows:
    a, b = values("6.1", r, "instructions"), values("7.3", r, "instructions")
    x, y = statistics.median(a), statistics.median(b)
    assert (r["base"]["median"], r["other"]["median"]) == (x, y) and r["base"]["user"] == statistics.median(values("6.1", r, "cycles-user")) / 2, r
    assert r["changed"] == ((max(a) < min(b) or max(b) < min(a)) and abs(y / x - 1) > 0.01), r
PY
check "  and times are not compared" sh -c 'grep -q "times_refused.*emulation" "$1"' - "$tmp/out"
change "$reference/linux-7.3-arm64-icount" itself 'm["session"]["started"] = 1'
run compare "$reference/linux-7.3-arm64-icount" itself
check "  a kernel beside itself takes as many" sh -c 'head -n 1 "$1" | grep -q "no row takes more or fewer instructions; no count changed" && [ "$(grep -cE "[0-9] =$|[0-9] = +$" "$1")" = 11 ]' - "$tmp/out"
change "$reference/linux-7.3-arm64-icount" scaled '
for t in lines:
    if t["scenario"] == "thread":
        t["counters"]["instructions"]["multiplexed"] = 0.2 if t["trial"] else 0.4'
run compare "$reference/linux-6.1-arm64-icount" scaled
check "  what was scaled up beside others' events says so, and is no exact count" sh -c '
	grep -q "^SCALED instructions: estimated in 7.3.*which counted it in 20 % of the time at least" "$1" && ! grep -q "Instructions per round trip" "$1"' - "$tmp/out"
change "$reference/linux-7.3-arm64-icount" loaded '
for t in lines:
    if t["scenario"] == "thread":
        t["counters"]["cr3-loads"]["per_round_trip"] = 2.0
m["session"]["started"] = 1'
run compare "$reference/linux-7.3-arm64-icount" loaded
check "  loads of the table base that two threads should not need are a change" grep -q "^COUNT thread handover=eventfd: cr3-loads per round trip: 2.00, was 0.00" "$tmp/out"

# Sessions: one set each, by kernel. The sessions' spread is 2 %, the trials' within one 0.3 %.
sessions() { # PREFIX NUMBER FACTOR RELEASE
	local i
	for ((i = 0; i < $2; i++)); do
		make_set made "$(python3 -c "import random; print($3 * random.Random('$1$i').gauss(1, 0.02))")" 0 "$4"
		change made "$1$i" "m['kernel']['version'] = 'made'; m['session'] = {'boot_id': '$1$i', 'started': 1000000 + $i, 'since_boot_s': 30.0}"
		rm -r made
	done
}
sessions old 6 1 6.0
sessions new 6 1.08 6.1
sessions like 6 1 6.2
run compare old? new? --json
check "sessions are put together by kernel" is 'len(c) == 1 and len(c[0]["base_sets"]) == len(c[0]["other_sets"]) == 6 and all(r["base_sessions"] == 6 for r in rows)'
check "  and judged by their number, not that of their trials" is 'all(r["verdict"] == "slower" and r["method"] == "permutation" and r["p"] >= 2 / 924 for r in rows)'
check "  with an interval as wide as they vary" is 'all(r["low"] < 1.08 < r["high"] and r["high"] - r["low"] > 0.02 for r in rows)'
check "  whose two parts are told apart" is 'all(0.008 < r["base_between"] < 0.04 and 0.002 < r["base_within"] < 0.004 for r in rows)'
run compare old? new?
check "  the first line says it" sh -c 'head -n 1 "$1" | grep -qE "^6.1 against 6.0: 3 of 3 rows slower \(most: .*by [0-9.]+ % \[[0-9., ]+\], p [0-9.e-]+\); 6 sessions against 6\.$"' - "$tmp/out"
run compare old? new? --fail-above 2
check "  and the gate fires" [ "$status" = 3 ]
run compare old? like? --json
check "sessions of equal kernels do not differ" is 'all(r["verdict"] in ("same", "noisy") and r["p_holm"] > 0.05 for r in rows)'
run compare old? like?
check "  and how many sessions would tell is said" grep -qE "too noisy to tell 2 % \([0-9]+ sessions a side would\)" "$tmp/out"
run compare old[01] new[01] --json
check "two sessions a side go by Student's t" is 'all(r["method"] == "t" for r in rows)'
run compare old[01] new[01] like0 --base 6.1 --json
check "--base names the base; a side of one session does not tell" is '[p["other_name"] for p in c] == ["6.0", "6.2"] and all(p["base_name"] == "6.1" for p in c) and all(r["verdict"] in ("differ", "same", "noisy") for r in c[1]["times"])'
run compare old[0-3] --by session.boot_id --json
check "--by takes a member of the record" is 'len(c) == 3'
mkdir x y && cp -r old0 old1 x && cp -r old2 old3 y
run compare x/* y/* --by folder --json
check "  or the folder" is 'len(c) == 1 and len(c[0]["base_sets"]) == 2'
refuses "a member that is not there" 1 "no such member" compare old0 new0 --by cpu.colour
refuses "one side" 1 "puts all sets on one side" compare old0 old1 --by kernel
refuses "a base that is none" 1 "no set has this kernel release or folder" compare old0 new0 --base 7
refuses "a set twice" 1 "are one session: name it once" compare old0 new0 old0
cp -r old0 again
refuses "a session twice" 1 "are one session: name it once" compare old0 new0 again
change old1 rebooted 'm["session"].update(boot_id="r", boot_ended=True)'
refuses "a session over the end of its boot" 1 "its boot ended" compare old0 rebooted new0
change old1 backwards 'm["session"].update(boot_id="old0", started=m["session"]["started"] - 5000, since_boot_s=900.0)'
run compare old0 backwards new0 new1
check "a clock that was set back is told" sh -c '[ "$1" = 0 ] && grep -q "the clock was set between" "$2"' - "$status" "$tmp/err"

# The machine's speed: the work beside each trial takes longer where the machine is slow, and so do round trips. One side had a slow hour.
hour() { # PREFIX SPEED: copies of its four sessions, as they are on a machine where work takes SPEED times as long
	local i
	for i in 0 1 2 3; do
		change "$1$i" "$1-$2-$i" "
import random
r = random.Random('$1$2$i')
for t in lines:
    s = $2 * r.gauss(1, 0.03)
    t['ns_per_round_trip'] *= s ** 0.9
    t['speed_ns'] = {'clock': 1000 * r.gauss(1, 0.002), 'core': 1000 * s * r.gauss(1, 0.004), 'exit': 1000 * r.gauss(1, 0.02),
                     'round-trip': t['ns_per_round_trip']}"
	done
}
hour old 1.0
hour like 1.15
hour new 1.15
run compare old-1.0-? like-1.15-? --json
check "a slow hour is no slower kernel" is 'all(r["verdict"] in ("same", "noisy") and r["low"] < 1 < r["high"] for r in rows)'
check "  what was measured stands beside it" is 'all(r["adjusted"]["raw_low"] > 1.05 and r["adjusted"]["raw_p"] < 0.01 and r["adjusted"]["explained"] > 0.5 for r in rows)'
check "  and by how much the work took longer there" is 'all(0.1 < r["adjusted"]["apart"]["core"] < 0.18 and abs(r["adjusted"]["slopes"]["core"] - 0.9) < 0.1 for r in rows)'
run compare old-1.0-? like-1.15-?
check "  in a note" [ "$(grep -c "adjusted by the machine's speed, which explains [5-9][0-9] % .*; as measured 1\.1" "$tmp/out")" = 3 ]
run compare old-1.0-? new-1.15-? --json
check "a slower kernel in a slow hour is slower by its own part" is 'all(r["verdict"] == "slower" and r["low"] < 1.08 < r["high"] for r in rows)'
run compare old[0-3] new[0-3] --json
check "sets without looks at the speed are compared as they are" is 'not any("adjusted" in r for r in rows)'

# Boots of one kernel: sets that differ in the command line alone are one table, two sessions of the first a row like the others.
boot() { # DIR FACTOR PARAMETERS
	change a "$1" "m['kernel'].update(version='made', cmdline='BOOT_IMAGE=/$1 quiet$3 ro'); m['session'] = {'boot_id': '$1', 'started': 1, 'since_boot_s': 1}
for t in lines:
	if t['scenario'] == 'process':
		t['ns_per_round_trip'] *= $2
		t['counters'].update({'cr3-loads': {'per_round_trip': 2.0}, 'cr3-flushes': {'per_round_trip': 2.0 if 'nopcid' in '$3' else 0.0}})
	else:
		t['counters']['cr3-flushes'] = {'per_round_trip': 0.0}"
}
boot plain1 1 ""
boot plain2 1 ""
boot nopcid 2 " nopcid"
boot nopti 0.9 " pti=off mitigations=off"
run compare plain1 plain2 nopcid nopti
check "boots of one kernel are one table, by what they were booted with" python3 - "$tmp/out" <<'PY'
import re, sys
text = open(sys.argv[1]).read()
table = text[text.index("One kernel, booted in other ways"):].split("\n\n")[0:2]
lines = [re.split(r"  +", l.strip()) for l in "\n".join(table).splitlines() if l]
assert lines[1] == ["boot", "kworker", "process", "saving", "thread"], lines[1]
rows = {l[0]: (l[1:], lines[i + 1]) for i, l in enumerate(lines) if l[0] in ("plain", "nopcid", "pti=off mitigations=off")}
assert len(rows) == 3, rows
first = lambda cell: float(cell.split()[0])
low, high = map(float, re.search(r"\[(\S+), (\S+)\]", rows["nopcid"][0][2]).groups())
assert 1380 < low <= first(rows["nopcid"][0][2]) <= high < 1420
assert 190 < first(rows["plain"][0][2]) < 210 and 60 < first(rows["pti=off mitigations=off"][0][2]) < 100
assert all(abs(first(r[0][1]) - first(r[0][3]) - first(r[0][2])) < 2 for r in rows.values())
assert rows["nopcid"][1][1] == "2.00, 2.00" and rows["plain"][1][1] == "2.00, 0.00" and rows["plain"][1][0] == "0.00, 0.00"
PY
run compare plain1 nopcid nopti --markdown
check "  in Markdown, too" grep -qE '^\| nopcid \| [^|]+<br>0.00, 0.00 \| [^|]+<br>2.00, 2.00 \| [^|]+ \| [^|]+ \|$' "$tmp/out"
change nopcid emulated 'm["times_meaningful"] = False'
run compare plain1 emulated
check "  from emulation with counts alone" sh -c 'grep -q "booted in other ways: CR3 loads per round trip" "$1" && grep -qE "^nopcid +0.00, 0.00 +2.00, 2.00 +- +0.00, 0.00 *$" "$1"' - "$tmp/out"
change nopcid other-kernel 'm["kernel"]["release"] = "6.9"'
run compare plain1 other-kernel
check "  two kernels are none" sh -c '! grep -q "booted in other ways" "$1"' - "$tmp/out"

# Golden outputs: `ACTIVEMM_GOLDEN=write tests/e2e/test-compare.sh' writes them anew.
golden() { # NAME ARGUMENTS...
	local name=$1
	shift
	run compare "$@"
	[ "${ACTIVEMM_GOLDEN:-}" = write ] && cp "$tmp/out" "$golden/$name"
	check "compare $* gives golden/$name" diff -u "$golden/$name" "$tmp/out"
}
make_set third 0.98 2 6.2
golden compare.txt a slow
golden compare-sessions.txt old0 old1 old2 new0 new1 new2
golden compare.csv a slow third --csv --one-session
golden compare.md a slow --markdown --one-session
golden compare-many.txt a slow third --one-session
golden compare-many.md a slow third --markdown --one-session
odd=$'a|b\xd0\n<i>'
cp -r a "$odd"
run compare "$odd" copy --markdown
check "a set of any name keeps the table's columns" sh -c '[ "$1" = 0 ] && grep "^|" "$2" | sed "s/\\\\|//g; s/[^|]//g" | sort -u | wc -l | grep -qx 1 && ! grep -qF "?<i>" "$2"' - "$status" "$tmp/out"
run compare "$odd" copy --json
check "  and the JSON its text" python3 -c 'import json,sys; sys.exit("a|b?" not in json.load(open(sys.argv[1]))[0]["base_name"])' "$tmp/out"
check "every line of CSV has as many fields" python3 -c 'import csv,sys; sys.exit(len({len(r) for r in csv.reader(open(sys.argv[1]))}) != 1)' "$golden/compare.csv"

each a blind 't["counters"]["cr3-loads"] = {"unavailable": "no tracefs"}; m["counters"] = {"cr3-loads": {"unavailable": "no tracefs: mount it"}}'
run compare a blind --fail-above 50
check "a counter that is lost is a line with its reason" grep -q "^LOST cr3-loads: counted only in a (3 of 3 rows): no tracefs: mount it" "$tmp/out"
check "  and the gate says that it did not see it" sh -c '[ "$1" = 0 ] && grep -q "cr3-loads was not held against the gate" "$2"' - "$status" "$tmp/err"
each a unverified 't["verified"] = i > 0'
run compare a unverified --csv --force
check "--force says so in CSV" grep -q ",forced$" "$tmp/out"
run compare a unverified
check "verified with unverified: no times" grep -q "^Times are not compared: only one of the sets is verified" "$tmp/out"

# What activemm watch --record writes: rates, that vary, and no costs.
each a watch1 't["scenario"] = "watch"; t["params"] = {}; t["cpu"] = -1; t["counters"] = {k: {"value": 1, "per_round_trip": v * (1 + i % 7 / 50), "source": "BPF"} for k, v in (("context-switches", 1), ("switches-borrow", 0.2), ("cr3-loads-saved", 0.4))}'
each watch1 watch2 't["counters"]["cr3-loads-saved"]["per_round_trip"] *= 0.5; t["ns_per_round_trip"] *= 1.5'
run compare watch1 watch2 --json --fail-above 1
check "recorded watches compare by their rates" is '{r["quantity"]: r["verdict"] for r in rows} == {"ns-between-switches": "more", "switches-borrow": "noisy", "cr3-loads-saved": "fewer"}'
check "  and are no regression" [ "$status" = 0 ]
if [ "$(id -u)" = 0 ] && "$activemm" watch --record live1 --duration 2 >/dev/null 2>&1 && "$activemm" watch --record live2 --duration 2 >/dev/null 2>&1; then
	run compare live1 live2 --json
	check "so do real ones" is 'any(r["quantity"] == "ns-between-switches" for r in rows)'
else
	skip "a real watch cannot be recorded here"
fi

# Older, newer, damaged, hostile.
each a old 't.pop("schema"); t.pop("counters"); t.pop("violations"); t.pop("trial"); t.pop("attempt"); m.pop("schema", None)'
run compare old slow --json --force --one-session
check "lines from before there were versions are read" is '{r["verdict"] for r in rows} == {"slower"}'
run compare a old
check "  as unverified or verified as they say" grep -q "^LOST cr3-loads" "$tmp/out"
each a newer 't["schema"] = 2'
refuses "a newer schema" 1 "trials.jsonl:1: written by a newer version" compare a newer
each a newer-machine 'm["schema"] = 2'
refuses "a newer machine record" 1 "machine.json: written by a newer version" compare a newer-machine
cp -r a half && truncate -s -20 half/trials.jsonl
run compare a half
check "a half-written last line is dropped with a notice" sh -c '[ "$1" = 0 ] && [ "$(cat "$2")" = "activemm: half/trials.jsonl:45: the last line is half-written and was left out" ]' - "$status" "$tmp/err"
# A count that varies from trial to trial, as a ring's flushes do, is no difference where both sets have its values.
each a sevens 't["counters"]["cr3-loads"]["per_round_trip"] = 7'
each a halves 't["counters"]["cr3-loads"]["per_round_trip"] = 7 if i % 5 == 0 else 3.5'
each a threes 't["counters"]["cr3-loads"]["per_round_trip"] = 3.5'
run compare sevens halves --json
check "a count that varies and also agrees is no difference" is 'c[0]["counts"] == []'
run compare sevens threes --json
check "  and one that never agrees is one" is 'len(c[0]["counts"]) == 3'
change a few1 'lines = [t for t in lines if t["trial"] < 2]
for t in lines: t["counters"]["context-switches"]["per_round_trip"] = 4.7 + 0.9 * t["trial"]'
change few1 few2 'for t in lines: t["counters"]["context-switches"]["per_round_trip"] = 6.4 + 0.1 * t["trial"]'
change few1 few3 'for t in lines: t["counters"]["context-switches"]["per_round_trip"] = 4.7'
run compare few1 few2 --json
check "  nor is one of which two trials a side vary as much" is 'c[0]["counts"] == []'
run compare few3 few2 --json
check "  but one that stands is" is 'len(c[0]["counts"]) == 3'
# Large sets are read in parts, on all CPUs.
figures=$(dirname "$golden")/../figures
python3 "$figures/large-set.py" large 9000 && python3 "$figures/large-set.py" larger 9000 1.01
"$activemm" compare large larger --json >all.json
taskset -c "$(taskset -cp $$ | sed 's/.*[ ,-]//')" "$activemm" compare large larger --json >one.json
check "as many CPUs as there are give the same as one" cmp all.json one.json
echo '{"schema":1}' >>large/trials.jsonl
refuses "a damaged line is named by its number in the file" 1 "large/trials.jsonl:9001: this is no trial" compare large larger
rm -r large larger

hostile() { # WHAT TEXT PYTHON-EXPRESSION: a line in the middle
	rm -rf bad
	cp -r a bad
	python3 -c 'import sys; lines = open("a/trials.jsonl").readlines(); lines.insert(20, eval(sys.argv[1]) + "\n"); open("bad/trials.jsonl", "w").writelines(lines)' "$3"
	refuses "$1" 1 "bad/trials.jsonl:21: $2" compare a bad
}
hostile "nesting a million deep" damaged '"[" * 1000000'
hostile "a number beyond all bounds" damaged 'lines[20].strip().replace("\"trial\": 6", "\"trial\": 1e999")'
hostile "NaN" damaged 'lines[20].strip().replace("2.0", "NaN")'
hostile "a key twice" damaged 'lines[20].strip().replace("\"attempt\"", "\"trial\"")'
hostile "wrong types" "this is no trial" 'lines[20].strip().replace("true", "1")'
rm -rf bad && cp -r a bad && head -c 100000000 /dev/zero | tr '\0' x >>bad/trials.jsonl
cat >cheap.py <<'PY'
import resource, subprocess, sys
p = subprocess.run([sys.argv[1], "compare", "a", "bad"], capture_output=True, text=True)
most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
sys.exit(not (p.returncode == 1 and p.stderr == "activemm: bad/trials.jsonl:46: a line of more than 16 MB is no trial\n" and most < 80000))
PY
check "a line of 100 MB costs nothing" python3 cheap.py "$activemm"
rm bad/trials.jsonl && mkfifo bad/trials.jsonl
refuses "a pipe in place of a file" 1 "no plain file" compare a bad
refuses "one set is not enough" 2 "two result sets" compare a
refuses "a percentage that is none" 2 "--fail-above x" compare a b --fail-above x
refuses "a missing set is named" 1 "none is no result set" compare a none
echo '{"schema":1}' >>b/trials.jsonl
refuses "a damaged set is named with its line" 1 "trials.jsonl:46" compare a b
true
