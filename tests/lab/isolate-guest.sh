#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In a lab kernel: --isolate by the cpusets of cgroup v2. A group that inherits its CPUs and one that names them, a task in each.
set -u
fail() { echo "not ok - $1"; exit 1; }
mkdir -p /cg
mount -t cgroup2 none /cg || fail "cgroup2 cannot be mounted"
echo +cpuset >/cg/cgroup.subtree_control || fail "no cpuset controller"
mkdir /cg/inherits /cg/names
echo 0-1 >/cg/names/cpuset.cpus
for group in inherits names; do
	sleep 1000 &
	echo $! >"/cg/$group/cgroup.procs"
	[ $group = inherits ] && inherits=$!
done
sh -c 'echo $$ >/cg/inherits/cgroup.procs; exec activemm run thread --cpu 1 --isolate --trials 100 --iterations 3000 -o /tmp/set' >/tmp/out 2>&1 &
run=$!
i=0
while ! [ -s /tmp/set/trials.jsonl ]; do i=$((i + 1)); [ $i -lt 300 ] || { cat /tmp/out; fail "the run did not begin"; }; sleep 0.1; done
[ "$(taskset -p "$inherits" | sed 's/.*: //')" = 1 ] || fail "during the run the task whose group inherits has $(taskset -p "$inherits")"
[ "$(cat /cg/names/cpuset.cpus.effective)" = 0 ] || fail "during the run the group that names CPUs has $(cat /cg/names/cpuset.cpus.effective)"
grep -q "^0::/$" "/proc/$run/cgroup" || fail "the run is in $(cat "/proc/$run/cgroup")"
kill "-$1" $run
wait $run
if [ "$1" = KILL ]; then
	sleep 1
	activemm run thread --trials 1 --iterations 300 -o /tmp/next >/tmp/out 2>&1
	grep -q "put back" /tmp/out || { cat /tmp/out; fail "the next start did not put things back"; }
fi
[ "$(taskset -p "$inherits" | sed 's/.*: //')" = 3 ] || fail "afterwards the task whose group inherits has $(taskset -p "$inherits")"
[ "$(cat /cg/names/cpuset.cpus)" = 0-1 ] || fail "the group that named 0-1 now names $(cat /cg/names/cpuset.cpus)"
[ "$(cat /cg/names/cpuset.cpus.effective)" = 0-1 ] || fail "afterwards the group has $(cat /cg/names/cpuset.cpus.effective)"
echo "ok - cpusets of cgroup v2 give the CPU up and get it back after SIG$1"
