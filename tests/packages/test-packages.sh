#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The packages, from what `make dist' packs: built, looked through, installed in a system that has nothing but apt, run there, removed.
set -u
# shellcheck source-path=SCRIPTDIR source=../e2e/lib.sh
. "$(dirname "$0")/../e2e/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(dirname "$activemm")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/activemm-bench
log=$tmp/err # its end is shown where something fails

# lacks TOOL...: which of them are not here, or nothing
lacks() { for tool; do command -v "$tool" >/dev/null || { echo "$tool"; break; }; done; }

skip_all() { skip "packages: $*"; exit 0; }
[ "$(id -u)" = 0 ] || skip_all "only root makes a system to install them in"
missing=$(lacks dpkg-buildpackage mmdebstrap)
[ -z "$missing" ] || skip_all "$missing is not here (Debian: dpkg-dev, mmdebstrap)"

make -s -C "$build" dist >"$log" 2>&1 || { not_ok "make dist"; exit 1; }
tarball=$(ls "$build"/activemm-bench-*.tar.gz)
version=${tarball##*activemm-bench-} version=${version%.tar.gz}
mkdir "$tmp/deb" "$tmp/rpm" "$tmp/root"

# Debian's; neither is optimised, as that takes half of the build.
build_deb() {
	tar -C "$tmp/deb" -xzf "$tarball"
	cd "$tmp/deb/activemm-bench-$version" && DEB_BUILD_OPTIONS="parallel=$(nproc) noddebs nocheck noopt" dpkg-buildpackage -us -uc >"$log" 2>&1
}
missing=$(dpkg-checkbuilddeps "$top/debian/control" 2>&1 | sed 's/.*: //')
if [ -n "$missing" ]; then
	skip "Debian's packages: to build them these are not here: $missing"
elif (build_deb); then
	ok "Debian's packages are built from the tarball"
	if command -v lintian >/dev/null; then
		lintian --allow-root --fail-on error,warning "$tmp"/deb/*.changes >"$log" 2>&1
		check "  and lintian has nothing against them" [ $? = 0 ]
	else
		skip "  lintian is not here"
	fi
else
	not_ok "Debian's packages are built from the tarball"
fi

# Fedora's form: without BPF, so that this is built, too, and without the kernel module where there are no headers or no mounts of its own.
build_rpm() { # [module]
	local headers='' kmod=(--without kmod)
	# Somebody may be installing them.
	[ ! -e "$cache/chroot/bullseye.lock" ] || flock "$cache/chroot/bullseye.lock" true
	# Those of the oldest lab kernel run on any newer system.
	for headers in "$cache"/chroot/bullseye/usr/src/linux-headers-*-cloud-amd64; do :; done
	if [ -d "$headers" ] && [ -n "$1" ]; then
		kmod=(--define "kver ${headers##*linux-headers-}")
		# Their paths are absolute.
		mount --bind "$cache/chroot/bullseye/usr/src" /usr/src
		for kbuild in "$cache"/chroot/bullseye/usr/lib/linux-kbuild-*; do
			mkdir -p "/usr/lib/${kbuild##*/}" && mount --bind "$kbuild" "/usr/lib/${kbuild##*/}"
		done
		kmod+=(--define "ksrc /usr/src/${headers##*/}" --define "kmod_make CC=gcc")
	fi
	rpmbuild -tb --quiet --nodeps --without check --without bpf "${kmod[@]}" --define "_topdir $tmp/rpm" --define "optflags -O0" --define "debug_package %{nil}" --define "_smp_mflags -j$(nproc)" "$tarball" >"$log" 2>&1
}
missing=$(lacks rpmbuild)
if [ -n "$missing" ]; then
	skip "RPM packages: rpmbuild is not here (Debian: rpm)"
