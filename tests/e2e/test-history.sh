#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The history of result sets: what goes in, what comes out, and that nothing is lost. Of made sets and the reference sets.
# shellcheck disable=SC2016 # inner shells expand
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)
db=$tmp/history.db

if ! "$activemm" history add "$top/results/reference" --db "$tmp/probe.db" >/dev/null 2>"$tmp/err" && grep -q "without SQLite" "$tmp/err"; then
	check "without SQLite the command says how to get it" grep -q "install libsqlite3-dev (Fedora: sqlite-devel)" "$tmp/err"
	skip "the history: $(cat "$tmp/err")"
	exit 0
fi

# run_history ARGUMENTS...: on $db
history() { run history "$@" --db "$db"; }
says() { grep -qE -- "$1" "$tmp/out"; }
sql() { python3 -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); print(*(x for r in c.execute(sys.argv[2]) for x in r)); c.commit()' "$db" "$1"; }

# Five kernels of ten sessions; `process' costs 6 % more from 6.3 on.
"$top/tests/figures/many-sets.py" "$tmp/sets" 50 5 3:1.06

# Adding
history add "$tmp/sets"
check "every set in a folder and below is added" says "^50 added, 0 there already, 0 replaced$"
history add "$tmp/sets" "$tmp/sets/000/004"
check "  and adding them again changes nothing" says "^0 added, 51 there already, 0 replaced$"
cp -r "$tmp/sets/000/007" "$tmp/copy"
history add "$tmp/copy"
check "  nor does a copy elsewhere" says "^0 added, 1 there already"
sed -i '$d' "$tmp/copy/trials.jsonl"
history add "$tmp/copy"
head -n 40 "$tmp/sets/000/008/trials.jsonl" >"$tmp/copy/trials.jsonl"
history add "$tmp/copy"
check "a folder whose set changed has its new one" says "^0 added, 0 there already, 1 replaced"
check "  and no other" [ "$(sql 'SELECT count(*) FROM sets')" = 51 ]
check "  with its figures" [ "$(sql 'SELECT count(*) FROM figure')" = $((50 * 8 + 7)) ]
sql "DELETE FROM figure WHERE \"set\" = (SELECT max(id) FROM sets)"; sql "DELETE FROM sets WHERE id = (SELECT max(id) FROM sets)"
mkdir "$tmp/bad" && echo '{"kernel": {}}' >"$tmp/bad/machine.json" && echo nonsense >"$tmp/bad/trials.jsonl"
history add "$tmp/bad" "$tmp/sets"
check "a damaged set is named, the others are looked at" [ "$status:$(wc -l <"$tmp/err")" = 1:1 ]
check "  and counted" says "^0 added, 50 there already, 0 replaced, 1 not read$"
XDG_DATA_HOME=$tmp/data run history add "$tmp/sets/000/000"
check "without --db the file is in XDG_DATA_HOME" [ -s "$tmp/data/activemm-bench/history.db" ]

# Looking
history list
check "list has every set with its kernel" [ "$(grep -cE '^  2024-01-01 00:.. .* 6\.[0-4]\.0 .* 48 trials ' "$tmp/out")" = 50 ]
check "  by machine" says "^made, 4 CPUs$"
history trend process
check "trend has a row for each kernel, in their order" [ "$(awk '/^  6/ { print $1, $4 }' "$tmp/out" | tr '\n' ' ')" = "6.0.0 10 6.1.0 10 6.2.0 10 6.3.0 10 6.4.0 10 " ]
check "  whose figures are medians of the sets' medians" python3 - "$tmp/sets" "$tmp/out" <<'PY'
import glob, json, statistics, sys
own = {}
for d in sorted(glob.glob(sys.argv[1] + "/*/*")):
    release = json.load(open(d + "/machine.json"))["kernel"]["release"]
    ns = [t["ns_per_round_trip"] for t in map(json.loads, open(d + "/trials.jsonl")) if t["scenario"] == "process" and t["params"]["pages"] == 0]
    own.setdefault(release, []).append(statistics.median(ns))
for line in open(sys.argv[2]):
    f = line.split()
    if f[0] in own:
        v = own.pop(f[0])
        assert [f"{x:.1f}" for x in (statistics.median(v), min(v), max(v))] == f[4:7], (line, v)
assert not own
PY
history trend process:pages=64 --by time
check "by time it has one for each set" [ "$(grep -c '^  6' "$tmp/out")" = 50 ]
history spread
check "spread tells how far sessions are apart" [ "$(awk '/^process handover=yield  / { print ($5 + 0 > 0.7 && $5 + 0 < 2.5) }' "$tmp/out")" = 1 ]

