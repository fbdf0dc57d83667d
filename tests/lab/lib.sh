# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For the tests in lab kernels: counts, and a temporary folder that goes. Sourced. A kernel that cannot be had is skipped.
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
# shellcheck disable=SC2034 # for those that source this
activemm=$(readlink -f "${ACTIVEMM:-$top/build/activemm}")
tmp=$(mktemp -d) || exit 1
passed=0 failed=0 skipped=0

# shellcheck disable=SC2317,SC2329 # called by the trap
finish() {
	local status=$?
	rm -rf "$tmp"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$status" = 0 ] && [ "$failed" = 0 ] || exit 1
}
trap finish EXIT

ok() { passed=$((passed + 1)); echo "ok - $1"; }
not_ok() { failed=$((failed + 1)); echo "not ok - $1"; grep -v '^ok' "$tmp/log" | tail -n 30; }
skip() { skipped=$((skipped + 1)); echo "skip - $1: $(grep -E 'kernel-lab:|kmod-build:|skipped' "$tmp/log" | tail -n 1)"; }
