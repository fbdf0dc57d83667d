# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The kernel module for the length of a run. Sourced by bench-all.
# shellcheck disable=SC2154 # build, here, install, module and root are its

signed_only="this kernel takes signed modules only (secure boot): kmod/README.md says how to sign it"

no_module() { say "without the kernel module: $1"; }

# May the process load modules at all? Bit 16 is CAP_SYS_MODULE; containers withhold it.
may_load()
{
	capabilities=$(sed -n 's/^CapEff:[[:space:]]*//p' "$root/proc/self/status")
	[ $((0x${capabilities:-0} >> 16 & 1)) = 1 ]
}

# Why no module can be loaded here, whatever is built; nothing if it may be tried.
module_refused()
{
	if [ "$(uname -m)" != x86_64 ] && [ "$(uname -m)" != aarch64 ]; then
		echo "it is for x86-64 and arm64"
	elif [ ! -e "$root/proc/modules" ]; then
		echo "this machine's kernel has no loadable modules"
	elif [ "$(id -u)" != 0 ]; then
		echo "loading it takes root"
	elif ! may_load; then
		echo "root may not load modules here (a container without CAP_SYS_MODULE)"
	elif [ "$(cat "$root/proc/sys/kernel/modules_disabled" 2>/dev/null)" = 1 ]; then
		echo "kernel.modules_disabled is set until the next boot"
	fi
}

takes_signed_only()
{
	grep -q -e '\[integrity\]' -e '\[confidentiality\]' "$root/sys/kernel/security/lockdown" 2>/dev/null ||
		[ "$(cat "$root/sys/module/module/parameters/sig_enforce" 2>/dev/null)" = Y ]
}

# The module for the running kernel in $ko, built if need be. Fails with the reason told.
build_module()
{
	release=$(uname -r)
	folder=$build/kmod-$release
	ko=$folder/activemm.ko
	headers=$root/lib/modules/$release/build
	if [ ! -e "$headers/Makefile" ]; then
		[ ! -e "$ko" ] || return 0
		case ${family:-} in
		rpm) package=kernel-devel-$release ;;
		*) package=linux-headers-$release ;;
		esac
		# shellcheck disable=SC2310 # asked for its outcome
		if ! install_optional "$package" || [ ! -e "$headers/Makefile" ]; then
			no_module "the kernel's headers are not here (package $package)"
			return 1
		fi
	fi
	mkdir -p "$folder"
	# With their times, so that make builds what changed.
	cp -p "$here"/kmod/Kbuild "$here"/kmod/Makefile "$here"/kmod/*.[ch] "$folder" &&
		make -s -C "$folder" KDIR="$headers" >"$folder/build.log" 2>&1 && return 0
	no_module "it does not build for $release: $folder/build.log"
	return 1
}

# Says what insmod's message means.
explain_insmod()
{
	case $1 in
	*"ey was rejected"* | *"equired key not available"*) echo "$signed_only" ;;
	*"peration not permitted"*) echo "the kernel refuses it (Operation not permitted): a container, or lockdown" ;;
	*"nvalid module format"* | *"xec format error"*) echo "it was built for another kernel than the running one: dmesg says more" ;;
	*) echo "$1" ;;
	esac
}

# insmod or modprobe; what is loaded here is unloaded by module_end.
load_module()
{
	said=$(LC_ALL=C "$@" 2>&1) || return 1
	loaded=yes
	# udev, or the kernel by itself, makes the device.
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ ! -e "$root/dev/activemm" ] || return 0
		sleep 0.2
	done
	module_end
	said="it was loaded, but no /dev/activemm appeared"
	return 1
}

module_begin()
{
	[ "$module" = yes ] || return 0
	! grep -q '^activemm ' "$root/proc/modules" 2>/dev/null || return 0
	reason=$(module_refused)
	[ -z "$reason" ] || { no_module "$reason"; return 0; }
	# One that DKMS has built, and signed, is the right one.
	if modprobe -n -q activemm 2>/dev/null; then
		load_module modprobe activemm || no_module "$(explain_insmod "$said")"
		return 0
	fi
	! takes_signed_only || { no_module "$signed_only"; return 0; }
	build_module || return 0
	load_module insmod "$ko" || no_module "$(explain_insmod "$said")"
}

# Unloads what module_begin loaded. A child of the run may hold it a moment longer.
module_end()
{
	[ -n "$loaded" ] || return 0
	loaded=
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		! said=$(LC_ALL=C rmmod activemm 2>&1) || return 0
		sleep 0.2
	done
	say "the kernel module could not be unloaded: $said"
}
