#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What new scenarios start from works: it is listed, takes its parameter, and does what it claims.
# shellcheck disable=SC2016 # the inner shells expand
set -u
: "${ACTIVEMM:=build/activemm}"
activemm=$(dirname "$ACTIVEMM")/bench/scenarios/with-skeleton
[ -x "$activemm" ] || make -s -C "$(dirname "$ACTIVEMM")" bench/scenarios/with-skeleton || exit 1
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

run list
check "the skeleton is listed beside the suite's scenarios" sh -c \
	'grep -q "^skeleton" "$1" && grep -q "^process" "$1"' - "$tmp/out"
refuses "its parameter has a range" 2 "bytes" run skeleton:bytes=0 -o "$tmp/none"
run run skeleton:bytes=1/64,pages=8 --trials 2 --iterations 2000 -o "$tmp/set"
check "it runs" [ "$status" = 0 ]
check "and does what it claims, with each of its parameters" json "$tmp/set/trials.jsonl" \
	'{x["params"]["bytes"] for x in t if x["valid"]} == {1, 64}'
