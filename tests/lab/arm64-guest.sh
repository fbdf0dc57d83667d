#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In an arm64 lab kernel: what the machine's record and the counters say there, and the claims. Sections as in all-guest.sh.
section() {
	name=$1
	shift
	"$@" 2>&1
	echo "== $name: $?"
}

section info activemm info --json
# A yield may give the task the CPU back there; a ring's second handover is for where nobody is preempted. Spins are slow: few round trips.
section claims activemm run thread:handover=eventfd process:handover=eventfd kworker ring:n=3/8,handover=eventfd interposed stopper \
	stale:mm=own/other exit:borrow=lazy/none refcount:n=2 shootdown:state=lazy/active,op=mprotect --trials 1 --iterations 40 -o "$ACTIVEMM_LAB_RESULTS/claims"
# The emulated clock goes by instructions: what a task does by itself takes the same cycles each time.
section exact activemm run process:handover=eventfd --trials 3 --iterations 100 -o "$ACTIVEMM_LAB_RESULTS/exact"

# perf, around runs of two lengths, so that what a start costs goes; and one run beside another user's events, of which the PMU has no room for all.
[ -x /bin/perf ] || exit 0
around() {
	for n in 500 1500; do
		perf stat -x, -o "$ACTIVEMM_LAB_RESULTS/perf-$n" -a -C 1 -e instructions -- activemm run thread:handover=eventfd --cpu 1 \
			--trials 1 --iterations $n -o "$ACTIVEMM_LAB_RESULTS/own-$n" || return
	done
}
section around around
beside() {
	perf stat -x, -o "$ACTIVEMM_LAB_RESULTS/foreign" -a -C 1 -e cycles:u,cycles:k,instructions:u,instructions:k,cycles,instructions,cycles:u -- sleep 100 &
	foreign=$!
	sleep 0.3
	activemm run thread:handover=eventfd --cpu 1 --trials 1 --iterations 1500 -o "$ACTIVEMM_LAB_RESULTS/beside"
	status=$?
	kill $foreign
	wait $foreign
	return $status
}
section beside beside
