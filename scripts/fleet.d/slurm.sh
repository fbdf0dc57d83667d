# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Jobs of Slurm: one per node and session, each with its node to itself. DIR/jobs: "ID NODE SESSION KERNEL", a line per job;
# the ID "cancelled" for one that was.
# shellcheck disable=SC2154 # shared with fleet

need_slurm() {
	local said
	command -v sbatch >/dev/null || fail "sbatch is missing (Debian: slurm-client; Fedora: slurm), or name hosts for ssh: --hosts FILE"
	said=$(sinfo -h 2>&1 >/dev/null) || fail "Slurm does not answer: $(tail -n 1 <<<"$said")"
}

# The feature that means a kernel: helpers.conf takes no other characters.
feature_of() { echo "kernel=${1//[^A-Za-z0-9._]/_}"; }

# Every node once: "NODE STATE FEATURES".
list_nodes() { sinfo -h -N ${plan[partition]:+-p "${plan[partition]}"} "$@" -o '%N %T %f' | sort -V -u -k 1,1; }

# lacks FEATURES: prints the first of our features that is not among a node's
lacks() {
	local feature
	for feature in ${plan[constraint]//&/ } "${features[@]}"; do
		[[ ,$1, == *,$feature,* ]] || { echo "$feature" && return; }
	done
	return 1
}

find_nodes() {
	local node state has lack features=() kernel left='' known words=()
	need_slurm
	for kernel in "${kernels[@]}"; do features+=("$(feature_of "$kernel")"); done
	[ -n "$(list_nodes)" ] || fail "there are no nodes in ${plan[partition]:-Slurm}${plan[partition]:+: sinfo shows the partitions}"
	case $wanted in
	'') ;;
	*[!0-9]*)
		known=$(scontrol show hostnames "$wanted" 2>/dev/null) && [ -n "$known" ] || wrong "--nodes '$wanted' is neither a number nor a list of nodes"
		for node in $known; do
			[ -n "$(list_nodes -n "$node" 2>/dev/null)" ] || fail "Slurm has no node $node${plan[partition]:+ in ${plan[partition]}}: sinfo -N shows them"
		done
		words=(-n "$wanted")
		;;
	0*) wrong "--nodes $wanted: a number from 1, or a list of nodes" ;;
	*) left=$wanted ;;
	esac
	# Of a list, all, or a word on who cannot; else those that can, and of a number, those that are up.
	while read -r node state has; do
		if lack=$(lacks "$has"); then
			[ ${#words[@]} -gt 0 ] || continue
			fail "$node has no feature $lack$([[ $lack != kernel=* ]] || echo ": $here/fleet.d/README.md tells how it gets it")"
		fi
		case $left,$state in
		?*,*down* | ?*,*drain* | ?*,*fail* | ?*,*\*) continue ;;
		esac
		nodes+=("$node")
		[ -z "$left" ] || [ ${#nodes[@]} -lt "$left" ] || break
	done < <(list_nodes "${words[@]}")
	[ -z "$left" ] || [ ${#nodes[@]} -eq "$left" ] || fail "--nodes $left: only ${#nodes[@]} nodes are up and have what was asked for"
}

# Sets live: the state of each job that waits or runs, and ended: of those that Slurm remembers; ids as in DIR/jobs.
read_jobs() {
	local id job_state why said
	declare -gA live=() ended=()
	# Accounting may be off; then it tells nothing.
	while IFS='|' read -r id job_state; do
		[ -z "$id" ] || ended[$id]=${job_state%% *}
	done < <(sacct -n -P -X -S "${plan[began]}" -o JobID,State 2>/dev/null)
	# Without an answer everything would look lost, and be submitted twice.
	said=$(squeue -h -r -t all -u "$(id -un)" -o '%i|%T|%R' 2>&1) || fail "squeue does not answer: $(tail -n 1 <<<"$said")"
	while IFS='|' read -r id job_state why; do
		case $job_state in
		PENDING | CONFIGURING | RUNNING | SUSPENDED | COMPLETING | REQUEUED | RESV_DEL_HOLD) live[$id]="$job_state $why" ;;
		?*) ended[$id]=$job_state ;;
		esac
	done <<<"$said"
}

# Sets job_of: the last job of each item.
read_submitted() {
	local id what
	declare -gA job_of=()
	while read -r id what; do job_of[$what]=$id; done <"$out/jobs"
}

# send NODE KERNEL SBATCH-OPTIONS...: a job, prints its id
send() {
	local node=$1 kernel=$2 number=$3 constraint=${plan[constraint]} words=()
	shift 3
	if [ "$kernel" != - ]; then
		constraint=${constraint:+$constraint&}$(feature_of "$kernel")
		words+=(--reboot)
	fi
	sbatch --parsable --exclusive --no-requeue --nodes=1 --ntasks=1 --nodelist="$node" --chdir="$out" --job-name="fleet-${plan[id]}-$node" \
		${plan[partition]:+--partition="${plan[partition]}"} ${constraint:+--constraint="$constraint"} "${words[@]}" "$@" \
		"$out/session" "$out" "$node" "$number" "$kernel" 2>"$out/log/sbatch.err" </dev/null | cut -d ';' -f 1
}

# One kernel: an array that runs one at a time. Several: a job each, of one name, which Slurm runs one after the other.
submit_node() { # NODE "SESSION KERNEL"...
	local node=$1 what id sessions='' number kernel
	shift
	if [ -z "${plan[kernel.B]:-}" ]; then
		kernel=${1#* }
		for what; do sessions="$sessions${sessions:+,}$((10#${what% *}))"; done
		id=$(send "$node" "$kernel" array --array="$sessions%1" --output="$out/log/$node-%A_%a.log") || return
		for what; do echo "${id}_$((10#${what% *})) $node $what"; done >>"$out/jobs"
		return
	fi
	for what; do
		read -r number kernel <<<"$what"
		id=$(send "$node" "$kernel" "$number" --dependency=singleton --output="$out/log/$node-%j.log") && echo "$id $node $what" >>"$out/jobs" || return
	done
}

submit() {
	local item node number kernel name count=0
	local -A missing=()
	need_slurm
	exec {lock}>>"$out/jobs" && flock -n "$lock" || fail "another fleet submits into $out"
	read_submitted
	read_jobs
	for item in "${items[@]}"; do
		read -r node number kernel <<<"$item"
		! has_set "$node" "$number" "$kernel" && [ -z "${live[${job_of[$item]:-none}]:-}" ] || continue
		missing[$node]="${missing[$node]:-}$number $kernel|"
		name_of "$number" "$kernel"
		rm -f "$out/reasons/$node/$name"
		count=$((count + 1))
	done
	for node in "${nodes[@]}"; do
		[ -n "${missing[$node]:-}" ] || continue
		IFS='|' read -r -a jobs <<<"${missing[$node]}"
		submit_node "$node" "${jobs[@]}" || fail "sbatch took no job for $node: $(tail -n 1 "$out/log/sbatch.err")"
	done
	say "$count of ${#items[@]} sessions submitted, on ${#missing[@]} nodes: $0 status $out"
}

# Written down: Slurm forgets what it cancels before it began.
cancel_jobs() {
	local item ids=()
	need_slurm
	read_submitted
	read_jobs
	for item in "${!job_of[@]}"; do
		[ -n "${live[${job_of[$item]}]:-}" ] || continue
		ids+=("${job_of[$item]}")
		echo "cancelled $item" >>"$out/jobs"
	done
	[ ${#ids[@]} = 0 ] || printf '%s\n' "${ids[@]}" | xargs scancel || fail "scancel failed"
	say "${#ids[@]} jobs cancelled"
}
