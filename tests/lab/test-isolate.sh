#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# --isolate with cpusets of cgroup v2, in the newest supported kernel: ended by SIGTERM, and by SIGKILL.
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

for signal in TERM KILL; do
	"$here/../../scripts/kernel-lab" boot newest --cpus 2 --activemm "$activemm" --file "$activemm:/bin/activemm" \
		--file "$here/isolate-guest.sh:/bin/guest.sh" -- sh /bin/guest.sh "$signal" >"$log" 2>&1
	case $? in
	0) passed=$((passed + 1)) && grep '^ok' "$log" ;;
	3 | 77) skipped=$((skipped + 1)) && echo "skip - isolation by cgroup v2: $(grep 'kernel-lab:' "$log" | tail -n 1)" ;;
	*) failed=$((failed + 1)) && tail -n 10 "$log" ;;
	esac
done
