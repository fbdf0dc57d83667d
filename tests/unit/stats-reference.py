#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes stats-reference.json: what SciPy and R say of some samples. Run by hand where both are installed."""
import json
import os
import subprocess
import numpy
import scipy
from scipy import stats

rng = numpy.random.default_rng(1999)


def r(code):
    out = subprocess.run(["Rscript", "-"], input=code + "; cat(format(out, digits = 17), sep = '\\n')", check=True, capture_output=True, text=True)
    return [float(line) for line in out.stdout.split()]


def vector(v):
    return "c(" + ",\n".join(repr(float(x)) for x in v) + ")"


def pair(what, x, y):
    x, y = [float(v) for v in numpy.sort(x)], [float(v) for v in numpy.sort(y)]
    ties = len(set(x + y)) < len(x) + len(y)
    exact = not ties and max(len(x), len(y)) <= 50
    two = stats.mannwhitneyu(y, x, alternative="two-sided", method="exact" if exact else "asymptotic", use_continuity=True)
    (also,) = r(f"out <- wilcox.test({vector(y)}, {vector(x)}, exact = {'TRUE' if exact else 'FALSE'}, correct = TRUE)$p.value")
    assert abs(two.pvalue - also) < 1e-9 * max(also, 1e-9), (two.pvalue, also)
    low, high = stats.bootstrap((x, y), lambda a, b, axis=-1: numpy.median(b, axis=axis) / numpy.median(a, axis=axis), method="percentile",
                                n_resamples=100000, batch=2000, vectorized=True, random_state=1).confidence_interval
    return {"what": what, "x": x, "y": y, "exact": exact, "u": float(two.statistic), "p": float(two.pvalue),
            "ratio_interval": [float(low), float(high)]}


def series(what, v):
    v = [float(x) for x in v]
    rho, p = stats.spearmanr(range(len(v)), v)
    (lag1,) = r(f"out <- acf(rank({vector(v)}), plot = FALSE)$acf[2]")
    return {"what": what, "v": v, "rho": float(rho), "rho_p": float(p), "lag1": lag1}


p = [0.0004, 0.011, 0.03, 0.2, 0.011, 0.9, 0.00001, 0.04]
reference = {
    "source": f"SciPy {scipy.__version__} (mannwhitneyu; spearmanr; bootstrap, percentile, 100000 resamples; binomtest) and "
              + subprocess.run(["R", "--version"], capture_output=True, text=True).stdout.split("\n")[0]
              + " (wilcox.test, the same p as SciPy to 9 digits; p.adjust; acf), called by stats-reference.py",
    "pairs": [
        pair("5 against 5, apart", rng.normal(1000, 3, 5), rng.normal(1030, 3, 5)),
        pair("15 against 15, 0.5 % apart", rng.normal(1000, 5, 15), rng.normal(1005, 5, 15)),
        pair("15 against 9, alike", rng.normal(1000, 5, 15), rng.normal(1000, 5, 9)),
        pair("50 against 50, skewed", rng.lognormal(7, 0.1, 50), rng.lognormal(7.03, 0.1, 50)),
        pair("2 against 50", rng.normal(1000, 5, 2), rng.normal(1000, 5, 50)),
        pair("51 against 40", rng.normal(1000, 5, 51), rng.normal(1002, 5, 40)),
        pair("ties within and across", rng.integers(100, 108, 12), rng.integers(102, 110, 14)),
        pair("120 against 200", rng.normal(1000, 20, 120), rng.normal(1003, 25, 200)),
    ],
    "holm": {"p": p, "adjusted": r(f"out <- p.adjust({vector(p)}, 'holm')")},
    "series": [
        series("drifting", 1000 + numpy.arange(30) * 0.3 + rng.normal(0, 3, 30)),
        series("noise", rng.normal(1000, 3, 25)),
        series("with ties", rng.integers(1, 6, 40)),
        series("autocorrelated", numpy.convolve(rng.normal(0, 1, 64), [1, 0.8, 0.5], "valid") + 100),
    ],
    "sign": [{"above": a, "below": b, "p": float(stats.binomtest(a, a + b).pvalue)} for a, b in ((14, 1), (3, 12), (8, 7), (200, 150))],
}
own = numpy.random.default_rng(1998)  # what was there before keeps its samples


def signed(what, d):
    d = [float(v) for v in d]
    moved = [v for v in d if v]
    exact = len(set(map(abs, moved))) == len(moved) and len(moved) <= 50
    two = stats.wilcoxon(d, mode="exact" if exact else "approx", correction=not exact)
    (also,) = r(f"out <- wilcox.test({vector(moved)}, exact = {'TRUE' if exact else 'FALSE'}, correct = TRUE)$p.value")
    assert abs(two.pvalue - also) < 1e-9 * max(also, 1e-9), (two.pvalue, also)
    return {"what": what, "d": d, "p": float(two.pvalue)}


reference["signed"] = [
    signed("6, all above", own.uniform(1, 2, 6)),
    signed("15, a little above", own.normal(1, 2, 15)),
    signed("50, alike", own.normal(0, 3, 50)),
    signed("51, below", own.normal(-1, 3, 51)),
    signed("ties and zeros", own.integers(-3, 6, 20)),
]
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "stats-reference.json"), "w") as f:
    json.dump(reference, f, indent=1)
    f.write("\n")
