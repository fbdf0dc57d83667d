# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The sides: a kernel with parameters each, and the order in which they take turns.
# shellcheck disable=SC2154 # shared with boot-turns

readonly letters=ABCDEFGH
# On every line that is booted here: a panic leads back to the default kernel, and our boots are known.
readonly mark=activemm.turns always="panic=10 activemm.turns"

first_of() { # FILE...
	local file
	for file; do
		[ -r "$file" ] && echo "$file" && return
	done
	return 1
}

image_of() { first_of "$root/boot/vmlinuz-$1" "$root/boot/vmlinux-$1" "$root/lib/modules/$1/vmlinuz"; }
initrd_of() { first_of "$root/boot/initrd.img-$1" "$root/boot/initramfs-$1.img" "$root/boot/initrd-$1"; }

# What `uname -r' says in it: a name in /boot need not be that (vmlinuz-linux).
release_of() { image_release "$(image_of "$1")" 2>/dev/null || echo "$1"; }

installed_kernels() {
	local image names=''
	for image in "$root"/boot/vmlinuz-* "$root"/boot/vmlinux-*; do
		[ ! -r "$image" ] || names="$names ${image##*/vmlinu?-}"
	done
	echo "${names:- none}"
}

# has_word LINE WORD
has_word() { [[ " $1 " == *" $2 "* ]]; }

# Sets line to this boot's.
read_line() { read -r line <"$root/proc/cmdline" || :; }

# The line that this machine boots with, without what the boot loader and a boot of ours add.
own_line() {
	local word line own=''
	read_line
	for word in $line; do
		case $word in
		BOOT_IMAGE=* | initrd=*) ;;
		*) own="$own $word" ;;
		esac
	done
	echo "${own# }"
}

add_side() { # KERNEL PARAMS
	local other letter=${letters:${#sides}:1} word
	[ -n "$letter" ] || wrong "no more than ${#letters} sides"
	for ((other = 0; other < ${#sides}; other++)); do
		[ "${state[kernel.${letters:other:1}]} ${state[boot.${letters:other:1}]}" != "$1 $2" ] ||
			wrong "$1 with parameters '$2' is named twice"
	done
	for word in $2; do
		! has_word "${state[line]}" "$word" || fail "this machine's own line has $word already: take it off for a boot without it"
	done
	image_of "$1" >/dev/null || fail "no kernel $1 is installed: there is no $root/boot/vmlinuz-$1; here are:$(installed_kernels)"
	state[kernel.$letter]=$1 state[boot.$letter]=$2
	state[release.$letter]=$(release_of "$1")
	sides=$sides$letter
}

# Sets sides, and kernel, release and boot of each.
find_sides() {
	local kernel params
	sides=''
	[ ${#kernels[@]} -gt 0 ] || wrong "name kernels: --kernel RELEASE"
	if [ ${#boots[@]} -eq 0 ]; then
		boots=("")
	elif [ "${#kernels[@]},${#boots[@]}" = 1,1 ] && [ -n "${boots[0]}" ]; then
		boots=("" "${boots[0]}")
	fi
	for params in "${boots[@]}"; do
		[[ $params =~ ^[A-Za-z0-9_=.,:/@+\ -]*$ ]] || wrong "'$params' is not a list of kernel parameters"
	done
	for kernel in "${kernels[@]}"; do
		[[ $kernel =~ ^[A-Za-z0-9_.+~-]+$ ]] || wrong "'$kernel' is not a kernel's release"
		for params in "${boots[@]}"; do add_side "$kernel" "$params"; done
	done
	state[sides]=$(sed 's/./& /g; s/ $//' <<<"$sides")
	[ ${#sides} -ge 2 ] || wrong "one kernel alone has nothing to take turns with: another --kernel, or --boot PARAMS"
}

# random_order SIDES SESSIONS: blocks of a random order and its reverse, and half a block where the number is odd
random_order() {
	local n block order=''
	for ((n = 0; n < $2; n += 2)); do
		block=$(grep -o . <<<"$1" | shuf)
		order="$order $block"
		[ $((n + 1)) -ge "$2" ] || order="$order $(tac <<<"$block")"
	done
	echo "${order# }" | tr -s '\n ' ' ' | sed 's/ $//'
}

# Of the order "A B B A": the side of a session, the sessions in all.
side_of() { echo "${state[order]:2*($1 - 1):1}"; }
sessions_in_all() { echo $(((${#state[order]} + 1) / 2)); }

describe() { echo "$1, ${state[kernel.$1]}${state[boot.$1]:+ with ${state[boot.$1]}}"; }

parameters_of() { echo "$always${state[boot.$1]:+ ${state[boot.$1]}}"; }

in_own_boot() {
	local line
	read_line
	has_word "$line" "$mark"
}

# Is this boot the one that SIDE asked for? Its kernel, its parameters and none of another side's.
came_up() {
	local line word other
	read_line
	has_word "$line" "$mark" && [ "$(uname -r)" = "${state[release.$1]}" ] && [ "$(boot_id)" != "${state[asked_in]}" ] || return 1
	for word in ${state[boot.$1]}; do
		has_word "$line" "$word" || return 1
	done
	for other in ${state[sides]}; do
		for word in ${state[boot.$other]}; do
			has_word "${state[boot.$1]}" "$word" || ! has_word "$line" "$word" || return 1
		done
	done
}
