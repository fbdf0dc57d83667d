#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# --isolate with cpusets of cgroup v2 and v1, in lab kernels: ended by SIGTERM, and by SIGKILL.
set -u

here=$(cd "$(dirname "$0")" && pwd)
activemm=$(readlink -f "${ACTIVEMM:-$here/../../build/activemm}")
log=$(mktemp) || exit 1
passed=0 failed=0 skipped=0
# shellcheck disable=SC2317 # called by the trap
finish() {
	rm -f "$log"
	echo "$passed passed, $failed failed, $skipped skipped"
	exit $((failed > 0))
}
trap finish EXIT

# guest KERNEL SCRIPT SIGNAL
guest() {
	"$here/../../scripts/kernel-lab" boot "$1" --cpus 2 --activemm "$activemm" --file "$activemm:/bin/activemm" \
		--file "$here/$2:/bin/guest.sh" -- sh /bin/guest.sh "$3" >"$log" 2>&1
	case $? in
	0) passed=$((passed + 1)) && grep '^ok' "$log" ;;
	3 | 77) skipped=$((skipped + 1)) && echo "skip - $2: $(grep 'kernel-lab:' "$log" | tail -n 1)" ;;
	*) failed=$((failed + 1)) && tail -n 10 "$log" ;;
	esac
}

guest newest isolate-guest.sh TERM
guest newest isolate-guest.sh KILL
guest oldest isolate-v1-guest.sh TERM # newer kernels may be without cgroup v1's cpusets
guest oldest isolate-v1-guest.sh KILL
