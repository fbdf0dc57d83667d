# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What is to be done: DIR/fleet (key=value), DIR/arguments (of activemm run, one a line), DIR/nodes (a node a line, and the order
# of its kernels: "node1 A B B A"). What is done: a set, DIR/sets/NODE/SESSION-KERNEL.
# shellcheck disable=SC2154 # shared with fleet

# sessions, partition, constraint, hosts (not empty: over ssh), id (of the jobs' names), began, kernel.A...
declare -A plan=([sessions]=1 [partition]='' [constraint]='' [hosts]='')
nodes=() kernels=() arguments=() items=() # items: "NODE SESSION KERNEL", KERNEL - for the one that runs
wanted='' hosts='' activemm='' out=''

# A plain path: it goes through Slurm's patterns and a remote shell.
check_folder() { [[ $1 =~ ^/[A-Za-z0-9_./+=@:,-]*$ ]] || wrong "-o $1: a path of letters, digits and _./+=@:,- only"; }

check_plan() {
	local kernel seen=''
	[ -n "$out" ] || wrong "-o DIR is missing: a folder that all nodes share"
	[[ ${plan[sessions]} =~ ^[1-9][0-9]{0,2}$ ]] || wrong "--sessions ${plan[sessions]}: a whole number from 1 to 999"
	[[ ${plan[partition]} =~ ^[A-Za-z0-9_.,-]*$ ]] || wrong "--partition '${plan[partition]}' is not a partition's name"
	[[ ${plan[constraint]} =~ ^[A-Za-z0-9_.=\&-]*$ ]] || wrong "--constraint '${plan[constraint]}': features, joined by &"
	for kernel in "${kernels[@]}"; do
		[[ $kernel =~ ^[A-Za-z0-9_.+~-]+$ ]] && [ "$kernel" != - ] || wrong "'$kernel' is not a kernel's release"
		! has_word "$seen" "$kernel" || wrong "$kernel is named twice"
		seen="$seen $kernel"
	done
	[ ${#kernels[@]} -le ${#letters} ] || wrong "no more than ${#letters} kernels"
	[ -z "$hosts" ] || [ -z "${kernels[*]}$wanted${plan[partition]}${plan[constraint]}" ] ||
		wrong "--hosts takes no --kernel, --nodes, --partition and --constraint: they are Slurm's"
}

make_plan() {
	local node i sides key
	check_plan
	case $activemm in
	*.tar.gz) [ -r "$activemm" ] && tar -tzf "$activemm" >/dev/null 2>&1 || fail "$activemm cannot be read as a .tar.gz" ;;
	*) find_program && check_run_options ;;
	esac
	if [ -n "$hosts" ]; then find_hosts; else find_nodes; fi
	[ ${#nodes[@]} -gt 0 ] || fail "no node has what was asked for"
	[ ! -e "$out" ] || [ -z "$(ls -A "$out" 2>/dev/null)" ] || fail "$out is not empty: name another -o, or go on with: $0 resume $out"
	check_folder "$(readlink -m "$out")"
	mkdir -p "$out/log" "$out/sets" "$out/reasons" "$out/program" 2>/dev/null || fail "$out cannot be made: name another -o"
	out=$(readlink -f "$out")
	cp "$here/fleet.d/session" "$out/session" && : >"$out/jobs" || fail "$out cannot be written"
	case $activemm in
	*.tar.gz) cp "$activemm" "$out/program/source.tar.gz" ;;
	*) mkdir -p "$out/program/$(uname -m)" && cp "$activemm" "$out/program/$(uname -m)/activemm" ;;
	esac || fail "$out cannot be written"
	plan[id]=$(od -An -N4 -tx4 /dev/urandom | tr -d ' ') plan[began]=$(date +%FT%T)
	for ((i = 0; i < ${#kernels[@]}; i++)); do plan[kernel.${letters:i:1}]=${kernels[i]}; done
	sides=${letters:0:${#kernels[@]}}
	for node in "${nodes[@]}"; do echo "$node $(random_order "${sides:-A}" "${plan[sessions]}")"; done >"$out/nodes" &&
		printf '%s\n' "${arguments[@]}" >"$out/arguments" &&
		for key in "${!plan[@]}"; do echo "$key=${plan[$key]}"; done >"$out/fleet" || fail "$out cannot be written"
	read_plan "$out"
}

read_plan() {
	local key value node order side item
	local -A count
	out=$(readlink -m "$1")
	[ -r "$out/fleet" ] && [ -r "$out/nodes" ] || fail "$1 is no folder of fleet run: there is no $1/fleet"
	while IFS='=' read -r key value; do plan[$key]=$value; done <"$out/fleet"
	nodes=() items=()
	while read -r node order; do
		nodes+=("$node")
		count=()
		for side in $order; do
			count[$side]=$((${count[$side]:-0} + 1))
			printf -v item '%s %02d %s' "$node" "${count[$side]}" "${plan[kernel.$side]:--}"
			items+=("$item")
		done
	done <"$out/nodes"
}

# has_set NODE SESSION KERNEL
has_set() {
	if [ "$3" = - ]; then compgen -G "$out/sets/$1/$2-*" >/dev/null; else [ -d "$out/sets/$1/$2-$3" ]; fi
}

# As the jobs file and the reasons name it.
name_of() { if [ "$2" = - ]; then name=$1; else name=$1-$2; fi; } # SESSION KERNEL: sets name
