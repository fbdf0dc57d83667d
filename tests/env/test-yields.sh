#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Schedulers under which yielding tasks do not alternate, or cease to.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cpu=$(measured_cpu)

# A scheduler that ceases to let yielding tasks alternate, as those of emulated CPUs do: before the look's end, between rounds, within a trial.
mixed=no
if need_tool "yielding tasks cease to alternate" cc && cc -O2 -shared -fPIC -o "$tmp/yield.so" "$env/yield.c"; then
	for alternates in 100000 190000 250000; do
		outcome "yielding tasks cease to alternate after $alternates yields" "verified" "" \
			env "LD_PRELOAD=$tmp/yield.so" "YIELD_ALTERNATES=$alternates" -- process base --cpu "$cpu" --trials 5 --iterations 3000
		json "$set/trials.jsonl" "{x['params']['handover'] for x in t if x['valid'] and x['scenario'] == 'process'} == {'yield', 'eventfd'}" >/dev/null || continue
		mixed=yes
		check "  and what is left of each, net of its own system calls" python3 -c '
import json, sys
net = json.load(open(sys.argv[1]))["net"]
assert {x["params"]["handover"]: x["base"]["kind"] for x in net if "ns" in x} == {"yield": "yield", "eventfd": "eventfd"}, net' "$set/summary.json"
	done
	outcome "yielding tasks of one row do not alternate" "verified" "" \
		env "LD_PRELOAD=$tmp/yield.so" "YIELD_ALTERNATES=6000" -- thread process --cpu "$cpu" --trials 1 --iterations 3000
	check "  and the whole set has the other hand-over" json "$set/trials.jsonl" "{x['params']['handover'] for x in t} == {'eventfd'}"
	outcome "yielding tasks cease to alternate now and then, with no time to repeat" "verified" "" \
		env "LD_PRELOAD=$tmp/yield.so" "YIELD_ALTERNATES=90000" YIELD_BURST=9000 -- process --cpu "$cpu" --time 1 --iterations 3000
	if [ $mixed = yes ]; then
		ok "  and what was measured before is kept"
	else
		skip "  and what was measured before is kept: they ceased before the first trial or not at all"
	fi
fi
true
