# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For the tests in unusual surroundings: runs the suite in one, classes what became of it, undoes the surroundings. Sourced.
env=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../e2e/lib.sh
. "$env/../e2e/lib.sh"
chmod 755 "$tmp"
# A name of its own: another run of the suite beside is not taken for this one. Any user can reach it.
export ACTIVEMM_ENV_NAME=amm-$$
suite=$tmp/$ACTIVEMM_ENV_NAME
cp "$activemm" "$suite" || exit 1
nobody=65534
mkdir "$tmp/user" && chown "$nobody" "$tmp/user" 2>/dev/null
undoes=()

# undo COMMAND...: on any exit, the last one first.
undo() { undoes+=("$(printf '%q ' "$@")"); }
undo_all() {
	local i
	for ((i = ${#undoes[@]} - 1; i >= 0; i--)); do eval "${undoes[i]}" 2>/dev/null; done
	undoes=()
}
trap 'status=$?; undo_all; (exit "$status"); finish' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# row WHAT CLASS TEXT: for the table.
row() {
	[ -z "${ACTIVEMM_ENV_TABLE:-}" ] || printf '%s\t%s\t%s\n' "$1" "$2" "$3" >>"$ACTIVEMM_ENV_TABLE"
}

# A test that cannot be made here.
cannot() {
	skip "$1: $2"
	row "$1" "not made" "$2"
}

# The processes of the run into a folder that are still there half a second later; a zombie is init's to reap.
left_over() {
	local pid left tries=10
	while [ $tries -gt 0 ]; do
		left=
		for pid in $(pgrep -f -- "$1"); do
			[ "$pid" = $$ ] || case $(ps -o stat= -p "$pid") in "" | Z*) ;; *) left="$left $pid" ;; esac
		done
		[ -n "$left" ] || return 0
		tries=$((tries - 1))
		sleep 0.05
	done
	echo "$left"
}

# attempt WRAPPER... -- RUN'S ARGUMENTS: sets got and said, the class of what came of it and its words. $set is the set.
attempt() {
	local wrapper=() left
	while [ "$1" != -- ]; do wrapper+=("$1") && shift; done
	shift
	runs=$((${runs:-0} + 1))
	set=${where:-$tmp}/set-$runs
	timeout -k 5 "${limit:-60}" "${wrapper[@]}" "$suite" run "$@" -o "$set" >"$tmp/out" 2>"$tmp/err"
	status=$?
	IFS=$'\t' read -r got said < <("$env/judge.py" "$set" "$status" "$tmp/out" "$tmp/err" ${quiet:+"$quiet"})
	left=$(left_over "$set")
	[ -n "$left" ] || return 0
	# shellcheck disable=SC2086 # a list of pids
	kill -KILL $left
	got=WRONG said="it left processes behind"
}

# Does the last run's output, but for the line that names the CPU, hold these words? Its lines may be folded anywhere.
says() { grep -hsvE '^CPU [0-9]+ \(' "$tmp/err" "$tmp/out" | tr -s '\n ' ' ' | grep -qE -- "$1"; }

# verdict WHAT CLASSES TEXT: counts got and said.
verdict() {
	local what=$1 classes=$2 text=$3
	if [ "$got" = disturbed ] && [[ "|$classes|" != *"|disturbed|"* ]]; then
		skip "$what: the machine was busy: $said"
		row "$what" "not made" "the machine was busy"
	elif [[ "|$classes|" != *"|$got|"* ]]; then
		not_ok "$what: $got: $said (allowed: $classes)"
		row "$what" "NOT AS IT SHOULD BE: $got" "$said"
	elif [ "$got" != verified ] && ! says "$text"; then
		not_ok "$what: $got, but nothing says \"$text\": $said"
		row "$what" "NOT AS IT SHOULD BE: $got, wrong words" "$said"
	else
		ok "$what: $got${said:+: $said}"
		row "$what" "$got" "$said"
	fi
}

# outcome WHAT CLASSES TEXT [WRAPPER...] -- RUN'S ARGUMENTS: the run's class must be one of CLASSES (verified|unverified|...; disturbed
# is what other tasks do to it, and tried again unless it is right), and what
# it says must hold TEXT (an extended regular expression). $quiet is a set to compare times with, $limit the seconds it may take.
outcome() {
	local what=$1 classes=$2 text=$3 got=disturbed said left=3
	shift 3
	while [ "$got" = disturbed ] && [ $left -gt 0 ]; do
		attempt "$@"
		[[ "|$classes|" != *"|disturbed|"* ]] || break
		left=$((left - 1))
	done
	if [[ "|$classes|" != *"|$got|"* ]] && ! makes "$@"; then
		cannot "$what" "$(tail -n 1 "$tmp/makes")"
		return
	fi
	verdict "$what" "$classes" "$text"
}

# makes WRAPPER... -- ...: can this situation be made here? A plain chroot has no root mount that unshare could make private.
makes() {
	local wrapper=()
	while [ "$1" != -- ]; do wrapper+=("$1") && shift; done
	[[ " ${wrapper[*]} " != *" unshare "* ]] || "${wrapper[@]}" true >"$tmp/makes" 2>&1
}

# refuse CALL ERROR [FIRST]: sets the wrapper $refused, in which this system call fails from its FIRST time on, as with seccomp or an old kernel.
refuse() {
	local number
	[ -e "$tmp/inject.so" ] || cc -O2 -shared -fPIC -o "$tmp/inject.so" "$env/inject.c"
	number=$(printf '#include <sys/syscall.h>\n@SYS_%s\n' "$1" | cc -E -P - | sed -n 's/^@//p')
	# shellcheck disable=SC2034 # the tests'
	refused=(env "LD_PRELOAD=$tmp/inject.so" "INJECT=$number $(python3 -c "import errno; print(errno.$2)") ${3:-1} 999999999 /dev/null")
}

need_root() { [ "$(id -u)" = 0 ] || { cannot "$1" "needs root"; return 1; }; }
need_tool() { command -v "$2" >/dev/null || { cannot "$1" "$2 is not installed"; return 1; }; }

# A write to a file of the kernel's that is put back at the end.
set_kernel() { # FILE VALUE
	undo sh -c "echo '$(sed 's/.*\[\(.*\)\].*/\1/' "$1")' >$1"
	echo "$2" >"$1"
}

# group CONTROLLER FILE-V1=VALUE... -- FILE-V2=VALUE...: a new control group with these settings; its cgroup.procs in $procs.
group() {
	local controller=$1 mount version=1 setting
	shift
	groups=$((${groups:-0} + 1))
	mount=$(awk -v c="$controller" '$3 == "cgroup" && $4 ~ "(^|,)" c "(,|$)" {print $2; exit}' /proc/mounts)
	if [ -z "$mount" ]; then
		mount=$(awk '$3 == "cgroup2" {print $2; exit}' /proc/mounts)
		version=2
		grep -qw "$controller" "$mount/cgroup.controllers" 2>/dev/null || return 1
		echo "+$controller" 2>/dev/null >"$mount/cgroup.subtree_control" || return 1
	fi
	mount=$mount/activemm-env-$$-$groups
	mkdir "$mount" 2>/dev/null || return 1
	undo rmdir "$mount"
	# shellcheck disable=SC2034 # the tests'
	procs=$mount/cgroup.procs
	for setting; do
		if [ "$setting" = -- ]; then
			[ "$version" = 2 ] || break
			version=3
		elif [ "$version" != 2 ]; then
			echo "${setting#*=}" >"$mount/${setting%%=*}" || return 1
		fi
	done
}
# inside PROCS COMMAND...: the wrapper that enters the group.
# shellcheck disable=SC2016,SC2034 # the inner shell's; the tests'
inside=(sh -c 'echo $$ >"$0" && exec "$@"')

# hog CPU NAME: a task that computes there, named by Python's bytes; its pid in $hog.
hog() {
	: >"$tmp/hog"
	taskset -c "$1" python3 -c "
import ctypes
ctypes.CDLL(None).prctl(15, $2)
print('named', flush=True)
while True:
    pass" >"$tmp/hog" &
	hog=$!
	undo kill $hog
	until [ -s "$tmp/hog" ]; do sleep 0.02; done
}
