#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the inner shells expand
# Sets in other tools' formats, read by those tools or by their rules; and the test beds' scripts on what was recorded.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")/../.." && pwd)
set=$here/results/reference/linux-6.18-amd-epyc-vm

# Names that a format gives a meaning to, and a trial that stayed invalid.
change "$set" "$tmp/odd" '
m["kernel"]["release"] = "6.18, \"odd\" =name\\ #1"
m["cpu"]["model"] = "A, B=C\\"
m["skipped"] = [{"what": "exit", "why": "needs # two\nCPUs"}]
for t in lines:
    if t["scenario"] == "process" and t["trial"] == 1 and not t["params"]["pages"]:
        t["valid"] = False
        t["violations"] = [{"what": "intruder", "text": "stress # (pid 1) was there"}]
'
for format in openmetrics csv influx gobench ktap; do
	for from in "$set" "$tmp/odd"; do
		run export "$from" "--$format"
		cp "$tmp/out" "$tmp/$(basename "$from").$format"
		check "$format of $(basename "$from") is written" [ "$status" = 0 -a -s "$tmp/out" -a ! -s "$tmp/err" ]
	done
done
mv "$tmp/linux-6.18-amd-epyc-vm.openmetrics" "$tmp/plain.openmetrics"

if command -v promtool >/dev/null; then
	for name in plain odd; do
		check "promtool finds nothing wrong with the metrics of $name" sh -c 'promtool check metrics <"$1" >&2' - "$tmp/$name.openmetrics"
	done
else
	skip "promtool is not installed (Debian: prometheus)"
fi
check "metrics end as OpenMetrics must, times in seconds, names escaped" python3 - "$tmp/odd.openmetrics" "$tmp/odd/summary.json" <<'PY'
import re, sys
text = open(sys.argv[1]).read()
assert text.endswith("\n# EOF\n")
assert r'kernel="6.18, \"odd\" =name\\ #1"' in text and r'cpu_model="A, B=C\\"' in text
v = re.search(r'activemm_round_trip_seconds{scenario="thread",handover="yield",pages="0",pagesize="4k",stat="median"} (\S+)', text)
assert 2e-6 < float(v[1]) < 3e-6, v
assert re.search(r'activemm_events_per_round_trip{scenario="process",[^}]*pages="0"[^}]*counter="cr3-loads"} 2\n', text)
PY
check "CSV: as many fields in each line as in the head, a line per trial" python3 - "$tmp/odd.csv" "$set/trials.jsonl" <<'PY'
import csv, json, sys
rows = list(csv.DictReader(open(sys.argv[1], newline=""), strict=True))
trials = [json.loads(line) for line in open(sys.argv[2])]
assert len(rows) == len(trials)
for r, t in zip(rows, trials):
    assert None not in r and None not in r.values()
    assert r["scenario"] == t["scenario"] and r["cpu_model"] == "A, B=C\\"
    assert abs(float(r["ns_per_round_trip"]) - t["ns_per_round_trip"]) < 1e-6 * t["ns_per_round_trip"]
    assert all(r[k] == str(v) for k, v in t["params"].items())
PY
# The protocol's grammar, as its documentation gives it: escapes, three parts, a timestamp in ns; points of one series differ.
check "line protocol: every point parses, none hides another" python3 - "$tmp/odd.influx" <<'PY'
import re, sys
part = r'(?:\\.|[^\\, =])+'
point = re.compile(rf'(activemm(?:,{part}={part})+) ({part}=(?:true|false|[-\d.e+]+)(?:,{part}=(?:true|false|[-\d.e+]+))*) (\d{{19}})\n')
seen = set()
for line in open(sys.argv[1]):
    m = point.fullmatch(line)
    assert m, line
    assert (m[1], m[3]) not in seen, line
    seen.add((m[1], m[3]))
PY
# golang.org/design/14313-benchmark-format: "Benchmark" and no lower-case letter, a count, pairs of value and unit.
check "Go benchmark lines: names, counts, values and units in pairs; valid trials only" python3 - "$tmp/odd.gobench" "$tmp/odd/trials.jsonl" <<'PY'
import json, re, sys
lines = [l for l in open(sys.argv[1]) if l.startswith("Benchmark")]
assert len(lines) == sum(json.loads(t)["valid"] for t in open(sys.argv[2]))
for l in lines:
    f = l.split()
    assert re.fullmatch(r"Benchmark[^a-z]\S*", f[0]) and int(f[1]) > 0 and len(f) % 2 == 0, l
    for v, unit in zip(f[2::2], f[3::2]):
        float(v)
        assert unit.endswith("/op"), l
assert any(l.startswith("kernel: 6.18, ") for l in open(sys.argv[1]))
PY
check "a TAP parser reads the KTAP: all kept" prove -Q --exec cat "$tmp/linux-6.18-amd-epyc-vm.ktap"
check "the broken row is not ok with its reason, what was skipped says SKIP" sh -c '
	! prove -Q --exec cat "$1" >/dev/null 2>&1 && grep -q "^not ok [0-9]* - process:handover=yield,pages=0" "$1" &&
	[ "$(grep -c "^not ok" "$1")" = 1 ] && grep -qx "# stress / (pid 1) was there" "$1" &&
	grep -q "^ok [0-9]* - exit # SKIP needs / two CPUs" "$1"' - "$tmp/odd.ktap"
change "$set" "$tmp/unproved" 'for t in lines: t["verified"] = False'
run export "$tmp/unproved" --ktap
check "what nothing proves is no ok: every test says SKIP" sh -c '! grep -E "^(not )?ok" "$1" | grep -qv "# SKIP"' - "$tmp/out"

refuses "no format" 2 "one format" export "$set"
refuses "two formats" 2 "one format" export "$set" --csv --ktap
refuses "an unknown format" 2 "--xml" export "$set" --xml
refuses "no result set" 1 "no result set" export "$tmp" --csv
check "a full disk is an error" sh -c '! "$1" export "$2" --csv >/dev/full 2>"$3"' - "$activemm" "$set" "$tmp/err"

# The test beds' scripts, on what was recorded.
check "lkp's parse gives medians of every figure" sh -c '"$1/contrib/lkp/parse" <"$2" | grep -qx "process:handover=yield,pages=0,pagesize=4k.cr3-loads: 2"' - \
	"$here" "$tmp/linux-6.18-amd-epyc-vm.gobench"
check "LAVA is told of each row with its measurement" sh -c '"$1/contrib/lava/activemm.sh" "$2" >"$3" &&
	grep -q "^lava-test-case thread:handover=yield,pages=0,pagesize=4k --result pass --measurement [0-9.]* --units ns$" "$3" &&
	grep -q "^lava-test-case process:handover=yield,pages=0,pagesize=4k --result fail" "$3" &&
	grep -q "^lava-test-case exit --result skip$" "$3"' - "$here" "$tmp/odd.ktap" "$tmp/lava"
check "kselftest's program skips where there is no suite" sh -c 'ACTIVEMM=/nonexistent "$1/contrib/kselftest/activemm.sh" >"$2"; [ $? = 4 ] && grep -q "1..0 # SKIP" "$2"' - \
	"$here" "$tmp/kselftest"
run run --ktap thread --trials 1 --iterations 300 -o "$tmp/run"
check "run --ktap prints tests and nothing else" sh -c 'head -n 1 "$1" | grep -qx "KTAP version 1" && grep -q "^\(not \)\{0,1\}ok 1 - thread:" "$1" && ! grep -vE "^(KTAP|1\.\.|#|(not )?ok )" "$1"' - \
	"$tmp/out"
