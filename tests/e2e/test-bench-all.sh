#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the stand-ins expand
# bench-all on machines that are not this one: stand-ins for the compiler, the package manager, the suite and the kernel's module
# loader, each of which writes down what was asked of it.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)

tree=$tmp/tree bin=$tmp/bin root=$tmp/root said=$tmp/said
copy_tree() { mkdir -p "$1/scripts" && cp -r "$top/bench-all" "$top/kmod" "$1/" && cp -r "$top/scripts/bench-all" "$1/scripts/"; }

# stub NAME TEXT: a program of that name that notes its call and then does TEXT.
stub() { printf '#!/bin/sh\necho "%s $*" >>"%s"\n%s\n' "$1" "$said" "$2" >"$bin/$1" && chmod +x "$bin/$1"; }

# A machine with everything: root, a compiler, a kernel that loads modules.
new_machine() {
	rm -rf "$tree" "$bin" "$root" "$said"
	mkdir -p "$bin" "$root"/{proc/self,proc/sys/kernel,dev,sys/kernel/security,lib/modules/6.1.0-fake/build}
	copy_tree "$tree"
	for tool in awk cat chmod cp date df dirname env getconf grep head kill mkdir rm sed sh sleep tail touch tr; do
		ln -s "$(command -v "$tool")" "$bin/$tool"
	done
	for tool in cc autoreconf aclocal gnuplot clang bpftool; do stub "$tool" ''; done
	stub pkg-config ''
	stub sync ''
	stub apt-get ''
	stub id 'echo 0'
	stub uname 'case $1 in -r) echo 6.1.0-fake ;; -m) echo x86_64 ;; esac'
	stub modprobe 'exit 1'
	stub insmod "echo activemm 1 0 >>$root/proc/modules; : >$root/dev/activemm"
	stub rmmod "[ -e $root/dev/activemm ] || exit 1; : >$root/proc/modules; rm $root/dev/activemm"
	# shellcheck disable=SC2016 # for the stand-in
	stub make 'case $* in
		*-q*) [ -e "$2/activemm" ] ;;
		*kmod-*) : >"$3/activemm.ko" ;;
		*) cp "$2/../../activemm" "$2/activemm" ;;
		esac'
	# It sees whether the module is there, and ends by a signal like the suite.
	cat >"$tmp/activemm" <<-END
		#!/bin/sh
		echo "activemm \$*" >>"$said"
		[ "\$1" = run ] || exit 0
		[ ! -e "$root/dev/activemm" ] || echo "with the module" >>"$said"
		trap 'exit 143' TERM HUP
		[ ! -e "$tmp/wait" ] || { : >"$tmp/waiting"; while :; do sleep 0.1; done; }
		exit 0
	END
	chmod +x "$tmp/activemm"
	cat >"$tree/configure" <<-END
		#!/bin/sh
		echo configure >>"$said"
		: >Makefile
		: >stamp-h1
		echo "configure:1: WARNING: building without BPF, missing: clang" >config.log
		[ ! -e "$root/bpf" ] || echo "#define HAVE_BPF 1" >config.h
		[ -e config.h ] || : >config.h
		printf '#!/bin/sh\n[ "\$1" = --recheck ] || "$tree/configure"\n' >config.status
		chmod +x config.status
	END
	chmod +x "$tree/configure"
	: >"$root/bpf"
	: >"$root/proc/modules"
	: >"$root/lib/modules/6.1.0-fake/build/Makefile"
	printf 'CapEff:\t000001ffffffffff\n' >"$root/proc/self/status"
	: >"$said"
}

bench_all() { (cd "$tree" && PATH=$bin ACTIVEMM_ROOT=$root ./bench-all "$@") >"$tmp/out" 2>"$tmp/err"; status=$?; }
told() { grep -qF -- "$1" "$tmp/err"; }
did() { grep -qE -- "$1" "$said"; }
# refused WHAT TEXT: it ended with status 1 and one line that holds TEXT.
refused() {
	if [ "$status" = 1 ] && [ "$(wc -l <"$tmp/err")" = 1 ] && told "$2"; then ok "$1"; else not_ok "$1 (status $status)"; fi
}
# unloaded WHAT TEXT [OPTIONS]: the run goes on without the module, and one line holds TEXT.
without_module() {
	local what=$1 text=$2
	shift 2
	bench_all "$@"
	if [ "$status" = 0 ] && did '^activemm run' && ! did 'with the module' && [ "$(grep -c 'kernel module' "$tmp/err")" = 1 ] && told "$text"; then
		ok "$what"
	else
		not_ok "$what (status $status)"
	fi
}

