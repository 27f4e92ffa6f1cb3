"""Writes expected.json beside this file, with SciPy 1.16.3 and NumPy 2.4.6 (PyPI).

    python3 test/golden/gate/make.py

outcomes.json holds, for pairs of models, a 1 or a 0 for each query (answered right or not) as the
pipeline gave them; everything computed from them here is independent of the project.
"""
import json
import os

import numpy as np
import scipy
from scipy import stats

here = os.path.dirname(os.path.abspath(__file__))
level = 0.95


def paired(first, second, limit):
    """Second (the candidate) less first, Bonett and Price's bounds, McNemar's mid-p, a verdict."""
    n = len(first)
    lost = int(np.sum((first == 1) & (second == 0)))
    gained = int(np.sum((first == 0) & (second == 1)))
    z = stats.norm.ppf(level)
    p12, p21 = (gained + 1) / (n + 2), (lost + 1) / (n + 2)
    half = z * np.sqrt((p12 + p21 - (p12 - p21) ** 2) / (n + 2))
    low, high = p12 - p21 - half, p12 - p21 + half
    few, discordant = min(lost, gained), lost + gained
    tail = stats.binom.cdf(few, discordant, 0.5) - 0.5 * stats.binom.pmf(few, discordant, 0.5)
    verdict = "pass" if low > -limit else "fail" if high < -limit else "cannot tell"
    deviation = np.sqrt((discordant + 2) / (n + 2) - ((gained - lost) / (n + 2)) ** 2)
    difference = (gained - lost) / n
    distance = difference + limit
    needed = None
    if distance != 0:
        power = (z + stats.norm.ppf(0.8)) * deviation / distance
        needed = max(1, int(np.ceil(power**2)))
    return {
        "n": n, "lost": lost, "gained": gained, "limit": limit, "difference": difference,
        "bounds": [low, high], "p": min(1.0, 2 * tail), "verdict": verdict,
        "deviation": deviation, "itemsToTell": needed,
    }


def outcome(n, lost, gained):
    first = np.array([1] * lost + [0] * gained + [1] * (n - lost - gained))
    second = np.array([0] * lost + [1] * gained + [1] * (n - lost - gained))
    return first, second


out = {"madeWith": f"SciPy {scipy.__version__}, NumPy {np.__version__}"}
cases = [(300, 0, 0), (146, 0, 0), (700, 9, 4), (700, 40, 6), (1000, 5, 25), (60, 3, 0), (2000, 31, 11)]
out["paired"] = [paired(*outcome(*case), limit) for case in cases for limit in (0.01, 0.02)]

out["chances"] = []
for difference, deviation, n, limit in [(0, 0.2, 800, 0.01), (-0.02, 0.2, 4330, 0.01), (-0.01, 0.3, 500, 0.01), (0.004, 0.15, 90, 0.02)]:
    error, z = deviation / np.sqrt(n), stats.norm.ppf(level)
    # The estimate is normal about the true difference; verdicts follow from its place.
    passing = stats.norm.sf(-limit + z * error, loc=difference, scale=error)
    failing = stats.norm.cdf(-limit - z * error, loc=difference, scale=error)
    out["chances"].append({"difference": difference, "deviation": deviation, "n": n, "limit": limit, "pass": passing, "fail": failing})

rng = np.random.default_rng(20261127)
a = np.round(rng.normal(size=(6, 16)), 3).astype(np.float32)
b = np.round(a + rng.normal(scale=0.05, size=a.shape), 3).astype(np.float32)
a64, b64 = a.astype(float), b.astype(float)
out["vectors"] = {
    "first": a.ravel().tolist(), "second": b.ravel().tolist(), "dim": 16,
    "cosines": (np.sum(a64 * b64, 1) / np.linalg.norm(a64, axis=1) / np.linalg.norm(b64, axis=1)).tolist(),
    "snrDb": float(10 * np.log10(np.sum(a64**2) / np.sum((b64 - a64) ** 2))),
}
x = rng.integers(0, 256, size=(5, 8), dtype=np.uint8)
y = rng.integers(0, 256, size=(5, 8), dtype=np.uint8)
different = np.unpackbits(x ^ y, axis=1)
out["codes"] = {
    "first": x.ravel().tolist(), "second": y.ravel().tolist(), "bits": 64,
    "distances": different.sum(1).tolist(), "flips": different.mean(0).tolist(),
}

file = os.path.join(here, "outcomes.json")
if os.path.exists(file):
    with open(file) as handle:
        pairs = json.load(handle)
    bits = lambda text: np.array([int(c) for c in text])
    out["models"] = {
        name: [paired(bits(pair["baseline"]), bits(pair["candidate"]), limit) for limit in (0.01, 0.02, 0.05)]
        for name, pair in pairs.items()
    }

with open(os.path.join(here, "expected.json"), "w") as handle:
    json.dump(out, handle, indent=1, default=float)
    handle.write("\n")
