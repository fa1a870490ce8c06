"""Bounds of a share from hits among n draws, by the Kullback–Leibler divergence (Chernoff).

    kl(p, q) = p ln(p/q) + (1 − p) ln((1 − p)/(1 − q))
    upper(h, n, β) = max {q : n · kl(h/n, q) ≤ β}          lower(h, n, β) = min {q : n · kl(h/n, q) ≤ β}

P(share > upper) ≤ e^−β, and the same of lower, for a number of draws that was fixed. While many shares are watched and
draws follow what was seen, KL-LUCB explores with

    β(t, K, δ) = b + ln b,   b = ln(405.5 · K · t^1.1 / δ)

in round t of K shares: all bounds hold together with probability 1 − δ.

Edge cases: no draw: 0 and 1; no hit has lower 0, and n hits of n draws upper 1.

Source: Kaufmann & Kalyanakrishnan 2013, "Information complexity in bandit subset selection", section 4; constants as in
Ribeiro, Singh & Guestrin 2018.
"""

import math

import numpy as np

_STEPS = 50


def kl(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Divergence of Bernoulli distributions, nats; infinite where q excludes what p allows."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ones = np.where(p > 0, p * np.log(p / q), 0.0)
        zeros = np.where(p < 1, (1 - p) * np.log((1 - p) / (1 - q)), 0.0)
    return np.asarray(ones + zeros)


def upper(hits: np.ndarray, n: np.ndarray, beta: float) -> np.ndarray:
    """The largest shares that are within reach, by bisection; shapes of `hits` and `n`."""
    mean = hits / np.maximum(n, 1)
    low, high = mean, np.ones_like(mean)
    for _ in range(_STEPS):
        middle = (low + high) / 2
        within = n * kl(mean, middle) <= beta
        low, high = np.where(within, middle, low), np.where(within, high, middle)
    return np.where(n > 0, high, 1.0)


def lower(hits: np.ndarray, n: np.ndarray, beta: float) -> np.ndarray:
    """The least shares that are within reach."""
    return np.where(n > 0, 1 - upper(n - hits, n, beta), 0.0)


def exploration(round_: int, n_shares: int, delta: float) -> float:
    """β of KL-LUCB."""
    b = math.log(405.5 * n_shares * round_**1.1 / delta)
    return b + math.log(b)


def interval(hits: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The ends of an interval that holds the share in at least `level` of the cases."""
    beta = math.log(2 / (1 - level))
    counts = np.array([float(hits)]), np.array([float(n)])
    return float(lower(*counts, beta)[0]), float(upper(*counts, beta)[0])
