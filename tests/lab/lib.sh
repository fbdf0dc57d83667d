# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For the tests in lab kernels: counts, a temporary folder that goes, and boots. Sourced. A kernel that cannot be had is skipped.
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
activemm=$(readlink -f "${ACTIVEMM:-$top/build/activemm}")
tmp=$(mktemp -d) || exit 1
passed=0 failed=0 skipped=0

# shellcheck disable=SC2317 # called by the trap
finish() {
	rm -rf "$tmp"
	echo "$passed passed, $failed failed, $skipped skipped"
	exit $((failed > 0))
}
trap finish EXIT

ok() { passed=$((passed + 1)); echo "ok - $1"; }
not_ok() { failed=$((failed + 1)); echo "not ok - $1"; grep -v '^ok' "$tmp/log" | tail -n 30; }
skip() { skipped=$((skipped + 1)); echo "skip - $1: $(grep -E 'kernel-lab:|skipped' "$tmp/log" | tail -n 1)"; }

# guest WHAT KERNEL OPTIONS...: boots the kernel with the suite in it, and counts whether its commands succeed
guest() {
	local what="$2: $1" kernel=$2 status
	shift 2
	"$top/scripts/kernel-lab" boot "$kernel" --cpus 2 --activemm "$activemm" --file "$activemm:/bin/activemm" "$@" >"$tmp/log" 2>&1
	status=$?
	case $status in
	0) ok "$what ($(grep -c '^ok' "$tmp/log") checks)" ;;
	3 | 77) skip "$what" ;;
	*) not_ok "$what (status $status)" ;;
	esac
}
