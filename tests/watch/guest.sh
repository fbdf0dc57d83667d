#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In a lab kernel with two CPUs: classes against workloads, the fall-back, a CPU that goes offline.
activemm=${1:-activemm}
workload=${2:-workload}
rounds=400
out=/tmp/watch.$$
failed=0

say() {
	echo "$1: $2"
	[ "$1" = ok ] || failed=1
}

# class NAME: switches of a class in the summary
class() {
	awk -v name="$1:" '$1 == name { for (i = NF; i > 0; i--) if ($i ~ /%$/) { print $(i - 1); exit } }' "$out"
}

# expect WHAT NUMBER LOW HIGH
expect() {
	if [ "${2:--1}" -ge "$3" ] && [ "$2" -le "$4" ]; then
		say ok "$1: $2"
	else
		say FAIL "$1: '$2', expected $3 to $4"
		sed 's/^/    /' "$out"
	fi
}

watch_workload() {
	"$activemm" watch --share 100 --source "$1" --cpus 1 --comm wl-measured -- "$workload" "$2" 1 "$rounds" >"$out" 2>&1
}

# Strays add a few; nothing takes away.
low=$((2 * rounds - 4))
high=$((2 * rounds + 80))
for source in bpf perf; do
	watch_workload $source process
	expect "$source: processes, real" "$(class real)" $low $high
	watch_workload $source thread
	expect "$source: threads, same mm" "$(class thread)" $low $high
	watch_workload $source kworker
	expect "$source: kworker, borrowed" "$(class borrow)" $((rounds - 2)) $((rounds + 40))
	# A stray process takes the CPU from a kworker now and then.
	expect "$source: kworker, back" "$(class back)" $((rounds - 20)) $((rounds + 40))
done

# In turns: half of a second of the same, over and over. Other tasks have some of the switches, other classes none.
"$activemm" watch --source bpf --share 50 --interval 0.2 --duration 1 -- sh -c "while :; do $workload process 1 $rounds; done" >"$out" 2>&1
if grep -q "Counted in" "$out"; then
	all=$(class real)
	expect "in turns: real" "$all" $rounds 10000000
else
	say FAIL "in turns"
	sed 's/^/    /' "$out"
fi

hotplug=/sys/devices/system/cpu/cpu1/online
if [ -w $hotplug ]; then
	for source in bpf perf; do
		"$activemm" watch --share 100 --source $source --interval 0.2 --duration 6 >"$out" 2>&1 &
		watcher=$!
		sleep 1
		echo 0 >$hotplug
		sleep 1
		echo 1 >$hotplug
		sleep 1
		"$workload" process 1 $rounds >/dev/null
		wait $watcher || say FAIL "$source: exit status $? with a CPU offline"
		expect "$source: a CPU went and came back, real" "$(class real)" $low $((high + 200))
	done
else
	echo "skipped: CPU 1 cannot go offline here"
fi
rm -f "$out"
exit $failed
