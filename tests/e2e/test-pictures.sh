#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the inner shells expand
# Pictures of sets that hold little, and with a gnuplot that cannot do all. Of a set that is there already: nothing is measured.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
vm=$(cd "$(dirname "$0")/../../results/reference/linux-6.18-amd-epyc-vm" && pwd)
gnuplot=$(command -v gnuplot) || { skip "pictures: gnuplot is not installed"; exit 0; }

# gnuplot_is NAME SCRIPT: a gnuplot in a folder of its own that is that script; $real draws.
gnuplot_is() {
	mkdir -p "$tmp/$1"
	printf '#!/bin/sh\nreal=%s\n%s\n' "$gnuplot" "$2" >"$tmp/$1/gnuplot"
	chmod +x "$tmp/$1/gnuplot"
}
gnuplot_is heard 'exec "$real" "$@" 2>>'"$tmp/complaints"
gnuplot_is no-png 'case $3 in png) echo "\"style.gp\" line 11: unknown or ambiguous terminal type" >&2; exit 1 ;; esac; exec "$real" "$@"'
gnuplot_is breaks 'echo "<svg" >"$4"; echo "\"$2\" line 7: No valid points in histogram" >&2; exit 1'
gnuplot_is writes-nothing ': >"$4"'

# draw GNUPLOT SET: its report in SET itself.
draw() {
	: >"$tmp/complaints"
	PATH=$tmp/$1:$PATH "$activemm" report "$2" >"$tmp/out" 2>"$tmp/err"
	status=$?
}
drawn() { (cd "$1" && find . -maxdepth 1 -name '*.svg' | sed 's|./||; s|\.svg||' | sort | tr '\n' ' '); }
whole() { [ "$status" = 0 ] && [ ! -s "$tmp/err" ] && [ ! -s "$tmp/complaints" ] && [ -z "$(find "$1" -name '.*.part' -o -size 0 -name '*.svg' -o -size 0 -name '*.png')" ]; }

