#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the inner shells expand
# The main job: a quick run of everything, its files against their schemas, its pictures and its page.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")/../.." && pwd)

if command -v /usr/bin/time >/dev/null; then
	/usr/bin/time -f %M -o "$tmp/memory" "$activemm" run --quick --trials 2 -o "$tmp/set" >"$tmp/out" 2>"$tmp/err"
	status=$?
	check "peak memory stays under 64 MiB ($(tail -n 1 "$tmp/memory") KiB)" [ "$(tail -n 1 "$tmp/memory")" -lt 65536 ]
else
	run run --quick --trials 2 -o "$tmp/set"
	skip "peak memory: /usr/bin/time is not installed"
fi
# Other work on the machine may keep some trials invalid: no more than one in twenty, and it says so.
given_up=$(sed -n 's/^activemm: \([0-9]*\) trials\{0,1\} stayed invalid.*/\1/p' "$tmp/err")
check "a quick run of everything ends well (${given_up:-0} trials stayed invalid)" \
	[ "$status" = "$((${given_up:-0} > 0))" -a "$((20 * ${given_up:-0}))" -le "$(wc -l <"$tmp/set/trials.jsonl")" ]
check "the answer leads" sh -c 'grep -v "^$" "$1" | head -n 1 | grep -q "A lazy switch costs"' - "$tmp/out"

if python3 -c 'import jsonschema' 2>/dev/null; then
	check "every file follows its schema" python3 - "$tmp/set" "$here/results/schema" <<'PY'
import json, sys, jsonschema
d, s = sys.argv[1:]
load = lambda p: json.load(open(p))
jsonschema.validate(load(d + "/machine.json"), load(s + "/machine.schema.json"))
jsonschema.validate(load(d + "/summary.json"), load(s + "/summary.schema.json"))
for line in open(d + "/trials.jsonl"):
    jsonschema.validate(json.loads(line), load(s + "/trial.schema.json"))
PY
else
	skip "schemas: python3-jsonschema is not installed"
fi

run report "$tmp/set"
check "report ends well" [ "$status" = 0 ]
if command -v gnuplot >/dev/null; then
	# Those of scenarios that can run on every machine, and of the others that ran here.
	more=$(python3 - "$tmp/set/summary.json" <<'PY'
import json, sys
ran = {r["scenario"] for r in json.load(open(sys.argv[1]))["results"] if r["valid"]}
print(*("net", "decomposition") if "base" in ran else (), *({"shootdown", "refcount", "exit"} & ran))
PY
	)
	for p in cost loads workset ring latency $more; do
		check "picture $p is drawn twice" sh -c 'head -c 8 "$1.png" | grep -q PNG && grep -q "<svg" "$1.svg"' - "$tmp/set/$p"
	done
	check "gnuplot had nothing to say" [ ! -s "$tmp/err" ]
	PATH=$tmp/none "$activemm" report "$tmp/set" -o "$tmp/bare" >"$tmp/out" 2>"$tmp/err"
	check "without gnuplot there is a page, and one line says how to get it" sh -c \
		'[ -s "$1/bare/report.html" ] && [ "$(grep -c gnuplot "$1/err")" = 1 ] && grep -q gnuplot-nox "$1/err"' - "$tmp"
else
	skip "pictures: gnuplot is not installed"
fi
check "the page refers to nothing outside itself" sh -c '! grep -qE "(src|href)=[\"'"'"'](https?:|//|file:)|@import" "$1/set/report.html"' - "$tmp"

chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -n "$chromium" ]; then
	"$chromium" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
		--disable-component-update --disable-sync --user-data-dir="$tmp/profile" --enable-logging=stderr \
		--log-net-log="$tmp/net.json" --dump-dom "file://$tmp/set/report.html" >"$tmp/dom" 2>"$tmp/chromium.err"
	check "Chromium shows the page" grep -q "What a context switch costs" "$tmp/dom"
	check "  without an error on its console" sh -c '! grep -q "CONSOLE" "$1"' - "$tmp/chromium.err"
	check "  and without a request" python3 - "$tmp/net.json" <<'PY'
import re, sys
text = open(sys.argv[1], errors="replace").read()
urls = set(re.findall(r'"url":"((?:https?|file|ws)[^"]*)"', text))
own = [u for u in urls if not u.startswith("file:") and "google" not in u and "gvt1" not in u]
print("    requests:", own) if own else None
sys.exit(bool(own))
PY
else
	skip "the page in a browser: chromium is not installed"
fi

# Working sets and what has a picture of its own stay out of these.
for p in ring cost loads; do
	check "no place in picture $p is drawn twice" sh -c '[ -s "$1" ] && [ -z "$(cut -d" " -f1 "$1" | sort | uniq -d)" ]' - "$tmp/set/data/$p.dat"
done

# No PMU here: counts of one are put into a copy of the set, and its page shows them.
cp -r "$tmp/set" "$tmp/pmu"
python3 - "$tmp/pmu" <<'PY'
import json, sys
d = sys.argv[1]
machine = json.load(open(d + "/machine.json"))
for name in ("dtlb-load-misses", "dtlb-walk-cycles"):
    machine["counters"][name] = {"source": "made"}
json.dump(machine, open(d + "/machine.json", "w"))
lines = [json.loads(line) for line in open(d + "/trials.jsonl")]
for t in lines:
    misses = 2 + t["params"].get("pages", 0) * (t["scenario"] == "process")
    t["counters"]["dtlb-load-misses"] = {"value": 1, "per_round_trip": misses, "source": "made"}
    t["counters"]["dtlb-walk-cycles"] = {"value": 1, "per_round_trip": 20 * misses, "source": "made"}
open(d + "/trials.jsonl", "w").writelines(json.dumps(t) + "\n" for t in lines)
PY
run report "$tmp/pmu"
check "what a PMU counted of the dTLB has a picture" grep -qx "512 514 514 514 10280 10280 10280" "$tmp/pmu/data/dtlb.dat"
check "  that says what a change of mm costs" grep -q "With 512 pages, changing mm costs 512 dTLB misses a round trip" "$tmp/pmu/report.html"
check "  and without a PMU the page says why it has none" sh -c '! grep -q "[0-9]" "$1/data/dtlb.dat" && grep -q "Not drawn: .*PMU" "$1/report.html"' - "$tmp/set"

# A hostile set: the page must not run it.
cp -r "$tmp/set" "$tmp/hostile"
sed -i 's/"model": "[^"]*"/"model": "<script>alert(1)<\/script>"/' "$tmp/hostile/machine.json"
run report "$tmp/hostile"
check "what a set says is text, not HTML" sh -c '! grep -q "<script>alert" "$1" && grep -q "&lt;script&gt;" "$1"' - "$tmp/hostile/report.html"
true
