#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What else is there: CPUs that are not allowed, a task on the other CPU.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
small=(thread process kworker --trials 1 --iterations 300)
cpu=$(measured_cpu)

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

other=0
[ "$cpu" != 0 ] || other=1
hog "$other" 'b"busy"'
outcome "a task computes on the other CPU" "verified" "" -- "${small[@]}"
limit=100 outcome "a task computes on the other CPU, which shall be idle" "refused|disturbed|skipped|verified" "" -- thread shootdown:state=lazy --time 1 --iterations 300
kill $hog
wait $hog 2>/dev/null

true
