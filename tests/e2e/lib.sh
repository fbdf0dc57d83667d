# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# For the end-to-end tests: counts, and a temporary folder that goes. Sourced; $activemm is the program.
export LC_ALL=C
: "${activemm:=${ACTIVEMM:-build/activemm}}"
activemm=$(readlink -f "$activemm")
tmp=$(mktemp -d /tmp/activemm-e2e-XXXXXX)
passed=0 failed=0 skipped=0

finish() {
	local status=$?
	# shellcheck disable=SC2046 # a list of pids
	[ -z "$(jobs -p)" ] || kill $(jobs -p) 2>/dev/null
	chmod -R u+rwX "$tmp" 2>/dev/null
	rm -rf "$tmp"
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$status" = 0 ] && [ "$failed" = 0 ] || exit 1
}
trap finish EXIT

ok() { passed=$((passed + 1)); echo "ok - $1"; }
not_ok() { failed=$((failed + 1)); echo "not ok - $1"; [ ! -s "$tmp/err" ] || sed 's/^/    /' "$tmp/err" | tail -n 5; }
skip() { skipped=$((skipped + 1)); echo "skip - $1"; }
check() { local what=$1; shift; if "$@"; then ok "$what"; else not_ok "$what"; fi; }

# Runs the suite with its output kept in $tmp/out and $tmp/err; the status in $status.
run() { "$activemm" "$@" >"$tmp/out" 2>"$tmp/err"; status=$?; }

# refuses WHAT STATUS TEXT ARGUMENTS...: one line on standard error that holds TEXT, and that exit status.
refuses() {
	local what=$1 want=$2 text=$3
	shift 3
	run "$@"
	if [ "$status" = "$want" ] && [ "$(wc -l <"$tmp/err")" = 1 ] && grep -q "^activemm: " "$tmp/err" && grep -qF -- "$text" "$tmp/err"; then
		ok "$what"
	else
		not_ok "$what (status $status)"
	fi
}

# json FILE EXPRESSION: evaluates Python on the trials `t' of a trials.jsonl; true if it is.
json() {
	python3 - "$1" "$2" <<'PY'
import json, sys
t = [json.loads(line) for line in open(sys.argv[1])]
result = eval(sys.argv[2])
if not result:
    print("    false:", sys.argv[2])
    for x in t[:6]:
        print("   ", x["scenario"], x["params"], x["valid"], [v["text"] for v in x["violations"]], x["intruders"][:2])
sys.exit(not result)
PY
}

# The CPU that the suite chooses.
measured_cpu() { "$activemm" info --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["choice"]["cpu"])'; }

# change FROM TO CODE: a copy of a set of which Python's CODE has changed the machine record `m' and the trials `lines'.
change() {
	cp -r "$1" "$2"
	python3 - "$2" "$3" <<'PY'
import json, sys
d, code = sys.argv[1:]
m = json.load(open(d + "/machine.json"))
lines = [json.loads(line) for line in open(d + "/trials.jsonl")]
exec(code)
json.dump(m, open(d + "/machine.json", "w"))
open(d + "/trials.jsonl", "w").writelines(json.dumps(t) + "\n" for t in lines)
PY
}
