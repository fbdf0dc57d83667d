#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Fills a history with many made sets, without their folders: history-store.py DB SETS KERNELS [shuffled]. DB is there, with any set in it, for
its schema. Then: time activemm history trend process --db DB. Sets are in the order of time, or not."""
import random
import sqlite3
import sys

db, sets, kernels = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
r = random.Random(1)
c = sqlite3.connect(db)
c.execute("BEGIN")
for table in ("figure", "sets", "series", "kernel", "machine"):
    c.execute(f"DELETE FROM {table}")
c.execute("INSERT INTO machine VALUES(1, 'made, 4 CPUs', 0)")
c.executemany("INSERT INTO kernel VALUES(?, ?, '#1 SMP')", [(k + 1, f"6.{k}.0") for k in range(kernels)])
rows = [("process" if i % 2 else "thread", '{"handover":"yield","pages":%d,"pagesize":"4k"}' % (8 * (i // 2))) for i in range(8)]
c.executemany("INSERT INTO series VALUES(?, ?, ?)", [(i + 1, *row) for i, row in enumerate(rows)])
noise = [[r.gauss(1, 0.01) for s in range(8)] for i in range(sets)]  # the same in either order
order = list(range(sets))
if sys.argv[4:] == ["shuffled"]:
    r.shuffle(order)
for at, i in enumerate(order):
    kernel, ended = i * kernels // sets + 1, 1700000000 + 60 * i
    c.execute("INSERT INTO sets VALUES(?, ?, ?, 1, ?, ?, 48, 1)", (at + 1, i.to_bytes(24, "big"), f"/made/{i}", kernel, ended))
    for s in range(8):
        ns = 2500 * noise[i][s]
        c.execute("INSERT INTO figure VALUES(?, ?, 1, ?, ?, ?, ?, ?, 2, NULL, NULL, 0, NULL, NULL, 2, NULL, NULL, NULL, NULL, NULL)",
                  (s + 1, at + 1, kernel, ended, ns, ns * 0.99, ns * 1.01))
c.commit()
