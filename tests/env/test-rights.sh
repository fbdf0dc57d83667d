#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Rights that are missing: users, capabilities, name spaces, system calls and files that are refused.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_root "missing rights" || exit 0

small=(thread process kworker --trials 1 --iterations 300)
drop() { echo "setpriv --bounding-set=$1 --inh-caps=-all"; }
docker=-all,+chown,+dac_override,+fowner,+fsetid,+kill,+setgid,+setuid,+setpcap,+net_bind_service,+net_raw,+sys_chroot,+mknod,+audit_write,+setfcap
as_nobody=(setpriv "--reuid=$nobody" "--regid=$nobody" --clear-groups)

# shellcheck disable=SC2046 # words
{
	outcome "root without CAP_SYS_NICE" "skipped" "CAP_SYS_NICE" $(drop -sys_nice) -- "${small[@]}" interposed
	outcome "root without CAP_PERFMON and CAP_SYS_ADMIN" "unverified" "CAP_PERFMON" $(drop -perfmon,-sys_admin) -- "${small[@]}"
	outcome "root with docker's default capabilities" "unverified|skipped" "UNVERIFIED" $(drop $docker) -- "${small[@]}" interposed ring:n=2 stopper
}
where=$tmp/user
set_kernel /proc/sys/kernel/perf_event_paranoid 2
outcome "a user without rights, perf_event_paranoid 2" "unverified" "CAP_PERFMON|perf_event_paranoid" "${as_nobody[@]}" -- "${small[@]}"
outcome "a user without rights, what needs a real-time priority" "skipped" "CAP_SYS_NICE" "${as_nobody[@]}" -- thread interposed ring:n=2 stopper --trials 1 --iterations 300
set_kernel /proc/sys/kernel/perf_event_paranoid -1
outcome "a user without rights, perf_event_paranoid -1, tracefs out of reach" "unverified|verified" "tracefs" "${as_nobody[@]}" -- "${small[@]}"
where=
set_kernel /proc/sys/kernel/perf_event_paranoid 3
outcome "root, perf_event_paranoid 3" "verified" "" -- thread process --trials 1 --iterations 300

set_kernel /proc/sys/kernel/perf_event_paranoid 2
outcome "a PID namespace of its own" "verified|unverified" "" unshare -pf --mount-proc -- "${small[@]}"
outcome "a user namespace of its own" "unverified|skipped" "user namespace" unshare -Ur -- "${small[@]}"
outcome "a container: mount, PID, IPC, UTS and net namespaces, docker's capabilities" "unverified" "UNVERIFIED" \
	unshare -mpfiun --mount-proc setpriv --bounding-set=$docker --inh-caps=-all -- "${small[@]}"
outcome "tracefs not mounted" "verified" "" unshare -m sh -c 'umount -l /sys/kernel/tracing /sys/kernel/debug 2>/dev/null; exec "$@"' - -- "${small[@]}"
outcome "tracefs hidden" "unverified" "trac" unshare -m sh -c 'mount -t tmpfs none /sys/kernel && exec "$@"' - \
	setpriv --bounding-set=-sys_admin --inh-caps=-all -- "${small[@]}"
where=$tmp/user
outcome "tracefs mounted and not readable" "unverified" "tracing" unshare -m sh -c 'mount -t tracefs none /sys/kernel/tracing; exec "$@"' - \
	"${as_nobody[@]}" -- "${small[@]}"
where=
outcome "/proc hidden (hidepid)" "verified|unverified" "" unshare -m sh -c 'mount -t proc -o hidepid=2 none /proc && exec "$@"' - -- "${small[@]}"
outcome "/sys not there" "verified|unverified" "" unshare -m sh -c 'mount -t tmpfs none /sys && exec "$@"' - -- "${small[@]}"
# LXCFS shows the container's CPUs, and numbers them anew.
head -n 1 /proc/stat >"$tmp/stat"
sed -n 's/^cpu0/cpu0/p; /^[^c]/p; /^ctxt/p' /proc/stat >>"$tmp/stat"
# shellcheck disable=SC2016 # the inner shell's
outcome "/proc/stat with other rows than CPUs (LXCFS)" "verified" "" unshare -m sh -c 'mount --bind "$0" /proc/stat && exec "$@"' "$tmp/stat" -- "${small[@]}"

# refusal WHAT CLASSES TEXT CALL ERROR[,FIRST] RUN'S ARGUMENTS
refusal() {
	local what=$1 classes=$2 text=$3 call=$4 error=${5%,*} first=${5#*,}
	shift 5
	[ "$first" != "$error" ] || first=1
	refuse "$call" "$error" "$first"
	outcome "$what" "$classes" "$text" "${refused[@]}" -- "$@"
}
if need_tool "refused system calls" cc; then
	refusal "pidfd_open not there (ENOSYS: before 5.3, gVisor)" "verified" "" pidfd_open ENOSYS "${small[@]}"
	refusal "pidfd_open refused (EPERM: seccomp)" "verified" "" pidfd_open EPERM "${small[@]}"
	refusal "sched_setscheduler not there (ENOSYS)" "skipped" "SCHED_FIFO was refused" sched_setscheduler ENOSYS thread interposed --trials 1 --iterations 300
	refusal "AIO contexts used up (io_setup EAGAIN)" "skipped" "aio-max-nr" io_setup EAGAIN "${small[@]}"
	refusal "AIO refused (io_setup EPERM: seccomp)" "skipped" "seccomp" io_setup EPERM "${small[@]}"
	refusal "AIO not there (io_setup ENOSYS)" "skipped" "CONFIG_AIO" io_setup ENOSYS "${small[@]}"
	refusal "perf_event_open refused (EPERM: seccomp)" "unverified" "seccomp" perf_event_open EPERM "${small[@]}"
	refusal "perf_event_open not there (ENOSYS)" "unverified" "CONFIG_PERF_EVENTS|perf_event_open" perf_event_open ENOSYS "${small[@]}"
	refusal "no descriptor for any event (perf_event_open EMFILE)" "unverified|refused" "descriptors" perf_event_open EMFILE "${small[@]}"
	refusal "no descriptor for a late event (perf_event_open EMFILE)" "unverified|refused" "descriptors" perf_event_open EMFILE,30 "${small[@]}"
	refusal "set_mempolicy refused (docker's seccomp)" "verified" "" set_mempolicy EPERM "${small[@]}"
	refusal "bpf refused (EPERM)" "verified" "" bpf EPERM "${small[@]}"
fi
true
