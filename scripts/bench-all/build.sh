# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Building into the build folder. Sourced by bench-all.
# shellcheck disable=SC2154 # build and here are its

# Has the path a sign that make or configure takes apart?
unbuildable()
{
	case $1 in
	*[[:space:]\"\#\$\&\'\`\\:\;\*\?\(\)\<\>\|%\[\]]*) return 0 ;;
	esac
	return 1
}

# Before anything is installed for a build that cannot be.
check_paths()
{
	signs="a space or one of # \$ & ' \" \` \\ : ; * ? ( ) < > | % [ ]"
	! unbuildable "$here" || die "make cannot build in \"$here\": the path has $signs. Move the folder"
	case $build in
	/*) ;;
	*) build=$PWD/$build ;;
	esac
	! unbuildable "$build" || die "make cannot build into \"$build\": the path has $signs. Name another in ACTIVEMM_BUILD"
}

# Compilers and autoconf want a folder for temporary files.
find_temporary()
{
	for folder in "${TMPDIR:-/tmp}" /tmp /var/tmp /dev/shm; do
		if [ -d "$folder" ] && [ -w "$folder" ]; then
			[ "$folder" = /tmp ] || export TMPDIR="$folder"
			return 0
		fi
	done
	die "there is no folder for temporary files: make one, mkdir -m 1777 /tmp"
}

make_folder()
{
	mkdir -p "$build" 2>/dev/null || :
	[ -w "$build" ] || die "$build cannot be written: name other folders, ACTIVEMM_BUILD=DIR ./bench-all -o DIR"
}

free_kib() { df -Pk "$build" 2>/dev/null | awk 'NR == 2 { print $4 }'; }

# step WHAT COMMAND...: what it says goes to the log; of one that fails the end is shown.
step()
{
	what=$1
	shift
	"$@" >>"$log" 2>&1 && return 0
	if grep -q 'No space left on device' "$log" || [ "$(free_kib)" -lt 1024 ]; then
		die "$what failed: no space is left at $build"
	fi
	tail -n 20 "$log" >&2
	die "$what failed: $log"
}

built_with_bpf() { grep -q '^#define HAVE_BPF 1' "$build/config.h" 2>/dev/null; }

# Was this folder configured without BPF, though not by wish, and is what it needs here now?
bpf_is_new()
{
	! built_with_bpf && [ -z "$(missing_bpf deb)" ] && ! grep -q -e "--without-bpf" "$build/config.status"
}

# shellcheck disable=SC2317 # called by step
configure_here() { cd "$build" && "$here/configure" -q; }
# shellcheck disable=SC2317 # called by step
configure_again() { cd "$build" && ./config.status --recheck && ./config.status; }
# shellcheck disable=SC2317 # called by step
prepare_configure() { cd "$here" && autoreconf -fi; }

build_program()
{
	make_folder
	[ -x "$build/activemm" ] || [ "$(free_kib)" -ge 65536 ] ||
		die "the build needs 64 MiB, and $(($(free_kib) / 1024)) are free at $build"
	log=$build/bench-all.log
	: >"$log" || die "$log cannot be written"
	if [ ! -e "$here/configure" ]; then
		[ -w "$here" ] || die "$here is read-only and was never prepared: run autoreconf -fi in it once, or copy it"
		say "preparing the build"
		(step autoreconf prepare_configure) || exit 1
	fi
	if [ ! -e "$build/Makefile" ]; then
		(step configure configure_here) || exit 1
	elif bpf_is_new; then
		say "configuring again, as what BPF needs is here now"
		(step configure configure_again) || exit 1
	fi
	if ! make -C "$build" -q activemm >/dev/null 2>&1; then
		say "building into $build"
		step "the build" make -C "$build" -j "$(getconf _NPROCESSORS_ONLN)" activemm
		# automake leaves a stamp newer than config.h, for which make -q would ask for ever.
		touch -r "$build/stamp-h1" "$build/config.h"
	fi
	built_with_bpf || say "$(sed -n 's/.*WARNING: \(building without BPF.*\)/\1/p' "$build/config.log" | tail -n 1)"
}
