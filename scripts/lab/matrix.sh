# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The suite in a guest, and a grid of kernels and boot parameters.
# shellcheck disable=SC2034,SC2154 # shared with kernel-lab

# run_suite KERNEL BOOT DIR ARGUMENTS...: a result set of the suite, with lab.json and kernel.log beside it.
run_suite() {
	local kernel=$1 params=$2 into=$3 status
	shift 3
	need_program
	[ ! -e "$into/lab.json" ] || fail 1 "$into already holds a result set: name another folder"
	mkdir -p "$into" || exit 1
	[ $# -gt 0 ] || set -- --quick
	log=$into/kernel.log
	boot_kernel "$kernel" "$params" "${module:-auto}" "$into" activemm run "$@" -o /lab/out/results
	status=$?
	write_label "$status" "$@" >"$into/lab.json.new" && mv "$into/lab.json.new" "$into/lab.json"
	[ -e "$into/machine.json" ] || [ $status -ne 0 ] || fail 1 "the suite left no result set in the guest"
	say "$release (boot '$params', $accel): status $status, $((boot_ms / 1000)).$((boot_ms % 1000 / 100)) s: $into"
	return $status
}

json() {
	local text=$1
	text=${text//\\/\\\\}
	printf '"%s"' "${text//\"/\\\"}"
}

write_label() {
	local status=$1
	shift
	cat <<END
{
  "kernel": $(json "$release"),
  "asked_for": $(json "$kernel"),
  "package": $(json "$package"),
  "package_version": $(json "$package_version"),
  "suite": $(json "$suite"),
  "boot": $(json "$params"),
  "architecture": $(json "$arch"),
  "accelerator": $(json "$accel"),
  "times_meaningful": $([ "$accel" = kvm ] && echo true || echo false),
  "emulator": $(json "$(emulator_name)"),
  "cpus": $cpus,
  "memory_mib": $memory,
  "module": $([ "$ko" = none ] && echo false || echo true),
  "arguments": $(json "$*"),
  "status": $status,
  "seconds": $((boot_ms / 1000)).$(printf %03d $((boot_ms % 1000)))
}
END
}

# A cell's folder: the kernel as it was asked for, and the parameters.
cell_name() {
	local name=${1##*/}
	[ -z "$2" ] || name=$name-${2// /,}
	echo "${name//[^A-Za-z0-9.,=_+-]/_}"
}

cell_field() { sed -n -E "s/^  \"$2\": \"?(.*[^\",])\"?,?\$/\1/p" "$1/lab.json" 2>/dev/null; }

# for_kernel KERNEL[@ARCH]: sets kernel, and what goes by its architecture.
for_kernel() {
	kernel=${1%@*}
	arch=$default_arch
	[ "$kernel" = "$1" ] || arch=${1##*@}
	is_arch "$arch" || wrong "'$1': an architecture is amd64, arm64 or riscv64"
	activemm=$chosen
	choose_arch
}

# start_cell: runs the cell in a folder of its own, which gets its name when it is complete.
start_cell() {
	local name=$1 params=$3 option kernel
	for_kernel "$2"
	local accel=$accel
	! crossing || [ "$accel" != kvm ] || accel=tcg
	local arguments=(run "$kernel" --boot "$params" -o "$out/.$name" --cpus "$cpus" --memory "$memory"
		--time "$limit" --accel "$accel" --arch "$arch" --activemm "$activemm" --module "${module:-auto}")
	for option in "${files[@]}"; do arguments+=(--file "$option"); done
	for option in "${probes[@]}"; do arguments+=(--modprobe "$option"); done
	[ -z "$modules" ] || arguments+=(--modules "$modules")
	[ -z "$install" ] || arguments+=(--install)
	rm -rf "${out:?}/.$name"
	"$self" "${arguments[@]}" -- "${command[@]}" >"$out/$name.log" 2>&1 </dev/null &
	running[$!]=$name
	children+=($!)
	say "[$((done_count + ${#running[@]}))/$total] $name: started"
}

# Of cells that a signal stopped, what they had: the next run does them again.
keep_stopped() {
	local cell name
	for cell in "$out"/.[!.]*/; do
		[ -s "$cell/trials.jsonl" ] || continue
		name=$(basename "$cell") && name=${name#.}
		rm -rf "$out/$name.failed" && mv "$cell" "$out/$name.failed" && say "$name: stopped: the trials that had ended are in $out/$name.failed"
	done
}

# Waits for one cell to end and files it.
end_cell() {
	local pid name status
	wait -n -p pid "${!running[@]}"
	status=$?
	name=${running[$pid]}
	unset "running[$pid]"
	children=("${!running[@]}")
	done_count=$((done_count + 1))
	if [ $status -eq 0 ]; then
		rm -rf "${out:?}/$name" && mv "$out/.$name" "$out/$name"
		outcome[$name]="ran ($(cell_field "$out/$name" kernel), $(cell_field "$out/$name" accelerator), $(cell_field "$out/$name" seconds) s)"
		rm -f "$out/$name.log"
	elif [ $status -eq "$UNAVAILABLE" ]; then
		outcome[$name]="skipped: $(tail -n 1 "$out/$name.log" | sed 's/^kernel-lab: //')"
		rm -rf "$out/.$name" "$out/$name.log"
	else
		outcome[$name]="failed, status $status: $(grep -m 1 '^kernel-lab: .*boot ' "$out/$name.log" | sed 's/^kernel-lab: //') (see $out/$name.log)"
		rm -rf "$out/$name.failed" && mv "$out/.$name" "$out/$name.failed" 2>/dev/null
		worst=1
	fi
	say "[$done_count/$total] $name: ${outcome[$name]}"
}

# Cells that are complete are kept; the others run, as many at once as CPUs are ours.
run_matrix() {
	local kernel params name names=() list
	local -A running=() outcome=()
	local done_count=0 worst=0 total default_arch=$arch
	[ ${#boots[@]} -gt 0 ] || boots=("")
	[ ${#command[@]} -gt 0 ] || command=(--quick)
	out=${out:-results/lab}
	jobs=${jobs:-$(nproc)}
	IFS=, read -r -a list <<<"$kernels"
	total=$((${#list[@]} * ${#boots[@]}))
	mkdir -p "$out" || exit 1
	make_tmp
	# Once, before the cells ask the same at once.
	for name in "${list[@]}"; do
		for_kernel "$name"
		need_program
		need_emulator
	done
	for_kernel "${list[0]}"
	choose_accel
	for kernel in "${list[@]}"; do
		for params in "${boots[@]}"; do
			name=$(cell_name "$kernel" "$params")
			names+=("$name")
			if [ -e "$out/$name/lab.json" ]; then
				done_count=$((done_count + 1))
				if [ "$(cell_field "$out/$name" arguments)" = "${command[*]}" ]; then
					outcome[$name]="kept from before ($(cell_field "$out/$name" kernel))"
				else
					outcome[$name]="failed: made before with other arguments ($(cell_field "$out/$name" arguments)): remove it or name another -o"
					worst=1
				fi
				say "[$done_count/$total] $name: ${outcome[$name]}"
				continue
			fi
			while [ ${#running[@]} -ge "$jobs" ]; do end_cell; done
			start_cell "$name" "$kernel" "$params"
		done
	done
	while [ ${#running[@]} -gt 0 ]; do end_cell; done
	printf '%-28s %s\n' cell outcome
	for name in "${names[@]}"; do printf '%-28s %s\n' "$name" "${outcome[$name]}"; done
	return $worst
}
