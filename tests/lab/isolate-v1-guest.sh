#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In a lab kernel: --isolate where cpusets are cgroup v1's. Tasks in a cpuset leave by their affinity; what forks meanwhile stays away, too.
set -u
fail() { echo "not ok - $1"; exit 1; }
mkdir -p /cg
mount -t cgroup -o cpuset none /cg || fail "the cpuset controller cannot be mounted"
mkdir /cg/group
echo 0-1 >/cg/group/cpuset.cpus
echo 0 >/cg/group/cpuset.mems
sh -c 'while :; do sleep 1; done' &
task=$!
echo $task >/cg/group/cgroup.procs || fail "no task may enter the cpuset"
mask() { taskset -p "$1" | sed 's/.*: //'; }
activemm run thread --cpu 1 --isolate --trials 100 --iterations 3000 -o /tmp/set >/tmp/out 2>&1 &
run=$!
i=0
while ! [ -s /tmp/set/trials.jsonl ]; do i=$((i + 1)); [ $i -lt 300 ] || { cat /tmp/out; fail "the run did not begin"; }; sleep 0.1; done
sleep 2
[ "$(mask $task)" = 1 ] || fail "during the run the task in the cpuset has $(mask $task)"
forked=
while [ -z "$forked" ]; do # it lives for a second only
	forked=$(mask "$(cut -d' ' -f1 "/proc/$task/task/$task/children")" 2>/dev/null)
done
[ "$forked" = 1 ] || fail "during the run a task forked in the cpuset has $forked"
kill "-$1" $run
wait $run
if [ "$1" = KILL ]; then
	sleep 1
	activemm run thread --trials 1 --iterations 300 -o /tmp/next >/tmp/out 2>&1
	grep -q "put back" /tmp/out || { cat /tmp/out; fail "the next start did not put things back"; }
fi
[ "$(mask $task)" = 3 ] || fail "afterwards the task has $(mask $task)"
[ "$(cat /cg/group/cpuset.cpus)" = 0-1 ] || fail "the cpuset, which was 0-1, is $(cat /cg/group/cpuset.cpus)"
echo "ok - a task in a cpuset of cgroup v1 gives the CPU up and gets it back after SIG$1"
