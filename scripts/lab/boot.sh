# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Boots one guest, brings back what it left and says how the kernel fared.
# shellcheck disable=SC2154,SC2034 # shared with kernel-lab

# What the kernel says when it is broken. A warning's text moved between kernels, its cut line did not.
readonly trouble='Kernel panic|\[ cut here \]|Oops|BUG: |general protection fault|unable to handle|kmemleak: [0-9]|KASAN|KCSAN|UBSAN|INFO: task .* blocked|refcount_t: '
# Seen when the host is too busy for an emulated CPU: said, not held against the kernel.
readonly stall='soft lockup|detected stalls|self-detected stall|rcu_.*kthread starved'

need_emulator() {
	case $accel in
	bochs) need_bochs ;;
	*) need $qemu:$qemu_package ;;
	esac
}

# start_guest EMULATOR ARGUMENTS...: in the background, killed with this shell whatever ends it.
start_guest() {
	local guard=()
	! command -v setpriv >/dev/null || guard=(setpriv --pdeathsig KILL)
	"${guard[@]}" "$@" </dev/null &
	guest_pid=$!
	children=("$guest_pid")
}

# Waits for the emulator for so many seconds; 124 if they pass, or as a signal's trap says in $stopped, even if the process cannot be killed.
wait_guest() {
	local end=$((SECONDS + $1)) status
	while kill -0 "$guest_pid" 2>/dev/null; do
		if [ -n "${stopped:-}" ] || [ $SECONDS -ge $end ]; then
			kill -KILL "$guest_pid" 2>/dev/null
			disown "$guest_pid" 2>/dev/null
			children=()
			return "${stopped:-$TIME_LIMIT}"
		fi
		sleep 0.05
	done
	wait "$guest_pid"
	status=$?
	children=()
	return "${stopped:-$status}"
}

# Does KVM run a whole kernel here? A device that opens proves nothing. Asked once per boot of this
# machine; needs image and tmp.
kvm_works() {
	local answer now
	[ -r /dev/kvm ] && [ -w /dev/kvm ] || return 1
	now="$(cat /proc/sys/kernel/random/boot_id) $($qemu --version | head -n 1)"
	answer=$cache/kvm
	if [ -r "$answer" ] && [ "$(head -n 1 "$answer")" = "$now" ]; then
		[ "$(tail -n 1 "$answer")" = yes ]
		return
	fi
	mkdir -p "$tmp/kvm" "$cache"
	kvm_boots && verdict=yes || verdict=no
	rm -rf "$tmp/kvm"
	[ "$verdict" = yes ] || say "KVM does not run a kernel within 15 s on this machine: software emulation it is"
	printf '%s\n%s\n' "$now" "$verdict" >"$answer.$$" && mv "$answer.$$" "$answer"
	[ "$verdict" = yes ]
}

kvm_boots() {
	local status
	mkdir -p "$tmp/kvm/tree/bin"
	cp /bin/busybox "$tmp/kvm/tree/bin/" || return 1
	printf '#!/bin/busybox sh\necho lab-lives\nexec /bin/busybox poweroff -f\n' >"$tmp/kvm/tree/init"
	chmod +x "$tmp/kvm/tree/init"
	(cd "$tmp/kvm/tree" && find . | cpio -o -H newc --quiet) >"$tmp/kvm/initrd"
	# shellcheck disable=SC2046 # words
	start_guest $qemu "${machine[@]}" $(accel_arguments kvm) -nodefaults -no-user-config -display none -no-reboot -m 512 -smp 2 \
		-serial "file:$tmp/kvm/log" -kernel "$image" -initrd "$tmp/kvm/initrd" \
		-append "console=$console panic=-1" 2>/dev/null
	wait_guest 15 2>/dev/null
	status=$?
	[ $status -eq 0 ] && grep -q lab-lives "$tmp/kvm/log"
}

# The emulator and its version, for the label.
emulator_name() {
	case $accel in
	bochs) echo "Bochs $(dpkg-query -W -f '${Version}' bochs 2>/dev/null)" ;;
	*) $qemu --version | head -n 1 ;;
	esac
}

# Turns auto into kvm or tcg.
choose_accel() {
	[ "$accel" = auto ] || return 0
	need_emulator
	accel=tcg
	! crossing && [ -w /dev/kvm ] || return 0
	if [ -z "${image:-}" ]; then
		need /bin/busybox:busybox-static cpio:cpio
		find_kernel newest
	fi
	! kvm_works || accel=kvm
}

# The log's lines about trouble, each with what follows it, as long as a trace.
show_trouble() { grep -E -A 24 -m 2 -e "$1" "$2" | head -n 60 | sed 's/^/  | /' >&2; }

# virtio_ports FILE...: that machine has one serial port only. Sets ports.
virtio_ports() {
	local file n=1
	ports=(-device virtio-serial-pci)
	for file; do
		ports+=(-chardev "file,id=port$n,path=$file" -device "virtserialport,chardev=port$n,nr=$n")
		n=$((n + 1))
	done
}

