#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Comparing result sets: made ones whose difference is known, and the reference sets.
# shellcheck disable=SC2016 # the inner shells expand
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
reference=$(cd "$(dirname "$0")/../.." && pwd)/results/reference

# make_set DIR FACTOR CR3-LOADS: 15 trials of each of three scenarios, all times multiplied by FACTOR.
make_set() {
	mkdir "$1"
	python3 - "$@" <<'PY'
import json, random, sys
d, factor, loads = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
json.dump({"schema": 1, "kernel": {"release": "6.0", "version": d}, "cpu": {"model": "made"}, "times_meaningful": True}, open(d + "/machine.json", "w"))
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
make_set "$tmp/a" 1 0
make_set "$tmp/b" 1 0
make_set "$tmp/slow" 1.03 0
make_set "$tmp/loads" 1 2

verdicts() { run compare "$@" --json; python3 -c 'import json,sys; print(*sorted({r["verdict"] for r in json.load(open(sys.argv[1]))[0]["times"]}))' "$tmp/out"; }
check "a set equals itself" [ "$(verdicts "$tmp/a" "$tmp/a")" = "same within 2 %" ]
check "two sets of one kind do not differ" [ "$(verdicts "$tmp/a" "$tmp/b")" = "same within 2 %" ]
check "3 % more is slower" [ "$(verdicts "$tmp/a" "$tmp/slow")" = slower ]
check "and the other way round faster" [ "$(verdicts "$tmp/slow" "$tmp/a")" = faster ]
run compare "$tmp/a" "$tmp/slow" --fail-above 2
check "--fail-above 2 exits 3 and names it on one line" sh -c '[ "$1" = 3 ] && [ "$(grep -cE "slower by (2.[5-9]|3.[0-5]) %" "$2")" = 1 ]' - "$status" "$tmp/err"
run compare "$tmp/a" "$tmp/slow" --fail-above 5
check "--fail-above 5 does not" [ "$status" = 0 ]
run compare "$tmp/a" "$tmp/loads" --fail-above 50
check "a kernel thread that begins to load CR3 is a regression" [ "$status" = 3 ]
check "  and the first line" sh -c 'head -n 1 "$1" | grep -q "^COUNT kworker.*cr3-loads.*2.00, was 0.00"' - "$tmp/out"
cp -r "$tmp/a" "$tmp/fewer" && grep -v kworker "$tmp/a/trials.jsonl" >"$tmp/fewer/trials.jsonl"
run compare "$tmp/a" "$tmp/fewer" --fail-above 50
check "a scenario that is lost does not pass the gate" sh -c '[ "$1" = 3 ] && grep -q "^MISSING kworker" "$2"' - "$status" "$tmp/out"
run compare "$reference/linux-6.18-amd-epyc-vm" "$reference/linux-7.3-tcg"
check "times from emulation are refused, flushes compared" sh -c 'grep -q "Times are not compared: .*emulation" "$1" && grep -q "^COUNT process.*cr3-flushes.*2.00, was 0.00" "$1"' - "$tmp/out"
run compare "$reference/linux-6.18-amd-epyc-vm" "$reference/linux-7.3-tcg" --force
check "--force says so" grep -q "^FORCED: .*emulation" "$tmp/out"
run compare "$reference/linux-5.10-tcg" "$reference/linux-6.1-tcg" "$reference/linux-7.3-tcg"
check "from 5.10 to 7.3 no count has changed" sh -c '[ "$1" = 0 ] && ! grep -q "^COUNT" "$2"' - "$status" "$tmp/out"
refuses "one set is not enough" 2 "two result sets" compare "$tmp/a"
refuses "a percentage that is none" 2 "--fail-above x" compare "$tmp/a" "$tmp/b" --fail-above x
refuses "a missing set is named" 1 "$tmp/none is no result set" compare "$tmp/a" "$tmp/none"
echo '{"schema":1}' >>"$tmp/b/trials.jsonl"
refuses "a damaged set is named with its line" 1 "trials.jsonl:46" compare "$tmp/a" "$tmp/b"
true
