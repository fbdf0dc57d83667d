#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# --isolate with cpusets of cgroup v2 and v1, in lab kernels: ended by SIGTERM, and by SIGKILL.
set -u

# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

for signal in TERM KILL; do
	guest "cpusets of cgroup v2 give the CPU up and get it back, SIG$signal" newest --file "$here/isolate-guest.sh:/bin/guest.sh" -- sh /bin/guest.sh v2 $signal
	# Newer kernels may be without cgroup v1's cpusets.
	guest "so does a task in a cpuset of cgroup v1, SIG$signal" oldest --file "$here/isolate-guest.sh:/bin/guest.sh" -- sh /bin/guest.sh v1 $signal
done
