#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck disable=SC2016 # the inner shells expand
# A story is what its scenario claims, switch by switch; without BPF it says what is missing.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"

refuses "no scenario" 2 "name one scenario" explain
refuses "two scenarios" 2 "name one scenario" explain thread process
refuses "an unknown scenario" 2 "no scenario 'nosuch'" explain nosuch
refuses "an unknown parameter" 2 "it takes handover, membarrier, pages, pagesize" explain thread:nosuch=1
refuses "no round trips" 2 "from 1 to 100" explain thread --round-trips 0
refuses "too many round trips" 2 "from 1 to 100" explain thread --round-trips 101
refuses "an unknown source" 2 "auto, bpf, perf" explain thread --source x
refuses "a CPU that is not there" 2 "choose one of" explain thread --cpu 4095
refuses "an unknown option" 2 "--nosuch" explain thread --nosuch
refuses "a folder that cannot be made" 1 "cannot make" explain thread -o "$tmp/none/none"

# A stray task in the few microseconds of a story is no fault of its teller: told again, up to ten times.
# story FILE ARGUMENTS...: a story whose claim was kept and into which nobody intruded.
story() {
	local file=$1
	shift
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		"$activemm" explain "$@" --json >"$file" 2>"$tmp/err" || return 1
		python3 -c 'import json, sys; s = json.load(open(sys.argv[1])); sys.exit(not s["kept"] or s["totals"]["intrusions"] > 0)' "$file" && return 0
	done
	return 1
}

# told WHAT FILE EXPRESSION: Python on the story `s', its switches `w', their classes `c', and all events outside switches `e'.
told() {
	check "$1" python3 - "$2" "$3" <<'PY'
import json, sys
s = json.load(open(sys.argv[1]))
w = [x for x in s["steps"] if x["kind"] == "switch"]
e = [x for x in s["steps"] if x["kind"] == "event"]
c = [x["class"] for x in w]
n = s["round_trips"]
result = eval(sys.argv[2])
if not result:
    print("    false:", sys.argv[2], "\n   ", s["conclusion"])
    for x in w[:6]:
        print("   ", x["prev"], x["next"], x["class"], x["cr3"])
sys.exit(not result)
PY
}

"$activemm" explain thread --source bpf >/dev/null 2>"$tmp/err" && bpf=yes || bpf=no
"$activemm" explain thread --source perf >/dev/null 2>"$tmp/why" && perf=yes || perf=no
if [ "$bpf" = no ] && [ "$perf" = no ]; then
	skip "stories: neither BPF nor perf events can be used here: $(cat "$tmp/why")"
	exit 0
fi
pcid=$("$activemm" info --json | python3 -c 'import json,sys; print(bool(json.load(sys.stdin)["cpu"]["flags"]["pcid"]))')
kept='"kept"'
[ "$pcid" = True ] || kept='"flushed"'

# stories SOURCE: what holds whoever tells.
stories() {
	local s=$1 f=$tmp/$1
	story "$f-kworker" kworker --source "$s" --round-trips 6
	told "$s: kworker: borrowed and given back in turn" "$f-kworker" 'c == ["borrow", "back"] * n and s["kept"]'
	told "$s:   by a kernel thread without mm that runs on the task's" "$f-kworker" \
		'all(b["next"]["kernel"] and b["next"]["comm"].startswith("kworker/%d:" % s["cpu"]) and b["next"]["mm"] is None
		and b["prev"]["mm"] == b["prev"]["active_mm"] == b["next"]["active_mm"] == "A" for b in w[::2])'
	told "$s:   and gives that very mm back, without a load" "$f-kworker" \
		'all(b["prev"]["mm"] is None and b["prev"]["active_mm"] == b["next"]["mm"] == "A" for b in w[1::2]) and all(x["cr3"] == "none" for x in w)'
	story "$f-process" process --source "$s" --round-trips 6
	told "$s: process: every switch a real one, to another mm, with a load" "$f-process" \
		"c == ['real'] * 2 * n and all(x['prev']['mm'] != x['next']['mm'] and x['cr3'] == $kept for x in w)"
	told "$s:   between two mms, each its own active_mm" "$f-process" \
		'sorted(s["mms"]) == ["A", "B"] and all(x[k]["mm"] == x[k]["active_mm"] for x in w for k in ("prev", "next"))'
	story "$f-thread" thread --source "$s" --round-trips 6
	told "$s: thread: two threads of one process in one mm, no load" "$f-thread" \
		'c == ["thread"] * 2 * n and list(s["mms"]) == ["A"] and all(x["prev"]["pid"] != x["next"]["pid"] and x["prev"]["tgid"] == x["next"]["tgid"] and x["cr3"] == "none" for x in w)'
	story "$f-idle" idle --source "$s" --round-trips 6
	told "$s: idle: the idle task borrows and gives back" "$f-idle" \
		'c == ["borrow", "back"] * n and all(x["next"]["pid"] == 0 and x["next"]["comm"] == "idle" and x["next"]["active_mm"] == x["prev"]["mm"] for x in w[::2])'
	story "$f-ring" ring:n=3 --source "$s" --round-trips 5
	told "$s: ring: three mms in turn" "$f-ring" \
		'c == ["real"] * 3 * n and len(s["mms"]) == 3 and all(len({w[i + k]["next"]["mm"] for k in range(3)}) == 3 for i in range(0, len(w) - 2))'
	if [ "$pcid" = True ]; then
		story "$f-ring8" ring:n=8 --source "$s" --round-trips 5
		told "$s: ring of eight: loads flush, and the conclusion says how many" "$f-ring8" \
			's["totals"]["cr3_flushes"] == sum(x["cr3"] == "flushed" for x in w) >= n and "flushing" in s["conclusion"]'
	else
		skip "$s: flushing loads of a ring: no PCIDs here, every load flushes"
	fi
	told "$s: each task leaves that came before" "$f-ring" 'all(a["next"]["pid"] == b["prev"]["pid"] for a, b in zip(w, w[1:]))'
	told "$s: time goes on, within the window" "$f-ring" \
		'all(a["us"] <= b["us"] for a, b in zip(w, w[1:])) and 0 <= w[0]["us"] and w[-1]["us"] <= s["length_us"]'
}

