# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What outlives a boot: one file of key=value, whole at any moment, and a lock.
# shellcheck disable=SC2154 # shared with boot-turns

# phase     next: the next session's boot is to come; booting, running: session's boot was asked for, its session began;
#           ending: on the way back to the default kernel; ended
# session   its number, from 1; order: "A B B A"; sides: "A B"; kernel.A, release.A, boot.A; argument.0...: of activemm run
# failed    boots that failed in a row; lost: in all
# asked_in  the boot that asked for this one; outcome: why it ended
declare -A state=()

read_state() {
	local key value
	[ -r "$folder/state" ] || return 1
	state=()
	while IFS='=' read -r key value; do
		state[$key]=$value
	done <"$folder/state"
	[ -n "${state[phase]:-}" ]
}

under_way() { read_state && [ "${state[phase]}" != ended ]; }

print_state() {
	local key
	for key in "${!state[@]}"; do
		printf '%s=%s\n' "$key" "${state[$key]}" || return
	done
}

# write_state [KEY=VALUE]...: on the disk when it returns, the old or the new one whatever happens meanwhile.
write_state() {
	local pair
	for pair; do state[${pair%%=*}]=${pair#*=}; done
	print_state >"$folder/state.new" 2>/dev/null && sync "$folder/state.new" &&
		mv -f "$folder/state.new" "$folder/state" && sync "$folder"
}

# One at a time. The lock's file has the process that holds it.
lock() {
	local try
	exec {lock_fd}>>"$folder/lock" || return 1
	for ((try = 0; ; try++)); do
		! flock -n "$lock_fd" || break
		[ $try -lt "$1" ] || return 1
		sleep 0.5
	done
	echo $$ >"$folder/lock"
}

boot_id() { cat "$root/proc/sys/kernel/random/boot_id"; }

# note WORDS: on the console and in the log beside the sets
note() {
	say "$*"
	printf '%s %s\n' "$(date '+%F %T')" "$*" >>"${state[out]}/turns.log" 2>/dev/null || :
}

arguments_of_state() {
	local i
	arguments=()
	for ((i = 0; i < state[arguments]; i++)); do arguments+=("${state[argument.$i]}"); done
}
