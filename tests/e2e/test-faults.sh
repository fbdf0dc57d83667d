#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Signals, resuming, users without rights, and what a run leaves behind.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

# stopped SIGNAL WANTED-STATUS: a run stopped in the middle keeps its trials, leaves no process, and can be resumed.
stopped() {
	local sig=$1 want=$2 dir=$tmp/stop-$1 got
	"$activemm" run thread process --trials 12 --iterations 8000 --seed 7 -o "$dir" >/dev/null 2>"$tmp/err" &
	local pid=$!
	while ! [ "$(wc -l 2>/dev/null <"$dir/trials.jsonl")" -ge 3 ] 2>/dev/null; do sleep 0.05; done
	local children
	children=$(pgrep -P "$pid" | tr '\n' ' ')
	kill -"$sig" "$pid"
	wait "$pid"
	got=$?
	check "SIG$sig ends the run with status $want" [ "$got" = "$want" ]
	sleep 0.3
	local left=
	# A zombie is init's to reap once the run itself is gone.
	for child in $children; do
		case $(ps -o stat= -p "$child") in
		"" | Z*) ;;
		*) left="$left $child" ;;
		esac
	done
	# Partners carry the same command line.
	check "  no process of it is left" [ -z "$left$(pgrep -f -- "-o $dir")" ]
	check "  every finished trial is whole" json "$dir/trials.jsonl" "3 <= len(t) < 24"
	# Found by the first part of the run, as its record has it.
	python3 - "$dir/machine.json" <<'PY'
import json, sys
m = json.load(open(sys.argv[1]))
m["findings"].append({"what": "thread:handover=yield,pages=0,pagesize=4k", "text": "made up", "scenario": "thread",
                      "params": {"handover": "yield", "pages": 0, "pagesize": "4k"},
                      "claimed": {"switches": {"min": 2, "max": 2}}, "found": {"switches": {"min": 1.5, "max": 2.5}}})
m["skipped"].append({"what": "process:handover=pipe", "why": "made up, too"})
json.dump(m, open(sys.argv[1], "w"))
PY
	run run --resume -o "$dir"
	check "  --resume completes the set" [ "$status" = 0 ]
	check "  what was found before still is, once, and trials are held to it; so is what was skipped" python3 - "$dir" <<'PY'
import json, sys
m, t = json.load(open(sys.argv[1] + "/machine.json")), [json.loads(l) for l in open(sys.argv[1] + "/trials.jsonl")]
assert [f["text"] for f in m["findings"]].count("made up") == 1 and [s["why"] for s in m["skipped"]] == ["made up, too"], (m["findings"], m["skipped"])
held = [x for x in t if x.get("finding") == "made up"]
assert held and {x["scenario"] for x in held} == {"thread"} and all(x["claim"]["switches"] == {"min": 1.5, "max": 2.5} for x in held), held
PY
	check "  each trial is there once and valid" json "$dir/trials.jsonl" \
		"sorted((x['scenario'], x['trial']) for x in t if x['valid']) == sorted((s, i) for s in ('thread', 'process') for i in range(12))"
}
stopped INT 130
stopped TERM 143
stopped KILL 137

if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null; then
	mkdir "$tmp/user" && chmod 755 "$tmp" && chown 65534 "$tmp/user"
	cp "$activemm" "$tmp/user/activemm"
	setpriv --reuid=65534 --regid=65534 --clear-groups "$tmp/user/activemm" run thread process kworker idle \
		--trials 2 --iterations 2000 -o "$tmp/user/set" >"$tmp/out" 2>"$tmp/err"
	check "a user without rights can run it" [ $? = 0 ]
	if [ "$(cat /proc/sys/kernel/perf_event_paranoid)" -gt 0 ]; then
		check "  its summary says UNVERIFIED" grep -q UNVERIFIED "$tmp/out"
		check "  every trial too, with the switches that /proc knows" json "$tmp/user/set/trials.jsonl" \
			"all(not x['verified'] and 'unavailable' in x['counters']['cr3-loads'] and x['counters']['context-switches']['value'] > 0 for x in t)"
		run report "$tmp/user/set" -o "$tmp/user-report"
		check "  the page too" grep -q UNVERIFIED "$tmp/user-report/report.html"
	fi
else
	skip "a user without rights: needs root and setpriv"
fi

if [ "$(id -u)" = 0 ] && unshare -pf --mount-proc true 2>/dev/null; then
	cpu=$(measured_cpu)
	unshare -pf --mount-proc "$activemm" run thread process kworker --cpu "$cpu" --trials 1 --iterations 2000 -o "$tmp/pidns" >"$tmp/out" 2>"$tmp/err"
	status=$?
	check "in a PID namespace the trial's own tasks are no intruders" [ "$status" = 0 ]
	taskset -c "$cpu" sh -c 'while :; do :; done' &
	hog=$!
	unshare -pf --mount-proc "$activemm" run thread --cpu "$cpu" --trials 1 --iterations 40 -o "$tmp/pidns-hog" >"$tmp/out" 2>"$tmp/err"
	kill $hog
	check "  a task outside it is one, by its number there" json "$tmp/pidns-hog/trials.jsonl" "any('sh (pid $hog)' in v['text'] for x in t for v in x['violations'])"
	unshare -pf --mount-proc "$activemm" watch --pid 1 --duration 0.1 >"$tmp/out" 2>"$tmp/err"
	check "  watch --pid says that it cannot follow there" grep -q "PID namespace" "$tmp/err"
else
	skip "a PID namespace: needs root and unshare"
fi

before=$(taskset -pc $$ | sed 's/.*: //')
run run thread --trials 1 --iterations 1000 -o "$tmp/affinity"
check "the caller's affinity is as it was" [ "$(taskset -pc $$ | sed 's/.*: //')" = "$before" ]
true
