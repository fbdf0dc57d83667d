#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How many sessions, trials and seconds would tell: from made sets whose spreads and costs are known.
# shellcheck disable=SC2016 # the inner shells expand
set -u
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
cd "$tmp" || exit 1
export XDG_DATA_HOME=$tmp/data

# Two kernels, 20 % apart, of 12 sessions each. process: sessions 3 %, trials 1 %, and 2 % that a trial's length leaves; thread: 0.5 %, 0.5 %,
# 1 %. A trial has 0.1 s timed and 0.15 s more of round trips, and 0.25 s beside; a session 20 s from the start to the first; boots take 40 s.
python3 - <<'PY'
import json, math, os, random, time
r = random.Random(5)
for kernel in range(2):
    for session in range(12):
        d, start = f"k{kernel}-{session:02}", 1000000000 + 100000 * (12 * kernel + session)
        os.mkdir(d)
        json.dump({"schema": 1, "kernel": {"release": f"6.{kernel}", "version": "made"}, "cpu": {"model": "made"}, "times_meaningful": True,
            "session": {"boot_id": d, "started": start, "since_boot_s": 40.0}}, open(d + "/machine.json", "w"))
        own = {"process": r.gauss(0, 0.03), "thread": r.gauss(0, 0.005)}
        with open(d + "/trials.jsonl", "w") as f:
            for i in range(2 * 20):
                name = ("process", "thread")[i % 2]
                level = own[name] + 0.2 * kernel + r.gauss(0, 0.01 if name == "process" else 0.005)
                half = (0.02 if name == "process" else 0.01) * math.sqrt(2)
                a, b = level + r.gauss(0, half), level + r.gauss(0, half)
                ns = 1000 * math.exp((a + b) / 2)
                n = round(1e8 / ns)
                print(json.dumps({"schema": 1, "scenario": name, "params": {"pages": 0, "pagesize": "4k"}, "trial": i // 2, "attempt": 1,
                    "end": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(start + 20 + 0.5 * (i + 1))), "elapsed_ns": n * ns, "ns_per_round_trip": ns,
                    "round_trips": {"timed": n, "counted": n, "sampled": 0, "warmup": 0, "total": 2 * n},
                    "batches": {"count": 20, "series_ns": [1000 * math.exp(a)] * 10 + [1000 * math.exp(b)] * 10, "counted_ns_per_round_trip": 1.5 * ns},
                    "valid": True, "verified": True, "violations": [], "counters": {}}), file=f)
PY

is() { python3 -c 'import json,sys; p = json.load(open(sys.argv[1])); rows = {r["scenario"]: r for r in p["rows"]}; sys.exit(not eval(sys.argv[2]))' "$tmp/out" "$1"; }
run plan k?-?? --json
check "spreads of every level are found again" is '0.02 < rows["process"]["between"] < 0.04 and 0.02 < rows["process"]["within"] < 0.025 and 0.018 < rows["process"]["sampled"] < 0.022 and rows["thread"]["between"] < 0.009 and 0.009 < rows["thread"]["sampled"] < 0.011'
check "  and what each costs" is 'p["seconds"]["between"] == 40 and not p["seconds"]["assumed"] and 19 <= p["seconds"]["look"] <= 21 and 0.2 < p["seconds"]["trial"] < 0.3'
check "what varies more between sessions asks for more of them" is 'rows["process"]["plan"]["sessions"] > 2 * rows["thread"]["plan"]["sessions"] and p["all"]["plan"]["sessions"] >= rows["process"]["plan"]["sessions"] and p["all"]["plan"]["worst"] == "process"'
check "  and all of it is told as time" is 'all(abs(r["plan"]["total_s"] - 2 * r["plan"]["sessions"] * r["plan"]["session_s"]) < 1e-6 and r["plan"]["session_s"] > 50 for r in p["rows"])'
sessions=$(python3 -c 'import json,sys; print(*(r["plan"]["sessions"] for r in json.load(open(sys.argv[1]))["rows"]))' "$tmp/out")
run plan k?-?? --percent 4 --json
check "twice the difference takes fewer sessions" python3 -c 'import json,sys; new = [r["plan"]["sessions"] for r in json.load(open(sys.argv[1]))["rows"]]; sys.exit(not 3 * new[0] < float(sys.argv[2]))' "$tmp/out" "${sessions% *}"
run plan k?-?? --power 50 --json
check "less power, too" python3 -c 'import json,sys; new = [r["plan"]["sessions"] for r in json.load(open(sys.argv[1]))["rows"]]; sys.exit(not new[0] < float(sys.argv[2]))' "$tmp/out" "${sessions% *}"
run plan k?-?? --between 3600 --json
check "a session that costs more has more trials or longer ones" is 'rows["thread"]["plan"]["trials"] * rows["thread"]["plan"]["trial_s"] > 1'
run plan k?-??
check "the table says it, and how to run it" sh -c 'grep -q "^To tell two kernels 2 % apart in 90 of 100 tries, from 24 sessions of 2 kernels:" "$1" && grep -qE "^process +[0-9.]+ % +[0-9.]+ % +[0-9]+" "$1" && grep -qE "^  activemm run process:pages=0,pagesize=4k thread:pages=0,pagesize=4k --trials [0-9]+ --trial-time [0-9.]+$" "$1"' - "$tmp/out"
refuses "one session does not tell how they vary" 1 "no kernel has two sessions" plan k0-00 k1-00
run compare k0-00 k1-00
check "compare points at it" sh -c 'grep -q "activemm plan" "$1" && head -n 1 "$1" | grep -q "one session a side cannot tell\.$"' - "$tmp/out"
if "$activemm" history add k0-* k1-0[0-5] >/dev/null 2>"$tmp/err"; then
	run plan k0-00 k1-00 --json
	check "  unless the history knows" is '0.02 < rows["process"]["between"] < 0.04 and rows["process"]["from"] == "history" and "plan" in p["all"]'
	run compare k0-00 k1-00
	check "  which compare tells, too" sh -c 'head -n 1 "$1" | grep -qE "one session a side cannot tell: sessions of one kernel varied by [0-9.]+ % on this machine"' - "$tmp/out"
	change k0-00 other 'm["cpu"]["model"] = "other"'
	refuses "  of another machine it knows nothing" 1 "no kernel has two sessions" plan other
else
	skip "the history: $(cat "$tmp/err")"
fi
refuses "a history that is none" 1 "" plan k0-00 --db "$tmp/none"
refuses "no set" 2 "name one result set or more" plan
refuses "a share that is none" 2 "must be a number from 0.01 to 1000" plan k0-00 --percent 0
refuses "a power that none has" 2 "must be a number from 50 to 99.9" plan k0-00 --power 100
refuses "a trial without length" 2 "must be a number of seconds from 0.001 to 100" run thread --trial-time 0
change k0-01 emulated 'm["times_meaningful"] = False'
refuses "times of emulation" 1 "where times mean nothing" plan k0-00 emulated
refuses "a session twice" 1 "are one session: name it once" plan k0-00 k0-01 k0-00
change k0-01 model 'm["cpu"]["model"] = "other"; m["session"]["boot_id"] = "other"'
refuses "two machines" 1 "of different CPU models" plan k0-00 model
change k0-01 rebooted 'm["session"].update(boot_id="r", boot_ended=True)'
refuses "a session over the end of its boot" 1 "its boot ended" plan k0-00 rebooted
