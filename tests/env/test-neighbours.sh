#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What else is there: CPUs that are not allowed, tasks that take the CPU, names and locales.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
small=(thread process kworker --trials 1 --iterations 300)
cpu=$(measured_cpu)
lacks() { ! grep -rqE -- "$@"; }

outcome "one CPU (taskset)" "verified|skipped" "second CPU" taskset -c 0 -- thread process idle --trials 1 --iterations 300
outcome "the CPU that was asked for is not among the allowed" "refused" "choose one of" taskset -c 0 -- "${small[@]}" --cpu 100000
outcome "a CPU outside the caller's taskset, named by the user" "verified" "" taskset -c 0 -- "${small[@]}" --cpu "$cpu"
if [ "$(id -u)" = 0 ] && group cpuset cpuset.mems=0 cpuset.cpus=0 -- cpuset.cpus=0; then
	outcome "a cpuset of one CPU" "verified" "" "${inside[@]}" "$procs" -- "${small[@]}"
	outcome "a cpuset of one CPU, where two are needed" "skipped|refused" "second CPU|allowed" "${inside[@]}" "$procs" -- thread shootdown --trials 1 --iterations 300
	outcome "a CPU outside the cpuset" "refused" "cpuset|allowed" "${inside[@]}" "$procs" -- thread --cpu 1 --trials 1 --iterations 300
	outcome "many more tasks than CPUs that are allowed (refcount:n=96)" "verified" "" "${inside[@]}" "$procs" -- thread refcount:n=96 --trials 1 --iterations 40
else
	cannot "a cpuset of one CPU" "no cpuset controller, or not root"
fi

# hog CPU NAME: a task that computes there, named by Python's bytes; its pid in $hog.
hog() {
	: >"$tmp/hog"
	taskset -c "$1" python3 -c "
import ctypes
ctypes.CDLL(None).prctl(15, $2)
print('named', flush=True)
while True:
    pass" >"$tmp/hog" &
	hog=$!
	undo kill $hog
	until [ -s "$tmp/hog" ]; do sleep 0.02; done
}
# Which take seconds for a trial, and have three.
run run thread --cpu "$cpu" --trials 1 --iterations 150 -o "$tmp/quiet"
for name in 'b"\xd0\xa8" * 7 + b"\xd0"' 'b"a|b\n\"<i>\\\\"'; do
	hog "$cpu" "$name"
	quiet=$tmp/quiet outcome "a task named $name takes the CPU" "refused|disturbed" "was on the CPU|had the CPU|was there" -- thread --cpu "$cpu" --time 1 --iterations 150
	check "  and what it leaves can be read" "$activemm" report "$set" -o "$tmp/page-$runs"
	kill $hog
	wait $hog 2>/dev/null
done
other=0
[ "$cpu" != 0 ] || other=1
hog "$other" 'b"busy"'
outcome "a task computes on the other CPU" "verified" "" -- "${small[@]}"
limit=100 outcome "a task computes on the other CPU, which shall be idle" "refused|disturbed|skipped|verified" "" -- thread shootdown:state=lazy --time 1 --iterations 300
kill $hog
wait $hog 2>/dev/null
undo_all

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
