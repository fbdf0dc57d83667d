#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs the suite and tells LAVA of each row: pass, fail or skip, and its time. With a file as argument, of the KTAP in it.
set -eu

lava="lava-test-case"
command -v "$lava" >/dev/null 2>&1 || lava="echo $lava" # outside LAVA: show what would be told

tell()
{
	awk -v lava="$lava" '
	function quoted(s) { gsub("[^A-Za-z0-9_.=,:-]", "-", s); return s }
	/^# .* ns per round trip/ { ns = $2; next }
	/^(not )?ok / {
		result = /^not / ? "fail" : /# SKIP/ ? "skip" : "pass"
		name = $0
		sub("^(not )?ok [0-9]+ - ", "", name)
		sub(" # SKIP.*", "", name)
		system(lava " " quoted(name) " --result " result (ns == "" ? "" : " --measurement " ns " --units ns"))
		ns = ""
	}'
}

if [ $# -gt 0 ]; then
	tell <"$1"
	exit 0
fi
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM HUP
# shellcheck disable=SC2086 # lists of words
"${ACTIVEMM:-activemm}" run ${SCENARIOS:-} ${OPTIONS:---quick} --ktap -o "$dir/set" >"$dir/ktap" || status=$?
cat "$dir/ktap"
tell <"$dir/ktap"
exit "${status:-0}"
