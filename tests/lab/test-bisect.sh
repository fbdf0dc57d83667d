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
# The good set is made where numbers are written with commas.
german=()
if localedef -i de_DE -f UTF-8 "$tmp/de_DE.UTF-8" >"$tmp/log" 2>&1 || [ -e "$tmp/de_DE.UTF-8/LC_NUMERIC" ]; then
	german=(env "LOCPATH=$tmp" LC_ALL=de_DE.UTF-8)
fi
# shellcheck disable=SC2086 # words are wanted
"${german[@]}" "$top/scripts/kernel-lab" run newest --install $LAB --activemm "$ACTIVEMM" -o "$tmp/base" -- "$scenario" --trials 3 --iterations 400 >"$tmp/log" 2>&1
if ! grep -q '"valid":true' "$tmp/base/trials.jsonl" 2>/dev/null; then
	skip "a bisection's steps"
	exit 0
fi
if [ "$("${german[@]}" bash -c 'printf %.1f 0,5' 2>/dev/null)" != 0,5 ]; then
	echo "skipped: localedef cannot make de_DE.UTF-8 (Debian: locales)" >"$tmp/log"
	skip "a boot in a German locale"
elif python3 -c 'import json, sys; sys.exit(not json.load(open(sys.argv[1]))["seconds"] > 0)' "$tmp/base/lab.json" 2>>"$tmp/log"; then
	ok "a boot in a German locale writes down its seconds"
else
	not_ok "a boot in a German locale writes down its seconds: $(grep seconds "$tmp/base/lab.json")"
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
