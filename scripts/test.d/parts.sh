# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs parts of the tests, one alone or several beside each other, and counts. Sourced by scripts/test.
# shellcheck disable=SC2154 # shared with scripts/test
passed=0 failed=0 skipped=0
declare -A running=() name_of=() began=() command_of=()
slots=$(nproc) # parts at a time
queued=() queued_commands=() # parts that wait for a CPU that nobody measures on
repeat=no # what fails is done once more, alone, before it counts
again=() again_commands=() second=()

# Nearly all of a short trial's time goes by in waits for RCU's grace periods, when its events are closed: until the end they are hastened.
readonly grace=/sys/kernel/rcu_expedited
grace_was=
hasten() { [ ! -w $grace ] || [ -n "$listing" ] || { grace_was=$(cat $grace) && echo 1 >$grace; }; }

# shellcheck disable=SC2317,SC2329 # called by the trap
end_parts() {
	local pid
	# Each part leads a process group of its own.
	for pid in "${!running[@]}"; do kill -- "-$pid" 2>/dev/null; done
	wait
	[ -z "$grace_was" ] || echo "$grace_was" >$grace
}
trap end_parts EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

section() { [ -n "$listing" ] || printf '\n== %s (%ds)\n' "$1" "$SECONDS"; }
log_of() { echo "$build/$(echo "$1" | tr -c 'A-Za-z0-9\n' -).log"; }

# chosen NAME: is it asked for?
chosen() {
	local pattern
	[ ${#only[@]} -gt 0 ] || return 0
	# shellcheck disable=SC2053 # a pattern
	for pattern in "${only[@]}"; do [[ $1 == *$pattern* ]] && return; done
	return 1
}

# tally NAME STATUS LOG: adds a part's last line "N passed, N failed[, N skipped]"; without one the part is one test.
tally() {
	local last
	last=$(grep -E '^[0-9]+ passed, [0-9]+ failed' "$3" | tail -n 1)
	if [ -n "$last" ]; then
		# shellcheck disable=SC2086,SC2046 # words are wanted
		set -- "$1" "$2" "$3" $(echo "$last" | grep -oE '[0-9]+')
		passed=$((passed + $4)) failed=$((failed + $5)) skipped=$((skipped + ${6:-0}))
		[ "$2" = 0 ] || [ "$5" != 0 ] || failed=$((failed + 1))
	elif [ "$2" = 77 ]; then
		skipped=$((skipped + 1))
	elif [ "$2" = 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
	case $2 in
	0 | 77) ;;
	*) echo "FAILED: $1" && grep -vE '^(ok|PASS)' "$3" | tail -n 40 ;;
	esac
}

# tell NAME HOW BEGAN LOG: a part's line: how it ended, how long it took, how much CPU time, and its count
tell() {
	printf '%-44s %-8s %4d s, CPU %4.0f s  %s\n' "$1" "$2" $((SECONDS - $3)) "$(sed -n 's/^CPU: //p' "$4" | awk '{s = $1 + $2} END {print s + 0}')" \
		"$(grep -E '^[0-9]+ passed' "$4" | tail -n 1)"
}

# Waits for one part that runs, and counts it.
end_part() {
	local pid status name log
	wait -n -p pid "${!running[@]}"
	status=$?
	name=${name_of[$pid]} log=$(log_of "${name_of[$pid]}")
	unset "running[$pid]"
	if [ "$repeat" = yes ] && [ "$status" != 0 ] && [ "$status" != 77 ]; then
		again+=("$name") again_commands+=("${command_of[$pid]}")
		tell "$name" again "${began[$pid]}" "$log"
		grep -E -A 12 '^(not ok|FAIL)' "$log" | head -n 60
		cp "$log" "${log%.log}-first.log"
		return 0
	fi
	tally "$name" "$status" "$log"
	case $status in 0) status=ok ;; 77) status=skipped ;; *) status=FAILED ;; esac
	tell "$name" "$status" "${began[$pid]}" "$log"
	grep -E '^skip' "$log"
	[ "$status" != FAILED ]
}

# beside NAME COMMAND...: runs it with its output in a log, beside as many others as there are slots for.
beside() {
	local name=$1
	shift
	chosen "$name" || return 0
	if [ -n "$listing" ]; then
		echo "$name"
		return
	fi
	while [ ${#running[@]} -ge "$slots" ]; do end_part; done
	set -m
	# In a shell of its own: it may change folders; one that its last command does not replace, which would tell no time.
	(TIMEFORMAT='CPU: %U %S' && time "$@"; exit $?) >"$(log_of "$name")" 2>&1 </dev/null &
	set +m
	running[$!]=yes name_of[$!]=$name began[$!]=$SECONDS command_of[$!]=$(printf '%q ' "$@")
}

# is_running NAME
is_running() {
	local pid
	for pid in "${!running[@]}"; do [ "${name_of[$pid]}" != "$1" ] || return 0; done
	return 1
}

# after NAME: what follows needs that part's work.
after() { while is_running "$1"; do end_part; done; }

together() { while [ ${#running[@]} -gt 0 ]; do end_part; done; }

# part NAME COMMAND...: alone.
part() {
	together
	beside "$@"
	after "$1"
}

# queue NAME COMMAND...: to be run when there is a CPU for it.
queue() {
	chosen "$1" || return 0
	[ -z "$listing" ] || { echo "$1" && return; }
	queued+=("$1")
	shift
	queued_commands+=("$(printf '%q ' "$@")")
}

# queue_guests NAME COMMAND...: so, and out of the way of what measures: a scheduler that sees two CPUs alike moves its helpers about.
queue_guests() {
	local name=$1
	shift
	! chrt --idle 0 true 2>/dev/null || set -- chrt --idle 0 "$@"
	queue "$name" "$@"
}

# unqueue [WRAPPER...]: begins the first of them.
unqueue() {
	local name=${queued[0]} command=${queued_commands[0]}
	queued=("${queued[@]:1}") queued_commands=("${queued_commands[@]:1}")
	eval "beside ${name@Q} $* $command"
}

# on_one_cpu NAME COMMAND...: what measures on one CPU, which is not the first where there are more: there one of those in the queue runs.
on_one_cpu() {
	if [ ${#queued[@]} -gt 0 ] && [ ${#running[@]} = 0 ] && [ "$slots" -gt 1 ]; then
		unqueue taskset -c "$(taskset -pc $$ | sed 's/.*: //; s/[,-].*//')"
	fi
	beside "$@"
	after "$1"
}

# without REASON: the part cannot be had here.
without() {
	echo "skip - $1"
	echo "0 passed, 0 failed, 1 skipped"
}

# What measures is disturbed by whatever else a machine does: what failed is repeated with nothing beside it. What fails twice counts
# as failed; what passes then as passed, and is named.
repeat_failed() {
	local i names before
	together
	repeat=no names=("${again[@]}")
	[ ${#names[@]} -gt 0 ] || return 0
	section "once more, alone: what failed"
	for i in "${!names[@]}"; do
		before=$failed
		eval "part ${names[i]@Q} ${again_commands[i]}"
		[ "$failed" != "$before" ] || second+=("${names[i]}")
	done
}

finish() {
	repeat_failed
	[ -z "$listing" ] || exit 0
	section "done"
	[ ${#second[@]} = 0 ] || printf 'passed only the second time: %s\n' "${second[@]}"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
	exit
}
