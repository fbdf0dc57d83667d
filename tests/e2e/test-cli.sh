#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The command line, and bad input: one clear line, the documented status, and no finished trial lost.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

refuses "an unknown command is named" 2 "'nonsense'" nonsense
refuses "an unknown scenario is named" 2 "no scenario 'nosuch'" run nosuch -o "$tmp/x"
refuses "an unknown parameter: what there is" 2 "it takes handover, membarrier, pages, pagesize" run thread:nosuch=1 -o "$tmp/x"
refuses "a number out of its range: the range" 2 "from 2 to 16" run ring:n=17 -o "$tmp/x"
refuses "a number that is none" 2 "from 0 to 4096" run thread:pages=1x -o "$tmp/x"
refuses "a choice that is none: the choices" 2 "yield, eventfd, pipe, futex" run process:handover=smoke -o "$tmp/x"
refuses "a parameter without a value" 2 "key=value" run thread:pages -o "$tmp/x"
refuses "a CPU that is not there: those that are" 2 "choose one of" run thread --cpu 4095 -o "$tmp/x"
refuses "a CPU that is no number" 2 "--cpu one" run thread --cpu one -o "$tmp/x"
refuses "no trials" 2 "from 1 to" run thread --trials 0 -o "$tmp/x"
refuses "an unknown option" 2 "--nosuch" run thread --nosuch
refuses "an option without its value" 2 "--trials" run thread --trials
refuses "--resume without a set" 2 "-o DIR" run --resume
refuses "--resume of nothing" 1 "no result set" run --resume -o "$tmp/nothing"
refuses "report of nothing" 1 "no result set" report "$tmp/nothing"
refuses "report without a set" 2 "name one result set" report
check "nothing was written by a refused run" [ ! -e "$tmp/x" ]

allowed=$(taskset -pc $$ | sed 's/.*: //')
first=${allowed%%[,-]*}
if [ "$allowed" != "$first" ]; then
	other=${allowed##*[,-]}
	taskset -c "$first" "$activemm" run thread --cpu "$other" --trials 1 --iterations 100 -o "$tmp/named" >/dev/null 2>"$tmp/err"
	check "a CPU outside the caller's taskset is taken when it is named" grep -q "^CPU $other (asked for" "$tmp/err"
	taskset -c "$first" "$activemm" run thread --trials 1 --iterations 100 -o "$tmp/narrow" >/dev/null 2>"$tmp/err"
	check "  else the taskset stands" grep -q "^CPU $first (the only CPU allowed" "$tmp/err"
else
	skip "a CPU outside the cpuset: only one CPU here"
fi

run list
check "list shows every scenario" [ "$(grep -cE '^(thread|process|kworker|idle|stopper|interposed|stale|ring|shootdown|flush|refcount|exit|kthread|base):' "$tmp/out")" = 14 ]
run list --json
check "list --json is JSON with claims" python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); assert all("claim" in s for s in d)' "$tmp/out"
run info --json
check "info --json: each counter has a source or a reason" python3 -c '
import json, sys
c = json.load(open(sys.argv[1]))["counters"]
assert len(c) >= 11 and all(("source" in x) != ("unavailable" in x) for x in c.values())' "$tmp/out"

: >"$tmp/copy"
export ACTIVEMM_RESULT_COPY=$tmp/copy ACTIVEMM_HOST=someone
run run thread --trials 2 --iterations 300 -o "$tmp/set"
unset ACTIVEMM_RESULT_COPY ACTIVEMM_HOST
check "a small run ends well" [ "$status" = 0 ]
check "its lines are where ACTIVEMM_RESULT_COPY wants them, too, behind their file's name" python3 -c '
import json, sys
d, copy = sys.argv[1:]
lines = [line.split("\t") for line in open(copy)]
machine, trials = d + "/machine.json", d + "/trials.jsonl"
assert {name for name, _ in lines} == {machine, trials}
assert [json.loads(text) for name, text in lines if name == trials] == [json.loads(line) for line in open(trials)]
assert [json.loads(text) for name, text in lines if name == machine][-1] == json.load(open(machine))
assert json.load(open(machine))["host"] == "someone"' "$tmp/set" "$tmp/copy"
check "the summary fits 100 columns" python3 -c 'import sys; assert max(len(l.rstrip("\n")) for l in open(sys.argv[1])) <= 100' "$tmp/out"
refuses "a set is not overwritten" 1 "--resume" run thread --trials 1 -o "$tmp/set"
: >"$tmp/file"
refuses "a file is no folder" 1 "no folder" run thread -o "$tmp/file"
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
	mkdir "$tmp/small"
	if unshare -m sh -c "mount -t tmpfs -o size=8m none '$tmp/small' && '$activemm' run thread -o '$tmp/small/r'" >"$tmp/out" 2>"$tmp/err"; then
		not_ok "a full disk is found before the first trial"
	else
		check "a full disk is found before the first trial" grep -q "MiB are free" "$tmp/err"
	fi
	cat >"$tmp/fill" <<-END
		# 20 MiB pass the look before the run; a file then takes them.
		mount -t tmpfs -o size=20m none '$tmp/small' || exit 99
		'$activemm' run thread --trials 200 --iterations 2000 -o '$tmp/small/r' >/dev/null 2>'$tmp/err' &
		pid=\$!
		while ! [ -s '$tmp/small/r/trials.jsonl' ]; do sleep 0.1; done
		dd if=/dev/zero of='$tmp/small/fill' bs=4k 2>/dev/null
		wait \$pid
		status=\$?
		rm '$tmp/small/fill'
		cp '$tmp/small/r/trials.jsonl' '$tmp/kept.jsonl'
		exit \$status
	END
	unshare -m sh "$tmp/fill"
	check "a disk that fills up ends the run with status 1" [ $? = 1 ]
	check "  and says so" grep -q "No space left" "$tmp/err"
	check "  and every finished trial is whole" json "$tmp/kept.jsonl" "len(t) > 0"
else
	skip "full disk: needs root and a mount namespace"
fi

head -c -20 "$tmp/set/trials.jsonl" >"$tmp/cut" && mv "$tmp/cut" "$tmp/set/trials.jsonl"
run report "$tmp/set"
check "a half-written last line is told of, and the rest shown" grep -q "half-written" "$tmp/err"
true
