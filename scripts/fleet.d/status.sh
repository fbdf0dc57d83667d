# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is told: the sets and reasons on the disk, joined with what Slurm knows of jobs and nodes.
# shellcheck disable=SC2154 # shared with fleet

# Sets node_is: what keeps a node from work, and the reason that its operator gave.
read_nodes() {
	local node node_state why
	declare -gA node_is=()
	while IFS='|' read -r node node_state why; do
		case $node_state in
		*down* | *drain* | *fail* | *not_resp* | *\*) node_is[$node]="node ${node_state%\*}$([[ $node_state != *\* ]] || echo ', does not answer')$([ "$why" = none ] || echo ": $why")" ;;
		esac
	done < <(sinfo -h -N -o '%N|%T|%E' 2>/dev/null)
}

# why_lost ITEM: of one that has no set and no job: Slurm's word for its end, else the last of its log
why_lost() {
	local id=${job_of[$1]:-} node=${1%% *} job_state words=''
	[ -n "$id" ] || { [ -n "${plan[hosts]}" ] && tail -n 1 "$out/log/$node.log" 2>/dev/null | grep . || echo "not begun"; return; }
	job_state=${ended[$id]:-}
	[ "$id" != cancelled ] || job_state=CANCELLED
	case $job_state in
	NODE_FAIL) words="the node died (NODE_FAIL)" ;;
	TIMEOUT) words="over its time limit (TIMEOUT): SBATCH_TIMELIMIT gives more" ;;
	CANCELLED) words="cancelled" ;;
	BOOT_FAIL) words="the node did not come up with its kernel (BOOT_FAIL)" ;;
	'' | COMPLETED | FAILED)
		words=$(grep -h -o '\*\*\* JOB.*\*\*\*' "$out/log/$node-$id.log" 2>/dev/null | tail -n 1)
		words=${words:-ended and left nothing${job_state:+ ($job_state)}}
		;;
	*) words="ended as $job_state" ;;
	esac
	echo "$words${node_is[$node]:+; ${node_is[$node]}}"
}

# Sets what_is (done, runs, waits or failed) and why of an item.
look_at() {
	local node number kernel job name
	read -r node number kernel <<<"$1"
	why=''
	if has_set "$node" "$number" "$kernel"; then
		what_is=done
		return
	fi
	job=${live[${job_of[$1]:-none}]:-}
	name_of "$number" "$kernel"
	case $job in
	PENDING*)
		what_is=waits why=${node_is[$node]:-}
		;;
	CONFIGURING*) what_is=waits why="boots" ;;
	?*) what_is=runs why=${node_is[$node]:-} ;;
	*)
		what_is=failed
		if [ -s "$out/reasons/$node/$name" ]; then read -r why <"$out/reasons/$node/$name"; else why=$(why_lost "$1"); fi
		[ "$why" != "not begun" ] || what_is=missing
		;;
	esac
}

# What is known, item by item: "NODE SESSION KERNEL|WHAT|WHY".
look() {
	local item what_is why
	declare -gA live=() ended=() job_of=() node_is=()
	if [ -z "${plan[hosts]}" ]; then
		read_submitted
		read_jobs
		read_nodes
	fi
	for item in "${items[@]}"; do
		look_at "$item"
		echo "$item|$what_is|$why"
	done
}

# A line in all, one per node, one per session that has a reason; where a node's sessions share it, once.
status() {
	[ -n "${plan[hosts]}" ] || need_slurm
	look | awk -F '|' -v dir="$out" '
		{
			split($1, part, " ")
			node = part[1]
			if (!(node in seen)) { seen[node] = ++nodes; name[nodes] = node }
			count[node, $2]++; all[$2]++; total++
			if ($3 == "") next
			label = part[2] (part[3] == "-" ? "" : "-" part[3])
			key = node SUBSEP $2 SUBSEP $3
			if (!(key in said)) { lines[node, ++n[node]] = key; text[key] = $2 ": " $3 }
			said[key] = said[key] " " label
		}
		function counts(of, which,    i, line) {
			for (i = 1; i <= 5; i++) if (of == "" ? all[kind[i]] : count[of, kind[i]])
				line = line (line == "" ? "" : ", ") (of == "" ? all[kind[i]] : count[of, kind[i]]) " " kind[i]
			return line
		}
		END {
			split("done runs waits failed missing", kind, " ")
			printf "%d nodes, %d sessions: %s\n", nodes, total, counts("")
			for (i = 1; i <= nodes; i++) {
				printf "%s: %s\n", name[i], counts(name[i])
				for (j = 1; j <= n[name[i]]; j++) print "  session" said[lines[name[i], j]] " " text[lines[name[i], j]]
			}
		}'
}

# The first kernel's sets come first: they are the base's.
collect() {
	local kernel letter sets=() program=$out/program/$(uname -m)/activemm
	status | sed -n '1p; /: .*\(runs\|waits\|failed\|missing\)/p' >&2
	cd "$out" || exit 1
	for ((letter = 0; letter < ${#letters}; letter++)); do
		kernel=${plan[kernel.${letters:letter:1}]:-}
		[ -n "$kernel" ] || [ $letter = 0 ] || break
		mapfile -t -O ${#sets[@]} sets < <(compgen -G "sets/*/[0-9][0-9]*-${kernel:-*}" | sort -V)
	done
	[ ${#sets[@]} -ge 2 ] || fail "there are ${#sets[@]} sets in $out/sets: nothing to compare"
	activemm=''
	[ -x "$here/../build/activemm" ] || [ ! -x "$program" ] || activemm=$program
	find_program
	exec "$activemm" compare "${sets[@]}" -o compare
}