# kept NAME PYTHON PICTURES...: a set of which only what PYTHON keeps is left has these pictures, and gnuplot nothing to say.
kept() {
	local name=$1
	change "$vm" "$tmp/$name" "$2"
	rm -f "$tmp/$name"/*.svg
	shift 2
	draw heard "$tmp/$name"
	check "$name: gnuplot draws without a word" whole "$tmp/$name"
	check "  ${*:-nothing}" [ "$(drawn "$tmp/$name")" = "${*:+$* }" ]
}
kept all '' cost decomposition latency loads net refcount ring shootdown workset
kept one-state 'lines = [t for t in lines if t["scenario"] == "shootdown" and t["params"]["state"] == "lazy" and t["params"]["op"] == "munmap"]' shootdown
kept many-cpus '
lines = [dict(t, params=dict(t["params"], **({"cpus": k} if k > 1 else {})), ns_per_round_trip=t["ns_per_round_trip"] * (1 + k / 10),
              figures={"tlb-interrupts" + ("-all" if k > 1 else ""): {"value": k * (t["params"]["state"] == "active"), "unit": "per operation", "source": "made"}})
         for t in lines if t["scenario"] == "shootdown" and t["params"]["pages"] == 1 for k in (1, 3, 15)]' shootdown shootdown-cpus
check "the curve over the other CPUs says how much more a flush of all is" grep -qE "A flush on 15 active CPUs takes 2.3 times that on one \((mprotect|munmap)\)" "$tmp/many-cpus/shootdown-cpus.svg"
kept one-scenario 'lines = [t for t in lines if t["scenario"] == "process" and not t["params"]["pages"]]' cost latency loads workset
kept one-round 'lines = [t for t in lines if t["trial"] == 0]' cost decomposition latency loads net refcount ring shootdown workset
kept one-ring 'lines = [t for t in lines if t["scenario"] == "ring" and t["params"]["n"] == 8]' ring
kept one-cpu 'lines = [t for t in lines if t["scenario"] == "refcount" and t["params"]["n"] == 1]' refcount
kept no-valid-trial '
for t in lines:
    t["valid"] = False'
check "  and the page says why, of each" [ "$(grep -c "Not drawn: " "$tmp/no-valid-trial/report.html")" = 12 ]
kept no-trial 'lines = []'
kept equal-times '
for t in lines:
    t["ns_per_round_trip"] = 100' cost decomposition latency loads refcount ring shootdown workset
kept milliseconds '
for t in lines:
    t["ns_per_round_trip"] *= 1000' cost decomposition latency loads net refcount ring shootdown workset
check "thousands of ns are us, and of us ms" sh -c 'grep -q "microseconds per round trip" "$1/all/cost.svg" && grep -q "milliseconds per round trip" "$1/milliseconds/cost.svg"' - "$tmp"
kept two-speeds '
for t in lines:
    t["ns_per_round_trip"] *= 1.4 if t["trial"] % 5 > 2 else 1' cost decomposition latency loads net refcount ring shootdown workset
check "both speeds stand at the bars" grep -qE "or 3\.[0-9]* µs" "$tmp/two-speeds/cost.svg"
kept without-pcid '
for t in lines:
    if "per_round_trip" in t["counters"]["cr3-loads"]:
        t["counters"]["cr3-flushes"] = dict(t["counters"]["cr3-loads"])' cost decomposition latency loads net refcount ring shootdown workset
check "without PCIDs the ring has no edge" sh -c 'grep -q "With 2 to 16 processes, every CR3 load flushes the TLB" "$1" && ! grep -q "from 2 on" "$1"' - "$tmp/without-pcid/ring.svg"
check "  with them it has" grep -q "from 7 on" "$tmp/all/ring.svg"
kept untold-slope '
for t in lines:
    if t["scenario"] == "ring" and t["params"]["n"] == 12:
        t["ns_per_round_trip"] = 18000 + 97 * (7 * t["trial"] % 5) - t["params"]["pages"]
    if t["scenario"] == "ring" and t["params"]["n"] == 6:
        t["ns_per_round_trip"] = 8000 - 101 * (3 * t["trial"] % 5) - t["params"]["pages"]' cost decomposition latency loads net refcount ring shootdown workset
check "a slope that may be nothing is no title" sh -c '! grep -q "Refilling the TLB costs" "$1"' - "$tmp/untold-slope/report.html"
check "  but a sentence" grep -q "What refilling the TLB after a flush costs per 4 KiB page could not be told (" "$tmp/untold-slope/report.html"

# What an earlier report drew of trials that are gone goes, too.
cp "$tmp/no-trial/trials.jsonl" "$tmp/all/trials.jsonl"
draw heard "$tmp/all"
check "no picture outlives its trials" [ -z "$(drawn "$tmp/all")" ]

draw no-png "$tmp/one-round"
check "without pngcairo the SVG pictures stay" [ "$status" = 0 -a "$(drawn "$tmp/one-round")" = "cost decomposition latency loads net refcount ring shootdown workset " ]
check "  no PNG is left" [ -z "$(find "$tmp/one-round" -name '*.png')" ]
check "  one line says so" sh -c '[ "$(wc -l <"$1")" = 1 ] && grep -q "no pngcairo" "$1"' - "$tmp/err"
check "  and the page has them" sh -c '[ "$(grep -c "<svg" "$1")" = 9 ]' - "$tmp/one-round/report.html"

draw breaks "$tmp/one-state"
check "a picture that fails leaves neither part nor older one" [ "$status" = 0 -a -z "$(find "$tmp/one-state" -name '*.svg' -o -name '*.png' -o -name '.*.part')" ]
check "  and the page says what gnuplot said" grep -q "Not drawn: gnuplot: line 7: No valid points in histogram" "$tmp/one-state/report.html"
draw writes-nothing "$tmp/one-cpu"
check "an empty picture is none" [ -z "$(find "$tmp/one-cpu" -name '*.svg' -o -name '*.png')" ]
true
