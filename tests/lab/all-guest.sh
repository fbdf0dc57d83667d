#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In a lab kernel: everything that is proved there, one after the other in one boot. Each section ends in a line
# "== NAME: STATUS"; test-kernels.sh reads them, and the result sets that the suite leaves.
# usage: all-guest.sh v1|v2: where --isolate finds its cpusets
cgroup=$1

section() {
	name=$1
	shift
	"$@" 2>&1
	echo "== $name: $?"
}

# It loads and unloads the module itself, so it comes before the others.
[ ! -e /kmod-test ] || section module /kmod-test /activemm.ko
kthread=
[ ! -e /activemm.ko ] || { insmod /activemm.ko && kthread=kthread:mode=lazy/isolated/leave/reload/flush; }

# An emulated CPU may need longer than 50 us to get to idle.
# shellcheck disable=SC2086 # may be empty
section claims activemm run thread process kworker kworker:membarrier=private idle:sleep=1000 ring:n=3 ring:n=8 process:handover=pipe $kthread \
	--trials 1 --iterations 400 -o "$ACTIVEMM_LAB_RESULTS/claims"
# What involves a second CPU, the idle task or an exit. Spinning partners are slow under emulation, and forks the more: few round trips.
section remote activemm run stopper interposed stale:mm=own/other shootdown:state=lazy/absent,op=mprotect/munmap \
	shootdown:state=active,op=madvise shootdown:state=left,op=mprotect/munmap refcount:n=2 flush:n=2,mm=shared/own --trials 1 --iterations 60 \
	-o "$ACTIVEMM_LAB_RESULTS/remote"
section exit activemm run exit:borrow=lazy/none --trials 1 --iterations 20 -o "$ACTIVEMM_LAB_RESULTS/exit"
section witness activemm info --json
section stories sh /bin/explain-guest.sh
[ ! -e /bin/workload ] || section watch sh /bin/watch-guest.sh activemm workload
for signal in TERM KILL; do
	section "isolate-$signal" sh /bin/isolate-guest.sh "$cgroup" $signal
done
