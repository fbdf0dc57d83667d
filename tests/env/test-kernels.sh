#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Other kernels' surroundings, in the lab: parameters, control groups of version 2, a real-time kernel. Counts are exact there, times mean nothing.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
lab=$env/../../scripts/kernel-lab

# boot NAME KERNEL PARAMETERS SITUATION...: in the background, what it leaves in $tmp/NAME
boot() {
	local name=$1 kernel=$2 params=$3
	shift 3
	"${locale[@]}" "$lab" boot "$kernel" --boot "$params" --activemm "$activemm" --file "$env/guest.sh:/bin/guest.sh" --results "$tmp/$name" --time 300 \
		-- sh /bin/guest.sh "$@" >"$tmp/$name.log" 2>&1
	echo $? >"$tmp/$name.status"
}

# judged WHAT CLASSES TEXT BOOT SITUATION
judged() {
	local what=$1 classes=$2 text=$3 dir=$tmp/$4/$5 lab_status got said
	lab_status=$(cat "$tmp/$4.status")
	if [ "$lab_status" = 3 ] || [ "$lab_status" = 77 ]; then
		cannot "$what" "$(grep -m 1 kernel-lab: "$tmp/$4.log")"
		return
	fi
	cp "$tmp/$4.log" "$tmp/err"
	[ ! -d "$dir" ] || cp "$dir/out" "$dir/err" "$tmp"
	set=$dir/set
	if ! [ -s "$dir/status" ]; then
		got=WRONG said="the kernel lab ended with $lab_status: $(tail -n 1 "$tmp/$4.log")"
	else
		IFS=$'\t' read -r got said < <("$env/judge.py" "$set" "$(cat "$dir/status")" "$dir/out" "$dir/err")
	fi
	verdict "$what" "$classes" "$text"
}

locale=()
boot parameters newest "isolcpus=1 mitigations=off" isolated quota memory pids cpuset &
# The lab itself, where a number has a comma.
! command -v localedef >/dev/null || ! localedef -i de_DE -f UTF-8 "$tmp/de_DE.UTF-8" 2>/dev/null || locale=(env "LOCPATH=$tmp" LC_ALL=de_DE.UTF-8)
boot locked newest "lockdown=confidentiality nopcid mitigations=off" plain
german=${locale[*]} locale=()
boot rt rt mitigations=off scenarios design &
wait
judged "isolcpus=1, that CPU asked for" "verified" "" parameters isolated
judged "a CPU quota (cgroup v2)" "skipped|disturbed" "quota" parameters quota
judged "a memory limit (cgroup v2)" "skipped" "control group|memory" parameters memory
judged "no task more (pids.max, cgroup v2)" "refused|skipped" "start|fork|process" parameters pids
judged "a cpuset of one CPU (cgroup v2)" "skipped" "second CPU" parameters cpuset
judged "lockdown=confidentiality" "unverified" "[Ll]ockdown" locked plain
ACTIVEMM_ENV_REALTIME=yes judged "a PREEMPT_RT kernel" "verified" "" rt scenarios
judged "a claim that a kernel does not keep by design (interposed, PREEMPT_RT)" "skipped" "3 times out of 3 with nobody else there" rt design

case $german,$(cat "$tmp/locked.status") in
,* | *,3 | *,77) cannot "the kernel lab in a locale with a decimal comma" "no such locale, or no kernel" ;;
*) check "the kernel lab in a locale with a decimal comma" [ "$(cat "$tmp/locked.status")" = 0 ] ;;
esac
true
