# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Another architecture's libraries and the suite built for it: by a cross compiler, since an emulated one takes minutes.
# shellcheck disable=SC2034,SC2154 # shared with kernel-lab

readonly sysroot_packages=libc6-dev,libhwloc-dev,libjansson-dev,libgsl-dev,libnuma-dev,libpfm4-dev,libsqlite3-dev,libcmocka-dev,libbpf-dev,busybox-static,linux-perf

# Unpacked and never run here: no emulation, and no package is configured.
make_sysroot() {
	sysroot=$cache/sysroot/$arch
	[ ! -e "$sysroot/usr/include/stdio.h" ] || return 0
	need mmdebstrap:mmdebstrap
	mkdir -p "$cache/sysroot"
	exec {lock}>"$cache/sysroot/lock"
	flock "$lock"
	if [ ! -e "$sysroot/usr/include/stdio.h" ]; then
		say "unpacking libraries for $arch (once, about two minutes)"
		configure_apt
		rm -rf "$sysroot.new"
		# How this machine's apt reaches mirrors (proxies, old indexes) holds there as well.
		grep '^Acquire' "$apt/apt.conf" >"$cache/sysroot/apt.conf"
		mmdebstrap --quiet --variant=extract --architectures="$arch" --include=$sysroot_packages \
			--aptopt="$cache/sysroot/apt.conf" --keyring="$keyring" $sysroot_suite "$sysroot.new" "$(mirror)" \
			>"$cache/sysroot/log" 2>&1 ||
			fail "$UNAVAILABLE" "the libraries for $arch cannot be had: $(grep -m 1 -E '^(E|Err)' "$cache/sysroot/log")"
		# Where all of it is under usr, a package that is not among these links to it.
		for folder in bin lib; do
			[ -e "$sysroot.new/$folder" ] || ln -s usr/$folder "$sysroot.new/$folder"
		done
		rm -rf "$sysroot" && mv "$sysroot.new" "$sysroot"
	fi
	exec {lock}>&-
}

# build_cross DIR [MAKE-ARGUMENT...]: the suite for $arch in DIR, with the sysroot's libraries. Only what changed is built again.
build_cross() {
	local dir=$1
	shift
	need "$triplet-gcc:gcc-$triplet" make:make pkg-config:pkg-config autoreconf:autoconf aclocal:automake
	make_sysroot
	[ ! -e "$here/../Makefile" ] || fail 1 "this checkout is configured in place: make distclean there first"
	[ -e "$here/../configure" ] || (cd "$here/.." && autoreconf -fi) >&2 || fail 1 "autoreconf failed"
	mkdir -p "$dir" && dir=$(cd "$dir" && pwd) || exit 1
	(
		cd "$dir" || exit 1
		# Its own search path only: this machine's libraries are of another architecture.
		export PKG_CONFIG=/usr/bin/pkg-config PKG_CONFIG_SYSROOT_DIR=$sysroot
		export PKG_CONFIG_LIBDIR=$sysroot/usr/lib/$triplet/pkgconfig:$sysroot/usr/share/pkgconfig
		# The cross compiler has a C library of its own, of this machine's release, and would look there first.
		[ -e config.status ] || "$here/../configure" -q --host=$triplet \
			CC="$triplet-gcc --sysroot=$sysroot -L$sysroot/usr/lib/$triplet" || exit 1
		make -s -j "$(nproc)" "$@"
	) >"$dir/build.log" 2>&1 || fail 1 "the suite does not build for $arch: $(grep -m 1 -iE 'error' "$dir/build.log") (all of it: $dir/build.log)"
}

# needed_by ELF: names of the libraries that it asks for, its loader among them.
needed_by() {
	LC_ALL=C readelf -dl "$1" 2>/dev/null | sed -n -E 's/.*\(NEEDED\).*\[(.*)\]/\1/p; s/.*program interpreter: (.*)\]/\1/p'
}

# libraries_of ELF: "NAME PATH" of each library that the sysroot has for it; PATH is empty where it has none.
libraries_of() {
	local seen=' ' todo=("$1") name path
	while [ ${#todo[@]} -gt 0 ]; do
		for name in $(needed_by "${todo[0]}"); do
			[[ $seen != *" $name "* ]] || continue
			seen+="$name "
			path=
			for folder in "" "/lib/$triplet" "/usr/lib/$triplet"; do
				[ ! -e "$sysroot$folder/${name#/}" ] || { path=$folder/${name#/} && break; }
			done
			echo "$name $path"
			[ -z "$path" ] || todo+=("$sysroot$path")
		done
		todo=("${todo[@]:1}")
	done
}
