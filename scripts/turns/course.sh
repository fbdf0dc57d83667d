# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The course of things: start, what each boot does, the end, and what is told of it.
# shellcheck disable=SC2154 # shared with boot-turns

# One boot for each session and three tries of it at most: no loop.
readonly most_failed=3 mib_a_session=4
reason='' child=''

count_done() { find "${state[out]}" -maxdepth 1 -name "session-*-$1" 2>/dev/null | wc -l; } # SIDE, or *
free_mib() { df -Pk "$1" 2>/dev/null | awk 'NR == 2 { print int($4 / 1024) }'; }

# --- starting

# Program and script are there in the next boot, too.
programs_last() {
	lasts "$activemm" "the program"
	lasts "$self" "boot-turns"
}

# lasts PATH WHAT: not in memory
lasts() {
	case $(stat -f -c %T "$1" 2>/dev/null) in
	tmpfs | ramfs) fail "$2 ($1) is in memory and would be lost at the first boot: keep it on a disk" ;;
	esac
}

make_out() {
	local need=$((mib_a_session * $1 + 16)) have
	out=${out:-results/boots-$(date +%Y%m%d-%H%M%S)}
	[ -z "$(ls -A "$out" 2>/dev/null)" ] || fail "$out is not empty: name another -o"
	mkdir -p "$out" 2>/dev/null && [ -w "$out" ] || fail "$out cannot be made: name another -o"
	out=$(readlink -f "$out")
	[[ $out != *[$'\n"\\']* ]] || wrong "-o $out: a folder without line breaks, quotes and backslashes"
	lasts "$out" "-o"
	have=$(free_mib "$out")
	[ "${have:-0}" -ge "$need" ] || fail "$1 sessions need $need MiB, and ${have:-0} are free at $out"
}

check_numbers() {
	[ -n "$sessions" ] || wrong "--sessions N is missing"
	[[ $sessions =~ ^[1-9][0-9]{0,2}$ ]] || wrong "--sessions $sessions: a whole number from 1 to 999"
	[[ $settle =~ ^[0-9]{1,4}$ ]] || wrong "--settle $settle: seconds, up to 9999"
}

