# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How a side's kernel is booted, and the default one.
# shellcheck disable=SC2154 # shared with boot-turns

has_systemd() { [ -d "$root/run/systemd/system" ]; }
kexec_said=''

# Loads a side's kernel for kexec; by the call that checks signatures where the kernel has it.
load_kexec() {
	local kernel=${state[kernel.$1]} how initrd line words=()
	initrd=$(initrd_of "$kernel") && words=("--initrd=$initrd")
	line="${state[line]} $(parameters_of "$1")"
	for how in -s -c; do
		kexec_said=$(kexec "$how" -l "$(image_of "$kernel")" "${words[@]}" --command-line="$line" 2>&1) && return
	done
	kexec_said=$(tail -n 1 <<<"$kexec_said")
	return 1
}
unload_kexec() { ! command -v kexec >/dev/null || kexec -u >/dev/null 2>&1 || :; }

# May it be used here? kexec_said tells why not.
kexec_works() {
	local side tried=''
	if ! command -v kexec >/dev/null; then
		kexec_said="kexec is missing (Debian, Fedora: kexec-tools)"
	elif [ ! -e "$root/sys/kernel/kexec_loaded" ]; then
		kexec_said="this kernel has no kexec"
	elif [ "$(cat "$root/proc/sys/kernel/kexec_load_disabled" 2>/dev/null)" = 1 ]; then
		kexec_said="kexec is switched off until the next boot (kernel.kexec_load_disabled)"
	else
		for side in ${state[sides]}; do
			has_word "$tried" "${state[kernel.$side]}" || load_kexec "$side" || return
			tried="$tried ${state[kernel.$side]}"
		done
		unload_kexec
		return 0
	fi
	return 1
}

# Sets method and loader in the state. kexec that turns out not to work falls back to the loader.
choose_method() {
	local lacks
	case $via in
	auto | kexec | loader) ;;
	*) wrong "--via is auto, kexec or loader, not '$via'" ;;
	esac
	state[loader]='' state[method]=''
	if [ "$via" != kexec ] && find_loader; then
		state[loader]=$loader
		[[ $loader != grub* ]] || state[saved_entry]=$(grub_value saved_entry)
	fi
	if [ "$via" != loader ] && kexec_works; then
		state[method]=kexec
	elif [ -n "${state[loader]}" ]; then
		state[method]=loader
	fi
	[ -z "${state[method]}" ] || return 0
	case $via in
	auto) lacks="kexec: $kexec_said; boot loader: $loader_lacks" ;;
	kexec) lacks=$kexec_said ;;
	loader) lacks=$loader_lacks ;;
	esac
	fail "this machine's next boot cannot be chosen: $lacks"
}

# Prepares the boot of a side, by the loader from now on if kexec fails. Fails with reason set.
prepare_boot() {
	image_of "${state[kernel.$1]}" >/dev/null || { reason="kernel ${state[kernel.$1]} is not installed any more" && return 1; }
	if [ "${state[method]}" = kexec ]; then
		load_kexec "$1" && return
		reason="kexec: $kexec_said"
		[ -n "${state[loader]}" ] || return 1
		note "$reason; by the boot loader from now on"
		state[method]=loader
	fi
	unload_kexec
	arm_entry "$1" || { reason="the boot loader takes no entry for one boot" && return 1; }
}

# Leaves this boot for what was prepared.
leave_boot() {
	sync
	if [ "${state[method]}" = loader ]; then
		plain_reboot
	elif has_systemd; then
		systemctl kexec
	else
		# Nobody stops the services: the file systems at least are whole.
		echo s >"$root/proc/sysrq-trigger" 2>/dev/null
		echo u >"$root/proc/sysrq-trigger" 2>/dev/null
		kexec -e
	fi
}

plain_reboot() {
	sync
	if has_systemd; then systemctl reboot; else reboot; fi
}
