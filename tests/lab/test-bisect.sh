#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A step of a bisection by counts, in the newest kernel: good, bad and untestable. The bad one is held against a set whose
# counts are lowered by hand, so that one kernel does for both.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export ACTIVEMM=$activemm
export LAB="--module none --accel tcg"
scenario=process:handover=eventfd

# step WHAT WANTED-STATUS BASE KERNEL
step() {
	local status
	"$top/scripts/bisect-step" "$3" "$4" "$scenario" >"$tmp/log" 2>&1
	status=$?
	if [ "$status" = "$2" ]; then
		ok "$1"
	else
		not_ok "$1 (status $status)"
	fi
}
# shellcheck disable=SC2086 # words are wanted
"$top/scripts/kernel-lab" run newest --install $LAB --activemm "$ACTIVEMM" -o "$tmp/base" -- "$scenario" --trials 3 --iterations 400 >"$tmp/log" 2>&1
if ! grep -q '"valid":true' "$tmp/base/trials.jsonl" 2>/dev/null; then
	skip "a bisection's steps"
	exit 0
fi
cp -r "$tmp/base" "$tmp/fewer"
python3 - "$tmp/fewer/trials.jsonl" <<'PY'
import json, sys
trials = [json.loads(line) for line in open(sys.argv[1])]
for t in trials:
    t["counters"]["cr3-flushes"].update(value=0, per_round_trip=0.0)
open(sys.argv[1], "w").writelines(json.dumps(t) + "\n" for t in trials)
PY
step "a kernel that flushes where the good one did not is bad" 1 "$tmp/fewer" newest
step "a kernel that cannot be booted is skipped" 125 "$tmp/base" "$tmp/no-bzImage"
BUILD=false step "one that cannot be built too" 125 "$tmp/base" newest
step "without the good set the bisection stops" 128 "$tmp/none" newest
