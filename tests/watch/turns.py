#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Do the intervals of `activemm watch --share` hold what a watch that always counts finds, on mixed work?

usage: turns.py [ROUNDS [SECONDS [AT-ONCE [SHARE [RECORD]]]]]     ACTIVEMM, WORKLOAD, TEST_CPU as for test-watch.py

A round: watches in turns, AT-ONCE of them, each with windows of its own, beside one that always counts, while pipes, timers, kworkers,
forks and compilers run, in phases of random length. RECORD: a file of all tries, to which this run's are added before it says what
all together held.
"""
import collections
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

ACTIVEMM = os.environ.get("ACTIVEMM", "./activemm")
WORKLOAD = os.environ.get("WORKLOAD", "tests/watch/workload")
CPUS = sorted(os.sched_getaffinity(0))
CPU = os.environ.get("TEST_CPU", str(CPUS[-1]))


class Work:
    """Phases of other work each, until it is stopped; timers tick all the time."""

    def __init__(self, folder):
        self.source = os.path.join(folder, "work.c")
        with open(self.source, "w") as file:
            file.write("#include <stdio.h>\n")
            for i in range(300):
                file.write("int f%d(int a) { for (int i = 0; i < a; i++) a ^= i * %d; return a; }\n" % (i, i))
        self.phases = [["perf", "bench", "-f", "simple", "sched", "pipe", "-l", "%d"],
                       [WORKLOAD, "process", CPU, "%d"], [WORKLOAD, "thread", CPU, "%d"], [WORKLOAD, "kworker", CPU, "%d"],
                       [WORKLOAD, "fork", CPU, "%d"], ["gcc", "-O2", "-c", "-o", "/dev/null", self.source], ["sleep", "0.3"]]
        self.ended = threading.Event()
        self.ticks = subprocess.Popen([WORKLOAD, "timer", CPU, "100000000"], stdout=subprocess.DEVNULL)
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        while not self.ended.is_set():
            phase = random.choice(self.phases)
            trips = int(random.expovariate(1 / (500 if "fork" in phase else 30000))) + 1
            subprocess.run([part.replace("%d", str(trips)) for part in phase], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def stop(self):
        self.ended.set()
        self.thread.join()
        self.ticks.kill()
        self.ticks.wait()


def tries(folder, seconds, at_once, share):
    """One watch that always counts, and those beside it: the sampled ones' summaries, each with the other's."""
    command = [ACTIVEMM, "watch", "--json", "--interval", "0.5", "--share"]
    shares = ["100"] + at_once * [share]
    outputs = [open(os.path.join(folder, "watch-%d" % i), "w+") for i in range(len(shares))]
    processes = [subprocess.Popen([*command, each], stdout=output) for each, output in zip(shares, outputs)]
    # All count before the work begins, and until it has ended: they see the same, but for a few switches of the idle machine.
    while not all(os.path.getsize(output.name) for output in outputs):
        time.sleep(0.05)
    work = Work(folder)
    time.sleep(seconds)
    work.stop()
    for process in processes:
        process.send_signal(signal.SIGINT)
    for process, output in zip(processes, outputs):
        process.wait()
        output.seek(0)
    always, *turns = [json.loads(output.read().splitlines()[-1]) for output in outputs]
    for output in outputs:
        output.close()
    for one in turns:
        yield one, always


def held(one, always):
    """Kind -> (was the truth in the interval, half its width to the truth)."""
    truth = dict(always["counts"]["classes"], lazy=always["counts"]["lazy"], loads_saved=always["counts"]["loads_saved"])
    for kind, exact in truth.items():
        bounds = one["sampling"]["intervals"][kind]
        yield kind, bounds["low"] <= exact <= bounds["high"], (bounds["high"] - bounds["low"]) / 2 / max(exact, 1)


def main():
    given = sys.argv[1:] + ["12", "10", "3", "10", ""][len(sys.argv) - 1:]
    rounds, seconds, at_once = (int(value) for value in given[:3])
    share, record = given[3:]
    with tempfile.TemporaryDirectory() as folder, open(record or os.path.join(folder, "tries"), "a+") as file:
        for _ in range(rounds):
            for pair in tries(folder, seconds, at_once, share):
                file.write(json.dumps([list(held(*pair)), pair[0]["sampling"], pair[1]["counts"]]) + "\n")
                file.flush()
        file.seek(0)
        found = collections.defaultdict(list)
        for line in file:
            for kind, held_it, width in json.loads(line)[0]:
                found[kind].append((held_it, width))
    for kind, list_of in found.items():
        widths = sorted(width for _, width in list_of)
        print("%-12s held in %3d of %d tries (%.1f %%), half the interval %.1f %% of it in the median" %
              (kind, sum(held_it for held_it, _ in list_of), len(list_of), 100 * sum(held_it for held_it, _ in list_of) / len(list_of),
               100 * widths[len(widths) // 2]))


if __name__ == "__main__":
    main()