else
	export tarball log tmp cache
	# A plain chroot has no mount of its own to make private.
	private=(unshare -m)
	unshare -m true 2>/dev/null || private=()
	if "${private[@]}" bash -c "$(declare -f build_rpm); build_rpm ${private[*]:+module}"; then
		ok "RPM packages are built from the tarball: $(cd "$tmp/rpm/RPMS" && find . -name '*.rpm' -printf '%f ')"
		if command -v rpmlint >/dev/null; then
			rpmlint -c "$top/tests/packages/rpmlint.toml" "$tmp"/rpm/RPMS/*/*.rpm >"$log" 2>&1
			check "  and rpmlint finds no error" [ $? = 0 ]
		else
			skip "  rpmlint is not here"
		fi
	else
		not_ok "RPM packages are built from the tarball"
	fi
fi

# A system of this machine's own release with nothing but apt; packed, since a test leaves things behind.
codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
clean=$cache/chroot/clean-$codename.tar
if [ ! -s "$clean" ]; then
	mkdir -p "$cache/chroot"
	apt-config dump --format '%F "%v";%n' Acquire | grep -v -e IndexTargets -e ::Allow >"$tmp/apt.conf"
	mmdebstrap --quiet --variant=apt --dpkgopt=force-unsafe-io --aptopt="$tmp/apt.conf" --skip=cleanup/apt/lists "$codename" "$clean.$$.tar" ${ACTIVEMM_MIRROR:+"$ACTIVEMM_MIRROR"} >"$log" 2>&1 &&
		mv "$clean.$$.tar" "$clean"
	rm -f "$clean.$$.tar"
fi
[ -s "$clean" ] || { skip "packages in a clean system: mmdebstrap could not make one: $(tail -n 1 "$log")"; exit 0; }
tar -C "$tmp/root" -xf "$clean" --exclude='./dev/*'

# inside COMMAND...: as root of that system, with the kernel's own files
inside() {
	# shellcheck disable=SC2016 # the inner shell's
	unshare -m sh -c 'for d in proc sys dev; do mount --rbind /$d "$0/$d" || exit; done; exec chroot "$0" "$@"' "$tmp/root" \
		env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root DEBIAN_FRONTEND=noninteractive "$@" >"$tmp/out" 2>"$log"
}
files() { (cd "$tmp/root" && find etc lib* opt root srv usr -xdev ! -type d ! -name '*.pyc' ! -path 'usr/lib/locale/*' ! -path 'root/.rpmdb/*' ! -name ld.so.cache ! -name '*.gz-' | sort); }
# The installed suite: what autopkgtest runs.
runs() {
	cp "$top/debian/tests/installed-suite" "$tmp/root/tmp/"
	check "  the installed suite runs" inside sh /tmp/installed-suite
}

inside sh -c 'apt-get -qq update && apt-get -qq install --no-install-recommends gnuplot-nox python3' ||
	{ skip "packages in a clean system: $(tail -n 1 "$log")"; exit 0; }
files >"$tmp/before"
if ls "$tmp"/deb/activemm-bench_*.deb >/dev/null 2>&1; then
	cp "$tmp"/deb/activemm-bench_*.deb "$tmp/root/tmp/bench.deb"
	check "Debian's package installs in a clean system" inside apt-get -qq install --no-install-recommends /tmp/bench.deb
	runs
	check "  what it shows needs nothing else: explain, with BPF" inside sh -c 'activemm explain process >/tmp/story && grep -q "by BPF" /tmp/story'
	# What a package leaves is its own: its libraries stay for the next one.
	check "  and is removed" inside apt-get -qq purge activemm-bench
	check "  with nothing left of it" [ -z "$(find "$tmp/root/usr" "$tmp/root/etc" "$tmp/root/var/lib/activemm"* -name '*activemm*' 2>/dev/null)" ]
fi
rpm=$(ls "$tmp"/rpm/RPMS/*/activemm-bench-"$version"-*.rpm 2>/dev/null)
if [ -n "$rpm" ] && ls "$tmp"/deb/activemm-bench_*.deb >/dev/null 2>&1; then
	# Its dependencies are another distribution's names of the libraries that are there now.
	mapfile -t rpms < <(ls "$tmp"/rpm/RPMS/*/*.rpm)
	rpm --root "$tmp/root" --nodeps -i "${rpms[@]}" >"$log" 2>&1
	check "the RPM packages install" [ $? = 0 ]
	runs
	mapfile -t names < <(rpm -qp --qf '%{NAME}\n' "${rpms[@]}" 2>/dev/null)
	rpm --root "$tmp/root" --nodeps -e "${names[@]}" >"$log" 2>&1
	check "  and are removed" [ $? = 0 ]
	check "  with nothing left of them" [ -z "$(find "$tmp/root/usr" "$tmp/root/etc" "$tmp/root/lib/modules" -name '*activemm*' 2>/dev/null)" ]
fi
inside apt-get -qq purge --autoremove
files >"$tmp/after"
if diff "$tmp/before" "$tmp/after" >"$log"; then ok "the system is as it was"; else not_ok "the system is as it was: $(grep -c '^[<>]' "$log") files differ"; fi

# A container's image, where an engine is: without a privilege it runs, and says that nothing proves what it measured.
engine=$(for engine in podman docker; do "$engine" info >/dev/null 2>&1 && echo "$engine" && break; done)
if [ -z "$engine" ]; then
	skip "the container's image: no engine runs here (podman, docker)"
elif ! "$engine" build -q -t activemm-test "$top" >"$log" 2>&1; then
	not_ok "the container's image is built"
else
	ok "the container's image is built"
	"$engine" run --rm activemm-test thread kworker --trials 1 --iterations 500 >"$tmp/out" 2>"$log"
	check "  and runs with no privilege" [ $? = 0 ]
	check "  and says so" grep -q UNVERIFIED "$tmp/out"
	"$engine" rmi activemm-test >/dev/null 2>&1
fi

# The module's package builds it where headers are: in the lab's oldest kernel's system.
deb=$(ls "$tmp"/deb/activemm-dkms_*.deb 2>/dev/null)
if [ -z "$deb" ]; then
	:
elif [ ! -d "$cache/chroot/bullseye/usr/src" ]; then
	skip "activemm-dkms: no system with headers here: kmod-build 5.10"
else
	mkdir "$tmp/upper" "$tmp/work"
	cp "$deb" "$tmp/dkms.deb"
	# shellcheck disable=SC2016 # the inner shell's
	unshare -m sh -c 'mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" none "$2/root" && cd "$2/root" || exit 77
		cp "$2/dkms.deb" tmp/ && mount --rbind /proc proc && mount --rbind /dev dev && chroot . env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive sh -ec "
			apt-get -qq update; apt-get -qq install --no-install-recommends /tmp/dkms.deb; dkms status
			find /lib/modules -name \"activemm.ko*\" | grep .; apt-get -qq purge activemm-dkms
			! find /lib/modules /usr/src /var/lib/dkms -name \"*activemm*\" | grep ."' sh "$cache/chroot/bullseye" "$tmp" >"$tmp/out" 2>"$log"
	status=$?
	if [ "$status" = 77 ]; then skip "activemm-dkms: this kernel has no overlayfs"; else
		check "activemm-dkms builds the module for the kernel that is there, and takes it away" [ "$status" = 0 ]
	fi
fi
true