if [ "$bpf" = yes ]; then
	stories bpf
	if "$activemm" explain interposed >/dev/null 2>"$tmp/err"; then
		story "$tmp/interposed" interposed
		told "interposed: borrowed, and on to the other mm with a load" "$tmp/interposed" \
			"c == ['borrow', 'on'] * 2 * n and all(x['cr3'] == $kept and x['prev']['active_mm'] != x['next']['mm'] for x in w[1::2])"
		told "  which borrowing only put off" "$tmp/interposed" 'all("put off" in x["what"] for x in w[1::2])'
	else
		skip "interposed: $(cat "$tmp/err")"
	fi
	if "$activemm" explain stale >/dev/null 2>"$tmp/err"; then
		story "$tmp/stale" stale
		told "stale: the loan ends with a load that flushes" "$tmp/stale" \
			'c == ["borrow", "back"] * n and all(x["cr3"] == "flushed" and "changed meanwhile" in x["what"] for x in w[1::2])'
		story "$tmp/fresh" stale:mm=other
		told "  and without one where the mm of a stranger was changed" "$tmp/fresh" 'all(x["cr3"] == "none" for x in w)'
	else
		skip "stale: $(cat "$tmp/err")"
	fi
	told "mm_count is one higher while the kworker borrows" "$tmp/bpf-kworker" \
		'all(x["next"]["mm_count"] == x["prev"]["mm_count"] + 1 for x in w[::2]) and all(x["next"]["mm_count"] == x["prev"]["mm_count"] - 1 for x in w[1::2])'
	told "and mm_users stays one" "$tmp/bpf-kworker" 'all(x[k]["mm_users"] == 1 for x in w for k in ("prev", "next"))'
	told "two threads are two users of one mm" "$tmp/bpf-thread" 'all(x["prev"]["mm_users"] == 2 for x in w)'
	told "a story by BPF misses nothing" "$tmp/bpf-kworker" 's["source"] == "bpf" and s["missing"] == "" and s["lost"] == 0'
	run explain kworker
	check "the table has a line per switch and a closing sentence" sh -c \
		'[ "$(grep -c " -> .*: no load$" "$1")" = 8 ] && grep -q "^In 4 round trips the kernel switched 8 times" "$1"' - "$tmp/out"
	check "  in 100 columns" python3 -c 'import sys; assert max(len(l.rstrip("\n")) for l in open(sys.argv[1])) <= 100' "$tmp/out"
else
	skip "stories by BPF: $(cat "$tmp/err")"
fi
if [ "$perf" = yes ]; then
	stories perf
	told "without BPF the counts are unknown, not zero" "$tmp/perf-kworker" 'all(x["prev"]["mm_count"] is None and x["prev"]["mm_users"] is None for x in w)'
	run explain thread --source perf
	check "without BPF it says what is not seen" grep -q "Not seen: mm, active_mm, mm_users and mm_count" "$tmp/out"
else
	skip "stories by perf events: $(cat "$tmp/why")"
fi
if [ "$(id -u)" = 0 ] && command -v setpriv >/dev/null && [ "$perf" = yes ]; then
	paranoid=$(cat /proc/sys/kernel/perf_event_paranoid)
	cp "$activemm" "$tmp/activemm" && chmod 755 "$tmp" "$tmp/activemm"
	setpriv --reuid=65534 --regid=65534 --clear-groups "$tmp/activemm" explain thread >"$tmp/out" 2>"$tmp/err"
	status=$?
	if [ $status = 0 ]; then
		check "without permission for BPF: how to get it" grep -q "CAP_BPF" "$tmp/out"
	else
		check "without any permission: one line that says which ones (perf_event_paranoid $paranoid)" sh -c \
			'[ "$(wc -l <"$1")" = 1 ] && grep -qE "CAP_BPF|CAP_PERFMON|tracefs" "$1"' - "$tmp/err"
	fi
else
	skip "without permission: not root"
fi

run explain ring:n=3 -o "$tmp/drawn"
if command -v gnuplot >/dev/null; then
	check "the timeline is drawn twice, without a word from gnuplot" sh -c \
		'head -c 8 "$1/explain.png" | grep -q PNG && grep -q "<svg" "$1/explain.svg" && [ ! -s "$2" ]' - "$tmp/drawn" "$tmp/err"
	check "  with all three mms" sh -c 'for m in A B C; do grep -q "$m is loaded" "$1/explain.svg" || exit 1; done' - "$tmp/drawn"
	PATH=$tmp/none "$activemm" explain thread -o "$tmp/bare" >"$tmp/out" 2>"$tmp/err"
	check "without gnuplot: the table, and how to get it" sh -c 'grep -q "same mm" "$1" && grep -q gnuplot-nox "$2"' - "$tmp/out" "$tmp/err"
else
	skip "timeline: gnuplot is not installed"
fi
mkdir "$tmp/cwd" && (cd "$tmp/cwd" && "$activemm" explain thread >/dev/null 2>&1)
check "without -o nothing is written" [ -z "$(ls "$tmp/cwd")" ]
true
