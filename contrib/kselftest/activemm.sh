#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Does the kernel switch, load CR3 and flush as often as it should? Arguments go to `activemm run': scenarios, --trials and the like.
set -eu

activemm=${ACTIVEMM:-activemm}
if ! command -v "$activemm" >/dev/null 2>&1; then
	printf 'KTAP version 1\n1..0 # SKIP activemm is not installed: install activemm-bench or set ACTIVEMM\n'
	exit 4 # ksft_skip
fi
set_dir=$(mktemp -d)
trap 'rm -rf "$set_dir"' EXIT
trap 'exit 130' INT TERM HUP
[ $# -gt 0 ] || set -- --quick
"$activemm" run --ktap -o "$set_dir/set" "$@"
