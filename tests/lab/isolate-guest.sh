#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# In a lab kernel: --isolate where cpusets are cgroup v2's or v1's, ended by a signal.
# usage: isolate-guest.sh v1|v2 TERM|KILL
set -u
tasks=
fail() { echo "not ok - $1"; exit 1; }
# For the next one in this boot: the groups go with their tasks.
leave() {
	# shellcheck disable=SC2086 # a list of pids
	kill $tasks && wait $tasks
	echo $$ >/cg/cgroup.procs
	i=0
	until rmdir /cg/*/ 2>/dev/null; do i=$((i + 1)); [ $i -lt 50 ] || break; sleep 0.1; done
	umount /cg
}
trap leave EXIT
mask() { taskset -p "$1" | sed 's/.*: //'; }
version=$1 signal=$2

# v2: a group that inherits its CPUs and one that names them, a task in each.
prepare_v2() {
	mount -t cgroup2 none /cg || fail "cgroup2 cannot be mounted"
	echo +cpuset >/cg/cgroup.subtree_control || fail "no cpuset controller"
	mkdir /cg/inherits /cg/names
	echo 0-1 >/cg/names/cpuset.cpus
	for group in names inherits; do
		sleep 1000 &
		task=$!
		tasks="$tasks $task"
		echo $task >"/cg/$group/cgroup.procs"
	done
	own=/cg/inherits/cgroup.procs
}
during_v2() {
	[ "$(cat /cg/names/cpuset.cpus.effective)" = 0 ] || fail "during the run the group that names CPUs has $(cat /cg/names/cpuset.cpus.effective)"
	grep -q "^0::/$" "/proc/$run/cgroup" || fail "the run is in $(cat "/proc/$run/cgroup")"
}
after_v2() {
	[ "$(cat /cg/names/cpuset.cpus)" = 0-1 ] || fail "the group that named 0-1 now names $(cat /cg/names/cpuset.cpus)"
	[ "$(cat /cg/names/cpuset.cpus.effective)" = 0-1 ] || fail "afterwards the group has $(cat /cg/names/cpuset.cpus.effective)"
}

# v1: a task in a cpuset leaves by its affinity; what it forks meanwhile stays away, too.
prepare_v1() {
	mount -t cgroup -o cpuset none /cg || fail "the cpuset controller cannot be mounted"
	mkdir /cg/group
	echo 0-1 >/cg/group/cpuset.cpus
	echo 0 >/cg/group/cpuset.mems
	sh -c 'while :; do sleep 1; done' &
	task=$!
	tasks=$task
	echo $task >/cg/group/cgroup.procs || fail "no task may enter the cpuset"
	own=/cg/cgroup.procs
}
during_v1() {
	forked=
	while [ -z "$forked" ]; do # it lives for a second only
		forked=$(mask "$(cut -d' ' -f1 "/proc/$task/task/$task/children")" 2>/dev/null)
	done
	[ "$forked" = 1 ] || fail "during the run a task forked in the cpuset has $forked"
}
after_v1() {
	[ "$(cat /cg/group/cpuset.cpus)" = 0-1 ] || fail "the cpuset, which was 0-1, is $(cat /cg/group/cpuset.cpus)"
}

mkdir -p /cg
"prepare_$version"
sh -c 'echo $$ >"$1"; exec activemm run thread --cpu 1 --isolate --trials 100 --iterations 3000 -o "$2"' - "$own" "/tmp/set-$signal" >/tmp/out 2>&1 &
run=$!
i=0
while ! [ -s "/tmp/set-$signal/trials.jsonl" ]; do i=$((i + 1)); [ $i -lt 300 ] || { cat /tmp/out; fail "the run did not begin"; }; sleep 0.1; done
# Children made before the run began keep their CPUs.
[ "$version" = v2 ] || sleep 2
[ "$(mask "$task")" = 1 ] || fail "during the run the task has $(mask "$task")"
"during_$version"
kill "-$signal" $run
wait $run
if [ "$signal" = KILL ]; then
	sleep 1
	activemm run thread --trials 1 --iterations 300 -o "/tmp/next-$signal" >/tmp/out 2>&1
	grep -q "put back" /tmp/out || { cat /tmp/out; fail "the next start did not put things back"; }
fi
[ "$(mask "$task")" = 3 ] || fail "afterwards the task has $(mask "$task")"
"after_$version"
echo "ok - cgroup $version: the CPU is given up and comes back after SIG$signal"