# boot_kernel KERNEL BOOT MODULE RESULTS COMMAND...: the exit status is the command's, or the lab's.
boot_kernel() {
	local kernel=$1 params=$2 want=$3 into=$4 status start line stopped=
	shift 4
	need_emulator
	make_tmp
	find_kernel "$kernel"
	choose_accel
	choose_module "$want"
	make_guest "$accel" "$params" "$ko" "$@"
	start=${EPOCHREALTIME/./}
	# From here on a signal ends the guest, not this shell: what it has shipped is kept.
	trap 'stopped=130' INT
	trap 'stopped=143' TERM HUP
	exec {to_out}> >(exec cat) {to_err}> >(exec cat >&2)
	line="console=$console loglevel=5 panic=-1 oops=panic activemm.accel=$accel $params"
	# Where this machine is busy a guest's timer may seem to be broken.
	[ "$arch" != amd64 ] || line="no_timer_check $line"
	if [ "$accel" = bochs ]; then
		start_bochs "$line" "$to_out" "$to_err"
	else
		ports=(-serial "file:$tmp/shipped" -serial "file:/proc/self/fd/$to_out" -serial "file:/proc/self/fd/$to_err")
		! virtio_only || virtio_ports "$tmp/shipped" "/proc/self/fd/$to_out" "/proc/self/fd/$to_err"
		# shellcheck disable=SC2046 # words
		start_guest $qemu "${machine[@]}" $(accel_arguments "$accel") -nodefaults -no-user-config -display none -no-reboot \
			-m "$memory" -smp "$cpus" -serial "file:$tmp/console" "${ports[@]}" -kernel "$image" -initrd "$initrd" -append "$line" 2>"$tmp/emulator.log"
	fi
	wait_guest "$limit"
	status=$?
	exec {to_out}>&- {to_err}>&-
	boot_ms=$(((${EPOCHREALTIME/./} - start) / 1000))
	tr -d '\r' <"$tmp/console" >"$tmp/console.txt" 2>/dev/null
	receive
	judge "$status"
}

# What the guest shipped, in $tmp/out: all of it if every byte arrived, else the trials that had ended.
receive() {
	mkdir -p "$tmp/out"
	[ -s "$tmp/shipped" ] || return 1
	receive_all || receive_trials
}

receive_all() {
	local head size sum
	head=$(grep -a -b -m 1 '^activemm-lab [0-9]* [0-9a-f]*$' "$tmp/shipped" | tr -d '\0')
	[ -n "$head" ] || return 1
	read -r _ size sum <<<"${head#*:}"
	tail -c "$size" "$tmp/shipped" >"$tmp/shipped.tgz"
	[ "$(sha256sum <"$tmp/shipped.tgz" | cut -d ' ' -f 1)" = "$sum" ] || return 1
	tar -C "$tmp/out" -xzmf "$tmp/shipped.tgz" --no-same-owner
}

# What the suite told of its sets while it ran, a line each: a file, and what was written to it (lib/results/set.h).
receive_trials() {
	local file text
	while IFS=$'\t' read -r file text; do
		file=${file#/lab/out/results/}
		[[ $file =~ ^([A-Za-z0-9_-]+/)*(trials.jsonl|machine.json)$ ]] || continue
		mkdir -p "$(dirname "$tmp/out/results/$file")"
		[[ $file = *trials.jsonl ]] || rm -f "$tmp/out/results/$file"
		printf '%s\n' "$text" >>"$tmp/out/results/$file"
	done < <(tr -d '\0' <"$tmp/shipped")
	return 1
}

say_kept() { [ -z "$into" ] || [ ! -d "$tmp/out/results" ] || say "the trials that had ended are in $into"; }

# judge EMULATOR'S-STATUS: says what went wrong, keeps log and results, exits.
judge() {
	local ended=$1 status='' text=$tmp/console.txt
	[ ! -s "$tmp/out/status" ] || status=$(cat "$tmp/out/status")
	# The complete log if the guest lived to ship it.
	[ ! -s "$tmp/out/kernel.log" ] || text=$tmp/out/kernel.log
	[ -z "$log" ] || cp "$text" "$log"
	if [ -n "$into" ] && [ -d "$tmp/out/results" ]; then
		mkdir -p "$into" && cp -r "$tmp/out/results/." "$into/" || exit 1
	fi
	if grep -qE "$stall" "$text"; then
		say "$release: this machine was too slow for its guest: $(grep -m 1 -E "$stall" "$text")"
	fi
	if grep -vE "$stall" "$text" | grep -qE "$trouble"; then
		say "$release (boot '$params', $accel): the kernel is in trouble:"
		show_trouble "$trouble" "$text"
		verdict=$KERNEL_BAD
	elif [ -z "$status" ] && [ -n "$stopped" ]; then
		say "$release (boot '$params', $accel): stopped by a signal"
		say_kept
		verdict=$stopped
	elif [ -z "$status" ] && [ "$ended" -eq "$TIME_LIMIT" ]; then
		say "$release (boot '$params', $accel): not done after $limit s (--time); its last lines:"
		tail -n 15 "$text" | sed 's/^/  | /' >&2
		say_kept
		verdict=$TIME_LIMIT
	elif [ -z "$status" ]; then
		say "$release (boot '$params', $accel): the guest ended without results: $(head -n 1 "$tmp/emulator.log")"
		tail -n 15 "$text" | sed 's/^/  | /' >&2
		verdict=$KERNEL_BAD
	else
		verdict=$status
	fi
	return "$verdict"
}

# choose_module none|auto|FILE: sets ko, none where the module cannot be had.
choose_module() {
	ko=$1
	case $ko in
	none) return ;;
	auto) ;;
	*)
		[ -s "$ko" ] || fail 1 "there is no module $ko"
		return
		;;
	esac
	ko=none
	if [ "$arch" = riscv64 ]; then
		say "no activemm.ko for $release: it is written for x86-64 and arm64"
	elif [ ! -x "$here/kmod-build" ] || [ -z "$package" ]; then
		say "no activemm.ko for $release: only built for Debian's kernels"
	elif ko=$("$here/kmod-build" --arch "$arch" "$release" 2>"$tmp/kmod.log"); then
		return
	else
		ko=none
		say "no activemm.ko for $release: $(tail -n 1 "$tmp/kmod.log")"
	fi
}
