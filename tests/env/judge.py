#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What became of a run, by what it left: judge.py SET STATUS STDOUT STDERR [QUIET-SET]

Prints "CLASS<tab>what it said". The good classes:
  verified    exit 0, every trial's counts are what the kernel must do
  unverified  exit 0, and head, summary and trials say that nothing was verified
  skipped     what cannot run is named with its reason; the rest is one of the above
  refused     exit 1 or 2 with one line that says why; what was marked invalid is part of it
  disturbed   like refused, but tasks that are no part of the test had taken the CPU
WRONG is everything else: a crash, a hang, several errors or none, a valid trial whose counts are not the scenario's.
With QUIET-SET a valid trial must also not take five times as long as there.
"""
import json
import os
import re
import sys

# Switches and CR3 loads per round trip, by scenario: kept apart from the claims in the code under test.
COUNTS = {"thread": (2, 0), "process": (2, 2), "kworker": (2, 0), "idle": (2, None), "interposed": (4, 2)}
# What may come to a round trip beside them: a real-time kernel's timer expires in a thread, after which the CPU may be idle once more.
MORE = {"idle": 2} if os.environ.get("ACTIVEMM_ENV_REALTIME") else {}


def lines(path):
    with open(path, "rb") as f:
        return [line.rstrip() for line in f.read().decode("utf-8", "backslashreplace").splitlines() if line.strip()]


def trials(folder):
    path = os.path.join(folder, "trials.jsonl")
    if not os.path.exists(path):
        return []
    with open(path, "rb") as f:
        return [json.loads(line.decode()) for line in f]  # UnicodeDecodeError and ValueError are findings


def miscounted(t):
    """The reason for which a trial that is called valid and verified is wrong, or nothing."""
    counted, counters = t["round_trips"]["counted"], t["counters"]
    for name, per in zip(("context-switches", "cr3-loads"), COUNTS.get(t["scenario"], ())):
        if per is None:
            continue
        if "value" not in counters[name]:
            return f"{t['scenario']}: verified without {name}: {counters[name].get('unavailable')}"
        # A kernel thread passes by now and then: two switches of its own, no load.
        more = counters[name]["value"] - per * counted
        slack = 12 + 0.05 * counted
        if not -slack <= more <= MORE.get(t["scenario"], 0) * counted + slack:
            return f"{t['scenario']}: valid with {counters[name]['value']} {name} in {counted} round trips"
    return None


def invalid(done):
    """Why a trial was marked, for the line that only counts them."""
    why = [t["violations"][0]["text"] for t in done if not t["valid"]]
    return f" ({why[0]})" if why else ""


def disturbed(done):
    """Did tasks that are no part of the test take the CPU in most of the trials that are invalid?"""
    bad = [t for t in done if not t["valid"]]
    names = [[i["comm"] for i in t["intruders"]] for t in bad]
    own = os.environ.get("ACTIVEMM_ENV_NAME", "activemm")
    kernel = ("kworker", "ksoftirqd", "rcu_", "migration")
    foreign = sum(any(not name.startswith((own, *kernel)) for name in trial) for trial in names)
    return 2 * foreign > len(bad) and not any(name.startswith(own) for trial in names for name in trial)


def slow(t, quiet):
    like = [q["ns_per_round_trip"] for q in quiet if q["valid"] and q["scenario"] == t["scenario"]]
    return like and t["ns_per_round_trip"] > 5 * min(like)


def judge(folder, status, out, err, quiet=None):
    said = lines(err)
    text = "\n".join(said + lines(out))
    skips = [line for line in said if line.startswith("activemm: skipped ")]
    found = [line for line in said if re.match("activemm: (warning|found|put back|note)", line)]
    errors = [line for line in said if line.startswith("activemm: ") and line not in skips + found]
    if status in (124, 137):
        return "WRONG", "it hung"
    if status >= 126:
        return "WRONG", f"it crashed (status {status}): {said[-1] if said else ''}"
    try:
        done = trials(folder)
    except ValueError as e:
        return "WRONG", f"a line of trials.jsonl is broken: {e}"
    valid = [t for t in done if t["valid"]]
    for t in valid:
        why = miscounted(t) if t["verified"] else None
        if why:
            return "WRONG", why
        if quiet and slow(t, quiet):
            return "WRONG", f"{t['scenario']} is called valid at {t['ns_per_round_trip']:.0f} ns a round trip"
    unverified = [t for t in valid if not t["verified"]]
    if unverified and "UNVERIFIED" not in text:
        return "WRONG", "nothing says that it is not verified"
    if status == 2 or (status == 1 and not skips):
        if len(errors) != 1:
            return "WRONG", f"status {status} with {len(errors)} errors: {' / '.join(errors or said[-3:])}"
        return "disturbed" if disturbed(done) else "refused", errors[0] + invalid(done)
    if status not in (0, 1) or len(errors) > 1:
        return "WRONG", f"status {status}: {' / '.join(errors)}"
    if skips:
        return "skipped", skips[0]
    if not valid or errors:
        return "WRONG", f"status 0 and {len(valid)} valid trials: {' / '.join(errors)}"
    if unverified:
        return "unverified", next(line for line in said + lines(out) if "UNVERIFIED" in line)
    return "verified", ""


if __name__ == "__main__":
    cls, what = judge(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], trials(sys.argv[5]) if len(sys.argv) > 5 else None)
    print(cls, " ".join(what.removeprefix("activemm: ").split()), sep="\t")
