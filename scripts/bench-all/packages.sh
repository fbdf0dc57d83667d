# shellcheck shell=sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What is missing, and installing it. Sourced by bench-all.
# shellcheck disable=SC2154 # build, install and root are its

# need DEB RPM: adds the package's name here to $lacking.
need() { lacking="$lacking $([ "$kind" = deb ] && echo "$1" || echo "$2")"; }

# The compiler, where there is one, knows where headers are.
has_header()
{
	if command -v cc >/dev/null 2>&1; then
		echo "#include <$1>" | cc -E - >/dev/null 2>&1
	else
		[ -e "/usr/include/$1" ]
	fi
}

# missing_needed KIND: names of Debian packages ("deb") or Fedora packages ("rpm") without which nothing runs.
missing_needed()
{
	kind=$1 lacking=
	for tool in cc:gcc:gcc make:make:make autoreconf:autoconf:autoconf aclocal:automake:automake \
		pkg-config:pkg-config:pkgconf-pkg-config gnuplot:gnuplot-nox:gnuplot-minimal; do
		pair=${tool#*:}
		command -v "${tool%%:*}" >/dev/null 2>&1 || need "${pair%%:*}" "${pair#*:}"
	done
	for header in stdio.h:libc6-dev:glibc-devel numa.h:libnuma-dev:numactl-devel hwloc.h:libhwloc-dev:hwloc-devel \
		jansson.h:libjansson-dev:jansson-devel gsl/gsl_rng.h:libgsl-dev:gsl-devel \
		perfmon/pfmlib.h:libpfm4-dev:libpfm-devel; do
		pair=${header#*:}
		has_header "${header%%:*}" || need "${pair%%:*}" "${pair#*:}"
	done
	echo "$lacking"
}

# A bpftool that works: Ubuntu's may be a wrapper for kernels that are not installed. configure looks at the same ones.
has_bpftool()
{
	for tool in "$(command -v bpftool)" "$root"/usr/sbin/bpftool "$root"/sbin/bpftool "$root"/usr/lib/linux-tools-*/bpftool \
		"$root"/usr/lib/linux-tools/*/bpftool; do
		[ ! -x "$tool" ] || ! "$tool" version >/dev/null 2>&1 || return 0
	done
	return 1
}

has_clang()
{
	for tool in clang clang-22 clang-21 clang-20 clang-19 clang-18 clang-17 clang-16 clang-15 clang-14; do
		! command -v "$tool" >/dev/null 2>&1 || return 0
	done
	return 1
}

# missing_bpf KIND: what the BPF programs need, without which the suite runs, too.
missing_bpf()
{
	kind=$1 lacking=
	has_clang || need clang clang
	pkg-config --atleast-version=1.0 libbpf 2>/dev/null || need libbpf-dev libbpf-devel
	has_bpftool || {
		# The wrapper comes first; the program behind it with the tools of any kernel.
		if command -v bpftool >/dev/null 2>&1 || [ -x "$root/usr/sbin/bpftool" ]; then
			need linux-tools-generic bpftool
		else
			need bpftool bpftool
		fi
	}
	echo "$lacking"
}

# missing_optional KIND: that, and what the history of result sets needs.
missing_optional()
{
	missing_bpf "$1"
	lacking=
	has_header sqlite3.h || need libsqlite3-dev sqlite-devel
	echo "$lacking"
}

find_manager()
{
	manager='' family=deb as=
	if command -v apt-get >/dev/null 2>&1; then
		manager=apt-get
	elif command -v dnf >/dev/null 2>&1; then
		manager=dnf family=rpm
	fi
	[ "$(id -u)" = 0 ] || as=sudo
}

may_install() { [ "$install" = yes ] && [ -n "$manager" ] && { [ -z "$as" ] || command -v sudo >/dev/null 2>&1; }; }

# install_packages PACKAGE...: what the manager said is in $packages_log.
install_packages()
{
	packages_log=$build/packages.log
	make_folder
	say "installing $* with $manager (what it says: $packages_log)"
	if [ "$manager" = apt-get ]; then
		if [ -z "${updated:-}" ]; then
			$as apt-get update -qq >"$packages_log" 2>&1 || :
			updated=yes
		fi
		# A machine that was just made may be installing by itself.
		$as env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq \
			--no-install-recommends "$@" >>"$packages_log" 2>&1
	else
		$as dnf install -y -q "$@" >"$packages_log" 2>&1
	fi
}

# install_optional PACKAGE...: together, or else those that can be had; each is tried once for a build folder.
install_optional()
{
	may_install || return 1
	untried=
	for package; do
		grep -qxF "$package" "$build/packages.tried" 2>/dev/null || untried="$untried $package"
	done
	[ -n "$untried" ] || return 1
	# shellcheck disable=SC2086 # a list of words
	set -- $untried
	install_packages "$@" || {
		[ $# -gt 1 ] || { echo "$1" >>"$build/packages.tried"; return 1; }
		for package; do
			install_packages "$package" || echo "$package" >>"$build/packages.tried"
		done
	}
}

install_missing()
{
	find_manager
	packages=$(missing_needed "$family") bpf=
	built_with_bpf || bpf=$(missing_optional "$family")
	if [ -n "$packages" ]; then
		command="${as:+$as }$manager install$packages"
		[ -n "$manager" ] || die "missing:$packages (names of Debian packages): install them, then start again"
		[ "$install" = yes ] || die "missing:$packages. Install them: $command"
		may_install || die "missing:$packages, and there is no sudo. Run as root: ${command#sudo }"
		# shellcheck disable=SC2086 # lists of words
		install_packages $packages $bpf || [ -z "$bpf" ] || install_packages $packages || :
		packages=$(missing_needed "$family")
		[ -z "$packages" ] || {
			grep -E '^(E:|Error)' "$packages_log" | head -n 3 >&2
			die "$manager could not install$packages: $packages_log says why"
		}
		bpf=$(missing_optional "$family")
	fi
	# Twice, as the first bpftool may be but a wrapper.
	for _ in 1 2; do
		[ -n "$bpf" ] || break
		# shellcheck disable=SC2086 # a list of words
		install_optional $bpf || break
		bpf=$(missing_optional "$family")
	done
}
