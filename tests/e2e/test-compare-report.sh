#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Pictures and page of a comparison (compare -o), of made sets whose figures are known.
# shellcheck disable=SC2016 # the inner shells expand
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1

# make_set DIR RELEASE FACTOR CR3-LOADS [MORE-ROWS]: 15 trials each of a scenario without and one with a working set, times
# multiplied by FACTOR.
make_set() {
	python3 - "$@" <<'PY'
import json, os, random, sys
d, release, factor, loads = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
rows = [("kworker", {"pages": 0, "pagesize": "4k"}, 1800)]
rows += [("process", {"handover": "yield", "pages": p, "pagesize": size}, 1200 + 5 * p) for p in (0, 8, 512) for size in ("4k", "2m")]
rows += [("ring", {"n": n}, 100 * n) for n in range(2, 2 + int((sys.argv[5:] + [0])[0]))]
os.mkdir(d)
json.dump({"schema": 1, "kernel": {"release": release}, "cpu": {"model": "made @ 2_GHz"}, "times_meaningful": True}, open(d + "/machine.json", "w"))
r = random.Random(d)
with open(d + "/trials.jsonl", "w") as f:
    for trial in range(15):
        for name, params, ns in rows:
            print(json.dumps({"schema": 1, "scenario": name, "params": params, "trial": trial, "attempt": 1,
                "ns_per_round_trip": ns * factor * r.gauss(1, 0.003), "valid": True, "verified": True, "violations": [], "counters": {
                "cr3-loads": {"value": 0, "per_round_trip": loads if name == "kworker" else 2.0, "source": "made"}}}), file=f)
PY
}
make_set a 6.0 1 0
make_set b 6.1_rc2 1.03 2
make_set c 6.2 0.98 0
gnuplot=$(command -v gnuplot)

# drawn DIR PICTURE...: these pictures and no others.
drawn() {
	python3 - "$@" <<'PY'
import glob, os, sys, xml.etree.ElementTree as tree
d, want = sys.argv[1], set(sys.argv[2:])
for end in "svg", "png":
    have = {os.path.basename(p)[:-4] for p in glob.glob(d + "/*." + end)}
    assert have == want, have
for p in want:
    assert open(f"{d}/{p}.png", "rb").read(8) == b"\x89PNG\r\n\x1a\n"
    assert tree.parse(f"{d}/{p}.svg").getroot().tag.endswith("svg")
PY
}
all="compare-trend compare-heat compare-curves"

run compare a b c -o pics --one-session
check "compare -o ends well" [ "$status" = 0 ]
check "  and names what it wrote" grep -q "^Comparison: pics/compare.html, comparison.json" "$tmp/out"
if [ -n "$gnuplot" ]; then
	# shellcheck disable=SC2086 # a list
	check "three pictures are drawn twice" drawn pics $all
	check "gnuplot had nothing to say" [ ! -s "$tmp/err" ]
	check "names keep their underscores" sh -c 'grep -q "6.1_rc2" pics/compare-heat.svg && grep -q "made @ 2_GHz" pics/compare-heat.svg'
else
	skip "pictures: gnuplot is not installed"
fi
run compare a b c --json --one-session
check "comparison.json is what --json prints" python3 -c 'import json,sys; sys.exit(json.load(open("pics/comparison.json")) != json.load(open(sys.argv[1])))' "$tmp/out"
check "intervals hold the medians" python3 - <<'PY'
import json, statistics
times = lambda d, r: [t["ns_per_round_trip"] for t in map(json.loads, open(d + "/trials.jsonl")) if t["scenario"] == r["scenario"] and t["params"] == r["parameters"]]
for pair in json.load(open("pics/comparison.json")):
    for r in pair["times"]:
        for side in "base", "other":
            v = times(pair[side], r)
            assert abs(r[side + "_median"] - statistics.median(v)) < 1e-6
            assert min(v) < r[side + "_low"] < r[side + "_median"] < r[side + "_high"] < max(v)
