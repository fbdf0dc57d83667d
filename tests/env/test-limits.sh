#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is used up: descriptors, processes, memory, CPU time, AIO contexts, huge pages, disks.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
small=(thread process kworker --trials 1 --iterations 300)

# shellcheck disable=SC2016 # the inner shell's
limited=(bash -c 'ulimit $0 && exec "$@"')
outcome "24 descriptors (ulimit -n 24)" "verified|unverified|refused|skipped" "descriptors" "${limited[@]}" "-n 24" -- "${small[@]}"
outcome "12 descriptors" "unverified|refused|skipped" "descriptors" "${limited[@]}" "-n 12" -- "${small[@]}"
outcome "6 descriptors" "unverified|refused|skipped" "descriptors" "${limited[@]}" "-n 6" -- "${small[@]}"
outcome "a ring with few descriptors" "verified|unverified|refused|skipped" "descriptors" "${limited[@]}" "-n 40" -- thread ring:n=16 --trials 1 --iterations 300
outcome "no core, no locked memory" "verified" "" "${limited[@]}" "-c 0 -l 0" -- "${small[@]}"
outcome "an address space of 300 MB (ulimit -v)" "verified|unverified|skipped|refused" "memory|Cannot allocate" "${limited[@]}" "-v 300000" -- "${small[@]}" process:pages=4096
outcome "files of 16 KiB (ulimit -f)" "verified|refused" "File too large" "${limited[@]}" "-f 16" -- "${small[@]}"

need_root "limits of control groups" || exit 0
where=$tmp/user
# shellcheck disable=SC2016 # the inner shell's
outcome "no process more for the user (ulimit -u)" "refused|skipped" "process|fork" \
	setpriv --reuid=65533 --regid=$nobody --clear-groups bash -c 'ulimit -u 1 && exec "$@"' - -- "${small[@]}"
where=

if group pids pids.max=2 -- pids.max=2; then
	outcome "no task more for the control group (pids.max)" "refused|skipped" "fork|process|pids" "${inside[@]}" "$procs" -- "${small[@]}"
else
	cannot "no task more for the control group (pids.max)" "no pids controller"
fi

if group memory memory.limit_in_bytes=14M -- memory.max=14M memory.swap.max=0; then
	outcome "a memory limit of the control group" "skipped" "memory|control group" "${inside[@]}" "$procs" -- thread process:pages=64/4096 --trials 1 --iterations 300
else
	cannot "a memory limit of the control group" "no memory controller"
fi

run run thread --trials 1 --iterations 3000 -o "$tmp/quiet"
if group cpu cpu.cfs_period_us=100000 cpu.cfs_quota_us=10000 -- "cpu.max=10000 100000"; then
	quiet=$tmp/quiet outcome "a CPU quota of the control group" "skipped|refused|disturbed" "quota" "${inside[@]}" "$procs" -- thread --trials 1 --iterations 6000
	check "  what it always stops is tried three times and no more" json "$set/trials.jsonl" "sum(v['what'] == 'quota' for x in t for v in x['violations']) <= 3"
	outcome "a CPU quota, unverified" "skipped|refused|disturbed" "quota" "${inside[@]}" "$procs" setpriv --bounding-set=-all --inh-caps=-all -- thread --trials 1 --iterations 6000
	"${inside[@]}" "$procs" "$activemm" info >"$tmp/out" 2>"$tmp/err"
	check "  info warns of the quota" grep -qiE "quota" "$tmp/out"
	if group cpu cpu.cfs_period_us=100000 cpu.cfs_quota_us=20000 -- "cpu.max=20000 100000"; then
		outcome "a CPU quota of 20 %, and trials that fit into its slices" "verified|disturbed" "" "${inside[@]}" "$procs" -- thread process kworker --quick --trials 2
		check "  hardly one is stopped by it" json "$set/trials.jsonl" "sum(v['what'] == 'quota' for x in t for v in x['violations']) <= 2"
	fi
else
	cannot "a CPU quota of the control group" "no cpu controller"
fi

set_kernel /proc/sys/fs/aio-max-nr "$(cat /proc/sys/fs/aio-nr)"
outcome "AIO contexts used up (fs.aio-max-nr)" "skipped" "aio-max-nr" -- "${small[@]}"
undo_all

thp=/sys/kernel/mm/transparent_hugepage/enabled
[ ! -w $thp ] || set_kernel $thp never
refuse madvise EINVAL # MADV_COLLAPSE makes huge pages where none are wanted
if [ -w /proc/sys/vm/nr_hugepages ] && set_kernel /proc/sys/vm/nr_hugepages 4 && [ "$(cat /proc/sys/vm/nr_hugepages)" = 4 ]; then
	python3 -c '
import mmap, time
m = mmap.mmap(-1, 4 << 21, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000)
for i in range(4):
    m[i << 21] = 1
print("held", flush=True)
time.sleep(60)' >"$tmp/held" &
	user=$!
	undo kill $user
	until [ -s "$tmp/held" ] || ! kill -0 $user 2>/dev/null; do sleep 0.02; done
	outcome "a pool of huge pages that others use" "skipped" "in use|others" "${refused[@]}" -- thread process:pages=64,pagesize=2m --trials 1 --iterations 300
	kill $user
	wait $user 2>/dev/null
else
	cannot "a pool of huge pages that others use" "no huge pages can be reserved"
fi
echo 0 2>/dev/null >/proc/sys/vm/nr_hugepages
outcome "huge pages neither reserved nor transparent" "skipped" "nr_hugepages" "${refused[@]}" -- thread process:pages=64,pagesize=2m --trials 1 --iterations 300
undo_all

if mkdir "$tmp/full" && undo umount -l "$tmp/full" && mount -t tmpfs -o size=64k none "$tmp/full"; then
	dd if=/dev/zero of="$tmp/full/filler" bs=4k >/dev/null 2>&1
	where=$tmp/full outcome "a full disk" "refused" "are free there" -- "${small[@]}"
	umount -l "$tmp/full" && mount -t tmpfs -o size=17m none "$tmp/full"
	# Fills up once the first trials are there; empty again where it is tried again.
	# shellcheck disable=SC2016 # the inner shell's
	where=$tmp/full outcome "a disk that fills up during the run" "refused" "No space left" sh -c '
		rm -rf "$0"/filler "$0"/set-*
		for i in $(seq 300); do ! [ -s "$0"/set-*/trials.jsonl ] || break; sleep 0.02; done && cat /dev/zero 2>/dev/null >"$0/filler" &
		exec "$@"' "$tmp/full" -- thread process --trials 60 --iterations 300
	undo_all
fi
where=/dev/full outcome "a result folder below a device" "refused" "" -- "${small[@]}"
# shellcheck disable=SC2016 # the inner shell's
outcome "a full standard output" "refused|verified" "" sh -c 'exec "$@" >/dev/full' - -- "${small[@]}"
true
