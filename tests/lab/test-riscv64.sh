#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# riscv64 is built and not booted: of the suite's objects those that differ by architecture, without optimisation, with libraries and a
# compiler that are here already.
set -u

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
lab() { "$top/scripts/kernel-lab" "$@"; }
get="scripts/kernel-lab build --arch riscv64 --install gets it, once, in two minutes"

[ -e "${XDG_CACHE_HOME:-$HOME/.cache}/activemm-bench/sysroot/riscv64/usr/include/stdio.h" ] || get="its libraries are not here: $get"
command -v riscv64-linux-gnu-gcc >/dev/null || get="its compiler is not here: $get"
if [[ $get != scripts/* ]]; then
	echo "kernel-lab: $get" >"$tmp/log"
	skip "riscv64" && exit 0
fi
libraries=(lib/base/libbase.a lib/machine/libmachine.a lib/counters/libcounters.a lib/switches/libswitches.a)
CFLAGS='-O0 -Werror' lab build --arch riscv64 -o "$tmp/build" -- "${libraries[@]}" >"$tmp/log" 2>&1
status=$?
[ $status != 0 ] || readelf -h "$tmp/build/lib/machine/arch/arch.o" >"$tmp/log" 2>&1
if [ $status = 0 ] && grep -q 'Machine:.*RISC-V' "$tmp/log"; then ok "what differs by architecture is built for riscv64"; else not_ok "what differs by architecture is built for riscv64"; fi

# What the counters say they cannot see there is in the object, and x86's words are not.
strings -n 6 "$tmp/build/lib/counters/counters.o" >"$tmp/log" 2>&1
if grep -q 'TLB invalidations reach other CPUs by broadcast, or by the firmware' "$tmp/log" && ! grep -q 'load_new_mm_cr3' "$tmp/log"; then
	ok "  and has the reason why other CPUs' flushes are not counted there"
else
	not_ok "  and has the reason why other CPUs' flushes are not counted there"
fi
