"""Writes statistics.json beside this file, with SciPy 1.10.1 and NumPy 1.24.2 (Debian 12: apt install python3-scipy).

    python3 test/golden/statistics.py

Deterministic up to the bootstrap's end points, whose Monte Carlo error is below 0.3% at 200,000 resamples.
"""
import json
import os

import numpy as np
import scipy
from scipy import stats

out = {"made_with": f"SciPy {scipy.__version__}, NumPy {np.__version__}"}
z = [-38.5, -30, -12.3, -7.2, -7, -3, -1.5, -0.2, 0, 1e-9, 0.7, 2.5758, 6, 8]
out["normalCdf"] = [[v, stats.norm.cdf(v)] for v in z]
p = [1e-300, 1e-20, 1e-6, 0.005, 0.025, 0.074, 0.076, 0.4, 0.5, 0.8, 0.9, 0.975, 0.995, 1 - 1e-9]
out["normalQuantile"] = [[v, stats.norm.ppf(v)] for v in p]
out["binomialCdf"] = [
    [k, n, q, stats.binom.cdf(k, n, q)]
    for k, n, q in [(0, 1, 0.3), (1, 64, 0.1), (1, 662, 0.01), (3, 10, 0.5), (50, 100, 0.5), (17, 20, 0.9), (980, 1000, 0.99), (99000, 100000, 0.99),
                    (0, 459, 0.01), (12345, 1000000, 0.0125), (5, 20, 0.001)]
]
out["betaQuantile"] = [[q, a, b, stats.beta.ppf(q, a, b)] for q, a, b in [(0.025, 3, 8), (0.975, 4, 7), (0.5, 1, 1), (0.01, 120, 3), (0.9, 1000, 2000)]]
out["proportion"] = []
for k, n in [(0, 10), (1, 10), (5, 10), (10, 10), (81, 263), (15, 148), (1030, 1065), (3, 2000)]:
    for level in (0.9, 0.95, 0.99):
        test = stats.binomtest(k, n)
        w = test.proportion_ci(level, "wilson")
        e = test.proportion_ci(level, "exact")
        out["proportion"].append({"k": k, "n": n, "level": level, "wilson": list(w), "exact": list(e)})
out["mcnemarExact"] = [[b, c, stats.binomtest(b, b + c).pvalue if b + c else 1.0] for b, c in [(0, 0), (1, 0), (5, 1), (12, 5), (59, 6), (40, 60), (500, 580), (7, 7)]]
out["quantileCi"] = []
rng = np.random.default_rng(20240131)
x = np.sort(np.round(rng.lognormal(3, 0.5, 400), 6))
out["sample"] = x.tolist()
for q in (0.1, 0.5, 0.9, 0.95, 0.99):
    # Equal-tailed ranks of David and Nagaraja, from SciPy's binomial.
    low = int(stats.binom.ppf(0.025, len(x), q))
    high = int(stats.binom.ppf(0.975, len(x), q)) + 1
    out["quantileCi"].append({"q": q, "value": float(np.quantile(x, q)), "ranks": [low, high]})
y = x[::7]
out["bootstrapSample"] = y.tolist()
out["bootstrap"] = {}
for method in ("percentile", "BCa"):
    r = stats.bootstrap((y,), np.mean, n_resamples=200_000, method=method, random_state=1, batch=10_000)
    out["bootstrap"][method] = [r.confidence_interval.low, r.confidence_interval.high, r.standard_error]
    r = stats.bootstrap((y,), lambda v, axis: v.std(axis=axis) / v.mean(axis=axis), n_resamples=200_000, method=method, random_state=1, batch=10_000)
    out["bootstrap"][method + " of the coefficient of variation"] = [r.confidence_interval.low, r.confidence_interval.high, r.standard_error]


def plain(v):
    """JSON has no infinities or NaN: SciPy's missing confidence limits become null."""
    if isinstance(v, dict):
        return {k: plain(w) for k, w in v.items()}
    if isinstance(v, (list, tuple)):
        return [plain(w) for w in v]
    if isinstance(v, (float, np.floating)):
        return float(v) if np.isfinite(v) else None
    return v


with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "statistics.json"), "w") as file:
    json.dump(plain(out), file, indent=0)
    file.write("\n")
