#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Stories and the watch in the oldest and the newest supported kernel, in QEMU. A kernel that cannot be had is skipped.
set -u

here=$(cd "$(dirname "$0")" && pwd)
activemm=$(readlink -f "${ACTIVEMM:-$here/../../build/activemm}")
workload=$(dirname "$activemm")/tests/watch/workload
log=$(mktemp) || exit 1
passed=0 failed=0 skipped=0
# shellcheck disable=SC2317 # called by the trap
finish() {
	rm -f "$log"
	echo "$passed passed, $failed failed, $skipped skipped"
	exit $((failed > 0))
}
trap finish EXIT

# guest WHAT KERNEL OPTIONS...: boots, and counts
guest() {
	local what=$1 kernel=$2 status
	shift 2
	"$here/../../scripts/kernel-lab" boot "$kernel" --cpus 2 --activemm "$activemm" --file "$activemm:/bin/activemm" "$@" >"$log" 2>&1
	status=$?
	case $status in
	0) passed=$((passed + 1)) && echo "ok - $kernel: $what ($(grep -c '^ok' "$log") checks)" ;;
	3 | 77) skipped=$((skipped + 1)) && echo "skip - $kernel: $what: $(grep 'kernel-lab:' "$log" | tail -n 1)" ;;
	*) failed=$((failed + 1)) && echo "not ok - $kernel: $what (status $status)" && grep -v '^ok' "$log" | tail -n 30 ;;
	esac
}

for kernel in oldest newest; do
	guest "stories keep to the claims" "$kernel" --module auto --file "$here/explain-guest.sh:/bin/guest.sh" -- sh /bin/guest.sh
	if [ -x "$workload" ]; then
		guest "the watch classes switches" "$kernel" --file "$workload:/bin/workload" --file "$here/../watch/guest.sh:/bin/guest.sh" \
			-- sh /bin/guest.sh activemm workload
	else
		skipped=$((skipped + 1)) && echo "skip - $kernel: the watch: $workload is not built (make check TESTS=)"
	fi
done
