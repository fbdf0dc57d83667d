# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the tests need of the machine: what is missing, with the command that installs it. Sourced by scripts/test.

# How it is seen | Debian's package | Fedora's. First what nothing goes without, then what some parts want.
readonly required='gcc|gcc|gcc
make|make|make
autoreconf|autoconf|autoconf
aclocal|automake|automake
pkg-config|pkg-config|pkgconf-pkg-config
<numa.h>|libnuma-dev|numactl-devel
<hwloc.h>|libhwloc-dev|hwloc-devel
<jansson.h>|libjansson-dev|jansson-devel
<gsl/gsl_rng.h>|libgsl-dev|gsl-devel
<perfmon/pfmlib.h>|libpfm4-dev|libpfm-devel
python3|python3|python3
ps|procps|procps-ng
taskset|util-linux|util-linux'
readonly wanted='clang|clang|clang
/usr/lib*/clang/*/lib/*/libclang_rt.fuzzer*.a /usr/lib/llvm-*/lib/clang/*/lib/*/libclang_rt.fuzzer*.a|libclang-rt-dev|compiler-rt
<cmocka.h>|libcmocka-dev|libcmocka-devel
<sqlite3.h>|libsqlite3-dev|sqlite-devel
<bpf/libbpf.h>|libbpf-dev|libbpf-devel
bpftool /usr/sbin/bpftool|bpftool|bpftool
gnuplot|gnuplot-nox|gnuplot-minimal
perf|linux-perf|perf
shellcheck|shellcheck|ShellCheck
python3:jsonschema|python3-jsonschema|python3-jsonschema
chromium chromium-browser google-chrome|chromium|chromium
/usr/bin/time|time|time
strace|strace|strace
zsh|zsh|zsh
/usr/share/bash-completion/bash_completion|bash-completion|bash-completion
/usr/lib*/hwloc/*.so /usr/lib/*/hwloc/*.so|libhwloc-plugins|hwloc-plugins
slurmctld /usr/sbin/slurmctld|slurm-wlm|slurm slurm-slurmctld slurm-slurmd
clush|clustershell|clustershell
/usr/share/i18n/locales/de_DE|locales|glibc-locale-source'
# For packages, and for kernels in QEMU, which are Debian's.
readonly lab='dpkg-buildpackage|dpkg-dev|
/usr/share/build-essential|build-essential|
dh|debhelper|
dh_dkms|dh-dkms|
lintian|lintian|
rpmbuild|rpm|
rpmlint|rpmlint|
qemu-system-x86_64|qemu-system-x86|
qemu-system-aarch64|qemu-system-arm|
aarch64-linux-gnu-gcc|gcc-aarch64-linux-gnu|
/bin/busybox|busybox-static|
cpio|cpio|
mke2fs /sbin/mke2fs|e2fsprogs|
modprobe /usr/sbin/modprobe /sbin/modprobe|kmod|
xz|xz-utils|
zstd|zstd|
/usr/share/keyrings/debian-archive-keyring.gpg|debian-archive-keyring|
mmdebstrap|mmdebstrap|'

# here_is HOW...: one of these commands, or this header, file or Python module, is here
here_is() (
	for how; do
		case $how in
		'<'*) echo "#include $how" | cc -E - >/dev/null 2>&1 || [ -e "/usr/include/${how:1:-1}" ] ;;
		python3:*) python3 -c "import ${how#*:}" 2>/dev/null ;;
		/*) [ -e "$how" ] ;;
		*) command -v "$how" >/dev/null ;;
		esac && return
	done
	return 1
)

# missing FIELD LIST...: the packages (2: Debian's names, 3: Fedora's) of what is not here
missing() {
	local field=$1 how deb rpm
	shift
	printf '%s\n' "$@" | while IFS='|' read -r how deb rpm; do
		# shellcheck disable=SC2086 # alternatives, and patterns of files
		here_is $how || { [ "$field" = 2 ] && echo "$deb" || echo "$rpm"; }
	done | grep . | sort -u | tr '\n' ' ' | sed 's/ $//'
}

# Sets manager, field (whose names), and sudo, empty for root; may_install is empty where nobody may.
find_manager() {
	manager='' field=2 sudo='' may_install=
	if command -v apt-get >/dev/null; then
		manager='apt-get install --no-install-recommends'
	elif command -v dnf >/dev/null; then
		manager='dnf install' field=3
	fi
	if [ "$(id -u)" != 0 ]; then sudo='sudo '; fi
	if [ -n "$manager" ] && { [ -z "$sudo" ] || command -v sudo >/dev/null; }; then may_install=yes; fi
}

# say_missing WHY PACKAGES: one line, with the command that mends it
say_missing() {
	case $manager,$sudo,$may_install in
	,*) echo "scripts/test: missing ($1): $2; these are Debian's names: install them" ;;
	*,sudo*,) echo "scripts/test: missing ($1): $2; there is no sudo here, so as root: $manager $2" ;;
	*) echo "scripts/test: missing ($1): $2; install: $sudo$manager $2" ;;
	esac >&2
}

# install_packages PACKAGES: all at once, or where one cannot be had, each by itself
install_packages() {
	local quiet='-y -q' package
	# shellcheck disable=SC2086 # words are wanted
	[ "${manager%% *}" = dnf ] || { ${sudo}apt-get update -qq; quiet='-y -qq -o DPkg::Lock::Timeout=120'; }
	# shellcheck disable=SC2086 # words are wanted
	${sudo}env DEBIAN_FRONTEND=noninteractive $manager $quiet $1 || for package in $1; do
		${sudo}env DEBIAN_FRONTEND=noninteractive $manager $quiet $package
	done
}

# get_packages INSTALL KERNELS LOG: installs what is missing, or says so. Fails if what nothing goes without is missing.
get_packages() {
	local lists=("$required" "$wanted") packages
	find_manager
	[ "$2" = no ] || [ "$field" = 3 ] || lists+=("$lab")
	packages=$(missing "$field" "${lists[@]}")
	[ -n "$packages" ] || return 0
	if [ "$1" = yes ] && [ -n "$may_install" ]; then
		echo "installing: $packages"
		install_packages "$packages" >"$3" 2>&1
	fi
	packages=$(missing "$field" "${lists[@]}")
	[ -z "$packages" ] || say_missing "tests that want them are skipped" "$packages"
	packages=$(missing "$field" "$required")
	[ -z "$packages" ] || say_missing "no test goes without" "$packages"
	[ -z "$packages" ]
}

# get_promtool: Prometheus's checker of metrics, into a cache and not onto the machine, where its package would start a service. Prints where.
get_promtool() {
	local dir=${XDG_CACHE_HOME:-$HOME/.cache}/activemm-bench/promtool part
	if [ ! -x "$dir/promtool" ] && command -v apt-get >/dev/null; then
		part=$dir.$$
		mkdir -p "$part"
		(cd "$part" && apt-get -qq download prometheus && dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xO ./usr/bin/promtool >promtool) 2>/dev/null &&
			chmod +x "$part/promtool" && rm -f "$part"/*.deb && mkdir -p "$dir" && mv "$part/promtool" "$dir/"
		rm -rf "$part"
	fi
	[ ! -x "$dir/promtool" ] || echo "$dir"
}