# Changes
history changes -o "$tmp/drawn"
check "a change is found between the kernels where it is" says '^6\.2\.0 -> 6\.3\.0 on made, 4 CPUs:$'
check "  in the scenario that has it" [ "$(grep -cE '^  process .* ns per round trip \(\+[4-8]\.. %' "$tmp/out")" = 4 ]
check "  and nowhere else" [ "$(grep -c -e ' -> .*:$' -e '^  thread' "$tmp/out")" = 1 ]
check "  with what git bisect wants" says 'git bisect start v6\.3 v6\.2$'
check "the page has words and marks" grep -q "6.2.0 -&gt; 6.3.0" "$tmp/drawn/history.html"
if command -v gnuplot >/dev/null; then
	check "  and the picture" sh -c 'grep -q "<svg" "$1/history.html" && [ -s "$1/history.png" ]' - "$tmp/drawn"
else
	skip "pictures: gnuplot is not installed"
fi
history changes --by time thread
check "where there is none, none is found" says "^No change\.$"
cp "$db" "$tmp/kept.db"
history add "$top/results/reference" 
cp -r "$top/results/reference/linux-6.12-tcg" "$tmp/counted"
change "$tmp/counted" "$tmp/counted-2" 'm["kernel"] = {"release": "6.13.0-rc2", "version": "#1"}
for t in lines:
    if t["scenario"] == "kworker": t["counters"]["cr3-loads"]["per_round_trip"] = 1.0'
run history add "$top/results/reference/linux-6.12-tcg" "$tmp/counted-2" --db "$tmp/counts.db"
run history changes kworker --db "$tmp/counts.db"
check "a count that changed is found without a test" says '^  kworker .* 0\.00 -> 1\.00 cr3-loads per round trip$'
check "  with a base for the lab" says '^    scripts/kernel-lab run 6\.12\.117\+deb13-cloud-amd64 -o good -- kworker:pages=0,pagesize=4k --trials 3 --iterations 100$'
check "  and the line for bisect-step" says 'git bisect start v6\.13-rc2 v6\.12\.117$'
check "  " says "git bisect run scripts/bisect-step good arch/x86/boot/bzImage kworker:pages=0,pagesize=4k$"
cp "$tmp/kept.db" "$db"; rm -f "$db"-*

# Kernels, and other tools
"$activemm" compare "$top/results/reference/linux-6.1-tcg" "$top/results/reference/linux-6.12-tcg" --csv >"$tmp/want"
run history add "$top"/results/reference/linux-*-tcg "$top"/results/reference/linux-*-vm --db "$tmp/reference.db"
run history compare 6.1 6.12 --db "$tmp/reference.db" -- --csv
check "compare says what compare says of the sets" sh -c 'sed "s|$2|.|" "$1/want" | sort >"$1/a"; sed "s|$2|.|" "$1/out" | sort >"$1/b"; [ -s "$1/a" ] && cmp "$1/a" "$1/b"' - "$tmp" "$top"
history export --csv
check "the table is what Otava takes: times, attributes, numbers without gaps" python3 - "$tmp/out" <<'PY'
import csv, datetime, sys
rows = list(csv.reader(open(sys.argv[1], newline="")))
assert rows[0][:3] == ["time", "kernel", "set"] and "process handover=yield ns" in rows[0] and len(rows) == 51, rows[0]
times = [datetime.datetime.strptime(r[0], "%Y-%m-%d %H:%M:%S %z") for r in rows[1:]]
assert times == sorted(times)
for r in rows[1:]:
    assert len(r) == len(rows[0]) and all(float(x) >= 0 for x in r[3:])
PY
run history export --csv --db "$tmp/reference.db"
check "two machines make no one table" grep -q "name one with --machine" "$tmp/err"
run history export kworker:pages=0 --csv --machine TCG --db "$tmp/reference.db"
check "  one of them does" [ "$(grep -c cloud-amd64 "$tmp/out")" = 5 ]

# What is refused
refuses "no history" 1 "add sets with" history list --db "$tmp/none.db"
refuses "a scenario that no set has" 1 "no set has teapot" history trend teapot --db "$db"
refuses "a kernel that no set has" 1 "no set of a kernel 9.9" history compare 6.1 9.9 --db "$db"
refuses "  nor a part of a number" 1 "no set of a kernel 6" history compare 6.0 6.10 --db "$db"
refuses "a machine that no set is of" 1 "--machine toaster" history list --machine toaster --db "$db"
refuses "no action" 2 "name an action" history
refuses "another action" 2 "no action 'forget'" history forget
refuses "add of nothing" 2 "name folders" history add
refuses "trend of nothing" 2 "name one scenario" history trend
refuses "export without a form" 2 "name the form" history export
refuses "a rate that is none" 2 "--false-alarms 2" history changes --false-alarms 2
refuses "another order" 2 "--by size" history trend process --by size
refuses "a folder without sets" 1 "no result set in" history add "$tmp/data" --db "$tmp/empty.db"
refuses "a folder as the file" 1 "no plain file" history list --db "$tmp"
python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("CREATE TABLE other(x)")' "$tmp/other.db"
refuses "another program's file" 1 "another program's file" history add "$tmp/sets" --db "$tmp/other.db"
cp "$db" "$tmp/newer.db"
python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("PRAGMA user_version = 2")' "$tmp/newer.db"
refuses "a newer version" 1 "a history of version 2, and this program knows 1" history list --db "$tmp/newer.db"
refuses "  also to write" 1 "a history of version 2" history add "$tmp/sets" --db "$tmp/newer.db"

