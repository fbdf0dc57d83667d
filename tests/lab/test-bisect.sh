#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A step of a bisection by counts, in the newest kernel: good, bad and untestable. The bad one is held against a set whose
# counts are lowered by hand, so that one kernel does for both.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
export ACTIVEMM=${ACTIVEMM:-$top/build/activemm}
export LAB="--module none --accel tcg"
scenario=process:handover=eventfd
tmp=$(mktemp -d) || exit 1
passed=0 failed=0 skipped=0
# shellcheck disable=SC2317 # called by the trap
finish() {
	rm -rf "$tmp"
	echo "$passed passed, $failed failed, $skipped skipped"
	exit $((failed > 0))
}
trap finish EXIT
# step WHAT WANTED-STATUS BASE KERNEL
step() {
	local status
	"$top/scripts/bisect-step" "$3" "$4" "$scenario" >"$tmp/out" 2>&1
	status=$?
	if [ "$status" = "$2" ]; then
		passed=$((passed + 1)) && echo "ok - $1"
	else
		failed=$((failed + 1)) && echo "not ok - $1 (status $status)" && tail -n 5 "$tmp/out"
	fi
}
# shellcheck disable=SC2086 # words are wanted
"$top/scripts/kernel-lab" run newest --install $LAB --activemm "$ACTIVEMM" -o "$tmp/base" -- "$scenario" --trials 3 --iterations 400 >"$tmp/log" 2>&1
if ! grep -q '"valid":true' "$tmp/base/trials.jsonl" 2>/dev/null; then
	skipped=1
	echo "skip - a bisection's steps: $(tail -n 1 "$tmp/log")"
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