new_machine
for folder in "Mäßig gut/activemm bench" "a#b" "it's"; do
	copy_tree "$tmp/$folder"
	(cd "$tmp/$folder" && PATH=$bin ACTIVEMM_ROOT=$root ./bench-all) >"$tmp/out" 2>"$tmp/err"
	status=$?
	refused "a folder that make cannot build in, $folder, is refused" "Move the folder"
done
check "  before anything is installed" [ ! -s "$said" ]
ACTIVEMM_BUILD="$tmp/a b" bench_all
refused "so is such a build folder" "ACTIVEMM_BUILD"

new_machine
rm "$bin/gnuplot" "$bin/clang"
bench_all --no-install
refused "what is missing is named with the command that installs it" "Install them: apt-get install gnuplot-nox"
check "  and nothing was installed" sh -c "! grep -q apt-get '$said'"
stub id 'echo 1000'
bench_all
refused "without root and sudo: what root should do" "Run as root: apt-get install gnuplot-nox"
stub id 'echo 0'
rm "$bin/cc"
stub apt-get "case \$* in *install*) cp $bin/make $bin/gnuplot; cp $bin/make $bin/cc; cp $bin/bpftool $bin/clang ;; esac"
bench_all
check "what BPF needs is installed with the rest" did 'apt-get .*install .*gnuplot-nox.* clang'

new_machine
rm "$bin/clang" "$root/bpf"
stub apt-get 'case $* in *install*) exit 100 ;; esac'
bench_all
check "without what BPF needs the suite runs" [ "$status" = 0 ]
check "  and says what is missing" told "building without BPF, missing: clang"
: >"$said"
bench_all
check "what could not be installed is not tried at every start" sh -c "! grep -q apt-get '$said'"
stub clang ''
stub bpftool 'exit 2'
: >"$said"
bench_all
check "a bpftool that fails is none" sh -c "! grep -q configure '$said'"
stub bpftool ''
: >"$root/bpf"
: >"$said"
bench_all
check "a folder configured without BPF is configured again once its parts are here" did '^configure'
check "  and nothing is said of BPF then" sh -c "! grep -q 'without BPF' '$tmp/err'"

new_machine
bench_all
check "the module is built, loaded for the run, and unloaded" [ "$(grep -oE '^(insmod|with the module|rmmod)' "$said" | tr '\n' ' ')" = "insmod with the module rmmod " ]
check "  with nothing said of it" sh -c "! grep -q module '$tmp/err'"
check "building is said" told "building into"
check "what was built is on the disk before anything is measured" [ "$(grep -oE '^(make|sync|activemm run)' "$said" | tail -n 3 | tr '\n' ' ')" = "make sync activemm run " ]
: >"$said"
bench_all
check "  and not where nothing is built" sh -c "! grep -q 'building into' '$tmp/err'"
: >"$said"
bench_all thread --no-module
check "--no-module leaves it out" sh -c "! grep -q insmod '$said'"
bench_all thread process --time 1
check "so do scenarios that do not use it" sh -c "! grep -q insmod '$said'"
bench_all kthread:mode=lazy
check "one that does has it" did '^insmod'

echo "activemm 1 0" >"$root/proc/modules"
: >"$root/dev/activemm"
: >"$said"
bench_all
check "a module that was loaded before is used and stays" [ "$(grep -cE '^(insmod|rmmod)' "$said"):$(grep -c 'with the module' "$said")" = 0:1 ]
: >"$root/proc/modules"
rm "$root/dev/activemm"

: >"$tmp/wait"
for signal in TERM INT HUP; do
	: >"$said"
	rm -f "$tmp/waiting"
	(cd "$tree" && exec env --default-signal PATH="$bin" ACTIVEMM_ROOT="$root" ./bench-all) >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	for _ in {1..100}; do [ -e "$tmp/waiting" ] || sleep 0.1; done
	kill "-$signal" "$pid"
	# The stand-in is a shell in the background, which is deaf to SIGINT.
	[ "$signal" != INT ] || { sleep 0.3; kill -TERM "$(pgrep -f "$tree/build/activemm run" | head -n 1)"; }
	wait "$pid"
	status=$?
	check "SIG$signal ends the run, and the module is unloaded" [ "$status:$(grep -c '^rmmod' "$said")" = 143:1 ]
