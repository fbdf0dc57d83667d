#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What --help says, the manual says, and the program does.
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
top=$(cd "$(dirname "$0")/../.." && pwd)

commands=$("$activemm" --help | sed -n 's/^  \([a-z]*\)  .*/\1/p')
check "--help names the commands" [ "$(echo "$commands" | wc -w)" -ge 8 ]
for command in $commands; do "$activemm" "$command" --help >"$tmp/help-$command"; done

# The manual's part on a command: its section, else its line in the synopsis and its paragraph.
cat >"$tmp/manual.py" <<'PY'
import re, sys
top, tmp, command, *rest = sys.argv[1:]

def plain(path):
    text = re.sub(r"\\f[A-Z]|\\\(aq", "", open(path).read().replace("\\-", "-"))
    return re.sub(r'^\.(?:[BI]R?|R[BI]|IR|BI|nf|fi|br)\b ?', "", text, flags=re.M).replace('"', "")

page = plain(f"{top}/man/activemm.1")
def section(name):
    return re.search(rf"^\.SH {name}\n(.*?)(?=^\.SH |\Z)", page, re.M | re.S)
own = {"watch": lambda: plain(f"{top}/man/activemm-watch.1"), "compare": lambda: section("COMPARING")[1]}
said = own[command]() if command in own else (section("OPTIONS OF " + command.upper()) or [0, ""])[1]
said += "\n".join(re.findall(rf"^activemm {command}\b.*", page, re.M))
said += (re.search(rf"^\.TP\n{command}\n(.*?)(?=^\.TP|^\.SH)", page, re.M | re.S) or [0, ""])[1]
help = open(f"{tmp}/help-{command}").read()
options = lambda text: set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text)) - {"--help"}
PY
manual() { python3 -c 'import sys; exec(open(sys.argv[1]).read().replace("sys.argv[1:]", "sys.argv[2:]")); exec(rest[0])' "$tmp/manual.py" "$top" "$tmp" "$@"; }

# knows COMMAND: with an option that it knows, or one and its value, the complaint is of the one that it does not.
knows() {
	local option
	while read -r option; do
		case $1 in list | info) "$activemm" "$1" "$option" >"$tmp/out" && continue ;; esac
		"$activemm" "$1" "$option" --nosuch --nosuch >"$tmp/out" 2>"$tmp/err" </dev/null
		if [ $? != 2 ] || grep -q -- "'$option'" "$tmp/err"; then return 1; fi
	done < <(grep -oE '(^|[ [(|])--[a-z][a-z-]*' "$tmp/help-$1" | grep -oE -- '--[a-z-]+' | sort -u | grep -vx -- --help)
}

for command in $commands; do
	check "$command: the manual has every option that --help has" manual "$command" '
lacking = options(help) - options(said)
print("    not in the manual:", *lacking) if lacking else None
sys.exit(bool(lacking))'
	# What the section of a command names and its --help does not.
	check "  and no other" manual "$command" '
more = options(said) - options(help) - ({"--record", "--arch", "--accel"} if command == "compare" else set()) # of others, that make sets
print("    not in --help:", *more) if more else None
sys.exit(bool(more))'
	check "  and the program knows each" knows "$command"
done

# default COMMAND OPTION: the numbers of "(default N" and "--quick N" in its help
default() { sed -n "s/^  $2 .*(default \([0-9.]*\)\(, --quick \([0-9.]*\)\)\{0,1\}).*/\1 \3/p" "$tmp/help-$1"; }
defaults_agree() {
	local command
	for command in $commands; do
		manual "$command" '
for option, n, quick in re.findall(r"^  (--[a-z-]+) .*\(default ([\d.]+)(?:, --quick ([\d.]+))?\)", help, re.M):
    # To the next entry of the manual, or of an enumeration.
    entry = re.search(rf"{option}\b(.*?)(?=^\.TP|--iterations|\Z)", said, re.M | re.S)
    numbers = re.findall(r"\d+(?:\.\d+)?", entry[1]) if entry else []
    if n not in numbers or quick and quick not in numbers:
        sys.exit(f"    {command} {option}: {n} {quick}")' || return
	done
}
check "every default of --help is in the manual" defaults_agree

read -r n quick < <(default run --trials)
run run thread --iterations 60 -o "$tmp/set"
check "run does as many trials as its --help says: ${n:-none}" json "$tmp/set/trials.jsonl" "len({x['trial'] for x in t}) == ${n:-0}"
run run thread --quick --iterations 60 -o "$tmp/quick"
check "  and with --quick: ${quick:-none}" json "$tmp/quick/trials.jsonl" "len({x['trial'] for x in t}) == ${quick:-0}"
read -r n quick < <(default ab --trials)
run ab true true thread --quick --iterations 60 -o "$tmp/ab"
check "ab too: ${quick:-none} pairs with --quick" json "$tmp/ab/a/trials.jsonl" "len({x['trial'] for x in t}) == ${quick:-0}"
read -r n _ < <(default explain --round-trips)
if "$activemm" explain thread --json >"$tmp/story" 2>"$tmp/err"; then
	check "explain tells as many round trips as its --help says: ${n:-none}" grep -qE "\"round_trips\": ?${n:-none}\b" "$tmp/story"
else
	skip "explain: $(cat "$tmp/err")"
fi
true
