#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Comparing kernels over many machines: made fleets whose truth is known (tests/figures/fleet-sets.py).
# shellcheck disable=SC2016 # the inner shells expand
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
figures=$(cd "$(dirname "$0")/../figures" && pwd)
cd "$tmp" || exit 1
export XDG_DATA_HOME=$tmp/data # no history

is() { python3 -c 'import json,sys; c = json.load(open(sys.argv[1])); pair = c[0]; rows = pair["times"]; nodes = pair.get("nodes"); sys.exit(not eval(sys.argv[2]))' "$tmp/out" "$1"; }
says() { grep -qE -- "$1" "$tmp/out"; }
# every SETS... CODE: Python's CODE changes the machine record `m' of each.
every() {
	local code=${*: -1} set
	for set in "${@:1:$#-1}"; do
		python3 -c 'import json,sys; f = sys.argv[1] + "/machine.json"; m = json.load(open(f)); exec(sys.argv[2]); json.dump(m, open(f, "w"))' "$set" "$code"
	done
}

"$figures/fleet-sets.py" fleet 60 3 2 && cd fleet || exit 1
run compare sets/*/* --base 6.0 --json
"$figures/fleet-truth.py" truth.json "$tmp/out" >"$tmp/said"
all_of() { grep -qE "^$1: ([0-9]+) of \\1$" "$tmp/said"; }
check "60 machines of two CPU models, three kernels: a kernel that is slower is called so" all_of "kernels that are slower, called so"
check "  an equal one is not" all_of "equal kernels not called different"
check "  intervals hold the truth, by CPU model" awk -F '[: ]+' '/of a model/ { good = $(NF - 2) >= 0.8 * $NF } END { exit !good }' "$tmp/said"
check "  and by node" awk -F '[: ]+' '/of a node/ { good = $(NF - 2) >= 0.92 * $NF } END { exit !good }' "$tmp/said"
check "  machines that answer differently are named" all_of "strangers named"
check "  with what is different in them" all_of "strangers of which the memory is named"
check "  and no others" all_of "comparisons that name no node that is none"
check "  a count that changes on one CPU model alone is said of that" all_of "comparisons with the flushes on the second model alone"
check "  how much nodes differ is said" is '0 < rows[1]["pooled"]["tau"] < 0.03 and 0 < rows[1]["pooled"]["i2"] < 1'
run compare sets/*/*6.[01] --base 6.0
check "  in the sentence" sh -c 'head -n 1 "$1" | grep -q "120 sessions against 120 on 60 nodes of 2 CPU models"' - "$tmp/out"
check "  in lines" says '^NODE node0017 \(Made One 100\) answers differently: thread handover=yield 1\.1[0-9]+, the others 1\.0[0-9]+ .*topology.memory_bytes 68719476736 \([0-9]+ of [0-9]+ others: 137438953472\)'
check "  and a table by CPU model, and over all" [ "$(grep -cE "^process +handover=yield  .* (Made One 100 +36|Made Two 200 +24|all +60)  1\.0[0-9]+ \[1\.0" "$tmp/out")" = 3 ]
run compare sets/*/*6.[01] --base 6.0 --markdown
check "  as Markdown" says '^\| process \| handover=yield \| 6\.1 \| all \| 60 \| 1\.0'
if command -v gnuplot >/dev/null; then
	run compare sets/*/* --base 6.0 -o pics
	check "a forest plot" eval '[ -s pics/compare-forest.png ] && [ -s pics/compare-forest.svg ]'
	check "  with every node, and those that differ by name" awk '
		NF == 0 { if (!blank) block++; blank = 1; next }
		{ blank = 0 }
		$2 == "\"node0017\"" { named = 1 }
		NF == 6 && !$6 && $2 + 0 > 0 { nodes++ }
		NF == 6 && $5 == 1 && $2 + 0 > 0 { strangers++ }
		END { exit !(named && nodes == 180 && strangers >= 2) }' pics/data/compare-forest.dat
	check "  and the page has what nodes say" eval '[ "$(grep -c "NODE node0017 (Made One 100) answers differently" pics/compare.html)" -ge 1 ] && grep -qE "^process +handover=yield  .* all +60  1\." pics/compare.html'
else
	skip "a forest plot: needs gnuplot"
fi
run history add sets --db "$tmp/history"
if [ "$status" = 0 ]; then
	"$activemm" compare "$PWD"/sets/*/*6.[01] --base 6.0 --json >"$tmp/folders"
	run history compare 6.0 6.1 --db "$tmp/history" -- --json
	check "  the same of a history's sets, many sessions of many machines" python3 -c 'import json,sys; a, b = (json.load(open(f)) for f in sys.argv[1:])
sys.exit(not all(x["pooled"] == y["pooled"] for x, y in zip(a[0]["times"], b[0]["times"])) or len(b[0]["base_sets"]) != 120)' "$tmp/folders" "$tmp/out"
	run history compare 6.0 6.1 --machine node0003 --db "$tmp/history" -- --json
	check "  and of one of them" is 'len(pair["base_sets"]) == 2 and all("pooled" not in r for r in rows)'
else
	skip "a history of machines: $(cat "$tmp/err")"
fi
run compare sets/*/*6.[01] --base 6.0 --nodes none --json
check "  which --nodes none does not do" sh -c '! grep -q "\"pooled\"" "$1"' - "$tmp/out"

cd .. && "$figures/fleet-sets.py" few 6 2 1 7 && cd few || exit 1
for node in 0 1 2; do
	every sets/node000$node/* 'm["kernel"]["cmdline"] += " console=ttyS1"'
done
run compare sets/*/* --json
check "a word that machines are booted with, and not kernels, tells no kernels apart" is 'len(c) == 1 and nodes["n"] == 6'
check "one session of a kernel on a node is enough" is 'all(r["method"] == "nodes" and "low" in r and r["pooled"]["nodes"] == 6 for r in rows)'
check "  though it does not tell how much nodes differ" is 'all("tau" not in r["pooled"] for r in rows)'
rm -r sets/node0004/*6.1 sets/node0005/*6.0
run compare sets/*/*
check "what has one of the kernels is left out" says '^Left out, for they have only one of the kernels: node0004 \(6\.0\), node0005 \(6\.1\)\.$'
check "  and said" says '^Nodes: 4 with both kernels \(3 Made One 100, 1 Made Two 200\)\.$'
run compare sets/*/* --json --nodes folder
check "nodes by the folder that their sets are in" is 'nodes["n"] == 4 and len(nodes["left_out"]) == 2'
refuses "a member that no record has" 1 "--nodes cpu.none" compare sets/*/* --nodes cpu.none
refuses "--nodes without a word" 2 "'--nodes'" compare sets/*/* --nodes
run compare sets/node0000/* sets/node0004/* --json
check "one machine with both kernels is compared by itself" is 'nodes["n"] == 1 and all(r["method"] == "Mann-Whitney" for r in rows)'
run compare sets/node0004/* sets/node0005/* --json
check "machines that share no kernel are compared as ever" sh -c '! grep -q "\"nodes\"" "$1"' - "$tmp/out"
every sets/node0000/* 'm["times_meaningful"] = False'
refuses "an emulated machine is not pooled with real ones" 1 "is of an emulated machine" compare sets/*/*
every sets/node0000/* 'm["times_meaningful"] = True; m["cpu"]["model"] = "Arm Neoverse-N1"; m["cpu"]["vendor"] = {"unavailable": "made"}'
refuses "  nor machines of two architectures" 1 "two architectures" compare sets/*/*
true
