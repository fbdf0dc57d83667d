#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the stand-ins and inner shells expand
# scripts/fleet with a real Slurm: three nodes of this machine, each a slurmd with a host name of its own, and by clush with an ssh that
# stays here. A node's death and its reboot are real to Slurm: its processes are killed, and come back with another kernel's name.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
export PATH=$PATH:/usr/sbin:/sbin
bin=$tmp/bin slurm=$tmp/slurm
mkdir "$bin" "$slurm"
sessions=(base --quick --iterations 60 --trials 1)
release=$(uname -r)
other=$(setarch --uname-2.6 uname -r 2>/dev/null)

# The suite, one node at a time: the nodes are one machine. A node with a file hold-NAME waits in its session.
cat >"$bin/suite" <<END
#!/bin/bash
[ "\$1" != run ] || [ "\${*: -1}" = /dev/null/set ] || { [ ! -e $tmp/break ] || { echo "activemm: it broke" >&2; exit 3; }; }
while [ -e $tmp/hold-\$(hostname) ] && [ "\${*: -1}" != /dev/null/set ]; do sleep 0.1; done
exec flock $tmp/turn $activemm "\$@"
END
printf '#!/bin/bash\nwhile [ "$1" != bash ]; do host=$1; shift; done\n[ "$host" != gone ] || { echo "ssh: connect to host gone: No route to host"; exit 255; }\n"$@"\n' >"$bin/ssh"
chmod +x "$bin"/*

# fleet ARGUMENTS...: its output in $tmp/out and $tmp/err, the status in $status
fleet() { "$top/scripts/fleet" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null; status=$?; }
sets() { (cd "$1/sets" 2>/dev/null && echo */*); }
# says TEXT: a line of the output is that, of one blank for many
says() { grep -qxF -- "$1" "$tmp/out" || { cat "$tmp/out" "$tmp/err"; false; }; }
refused() { # WHAT STATUS TEXT ARGUMENTS...
	local what=$1 want=$2 text=$3
	shift 3
	fleet "$@"
	check "$what" eval '[ "$status" = "$want" ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -qF -- "$text" "$tmp/err" && [ ! -e "$tmp/refused" ] || { cat "$tmp/err"; false; }'
}
# within SECONDS COMMAND: it becomes true
within() {
	local end=$((SECONDS + $1))
	until eval "$2"; do
		[ $SECONDS -lt $end ] || return
		sleep 0.2
	done
}

# --- a Slurm of three nodes

