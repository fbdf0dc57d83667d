# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Without Slurm: the sessions of each host by ssh, all hosts at once by ClusterShell.
# shellcheck disable=SC2154 # shared with fleet

find_hosts() {
	local host
	command -v clush >/dev/null || fail "clush is missing (Debian, Fedora: clustershell)"
	[ -r "$hosts" ] || fail "--hosts $hosts cannot be read"
	while read -r host; do
		case $host in '' | '#'*) continue ;; esac
		[[ $host =~ ^[A-Za-z0-9][A-Za-z0-9_.@-]*$ ]] || wrong "--hosts $hosts: '$host' is not a host"
		nodes+=("$host")
	done <"$hosts"
	[ "$(printf '%s\n' "${nodes[@]}" | sort | uniq -d)" = '' ] || wrong "--hosts $hosts names a host twice"
	plan[hosts]=yes
}

run_hosts() {
	local lock list
	exec {lock}>>"$out/jobs" && flock -n "$lock" || fail "another fleet runs into $out"
	rm -rf "$out/reasons"
	list=$(IFS=, && echo "${nodes[*]}")
	# Each host's own words go to its log. What ssh itself says is the reason where the host leaves none.
	clush -R exec -S -q -f "${#nodes[@]}" -w "$list" \
		"ssh -n -o BatchMode=yes %h bash $out/session $out %h all - >$out/log/%h.log 2>&1" {lock}>&- >/dev/null 2>&1
	status
}
