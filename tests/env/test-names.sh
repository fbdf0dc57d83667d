#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Names of tasks that take the CPU, locales, paths, and what a caller leaves out.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
small=(thread process kworker --trials 1 --iterations 300)
cpu=$(measured_cpu)
lacks() { ! grep -rqE -- "$@"; }

# Which take seconds for a trial, and have three.
run run thread --cpu "$cpu" --trials 1 --iterations 150 -o "$tmp/quiet"
for name in 'b"\xd0\xa8" * 7 + b"\xd0"' 'b"a|b\n\"<i>\\\\"'; do
	hog "$cpu" "$name"
	quiet=$tmp/quiet outcome "a task named $name takes the CPU" "refused|disturbed" "was on the CPU|had the CPU|was there" -- thread --cpu "$cpu" --time 1 --iterations 150
	check "  and what it leaves can be read" "$activemm" report "$set" -o "$tmp/page-$runs"
	kill $hog
	wait $hog 2>/dev/null
done
undo_all

if need_tool "a locale with a decimal comma" localedef && localedef -i de_DE -f UTF-8 "$tmp/de_DE.UTF-8" 2>/dev/null; then
	export LOCPATH=$tmp
	outcome "a locale with a decimal comma (de_DE)" "verified" "" env LC_ALL=de_DE.UTF-8 -- "${small[@]}"
	LC_ALL=de_DE.UTF-8 run report "$set" -o "$tmp/page"
	check "  and a report in it" [ "$status" = 0 ]
	check "  with points, not commas, in the pictures' numbers" lacks '(x|y|cx|cy|width|height)="[0-9]+,[0-9]' "$tmp/page"
	unset LOCPATH
else
	cannot "a locale with a decimal comma (de_DE)" "its sources are not here (Debian: locales)"
fi
mkdir -p "$tmp/Mäßig gut/#1"
where="$tmp/Mäßig gut/#1" outcome "a path with umlauts, a space and a #" "verified" "" -- "${small[@]}"
run report "$set" -o "$tmp/Mäßig gut/#1/page"
check "  and a report there" [ "$status" = 0 ]
outcome "no HOME, no PATH, no TERM" "verified" "" env -i -- "${small[@]}"
outcome "standard input and error closed" "verified" "" sh -c 'exec "$@" <&-' - -- "${small[@]}"
true