# Damage
cp "$db" "$tmp/damaged.db"
history check
check "a sound file is sound" says " is sound$"
size=$(stat -c %s "$tmp/damaged.db")
dd if=/dev/urandom of="$tmp/damaged.db" bs=4096 seek=1 count=$((size / 4096 - 1)) conv=notrunc 2>/dev/null
refuses "a damaged file is found before anything is written" 1 "is damaged" history add "$tmp/copy" --db "$tmp/damaged.db"
refuses "  and by check" 1 "is damaged" history check --db "$tmp/damaged.db"
run history rebuild "$tmp/sets" --db "$tmp/damaged.db"
check "rebuild makes it anew" says "^50 added"
check "  and keeps what there was" sh -c '[ "$(stat -c %s "$1/damaged.db.damaged-1")" = "$2" ]' - "$tmp" "$size"
"$activemm" history trend process --db "$tmp/damaged.db" >"$tmp/a"
"$activemm" history trend process --db "$db" >"$tmp/b"
check "  with the same figures" cmp "$tmp/a" "$tmp/b"
echo "no database at all, but a text of some length" >"$tmp/text.db"
refuses "a text file" 1 "is damaged (file is not a database)" history list --db "$tmp/text.db"
refuses "rebuild from nothing leaves all as it was" 1 "stays as it was" history rebuild "$tmp/data" --db "$db"
check "  it does" [ "$(sql 'SELECT count(*) FROM sets')" = 50 ]

# Two at once, and one that is killed
rm -f "$db"*
for half in 0 1 2 3; do
	mkdir "$tmp/part-$half"
	for n in $(seq $((half * 12)) $((half * 12 + 11))); do ln -s "$tmp/sets/000/$(printf %03d "$n")" "$tmp/part-$half/"; done
done
pids=
for half in 0 1 2 3; do
	"$activemm" history add "$tmp/part-$half"/* --db "$db" >"$tmp/out-$half" 2>&1 &
	pids="$pids $!"
done
# shellcheck disable=SC2086 # a list of words
check "four writers at once" wait $pids
check "  lose nothing" [ "$(cat "$tmp"/out-? | grep -c '^12 added'):$(sql 'SELECT count(*) FROM sets')" = 4:48 ]
"$top/tests/figures/many-sets.py" "$tmp/more" 300 40 0:1.01
for wait in 0.05 0.15 0.4; do
	"$activemm" history add "$tmp/more" --db "$db" >/dev/null 2>&1 &
	sleep $wait
	kill -KILL $! 2>/dev/null
	wait $! 2>/dev/null
done
history check
check "a killed writer leaves a sound file" says " is sound$"
check "  of whole sets" [ "$(sql 'SELECT count(*) FROM sets'):0" = "$(($(sql 'SELECT count(*) FROM figure') / 8)):$(($(sql 'SELECT count(*) FROM figure') % 8))" ]
history add "$tmp/more"
check "  and the next one adds the rest" [ "$status:$(sql 'SELECT count(*) FROM sets')" = 0:348 ]

# A full disk
mkdir "$tmp/small"
if unshare -m true 2>/dev/null && unshare -m sh -c '
	mount -t tmpfs -o size=256k none "$2" || exit 99
	"$1" history add "$3/sets" --db "$2/h.db" >/dev/null 2>&1 || exit 98
	"$1" history add "$3/more" --db "$2/h.db" >"$3/out" 2>"$3/err"
	echo $? >"$3/status"
	mount -o remount,size=64m "$2"
	"$1" history check --db "$2/h.db" && "$1" history list --db "$2/h.db" >"$3/before"
	"$1" history add "$3/sets" "$3/more" --db "$2/h.db" >"$3/after"' - "$activemm" "$tmp/small" "$tmp" >"$tmp/said"; then
	check "a full disk is told in a line" sh -c '[ "$(cat "$1/status")" = 1 ] && [ "$(wc -l <"$1/err")" = 1 ] && grep -q "no space left on its disk" "$1/err"' - "$tmp"
	check "  what was there is there" [ "$(grep -c '^  2024' "$tmp/before")" -ge 50 ]
	check "  in a sound file" grep -q "is sound" "$tmp/said"
	check "  and the rest goes in when there is room" [ "$(awk '{ print $1 + $3 }' "$tmp/after")" = 350 ]
else
	skip "a full disk: needs root and a mount namespace"
fi