start() {
	local i
	check_numbers
	as_root "boot kernels"
	! under_way || fail "one is under way (session ${state[session]} of $(sessions_in_all)): $0 status, or stop"
	state=()
	! in_own_boot || fail "this is a boot of boot-turns' own, with other parameters than the machine's: reboot first"
	state[line]=$(own_line)
	find_sides
	find_program
	programs_last
	check_run_options
	state[order]=$(random_order "$sides" "$sessions")
	choose_method
	choose_service
	make_out "$(sessions_in_all)"
	state[out]=$out state[program]=$activemm state[settle]=$settle state[began]=$(date +%s)
	state[arguments]=${#arguments[@]}
	for ((i = 0; i < ${#arguments[@]}; i++)); do state[argument.$i]=${arguments[i]}; done
	mkdir -p "$folder" 2>/dev/null && lock 0 || fail "$folder cannot be written"
	trap 'undo; exit 130' INT TERM HUP
	install_loader || { undo && exit 1; }
	write_state phase=next session=1 failed=0 lost=0 && install_service ||
		{ undo && fail "what starts it at boot, or $folder/state, cannot be written; nothing of it is left"; }
	note "$(sessions_in_all) sessions in the order ${state[order]}, by ${state[method]}${state[loader]:+ (${state[loader]})}"
	for i in ${state[sides]}; do note "$(describe "$i")"; done
	[ "${state[method]}" = kexec ] || [ -z "$kexec_said" ] || note "not by kexec: $kexec_said"
	say "the first boot comes in 5 s (Ctrl-C: not at all); then \`$0 status', and $out/turns.log"
	sleep 5
	trap - INT TERM HUP
	next_boot
}

# The loader's entries may be lacking where kexec does without.
install_loader() {
	if [ "${state[method]}" = loader ]; then
		(install_entries)
	elif ! (install_entries) 2>/dev/null; then
		remove_entries
		state[loader]=''
	fi
}

# --- in each boot

go_on() {
	local side
	as_root "go on"
	read_state || exit 0
	lock 0 || exit 0
	trap 'on_signal' INT TERM HUP
	side=$(side_of "${state[session]}")
	case ${state[phase]} in
	running) reason="its session did not end: the machine went down, or the kernel did" ;;
	ending)
		finish
		exit
		;;
	ended)
		remove_service
		exit
		;;
	esac
	# Also where the next boot is to come at once: that is the user's time to stop it.
	wait_for_system
	if still_armed; then
		disarm_entry
		end_it "GRUB did not clear its one-shot entry"
	elif [ "${state[phase]}" = booting ] && came_up "$side"; then
		run_session "$side" || boot_failed "$side"
	elif [ "${state[phase]}" != next ]; then
		[ -n "$reason" ] || not_up
		boot_failed "$side"
	fi
	next_boot
}

# A kexec that ends in the default kernel may be the kexec's fault.
not_up() {
	reason="it did not come up: this is $(uname -r)$(in_own_boot || echo ", the default boot")"
	if [ "${state[method]}" = kexec ] && [ -n "${state[loader]}" ]; then
		reason="$reason; by the boot loader from now on"
		state[method]=loader
	fi
}

on_signal() {
	[ -z "$child" ] || kill "$child" 2>/dev/null && wait "$child" 2>/dev/null
	exit 143
}

# Runs a command that a signal to this shell ends at once, and that does not hold the lock.
interruptible() {
	local status
	"$@" {lock_fd}>&- &
	child=$!
	wait "$child"
	status=$?
	child=
	return $status
}

boot_failed() { # SIDE
	note "session ${state[session]} ($(describe "$1")): $reason"
	write_state phase=next failed=$((state[failed] + 1)) lost=$((state[lost] + 1)) || cannot_write
	[ "${state[failed]}" -lt $most_failed ] || end_it "$most_failed boots in a row failed, the last one of $(describe "$1"): $reason"
}

# In a boot whose loss could not be written down nothing is booted any more.
cannot_write() {
	outcome="the state in $folder cannot be written (is the disk full?)"
	note "$outcome"
	undo
	exit 1
}

# Runs a session of a side and files its set. Fails with reason set.
run_session() {
	local set status final
	arguments_of_state
	set=${state[out]}/unfinished
	final=${state[out]}/session-$(printf %02d "${state[session]}")-$1
	write_state phase=running "boot_id=$(boot_id)" || cannot_write
	note "session ${state[session]} of $(sessions_in_all): $(describe "$1"), Linux $(uname -r)"
	rm -rf "$set" "$set.err"
	interruptible "${state[program]}" run "${arguments[@]}" -o "$set" >"$set.out" 2>"$set.err"
	status=$?
	[ $status -ne 2 ] || end_it "activemm run takes its options no more: $(tail -n 1 "$set.err")"
	if [ ! -s "$set/summary.json" ] || [ ! -s "$set/trials.jsonl" ]; then
		reason="activemm run ended with status $status: $(tail -n 1 "$set.err")"
		return 1
	fi
	rm -rf "$final"
	mv "$set.out" "$set/summary.txt" && mv "$set" "$final" && sync || { reason="$final cannot be written" && return 1; }
	rm -f "$set.err"
	write_state phase=next session=$((state[session] + 1)) failed=0 || cannot_write
}

next_boot() {
	local side
	[ "${state[session]}" -le "$(sessions_in_all)" ] || end_it ""
	side=$(side_of "${state[session]}")
	[ "$(free_mib "${state[out]}")" -ge $((2 * mib_a_session)) ] || end_it "no space is left at ${state[out]}"
	prepare_boot "$side" || end_it "$reason"
	write_state phase=booting "asked_in=$(boot_id)" || { unload_kexec && disarm_entry && cannot_write; }
	note "booting for session ${state[session]} of $(sessions_in_all): $(describe "$side")"
	leave_boot
	wait_to_die
	end_it "the boot that was asked for did not come"
}

# What was asked to go down takes a while.
wait_to_die() { interruptible sleep "${ACTIVEMM_TURNS_DOWN:-600}"; }

# --- the end

# end_it WHY: to the default kernel, and there the end; WHY is empty where all is done.
end_it() {
	state[outcome]=$1
	[ -z "$1" ] || note "ends: $1"
	unload_kexec
	if in_own_boot && write_state phase=ending; then
		note "back to the default kernel"
		plain_reboot
		wait_to_die
	fi
	finish
	exit
}

undo() {
	unload_kexec
	remove_entries
	remove_service
	rm -f "$folder/state" "$folder/state.new"
}

# Takes everything away, compares, and says how it ended.
finish() {
	unload_kexec
	remove_entries
	remove_service
	rm -rf "${state[out]}"/unfinished*
	compare_sets
	write_state phase=ended || rm -f "$folder/state"
	note "${state[outcome]:-done}: $(count_done '*') of $(sessions_in_all) sessions are in ${state[out]}, ${state[lost]} boots failed"
	[ -z "${state[outcome]}" ]
}

# Side by side: the first one's sets are the base's. Two sides with a set each, at least.
compare_sets() {
	local side set sets=() sides=0 before into=${state[out]}/compare.txt
	for side in ${state[sides]}; do
		before=${#sets[@]}
		for set in "${state[out]}"/session-*-"$side"; do
			[ ! -d "$set" ] || sets+=("$set")
		done
		[ ${#sets[@]} = "$before" ] || sides=$((sides + 1))
	done
	[ $sides -ge 2 ] || return 0
	"${state[program]}" compare "${sets[@]}" >"$into" 2>"$into.err"
	cat "$into"
	[ ! -s "$into.err" ] || note "compare: $(tail -n 1 "$into.err")"
	rm -f "$into.err"
}

stop() {
	local pid
	as_root "stop it"
	under_way || fail "nothing is under way"
	pid=$(cat "$folder/lock" 2>/dev/null)
	if ! lock 0; then
		[ -z "$pid" ] || kill "$pid" 2>/dev/null
		lock 120 || fail "process $pid does not end: kill it, and try again"
	fi
	under_way || exit 0
	state[outcome]="stopped before session ${state[session]} was done"
	finish
	! in_own_boot || say "this machine still runs a kernel of boot-turns': reboot for the default one"
	exit 0
}

# --- what is told

status() {
	local side ready left took
	read_state || fail "nothing was started on this machine"
	ready=$(count_done '*')
	case ${state[phase]} in
	ended) echo "ended: ${state[outcome]:-all sessions are done}" ;;
	ending) echo "on the way back to the default kernel" ;;
	running) echo "session ${state[session]} of $(sessions_in_all) runs" ;;
	*) echo "on the way to session ${state[session]} of $(sessions_in_all)" ;;
	esac
	for side in ${state[sides]}; do
		echo "  $(describe "$side"): $(count_done "$side") of $(tr ' ' '\n' <<<"${state[order]}" | grep -c "$side") sessions"
	done
	echo "  order ${state[order]}; ${state[lost]} boots failed; by ${state[method]}; sets and turns.log in ${state[out]}"
	[ "${state[phase]}" != ended ] && [ "$ready" -gt 0 ] || return 0
	took=$(($(date +%s) - state[began]))
	left=$((took / ready * ($(sessions_in_all) - ready) / 60))
	echo "  $((took / 60)) minutes so far, about $left to go"
}