start_node() { # NUMBER [WORDS BEFORE slurmd]
	local n=$1
	shift
	unshare -u "$@" sh -c "hostname node$n; '$slurm/firmware' node$n & exec slurmd -D -N node$n" >"$slurm/node$n.out" 2>&1 </dev/null &
	within 3 "[ \"\$(readlink /proc/$!/ns/uts)\" != \"\$(readlink /proc/$$/ns/uts)\" ]"
	readlink "/proc/$!/ns/uts" >>"$slurm/names-$n"
}
kill_node() { # NUMBER: all that runs there
	local name pid
	[ -e "$slurm/names-$1" ] || return 0
	while read -r name; do
		for pid in /proc/[0-9]*; do
			[ "$(readlink "$pid/ns/uts" 2>/dev/null)" != "$name" ] || kill -9 "${pid#/proc/}" 2>/dev/null
		done
	done <"$slurm/names-$1"
}
start_slurm() {
	local n port=$((20000 + $$ % 20000))
	mkdir "$slurm/state" "$slurm/spool"
	export SLURM_CONF=$slurm/slurm.conf
	cat >"$SLURM_CONF" <<END
ClusterName=fleet
SlurmctldHost=$(hostname)(127.0.0.1)
SlurmUser=root
AuthType=auth/none
CredType=cred/none
SlurmctldPort=$port
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/spool/%n
SlurmctldPidFile=$slurm/slurmctld.pid
SlurmdPidFile=$slurm/%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
SelectType=select/linear
ReturnToService=2
SlurmdTimeout=2
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=1
NodeFeaturesPlugins=node_features/helpers
RebootProgram=$slurm/reboot
ResumeTimeout=60
PartitionName=all Nodes=ALL Default=YES MaxTime=10 OverSubscribe=EXCLUSIVE
END
	for n in 1 2 3; do
		sed -i "/^PartitionName/i NodeName=node$n NodeHostname=node$n NodeAddr=127.0.0.1 Port=$((port + n)) CPUs=1" "$SLURM_CONF"
	done
	# The features of our helper, which here chooses by a file what the stand-in of a reboot reads.
	printf 'Feature=kernel=%s Helper='"$slurm/feature"'\n' "${release//[^A-Za-z0-9._]/_}" "${other//[^A-Za-z0-9._]/_}" >"$slurm/helpers.conf"
	cat >"$slurm/feature" <<END
#!/bin/bash
[ \$# -gt 0 ] || exec $top/scripts/fleet.d/kernel-feature
echo "\$1" >$slurm/next-\$(hostname)
END
	cat >"$slurm/reboot" <<END
#!/bin/bash
node=\$(hostname)
cat $slurm/next-\$node >>$slurm/reboots-\$node
: >$slurm/down-\$node
END
	# What resets the machine is no child of what runs there: newer Slurms end what a RebootProgram leaves.
	cat >"$slurm/firmware" <<END
#!/bin/bash
node=\$1
while sleep 0.2; do
	[ -e $slurm/down-\$node ] || continue
	rm $slurm/down-\$node
	pid=\$(cat $slurm/\$node.pid) as=\$(uname -m)
	! grep -q kernel=2.6 $slurm/next-\$node || as="\$as --uname-2.6"
	kill \$pid
	while kill -0 \$pid; do sleep 0.1; done
	setarch \$as slurmd -b -D -N \$node </dev/null &
done >$slurm/\$node.boot 2>&1
END
	chmod +x "$slurm/feature" "$slurm/reboot" "$slurm/firmware"
	slurmctld -D -i >"$slurm/slurmctld.out" 2>&1 </dev/null &
	for n in 1 2 3; do start_node $n; done
}
end_slurm() {
	local n
	for n in 1 2 3; do kill_node $n; done
}
code=0
trap 'code=$?; end_slurm 2>/dev/null; (exit $code); finish' EXIT

lacks=
for tool in slurmctld slurmd sbatch sbcast; do command -v $tool >/dev/null || lacks="$tool is missing: install slurm-wlm (Fedora: slurm-slurmctld, slurm-slurmd)"; done
[ "$(id -u)" = 0 ] && unshare -u true 2>/dev/null || lacks="its nodes need root, and host names of their own"
[ -n "$other" ] && [ "$other" != "$release" ] || lacks="its kernels need setarch --uname-2.6"
[ -n "$lacks" ] || start_slurm

# --- without Slurm: by ssh, from the sources

if command -v clush >/dev/null; then
	mkdir "$tmp/suite-1"
	printf '#!/bin/sh\necho built >>%s/builds\nsleep 1\nprintf "all:\\n\\tcp %s/suite activemm\\n" >Makefile\n' "$tmp" "$bin" >"$tmp/suite-1/configure"
	chmod +x "$tmp/suite-1/configure"
	tar -C "$tmp" -czf "$tmp/suite-1.tar.gz" suite-1
	printf '# two, and one that is off\nhost1\nhost2\ngone\n' >"$tmp/hosts"
	PATH=$bin:$PATH fleet run --hosts "$tmp/hosts" --sessions 2 --activemm "$tmp/suite-1.tar.gz" -o "$tmp/ssh" -- "${sessions[@]}"
	check "hosts by ssh: a set for each session" [ "$(sets "$tmp/ssh")" = "host1/01-$release host1/02-$release host2/01-$release host2/02-$release" ]
	check "  the sources are built once" [ "$(cat "$tmp/builds")" = built ]
	check "  the host that is off is named, with ssh's word" eval 'says "3 nodes, 6 sessions: 4 done, 2 failed" && says "  session 01 02 failed: ssh: connect to host gone: No route to host"'
	sed -i 's/= gone/= never/' "$bin/ssh"
	# shellcheck disable=SC2034 # by eval
	before=$(stat -c %i "$tmp/ssh/sets/host1/01-$release")
	PATH=$bin:$PATH fleet resume "$tmp/ssh"
	check "  resume does what is missing, and only that" eval 'says "gone: 2 done" && [ "$before" = "$(stat -c %i "$tmp/ssh/sets/host1/01-$release")" ]'
	fleet collect "$tmp/ssh"
	check "  collect compares them" [ -s "$tmp/ssh/compare/comparison.json" ]
	# What goes wrong in a session leaves its reason; here without a scheduler.
	session() { "$tmp/ssh/session" "$tmp/ssh" "$@" >/dev/null 2>&1; }
	rm -r "$tmp/ssh/sets/host1/01-$release" && touch "$tmp/break"
	session host1 1 -
	fleet status "$tmp/ssh"
	check "a run that fails leaves its reason" says "  session 01 failed: activemm run ended with status 3 on host1: activemm: it broke"
	rm "$tmp/break"
	session host1 1 9.9
	check "  another kernel than asked, too" grep -qxF "host1 runs Linux $release, not 9.9 as asked" "$tmp/ssh/reasons/host1/01-9.9"
	mkdir "$tmp/full" && printf '#!/bin/sh\necho header\necho d 100 95 5 95%% /\n' >"$tmp/full/df" && chmod +x "$tmp/full/df"
	PATH=$tmp/full:$PATH session host1 1 -
	check "  and a full disk" grep -q "^no space is left at .* on host1$" "$tmp/ssh/reasons/host1/01"
	session host1 1 -
	check "  which a session that succeeds takes away" eval '[ ! -e "$tmp/ssh/reasons/host1/01" ] && [ -s "$tmp/ssh/sets/host1/01-$release/trials.jsonl" ]'
	echo 'two words' >"$tmp/hosts"
	refused "a hosts' file with something else" 2 "'two words' is not a host" run --hosts "$tmp/hosts" --activemm "$activemm" -o "$tmp/refused" -- thread
	refused "kernels without Slurm" 2 "--hosts takes no --kernel" run --hosts "$tmp/hosts" --kernel 6.1 -o "$tmp/refused" -- thread
else
	skip "hosts by ssh: clush is missing: install clustershell"
fi
refused "no folder" 2 "-o DIR is missing" run -- thread
refused "an unknown option" 2 "unknown option --nosuch" run --nosuch
refused "a number of sessions that is none" 2 "--sessions 0" run --sessions 0 -o "$tmp/refused" -- thread
refused "a kernel twice" 2 "6.1 is named twice" run --kernel 6.1 --kernel 6.1 -o "$tmp/refused" -- thread
refused "a scenario that is none" 2 "nosuch" run --activemm "$activemm" -o "$tmp/refused" -- nosuch
refused "a folder that is no fleet's" 1 "there is no $tmp/fleet" status "$tmp"

[ -z "$lacks" ] || { skip "Slurm: $lacks" && exit 0; }

# --- with Slurm

check "three nodes come up" within 10 '[ "$(sinfo -h -N -o %T | grep -c idle)" = 3 ]'
refused "a node that is none" 1 "Slurm has no node node9" run --nodes node9 --activemm "$activemm" -o "$tmp/refused" -- thread
refused "more nodes than there are" 1 "--nodes 4: only 3 nodes are up" run --nodes 4 --activemm "$activemm" -o "$tmp/refused" -- thread
refused "a feature that no node has" 1 "no node has what was asked for" run --constraint fast --activemm "$activemm" -o "$tmp/refused" -- thread
refused "a kernel that a node cannot boot" 1 "node1 has no feature kernel=9.9_x" run --nodes node1 --kernel 9.9-x --activemm "$activemm" -o "$tmp/refused" -- thread

suite=(--activemm "$bin/suite")
fleet run --nodes node3 --kernel "$other" --kernel "$release" "${suite[@]}" -o "$tmp/kernels" -- "${sessions[@]}"
check "kernels: a job each, in the plan's order, one after the other" eval '[ "$(wc -l <"$tmp/kernels/jobs")" = 2 ] && within 3 "squeue -h -o %R | grep -q Dependency"'

touch "$tmp/hold-node2"
fleet run --nodes 2 --sessions 2 "${suite[@]}" -o "$tmp/sets" -- "${sessions[@]}"
check "the first two nodes that are up" [ "$(cut -d ' ' -f 1 "$tmp/sets/nodes" | tr '\n' ' ')" = "node1 node2 " ]
check "one node does its sessions while another is in its first" within 10 '[ "$(sets "$tmp/sets")" = "node1/01-$release node1/02-$release" ]'
fleet status "$tmp/sets"
check "  status tells" eval 'says "2 nodes, 4 sessions: 2 done, 1 runs, 1 waits" && says "node1: 2 done"'
kill_node 2
# Before Slurm has noticed, an answer that is still under way brings a node back that was set down.
within 20 'sinfo -h -n node2 -o %T | grep -qx "down\*"'
scontrol update nodename=node2 state=down reason="no power"

scontrol update nodename=node1 state=drain reason="its disk"
fleet run --nodes node1 "${suite[@]}" -o "$tmp/drained" -- "${sessions[@]}"
fleet status "$tmp/drained"
check "a node that is drained is named" eval 'says "node1: 1 waits" && says "  session 01 waits: node drained: its disk"'
fleet cancel "$tmp/drained"
fleet status "$tmp/drained"
check "  cancel ends what waits" says "  session 01 failed: cancelled; node drained: its disk"
scontrol update nodename=node1 state=resume

fleet status "$tmp/sets"
# Slurm 24 no longer says then that it does not answer.
sed -i 's/node down, does not answer: /node down: /' "$tmp/out"
check "a node that dies loses its session" says "  session 01 failed: the node died (NODE_FAIL); node down: no power"
check "  and only that: the next one waits for the node" eval 'says "node2: 1 waits, 1 failed" && says "  session 02 waits: node down: no power"'
rm "$tmp/hold-node2"
start_node 2
check "  which does it when it is back" within 15 '[ -d "$tmp/sets/sets/node2/02-$release" ]'
fleet collect "$tmp/sets"
check "collect names what is missing" eval '[ "$status" = 0 ] && grep -q "^node2: 1 done, 1 failed$" "$tmp/err"'
printf '#!/bin/sh\necho "slurm_load_jobs error: no answer" >&2\nexit 1\n' >"$bin/squeue" && chmod +x "$bin/squeue"
PATH=$bin:$PATH fleet resume "$tmp/sets"
check "resume submits nothing where squeue is silent" eval '[ "$status" = 1 ] && grep -q "squeue does not answer: .*no answer" "$tmp/err"'
rm "$bin/squeue"
fleet resume "$tmp/sets"
check "resume submits that alone" grep -q "1 of 4 sessions submitted, on 1 nodes" "$tmp/err"
check "  and then all is there" within 15 'fleet status "$tmp/sets"; grep -qx "2 nodes, 4 sessions: 4 done" "$tmp/out"'
check "nothing of it is left half-done" [ -z "$(find "$tmp/sets" "$tmp/kernels" -name '.*')" ]

# What Slurm has forgotten its accounting tells; without, the log does.
sed -i 's/^[^ ]* node1 01/999 node1 01/' "$tmp/sets/jobs" && rm -r "$tmp/sets/sets/node1/01-$release"
echo 'slurmstepd: error: *** JOB 999 ON node1 CANCELLED AT 10:00 DUE TO TIME LIMIT ***' >"$tmp/sets/log/node1-999.log"
fleet status "$tmp/sets"
check "without accounting a job's log tells its end" says "  session 01 failed: *** JOB 999 ON node1 CANCELLED AT 10:00 DUE TO TIME LIMIT ***"
printf '#!/bin/sh\necho "999|TIMEOUT"\n' >"$bin/sacct" && chmod +x "$bin/sacct"
PATH=$bin:$PATH fleet status "$tmp/sets"
check "  and sacct where there is one" says "  session 01 failed: over its time limit (TIMEOUT): SBATCH_TIMELIMIT gives more"

first=$(head -n 1 "$tmp/kernels/jobs" | cut -d ' ' -f 4)
check "a node boots the kernel that was asked for, and does its session" within 35 '[ -e "$tmp/kernels/sets/node3/01-$first/summary.json" ]'
check "  by Slurm's RebootProgram and the feature" grep -qxF "kernel=${first//[^A-Za-z0-9._]/_}" "$slurm/reboots-node3"
fleet cancel "$tmp/kernels"
true
