#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Stories and the watch in the oldest and the newest supported kernel, in QEMU. A kernel that cannot be had is skipped.
set -u

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
workload=$(dirname "$activemm")/tests/watch/workload

for kernel in oldest newest; do
	guest "stories keep to the claims" "$kernel" --module auto --file "$here/explain-guest.sh:/bin/guest.sh" -- sh /bin/guest.sh
	if [ -x "$workload" ]; then
		guest "the watch classes switches" "$kernel" --file "$workload:/bin/workload" --file "$here/../watch/guest.sh:/bin/guest.sh" \
			-- sh /bin/guest.sh activemm workload
	else
		echo "skipped: $workload is not built (make check TESTS=)" >"$tmp/log"
		skip "$kernel: the watch classes switches"
	fi
done
