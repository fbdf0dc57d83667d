#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Two settings in turns: what is run when, what becomes of failures and signals, and that a difference is found.
# shellcheck disable=SC2016 # the inner shells expand
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
here=$(cd "$(dirname "$0")/../.." && pwd)
log=$tmp/log
note="echo \$ACTIVEMM_SIDE \$ACTIVEMM_ROUND \$ACTIVEMM_CPU >>$log"
quick=(--trials 8 --iterations 1000 --seed 5)

run ab "$note" "$note" thread process "${quick[@]}" --restore "echo restored >>$log" -o "$tmp/ab"
check "a comparison in turns runs" [ "$status" = 0 ]
check "  each trial is prepared by its side's command, pairs stand together in random order" python3 - "$log" "$(measured_cpu)" <<'PY'
import sys
lines = [line.split() for line in open(sys.argv[1])]
assert lines.pop() == ["restored"], "the restoring command comes last"
assert {l[2] for l in lines} == {sys.argv[2]}, "the commands know the measured CPU"
looks, trials = lines[:2], lines[2:]
assert [l[0] for l in looks] == ["a", "b"], looks
pairs = [(trials[i], trials[i + 1]) for i in range(0, len(trials), 2)]
assert [int(p[0][1]) for p in pairs] == [r for r in range(8) for _ in range(2)], "two scenarios a round"
assert all(x[1] == y[1] and {x[0], y[0]} == {"a", "b"} for x, y in pairs), pairs
assert {p[0][0] for p in pairs} == {"a", "b"}, "each side is first now and then"
PY
for side in a b; do
	check "  set $side has every trial, valid" json "$tmp/ab/$side/trials.jsonl" \
		"sorted((x['scenario'], x['trial']) for x in t if x['valid']) == sorted((s, i) for s in ('thread', 'process') for i in range(8))"
done
seeds() { python3 -c 'import json,sys; print(sorted((t["scenario"], t["trial"], t["seed"]) for t in map(json.loads, open(sys.argv[1])) if t["attempt"] == 1))' "$1"; }
check "  both sides of a pair have one seed" [ "$(seeds "$tmp/ab/a/trials.jsonl")" = "$(seeds "$tmp/ab/b/trials.jsonl")" ]
check "  the paired table has both scenarios" [ "$(grep -cE '^(thread|process) .* 8 ' "$tmp/out")" = 2 ]
check "  compare's table follows" grep -q '^Base .*/ab/a), compared with it .*/ab/b)' "$tmp/out"
run compare "$tmp/ab/a" "$tmp/ab/b"
check "  and compare reads the sets" [ "$status" = 0 ]
if python3 -c 'import jsonschema' 2>/dev/null; then
	check "  paired.json follows its schema" python3 -c 'import json,sys,jsonschema; jsonschema.validate(*map(lambda f: json.load(open(f)), sys.argv[1:]))' \
		"$tmp/ab/paired.json" "$here/results/schema/paired.schema.json"
else
	skip "paired.json follows its schema: needs python3-jsonschema"
fi
rm "$log"
run ab "$note" "$note" thread "${quick[@]}" -o "$tmp/ab"
check "a set that is there is not measured over" [ "$status" = 1 ]
check "  and no command is run for it" [ ! -e "$log" ]

run ab true "echo not here >&2; exit 4" thread "${quick[@]}" --restore "$note" -o "$tmp/early"
check "a command that fails ends it with status 1" [ "$status" = 1 ]
check "  and its own words on one line" sh -c '[ "$(grep -c "^activemm: " "$1")" = 1 ] && grep -q "PREPARE-B .* failed with exit status 4: not here" "$1"' - "$tmp/err"
check "  after restoring" [ -s "$log" ]
rm "$log"
run ab true '[ "$ACTIVEMM_ROUND" -lt 3 ]' thread "${quick[@]}" --restore "$note" -o "$tmp/late"
check "one that fails in the middle too" sh -c '[ "$1" = 1 ] && grep -q "PREPARE-B .* exit status 1; finished trials are in" "$2" && [ -s "$3" ]' - "$status" "$tmp/err" "$log"
check "  finished trials are kept" json "$tmp/late/b/trials.jsonl" "sorted(x['trial'] for x in t if x['valid']) == [0, 1, 2]"
run compare "$tmp/late/a" "$tmp/late/b"
check "  as sets that compare reads" [ "$status" = 0 ]
run ab true true thread "${quick[@]}" --restore 'echo stuck >&2; exit 9' -o "$tmp/stuck"
check "a restoring command that fails is told of, status 1" sh -c '[ "$1" = 1 ] && grep -q "^activemm: --restore .* failed with exit status 9: stuck" "$2"' - "$status" "$tmp/err"

# stopped SIGNAL WANTED-STATUS WHERE: stopped within a trial or within a command, it restores and leaves nothing running.
stopped() {
	local sig=$1 want=$2 where=$3 prepare="sleep 7$$ & $note" got
	[ "$where" = trial ] || prepare="$note; [ \$ACTIVEMM_ROUND -lt 2 ] || sleep 7$$"
	rm -f "$log"
	"$activemm" ab "$prepare" "$prepare" thread --trials 1000 --iterations 20000 --restore "echo restored >>$log" -o "$tmp/stop-$sig-$where" >"$tmp/out" 2>"$tmp/err" &
	local pid=$!
	until grep -q ' 2 ' "$log" 2>/dev/null; do sleep 0.05; done
	kill -"$sig" "$pid"
	wait "$pid"
	got=$?
	check "SIG$sig within a $where ends it with status $want" [ "$got" = "$want" ]
	check "  the restoring command comes last" [ "$(tail -n 1 "$log")" = restored ]
	check "  nothing is left running" [ -z "$(pgrep -f "sleep 7$$")$(pgrep -f -- "-o $tmp/stop")" ]
	run compare "$tmp/stop-$sig-$where/a" "$tmp/stop-$sig-$where/b"
	check "  finished trials are kept" [ "$status" = 0 ]
}
stopped TERM 143 trial
stopped INT 130 command

run ab "sleep 800 & echo \$! >$tmp/pid" "! kill -0 \$(cat $tmp/pid)" thread "${quick[@]}" -o "$tmp/background"
check "what a command leaves running is ended before the next" [ "$status" = 0 ]

injected=$(dirname "$activemm")/tests/figures/injected
if [ -x "$injected" ]; then
	ACTIVEMM_INJECT=$tmp/ns activemm=$injected run ab "echo 0 >$tmp/ns" "echo 2000 >$tmp/ns" injected --trials 12 --iterations 2000 -o "$tmp/slow"
	check "2 us more in each round trip are found" grep -q '^injected .*B is slower' "$tmp/out"
	ACTIVEMM_INJECT=$tmp/ns activemm=$injected run ab "echo 2000 >$tmp/ns" "echo 0 >$tmp/ns" injected --trials 12 --iterations 2000 -o "$tmp/fast"
	check "  and with the sides swapped" grep -q '^injected .*B is faster' "$tmp/out"
else
	skip "an injected difference: $injected is not built (make check builds it)"
fi

refuses "two commands and no scenario are too few" 2 "at least one scenario" ab true true
refuses "a scenario that is none" 2 "no scenario 'tread'" ab true true tread -o "$tmp/none"
refuses "an option that is none" 2 "'--resume' is unknown" ab true true thread --resume
true
