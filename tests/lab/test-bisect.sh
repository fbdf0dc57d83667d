#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# From a change in the history to steps of a bisection by counts: what `history changes' says of the reference sets is done as it says,
# with Debian's 6.12 and newest kernels in place of commits. Good, bad and untestable.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
export ACTIVEMM=$activemm
export LAB="--module none --accel tcg --boot mitigations=off" # faster by a tenth in emulation
"$activemm" history add "$top/results/reference/every-scenario" --db "$tmp/history" >"$tmp/log" 2>&1
if grep -q 'built without SQLite' "$tmp/log"; then
	echo "skipped: the program was built without SQLite" >"$tmp/log"
	skip "a bisection from the history"
	exit 0
fi
"$activemm" history changes --db "$tmp/history" >"$tmp/log" 2>&1
sed -n '/^6\.12.* -> 6\.16/,/bisect-step/p' "$tmp/log" >"$tmp/found"
if grep -q '^  shootdown op=mprotect,pages=1,state=left 0.00 -> 2.00 tlb-ipis' "$tmp/found"; then
	ok "the history has the kernels between which a count changed"
else
	not_ok "the history has the kernels between which a count changed"
fi
# scripts/kernel-lab run RELEASE -o good -- SCENARIO... --trials 3 --iterations 100
read -r -a make_good <<<"$(sed -n 's/^ *scripts\/kernel-lab //p' "$tmp/found")"
# BUILD=... git bisect run scripts/bisect-step good BZIMAGE SCENARIO...
read -r -a scenarios <<<"$(sed -n 's/^.*bisect-step good arch.x86.boot.bzImage //p' "$tmp/found")"
if [ "${make_good[0]:-}" = run ] && [ ${#scenarios[@]} = 2 ]; then
	ok "  and how to find the commit, by what changed"
else
	not_ok "  and how to find the commit, by what changed"
	exit 1
fi

# step WHAT WANTED-STATUS BASE KERNEL
step() {
	local status
	"$top/scripts/bisect-step" "$3" "$4" "${scenarios[@]}" >"$tmp/log" 2>&1
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
"${german[@]}" "$top/scripts/kernel-lab" run 6.12 --install $LAB --activemm "$ACTIVEMM" -o "$tmp/base" "${make_good[@]:4}" >"$tmp/log" 2>&1
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
step "a kernel that asks other CPUs where the good one did not is bad" 1 "$tmp/base" newest
step "another boot of the good one is good" 0 "$tmp/base" 6.12
step "a kernel that cannot be booted is skipped" 125 "$tmp/base" "$tmp/no-bzImage"
BUILD=false step "one that cannot be built too" 125 "$tmp/base" newest
step "without the good set the bisection stops" 128 "$tmp/none" newest
