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
	stale:mm=own/other exit:borrow=lazy/none refcount:n=2 shootdown:state=lazy/active,op=mprotect --trials 1 --iterations 20 -o "$ACTIVEMM_LAB_RESULTS/claims"
# The emulated clock goes by instructions: what a task does by itself takes the same cycles each time.
section exact activemm run thread:handover=eventfd --cpu 1 --trials 2 --iterations 1000 -o "$ACTIVEMM_LAB_RESULTS/exact"
section explain activemm explain process --round-trips 2 --json

# Beside another user's events: of the PMU's seven counters the suite wants four. It has them while there are three others, in runs of two
# lengths, so that what a start costs goes; then there is no room for all; and what is pinned (D) gives nothing away.
[ -x /bin/perf ] || exit 0
beside() { # NAME ITERATIONS EVENTS
	perf stat -x, -o "$ACTIVEMM_LAB_RESULTS/perf-$1" -a -C 1 -e "$3" -- activemm run thread:handover=eventfd --cpu 1 --trials 1 \
		--iterations "$2" -o "$ACTIVEMM_LAB_RESULTS/beside-$1"
}
six=instructions:k,cycles:u,cycles:k,instructions:u,instructions:k,cycles:u pinned=
for event in $(echo $six | tr , ' '); do pinned=$pinned${event}D,; done
section 3-short beside 3-short 250 instructions:kD,cycles:u,cycles:k
section 3 beside 3 1000 instructions:kD,cycles:u,cycles:k
section 6 beside 6 1000 $six
section 7 beside 7 1000 $six,cycles:k
section 6-pinned beside 6-pinned 1000 "${pinned%,}"
section 7-pinned beside 7-pinned 100 "${pinned}cycles:kD"
