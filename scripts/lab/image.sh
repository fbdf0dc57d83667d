# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2154 # arch (amd64, arm64, riscv64) is of those that source this

# The release that a bzImage carries in its set-up header, and an Image among its strings.
image_release() {
	local at
	case $arch in
	arm64) [ "$(dd if="$1" bs=1 skip=56 count=4 2>/dev/null)" = ARMd ] || return 1 ;;
	riscv64) [ "$(dd if="$1" bs=1 skip=48 count=5 2>/dev/null)" = RISCV ] || return 1 ;;
	esac
	if [ "$arch" != amd64 ]; then
		grep -a -o -m 1 'Linux version [^ ]*' "$1" | head -n 1 | cut -d ' ' -f 3
		return
	fi
	[ "$(dd if="$1" bs=1 skip=514 count=4 2>/dev/null)" = HdrS ] || return 1
	at=$(od -An -tu2 -j 526 -N 2 "$1")
	dd if="$1" bs=1 skip=$((at + 512)) count=128 2>/dev/null | tr '\0' '\n' | head -n 1 | cut -d ' ' -f 1
}
