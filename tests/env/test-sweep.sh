#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A sample of the sweep: system calls that fail, one at a time. Another sample each day; ACTIVEMM_SWEEP takes the sweep's own options.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

need_tool "the sweep" strace && need_tool "the sweep" cc || exit 0
# shellcheck disable=SC2086 # options
check "every system call may fail" "$env/sweep" ${ACTIVEMM_SWEEP:---jobs 2 --sample 25 --seed $(($(date +%s) / 86400))} "$activemm"
true
