#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""What watching costs: switch-bound workloads with and without `activemm watch`, alternating.

usage: overhead.py [ROUNDS [WORKLOAD...]]     ACTIVEMM, WORKLOAD, EMPTY, TEST_CPU as for test-watch.py;
    TRIPS: of one run (30000), OBSERVERS: some of them, by name, with a comma between

Beside the watch stands a pair of BPF programs that do nothing: the floor that no observer of these
tracepoints can be below on this machine. Each figure is the median of paired differences, with the
95 % interval of the median.
"""
import os
import random
import shutil
import statistics
import subprocess
import sys
import time

ACTIVEMM = os.environ.get("ACTIVEMM", "./activemm")
WORKLOAD = os.environ.get("WORKLOAD", "tests/watch/workload")
EMPTY = os.environ.get("EMPTY", "tests/watch/empty-programs")
CPUS = sorted(os.sched_getaffinity(0))
CPU = int(os.environ.get("TEST_CPU", CPUS[-1]))
TRIPS = int(os.environ.get("TRIPS", 30000))


def perf_pipe():
    """ns per switch of perf's own benchmark, both tasks on the test CPU."""
    done = subprocess.run(["taskset", "-c", str(CPU), "perf", "bench", "-f", "simple", "sched", "pipe",
                           "-l", str(TRIPS)], capture_output=True, text=True, check=True)
    return float(done.stdout) * 1e9 / (2 * TRIPS)


def own(kind):
    """ns per switch of one of our workloads, by its own clock."""
    done = subprocess.run([WORKLOAD, kind, str(CPU), str(TRIPS)], capture_output=True, text=True,
                          check=True)
    return float(done.stdout.split()[1]) / (2 * TRIPS)


class Observer:
    """Something attached, kept off the measured CPU."""

    def __init__(self, command):
        self.command = command

    def __enter__(self):
        self.process = None
        if self.command:
            self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                            preexec_fn=self.elsewhere)
            self.process.stdout.readline()
        time.sleep(0.05)

    def __exit__(self, *_):
        if self.process:
            self.process.stdin.close()
            self.process.terminate()
            self.process.stdout.read()
            self.process.wait()

    @staticmethod
    def elsewhere():
        os.sched_setaffinity(0, [cpu for cpu in CPUS if cpu != CPU] or CPUS)


def interval(values):
    """Order statistics that hold the median with 95 %."""
    values = sorted(values)
    step = max(1, round(0.98 * len(values) ** 0.5))
    middle = len(values) // 2
    return values[max(0, middle - step)], values[min(len(values) - 1, middle + step)]


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    observers = {"nothing": None, "empty programs": [EMPTY], "perf's context-switches": [EMPTY, "events"],
                 "activemm watch": [ACTIVEMM, "watch", "--interval", "0.2"],
                 "watch always": [ACTIVEMM, "watch", "--share", "100", "--interval", "0.2"],
                 "watch --no-loads": [ACTIVEMM, "watch", "--share", "100", "--no-loads", "--interval", "0.2"],
                 "watch by perf": [ACTIVEMM, "watch", "--source", "perf", "--interval", "0.2"]}
    if os.environ.get("OBSERVERS"):
        observers = {name: observers[name] for name in ["nothing", *os.environ["OBSERVERS"].split(",")]}
    workloads = {"process": lambda: own("process"), "thread": lambda: own("thread"),
                 "kworker": lambda: own("kworker")}
    if shutil.which("perf"):
        workloads["perf-bench-sched-pipe"] = perf_pipe
    if len(sys.argv) > 2:
        workloads = {name: workloads[name] for name in sys.argv[2:]}
    for name, run in workloads.items():
        times = {observer: [] for observer in observers}
        for _ in range(rounds):
            for observer in random.sample(list(observers), len(observers)):
                with Observer(observers[observer]):
                    times[observer].append(run())
        base = statistics.median(times["nothing"])
        print("%s: %.0f ns a switch" % (name, base))
        for observer in list(observers)[1:]:
            more = [a - b for a, b in zip(times[observer], times["nothing"])]
            low, high = interval(more)
            median = statistics.median(more)
            print("  %-16s +%.0f ns (%.0f to %.0f), +%.1f %%" %
                  (observer, median, low, high, 100 * median / base))
        if not {"watch always", "empty programs"} <= set(times):
            continue
        own_part = [a - b for a, b in zip(times["watch always"], times["empty programs"])]
        low, high = interval(own_part)
        print("  %-16s  %.0f ns (%.0f to %.0f)" % ("watch's own part", statistics.median(own_part), low,
                                                  high))


if __name__ == "__main__":
    main()