PY
check "the data of the pictures hold the figures of comparison.json" python3 - <<'PY'
import json, shlex
pairs = json.load(open("pics/comparison.json"))
blocks = lambda p: [[shlex.split(l) for l in b.splitlines() if l and l[0] != "#"] for b in open(f"pics/data/compare-{p}.dat").read().split("\n\n\n")]
close = lambda x, y: all(abs(float(a) - b) < 1e-6 * abs(b) for a, b in zip(x, y))
row = lambda set, name, pages, size: next(r for r in pairs[max(set - 1, 0)]["times"]
    if r["scenario"] == name and r["parameters"]["pages"] == pages and r["parameters"]["pagesize"] == size)
def figures(set, *key):
    side = "other" if set else "base"
    return [row(set, *key)[side + s] for s in ("_median", "_low", "_high")]
for block, name in zip(blocks("trend")[::2], ("kworker", "process"), strict=True):
    for set, line in enumerate(block):
        assert line[1] == ("6.0", "6.1_rc2", "6.2")[set] and close(line[2:5], figures(set, name, 0, "4k"))
        assert int(line[5]) == (0 if not set else {"slower": 2, "faster": 3}.get(row(set, name, 0, "4k")["verdict"], 1))
curves = blocks("curves")
assert len(curves) == 6
for i, block in enumerate(curves):
    size = ("2m", "4k")[i // 3]
    assert [l[0] for l in block[2:]] == ["0", "8", "512"]
    for line in block[2:]:
        assert close(line[1:4], figures(i % 3, "process", int(line[0]), size))
rows, columns, changed, like = blocks("heat")
assert [l[1] for l in columns] == ["6.1_rc2", "6.2"] and len(rows) == 7
assert len(changed) + len(like) - 2 == 14
for column, at, value, text in changed[1:]:
    r = pairs[int(column)]["times"][int(at)]
    assert abs(float(value) - 100 * (r["ratio"] - 1)) < 1e-3 and text == "%+.1f" % (100 * (r["ratio"] - 1)) and r["verdict"] in ("slower", "faster")
PY
check "the page refers to nothing outside itself" sh -c '! grep -qE "(src|href)=[\"'"'"'](https?:|//|file:)|@import" pics/compare.html'
check "the page: counts, machines, pictures, table, in this order" python3 - <<'PY'
import re
page = open("pics/compare.html").read().split("</nav>")[1]
at = [page.index(s) for s in ("COUNT kworker : cr3-loads per round trip: 2.00, was 0.00 in 6.1_rc2", "kernel.release", "is 3.", "Every figure", '<td class="n up">1.03', "Machines</h2>")]
assert at == sorted(at), at
PY
[ -z "$gnuplot" ] || check "  and it holds them" [ "$(grep -c "<svg" pics/compare.html)" = 3 ]
chromium=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if [ -n "$chromium" ]; then
	"$chromium" --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking --disable-component-update --disable-sync \
		--user-data-dir="$tmp/profile" --enable-logging=stderr --dump-dom "file://$tmp/pics/compare.html" >"$tmp/dom" 2>"$tmp/chromium.err"
	check "Chromium shows the page without an error" sh -c 'grep -q "What changed between result sets" dom && ! grep -q CONSOLE chromium.err'
else
	skip "the page in a browser: chromium is not installed"
fi

run compare a b --json -o pics
check "--json stays alone on standard output" sh -c '[ "$1" = 0 ] && python3 -m json.tool >/dev/null && grep -q "^Comparison: " "$2"' - "$status" "$tmp/err" <"$tmp/out"
run compare a b -o pics --fail-above 2 --one-session
check "the gate still exits 3" [ "$status" = 3 ]
[ -z "$gnuplot" ] || check "two sets have pictures, too" test -s pics/compare-trend.svg
change a short 'lines = [t for t in lines if not t["params"]["pages"]]'
run compare a short -o pics
[ -z "$gnuplot" ] || check "what is not drawn this time does not stay from the last" drawn pics compare-trend compare-heat
check "  and the page says why" grep -q "Not drawn: no scenario has figures of two working sets" pics/compare.html
PATH=$tmp/none "$activemm" compare a b -o bare >"$tmp/out" 2>"$tmp/err"
status=$?
check "without gnuplot there is a page, and it says how to get the pictures" sh -c \
	'[ "$1" = 0 ] && grep -q "Not drawn: gnuplot is not installed" bare/compare.html && [ -s bare/comparison.json ] && grep -q gnuplot-nox "$2"' - "$status" "$tmp/err"

# Whose folder it is.
mkdir other && echo mine >other/mine
refuses "a folder that holds other things" 1 "holds other things than a comparison (mine)" compare a b -o other
refuses "a result set" 1 "holds other things" compare a b -o a
mkdir -p below/data && echo mine >below/data/mine
refuses "other things below data" 1 "below/data holds other things" compare a b -o below
check "  and they stay" sh -c '[ "$(cat other/mine)" = mine ] && [ "$(ls other)" = mine ] && [ "$(cat below/data/mine)" = mine ] && [ -s a/trials.jsonl ]'
refuses "a file in place of the folder" 1 "other/mine is no folder" compare a b -o other/mine
refuses "a folder that cannot be made" 1 "cannot make /proc/nothing" compare a b -o /proc/nothing
check "  before anything is printed" [ ! -s "$tmp/out" ]
refuses "a folder without a name" 2 "-o needs the name" compare a b -o ""

# Times that must not be compared are in no picture and not in the page.
change b foreign 'm["cpu"]["model"] = "another"'
run compare a foreign -o refused
check "refused times: nothing of them is written" python3 - <<'PY'
import json, re, statistics
times = {}
for d in "a", "b":
    for t in map(json.loads, open(d + "/trials.jsonl")):
        times.setdefault((d, t["scenario"], json.dumps(t["params"])), []).append(t["ns_per_round_trip"])
text = re.sub(r"<svg.*?</svg>", "", open("refused/compare.html").read(), flags=re.S) + "".join(open(f"refused/data/compare-{p}.dat").read() for p in ("trend", "heat"))
assert not any("%.1f" % statistics.median(v) in text for v in times.values())
assert "Times are not compared: the CPU models differ" in text and "slower" not in text and "Not drawn: times are refused" in text
assert '0 "6.0" 0 0 0 0\n1 "6.1_rc2" 2 2 2 2' in text # the counts are
PY
if [ -n "$gnuplot" ]; then
	check "  and the pictures say so" sh -c 'grep -q "times refused: the CPU models differ" refused/compare-trend.svg && grep -q "times refused" refused/compare-heat.svg'
	run compare a foreign c --force -o forced --one-session
	check "--force is on every picture" sh -c 'for p in '"$all"'; do grep -q "FORCED (1 of 2 sides): the CPU models differ" forced/$p.svg || exit 1; done'
	run compare a foreign c -o refused --one-session
	check "one set refused of two: the other has its times" sh -c 'grep -q "times refused (1 of 2 sides)" refused/compare-trend.svg && grep -q "6.1_rc2. nan nan nan" refused/data/compare-trend.dat'
	change a bare1 'for t in lines: t["verified"] = False'
	change b bare2 'for t in lines: t["verified"] = False'
	run compare bare1 bare2 -o unverified
	check "UNVERIFIED is on every picture" sh -c 'for p in '"$all"'; do grep -q ">UNVERIFIED<" unverified/$p.svg || exit 1; done'
fi

# Counts: the one that changed, of the row that did; names of kernels without what all end with.
asks='for t in lines: t["counters"]["tlb-ipis"] = {"value": 0, "per_round_trip": 2.0 * asked if t["params"]["pages"] == 512 else 1.0, "source": "made"}'
change c before "m['times_meaningful'] = False; m['kernel']['release'] = '6.12.1+deb13-cloud-amd64'; asked = 0
$asks"
change c after "m['times_meaningful'] = False; m['kernel']['release'] = '7.3.4+deb13-cloud-amd64'; asked = 1
$asks"
run compare before after -o counted
check "pictures of counts show what changed, and nothing else" python3 - <<'PY'
blocks = lambda p: [[l for l in b.splitlines() if l and l[0] != "#"] for b in open(f"counted/data/compare-{p}.dat").read().split("\n\n\n")]
trend, heat = blocks("trend"), blocks("heat")
assert trend[0] == ['0 "6.12.1" 0 0 0 0', '1 "7.3.4" 2 2 2 2'] and len(trend) == 4, trend
assert [l.split('"')[1] for l in heat[0]] == ["process handover=yie...ages=512,pagesize=2m: flushes asked", "process handover=yield,pages=512: flushes asked"], heat
assert [l.split()[:3] for l in heat[2][1:]] == [["0", "0", "2"], ["0", "1", "2"]] and "0.00 → 2.00" in heat[2][1] and len(heat[3]) == 1
PY
[ -z "$gnuplot" ] || check "  and say so" grep -q "process handover=.*: 2.00 flushes asked in 7.3.4, 0.00 in 6.12.1" counted/compare-trend.svg

# More than there is room for; a recorded watch; text that means something to gnuplot or to a browser.
make_set many1 6.0 1 0 70
make_set many2 'a-name-that-is-longer-than-any-kernel-should-have-and-then-some' 1.02 0 70
run compare many1 many2 -o many
check "of many rows the 60 with the largest changes are drawn, and the page says so" sh -c \
	'[ "$1" = 0 ] && [ ! -s "$2" ] && grep -q "17 rows and 0 sets have no room here" many/compare.html && grep -q "a-name-that-...nd-then-some" many/compare-heat.svg' - "$status" "$tmp/err"
watch='for i, t in enumerate(lines): t.update(scenario="watch", params={}, cpu=-1, counters={k: {"value": 1, "per_round_trip": v * (1 + i % 7 / 50), "source": "BPF"} for k, v in (("context-switches", 1), ("cr3-loads-saved", 0.4))})'
change a watch1 "$watch"
change watch1 watch2 'for t in lines: t["counters"]["cr3-loads-saved"]["per_round_trip"] *= 0.5'
run compare watch1 watch2 -o watched
check "recorded watches have their rates in the heat map and the table" sh -c \
	'[ "$1" = 0 ] && grep -q "\"-50.0\"" watched/data/compare-heat.dat && grep -q "<td>cr3-loads-saved</td>" watched/compare.html' - "$status"
change b hostile 'm["kernel"]["release"] = "<script>`touch hit`\"|{\\\\}"; m["frequency"] = {"governor": "<b>"}
for t in lines: t["params"]["x|\"\n\n\n"] = "`touch hit`"'
run compare hostile a -o odd
check "what a set says is text, not HTML" sh -c '! grep -qE "<script>\`|<b>" odd/compare.html && grep -q "&lt;script&gt;" odd/compare.html'
cp -r hostile hostile2
run compare hostile hostile2 -o odd
check "nor does it end a column of the data early" python3 - <<'PY'
import shlex
lines = [shlex.split(l) for p in ("trend", "heat") for l in open(f"odd/data/compare-{p}.dat") if l[0].isdigit()]
assert lines and {len(l) for l in lines} == {2, 4, 6} and not any("|" in w for l in lines for w in l), lines
PY
check "nor is it a program to gnuplot" sh -c '[ "$1" = 0 ] && [ ! -e hit ] && [ ! -s "$2" ]' - "$status" "$tmp/err"
# What is no difference between machines.
change a idle1 'm["cpuidle"] = {"driver": "x", "states": [{"name": "C1", "latency_us": 1, "usage": 1, "time": 5}]}'
change idle1 idle2 'm["cpuidle"]["states"][0].update(usage=2, time=9)'
run compare idle1 idle2
check "how often idle states were entered is no difference" sh -c '! grep -q cpuidle "$1"' - "$tmp/out"
change idle1 idle3 'm["cpuidle"]["states"][0]["latency_us"] = 2'
run compare idle1 idle3
check "  but what they are is" grep -q cpuidle.states "$tmp/out"
true
