# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The suite's program, and whether it takes the options. Sourced by boot-turns and fleet.
# shellcheck disable=SC2154 # shared with those

find_program() {
	local own=$here/../build/activemm
	[ -n "$activemm" ] || { [ ! -x "$own" ] && activemm=$(command -v activemm); } || activemm=$own
	[ -f "$activemm" ] && [ -x "$activemm" ] || fail "there is no program $activemm: build the suite (./bench-all does), or name it with --activemm"
	activemm=$(readlink -f "$activemm")
}

# activemm itself looks at its options, and then cannot make a set of that name.
check_run_options() {
	local option said
	for option in "${arguments[@]}"; do
		case $option in
		-o* | --output* | --resume) wrong "$option among the options of activemm run: each session has a set of its own, under ${self##*/}'s -o" ;;
		*$'\n'*) wrong "a line break in an option of activemm run" ;;
		esac
	done
	said=$("$activemm" run "${arguments[@]}" -o /dev/null/set 2>&1 >/dev/null)
	[ $? -ne 2 ] || wrong "$(tail -n 1 <<<"$said")"
}
