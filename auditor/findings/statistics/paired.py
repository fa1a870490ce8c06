"""The same documents measured twice: how far several numbers differ, and whether chance alone could make it so.

With x_i what document i adds to a number the first time, y_i the second, and s the statistic of the sums,
    Δ = s(Σy_i) − s(Σx_i)

Interval: documents are resampled, each with both of its measurements (`intervals.bootstrap`: BCa, expanded), so that
what both times have in common cancels. The standard error is read off it, half its width over z.

p, by exchange of signs (Fisher 1935, 21; Good 2005, 3.2): were both times alike, x_i and y_i could be exchanged in any
document, and Δ would be drawn from
    Δ(σ) = s(Σ(m_i + σ_i h_i)) − s(Σ(m_i − σ_i h_i)),   m_i = (x_i + y_i)/2,  h_i = (y_i − x_i)/2,  σ_i = ±1
p is the share of the σ with |Δ(σ)| ≥ |Δ|: of all 2ⁿ where these are at most 10,000, else of 9,999 drawn at random and
the one that was seen. It is exact, however the values are distributed, and whatever s is. Documents with x_i = y_i do
not matter, whatever their sign. For a mean it is the sign-flip test of the differences.

One document changed of 200, once right and once wrong: |Δ(σ)| = |Δ| for both signs, p = 1.
Six changed, all for the worse: p = 2/2⁶ = 0.031.

Sums are exact (`resampling.on_grid`), and the signs raw bits of PCG64 seeded by (seed, name): the same digits
everywhere. What is equal but for rounding counts as reached.

Edge cases: no document, or a statistic that is undefined either time: Δ is NaN, p None. None has changed: Δ = 0, p = 1
and no interval.

Agrees with `scipy.stats.permutation_test(permutation_type="samples")` (1.17).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from auditor.findings.statistics import resampling
from auditor.findings.statistics.intervals import Estimate, bootstrap
from auditor.findings.statistics.resampling import CELLS, Floats, on_grid

FLIPS = 9_999
MOST_ENUMERATED = 13
"""Documents whose 2ⁿ ways of exchange are all tried."""
_ROUNDING = 1e-9
Statistic = Callable[[Floats], Floats]
"""Sums (…, m) → the number (…)."""


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One number of the same n documents, measured twice."""

    before: Floats  # (n, m)
    after: Floats  # (n, m)
    statistic: Statistic


@dataclass(frozen=True, slots=True)
class Shift:
    """How far one number differs."""

    before: float
    """NaN where it is undefined."""
    after: float
    difference: Estimate
    p: float | None
    n_changed: int
    """Documents that add another thing than before."""


def shifts(pairs: Sequence[Pair], *, seed: int, name: str) -> list[Shift]:
    """How far each of some numbers over the same documents differs.

    Args:
        pairs: All with n rows: row i of all of them is of one document.
        seed: Of the audit.
        name: Other names draw other resamples and signs.
    """
    if not pairs:
        return []
    before, after = (np.column_stack([getattr(pair, side) for pair in pairs]) for side in ("before", "after"))
    statistic = _all_of(pairs)
    values = statistic(before.sum(axis=0)), statistic(after.sum(axis=0))
    differences = _differences(before, after, statistic, seed, name)
    p = _p_values(before, after, statistic, seed, name)
    changed = [int((pair.before != pair.after).any(axis=1).sum()) for pair in pairs]
    return [
        Shift(float(x), float(y), difference, None if np.isnan(chance) else float(chance), n)
        for x, y, difference, chance, n in zip(*values, differences, p, changed, strict=True)
    ]


def _all_of(pairs: Sequence[Pair]) -> Statistic:
    """Sums of all features side by side (…, M) → the numbers (…, k)."""
    ends = np.cumsum([pair.before.shape[1] for pair in pairs])[:-1]

    def statistic(sums: Floats) -> Floats:
        parts = np.split(sums, ends, axis=-1)
        return np.stack([pair.statistic(part) for pair, part in zip(pairs, parts, strict=True)], axis=-1)

    return statistic


def _differences(before: Floats, after: Floats, statistic: Statistic, seed: int, name: str) -> list[Estimate]:
    width = before.shape[1]

    def difference(sums: Floats) -> Floats:
        return statistic(sums[..., width:]) - statistic(sums[..., :width])

    return bootstrap(np.column_stack([before, after]), difference, seed=seed, name=name)


def _p_values(before: Floats, after: Floats, statistic: Statistic, seed: int, name: str) -> Floats:
    """(k,), NaN where the difference is undefined."""
    moved = (before != after).any(axis=1)
    halves = on_grid((after[moved] - before[moved]) / 2) if moved.any() else np.zeros((0, before.shape[1]))
    middle = (before.sum(axis=0) + after.sum(axis=0)) / 2

    def difference(half: Floats) -> Floats:
        return statistic(middle + half) - statistic(middle - half)

    seen = difference(halves.sum(axis=0))
    least = np.abs(seen) - _ROUNDING * np.maximum(np.abs(statistic(middle)), np.abs(seen))
    reached, tried, total = np.zeros(seen.shape), 0, halves.sum(axis=0)
    for kept in _exchanges(len(halves), seed, name):
        reached += np.sum(~(np.abs(difference(2.0 * (kept @ halves) - total)) < least), axis=0)
        tried += len(kept)
    drawn = int(len(halves) > MOST_ENUMERATED)  # the exchange that was seen is one of those enumerated
    return np.where(np.isnan(seen), np.nan, (reached + drawn) / (tried + drawn))


def _exchanges(n: int, seed: int, name: str) -> Iterator[Floats]:
    """Blocks (b, n), 0 where a document is exchanged and 1 where it is not: all there are, or those drawn."""
    if n <= MOST_ENUMERATED:
        yield (np.arange(2**n)[:, None] >> np.arange(n) & 1).astype(np.float64)
        return
    stream, block = resampling.stream(seed, f"{name} signs"), max(1, CELLS // n)
    for start in range(0, FLIPS, block):
        b = min(block, FLIPS - start)
        bits = np.unpackbits(stream.random_raw(-(-b * n // 64)).astype("<u8").view(np.uint8))[: b * n]
        yield bits.reshape(b, n).astype(np.float64)
