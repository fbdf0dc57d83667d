#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Every #include of a file of ours against the tables of who may use whom, in lib/README.md and bench/README.md.

usage: test-layers.py [ROOT]     ROOT: of the sources, where it is not this one
"""
import os
import re
import sys

TABLES = ["lib/README.md", "bench/README.md"]
failed = passed = 0


def check(what, bad):
    global failed, passed
    print("not ok -" if bad else "ok -", what)
    for line in bad:
        print("   ", line)
    failed += bool(bad)
    passed += not bad


def table(root):
    """Folder -> folders and headers that it may use, by the rows "| `folder` | what it is | `may`, `use` |"."""
    may = {}
    for name in TABLES:
        with open(os.path.join(root, name), encoding="utf-8") as f:
            for line in f:
                cells = line.strip().strip("|").split("|")
                folder = re.fullmatch(r"`([\w/.-]+)`", cells[0].strip())
                if len(cells) == 3 and folder:
                    may[folder[1]] = re.findall(r"`([\w/.*-]+)`", cells[2])
    return may


def includes(root):
    """(file, header) of each #include "folder/header.h"; headers made while building are in their folder, too."""
    for top in ("bench", "lib"):
        for folder, _, files in os.walk(os.path.join(root, top)):
            for name in sorted(files):
                if not name.endswith((".c", ".h")) or name.endswith(".skel.h"):
                    continue
                path = os.path.join(folder, name)
                with open(path, encoding="utf-8") as f:
                    for header in re.findall(r'^\s*#\s*include\s+"([^"]+)"', f.read(), re.M):
                        yield os.path.relpath(path, root), header


def violations(may, pairs):
    for path, header in pairs:
        folder, used = os.path.dirname(path), os.path.dirname(header)
        if not used or used == folder:  # its own, or config.h
            continue
        allowed = may.get(folder, [])
        if used not in allowed and header not in allowed and used.split("/")[0] + "/*" not in allowed:
            yield f"{path} includes {header}: {folder} may use {', '.join(allowed) or 'nothing of ours'}"


root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
may = table(root)
pairs = list(includes(root))
folders = {os.path.dirname(path) for path, _ in pairs}

check("every folder with sources has a row in a table, and every row a folder",
      sorted(folders ^ set(may)))
check("an include that points upwards is found",
      [] if list(violations(may, [("lib/base/error.c", "bench/report/report.h")])) and
      list(violations(may, [("bench/harness/run.c", "bench/summary/summary.h")])) and
      list(violations(may, [("bench/scenarios/process.c", "bench/harness/trial.h")])) else ["it is not"])
check(f"{len(pairs)} includes keep to the tables", list(violations(may, pairs)))
print(f"{passed} passed, {failed} failed, 0 skipped")
sys.exit(bool(failed))
