#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# --isolate: what may go elsewhere does, and all of it comes back: at the end, after a signal, and after SIGKILL at the next start.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

if [ "$(id -u)" != 0 ] || [ "$(nproc --all)" -lt 2 ]; then
	skip "--isolate: needs root and two CPUs"
	exit 0
fi
cpu=$(measured_cpu)

# A task of this test, free to be anywhere; one with a mask of its own; and one that has children all the time.
taskset -c "0-$(($(nproc --all) - 1))" sleep 600 &
free=$!
taskset -c "$cpu,0" sleep 600 &
own=$!
(while :; do sleep 0.2; done) &
breeder=$!

masks() { for pid in "$free" "$own" "$breeder" $$ 1; do taskset -pc "$pid" 2>&1 | sed 's/.*: //'; done; }
snapshot() {
	masks
	for f in /proc/irq/*/smp_affinity_list; do echo "$f $(cat "$f" 2>/dev/null)"; done
	cat /sys/devices/virtual/workqueue/cpumask 2>/dev/null
	# Kernel threads that stay: by name and mask.
	for p in /proc/[0-9]*; do
		[ -s "$p/cmdline" ] || awk '/^Name|^Cpus_allowed_list/ { printf "%s ", $2 } END { print "" }' "$p/status" 2>/dev/null
	done | grep -E '^(kswapd|kcompactd|kauditd|kthreadd|rcu_|oom_)' | sort
}
snapshot >"$tmp/before"
same() { snapshot >"$tmp/after"; diff "$tmp/before" "$tmp/after" >"$tmp/err"; }
has_cpu() { taskset -pc "$1" | sed 's/.*: //' | tr ',' '\n' | awk -F- -v c="$cpu" '{ if (c >= $1 && c <= ($2 == "" ? $1 : $2)) f = 1 } END { exit !f }'; }

start() {
	rm -rf "$tmp/set"
	"$activemm" run thread --cpu "$cpu" --isolate --trials 200 --iterations 20000 -o "$tmp/set" >"$tmp/run-out" 2>"$tmp/run-err" &
	run=$!
	for _ in $(seq 100); do
		[ -s "$tmp/set/trials.jsonl" ] && break
		sleep 0.1
	done
}

run run thread --cpu "$cpu" --isolate --trials 2 --iterations 2000 -o "$tmp/short"
check "a run with --isolate succeeds and says what stays" grep -q "is isolated for the run; what could not be moved:" "$tmp/err"
check "  everything is back afterwards" same
check "  and nothing is left in /run" [ ! -e /run/activemm-bench/isolate.json ]

start
for pid in "$free" "$own" "$breeder"; do
	if has_cpu "$pid"; then not_ok "during the run task $pid may not use CPU $cpu"; else ok "during the run task $pid may not use CPU $cpu"; fi
done
movable=0 moved=0
while read -r f list; do
	case $list in *"-"* | *","*) movable=$((movable + 1)); [ "$(cat "$f" 2>/dev/null)" = "$list" ] || moved=$((moved + 1)) ;; esac
done < <(grep smp_affinity_list "$tmp/before")
stay=$(grep -o 'IRQ [0-9]*' "$tmp/run-err" | sort -u | wc -l)
check "  interrupts with a choice have moved ($moved of $movable), or are named" [ "$((moved + stay))" = "$movable" ]
refuses "  a second run that isolates is refused" 1 "another run isolates a CPU" run thread --isolate --trials 1 -o "$tmp/second"
# As irqbalance does to interrupts, and others to tasks.
taskset -pc "$cpu,0" "$free" >/dev/null
kill -TERM "$run"; wait "$run"
check "what others moved back during the run is a warning" grep -q "moved them back during the run: .*sleep" "$tmp/run-err"
check "  of the record, too" grep -q "moved them back during the run: .*sleep" "$tmp/set/machine.json"
check "after SIGTERM everything is back" same
start
kill -TERM "$run"; wait "$run"
check "  and nothing is said where all stayed away" sh -c "! grep -q 'moved them back' '$tmp/run-err'"

start
kill -KILL "$run"; wait "$run" 2>/dev/null
check "after SIGKILL the record is there" [ -e /run/activemm-bench/isolate.json ]
sleep 0.5
run run thread --trials 1 --iterations 2000 -o "$tmp/next"
check "  and the next start says that it puts things back" grep -q "put back what a run that was killed had moved off CPU $cpu" "$tmp/err"
check "  everything is back" same

mkdir -p /run/activemm-bench && echo '{"files": [' >/run/activemm-bench/isolate.json && chmod 600 /run/activemm-bench/isolate.json
refuses "a damaged record is refused, and not acted upon" 1 "isolate.json is damaged" run thread --trials 1 -o "$tmp/damaged"
echo '{"pid": 1, "cpu": 0, "files": [{"path": "/proc/sys/kernel/panic", "old": "7", "new": "7"}]}' >/run/activemm-bench/isolate.json
chmod 644 /run/activemm-bench/isolate.json
refuses "one that others may read or write is, too" 1 "is not root's alone" run thread --trials 1 -o "$tmp/open"
rm -f /run/activemm-bench/isolate.json; rmdir /run/activemm-bench
kill "$free" "$own" "$breeder"
true
