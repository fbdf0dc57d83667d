#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In a lab kernel with two CPUs: what explain tells there, step by step.
failed=0
out=/tmp/explain.$$

# tells WHAT NUMBER PATTERN: that many lines of the story match
tells() {
	n=$(grep -cE -- "$3" "$out")
	if [ "$n" = "$2" ]; then
		echo "ok: $1"
	else
		echo "FAIL: $1: $n lines where $2 were expected"
		sed 's/^/    /' "$out"
		failed=1
	fi
}

# A stray task may pass by: told again, up to five times.
story() {
	for _ in 1 2 3 4 5; do
		activemm explain "$@" --round-trips 3 >"$out" 2>&1
		tr '\n' ' ' <"$out" | grep -q "not what\|intrusion" || return
	done
}

for source in bpf perf; do
	story kworker --source $source
	tells "$source: kworker borrows" 3 "A +A .*-> kworker/[0-9:]+ [0-9]+ +- +A .* borrows A: no load$"
	tells "$source: and gives back" 3 "kworker/[0-9:]+ [0-9]+ +- +A .*-> activemm [0-9]+ +A +A .* gives A back: no load$"
	story process --source $source
	tells "$source: processes, real" 6 "real switch [AB] -> [AB]: load, (kept|flushed)$"
	story thread --source $source
	tells "$source: threads, same mm" 6 "same mm: no load$"
	story interposed --source $source
	tells "$source: interposed, put off" 6 "[AB] -> [AB], only put off by borrowing: load, (kept|flushed)$"
	story stale --source $source
	tells "$source: stale, flushed on the way back" 3 "gives A back, changed meanwhile: load, flushed$"
done
story kworker --source bpf
tells "mm_count is one higher while borrowed" 3 "(1/2 +-> .* 1/3|1/3 +-> .* 1/4|1/4 +-> .* 1/5|1/1 +-> .* 1/2) +borrows"
if [ -c /dev/activemm ]; then
	story kthread:mode=isolated
	tells "isolated: a kernel thread in its own mm" 3 "-> activemm/[0-9]+ [0-9]+ +B +B .* real switch A -> B: load"
	story kthread:mode=leave
	tells "leave: init_mm is loaded outside a switch" 3 "activemm/[0-9]+ [0-9]+: outside a switch, to init_mm: load"
	tells "leave: and A comes back with a load" 3 "back to A from init_mm: load"
fi
rm -f "$out"
exit $failed