done
rm "$tmp/wait"

new_machine
rm "$root/proc/modules"
without_module "a kernel without modules" "has no loadable modules"
new_machine
stub id 'echo 1000'
without_module "a user" "takes root"
new_machine
printf 'CapEff:\t00000000a80425fb\n' >"$root/proc/self/status"
without_module "a container's root" "CAP_SYS_MODULE"
new_machine
echo 1 >"$root/proc/sys/kernel/modules_disabled"
without_module "modules locked until the next boot" "modules_disabled"
new_machine
echo 'none [integrity] confidentiality' >"$root/sys/kernel/security/lockdown"
without_module "lockdown" "signed modules only"
new_machine
stub insmod 'echo "insmod: ERROR: could not insert module: Key was rejected by service" >&2; exit 1'
without_module "a key that is rejected has its remedy" "kmod/README.md"
new_machine
stub insmod 'echo "insmod: ERROR: could not insert module: Invalid module format" >&2; exit 1'
without_module "a module for another kernel" "another kernel"
new_machine
stub uname 'case $1 in -r) echo 6.1.0-fake ;; -m) echo riscv64 ;; esac'
without_module "another architecture" "x86-64 and arm64"
new_machine
rm -r "$root/lib/modules/6.1.0-fake"
without_module "no headers: the package that has them" "package linux-headers-6.1.0-fake"
check "  which it tried to install" did 'apt-get .*install .*linux-headers-6.1.0-fake'
new_machine
# shellcheck disable=SC2016 # for the stand-in
stub make 'case $* in *-q*) [ -e "$2/activemm" ] ;; *kmod-*) echo "error: oops" >&2; exit 2 ;; *) cp "$2/../../activemm" "$2/activemm" ;; esac'
without_module "a module that does not build" "build.log"
new_machine
stub modprobe "[ \"\$1\" = -n ] || { echo activemm >>$root/proc/modules; : >$root/dev/activemm; }"
bench_all
check "one that DKMS installed is loaded, and unloaded" [ "$(grep -oE '^(modprobe activemm|insmod|with the module|rmmod)' "$said" | tr '\n' ' ')" = "modprobe activemm with the module rmmod " ]

# kbuild FILE LINE: what the module's makefile asks of a kernel whose configuration holds LINE.
kbuild() {
	rm -rf "$tmp/kernel" && mkdir -p "$tmp/kernel/include/config" && echo "$2" >"$tmp/kernel/$1"
	printf 'modules:\n\t@echo "LLVM=$(LLVM)"\n' >"$tmp/kernel/Makefile"
	make -s -C "$top/kmod" KDIR="$tmp/kernel"
}
check "a kernel built by clang has its module built by clang" [ "$(kbuild .config CONFIG_CC_IS_CLANG=y)$(kbuild include/config/auto.conf CONFIG_CC_IS_CLANG=y)" = LLVM=1LLVM=1 ]
check "  and one built by gcc by gcc" [ "$(kbuild .config CONFIG_CC_IS_GCC=y)" = LLVM= ]

new_machine
rm "$tree/configure"
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	stub autoreconf ''
	(PATH=$bin:$PATH ACTIVEMM_ROOT=$root ACTIVEMM_BUILD=$tmp/elsewhere unshare -m sh -c "mount --bind '$tree' '$tree' && mount -o remount,bind,ro '$tree' && '$tree/bench-all'") >"$tmp/out" 2>"$tmp/err"
	status=$?
	refused "a read-only source tree that was never prepared" "read-only"
	(PATH=$bin:$PATH ACTIVEMM_ROOT=$root unshare -m sh -c "mount --bind '$tree' '$tree' && mount -o remount,bind,ro '$tree' && '$tree/bench-all'") >"$tmp/out" 2>"$tmp/err"
	status=$?
	refused "a build folder that cannot be made" "ACTIVEMM_BUILD=DIR"
	mkdir "$tmp/small"
	(PATH=$bin:$PATH ACTIVEMM_ROOT=$root ACTIVEMM_BUILD=$tmp/small unshare -m sh -c "mount -t tmpfs -o size=8m none '$tmp/small' && '$tree/bench-all'") >"$tmp/out" 2>"$tmp/err"
	status=$?
	refused "a full disk" "are free at $tmp/small"
else
	skip "a read-only source tree, a full disk: needs root and a mount namespace"
fi
true
