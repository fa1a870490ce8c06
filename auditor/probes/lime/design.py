r"""Which perturbations to compute when all 2^S are too many: distinct masks in antithetic pairs, sizes by their use.

LIME draws the number removed uniformly from 1..S, then multiplies by a kernel that is next to nothing where much is
removed: half its samples do not count. Here, with W(s) ∝ π(s) the share that all masks with s removed have in the
limit of LIME's own sampling (see `auditor.probes.lime.surrogate`; they sum to 1),

    sizes      s is drawn as often as q(s) ∝ W(s) · ((s/S)^1.5 + 0.05): what an emulator cannot predict grows with s
    order      unit j of size s has the time (j + u(s)) / q(s), u(s) ~ U(0, 1); units are computed in order of time, so
               that every prefix has its sizes in proportion to q, but for what is exhausted: sizes with few masks
               (one removed: S masks) are computed completely and then no more
    pairs      a unit is one permutation of the segments with its first s removed, and with its last s removed
    distinct   a mask that was drawn before is left out (its partner stays); by the symmetry of the segments every mask
               of a size is as likely as any other

        S=6, permutation 4 2 0 5 1 3, s=2   [4 2] 0 5 1 3   and   4 2 0 5 [1 3]

    weights    w = W(s) / n(s) for each of the n(s) masks of its size; a size that was never drawn lends W(s) to the
               nearest that was; the undisturbed text has no weight in the limit

A drawing is made once, up to the budget; rounds are its prefixes, so how many rounds there are changes nothing.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import comb

from auditor.probes.lime.surrogate import Fit, proximity_exponent

FIRST_ROUND = 200
EVEN_SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Sample:
    """Masks in the order of their computation."""

    masks: np.ndarray
    """(N, S) bool, all distinct, the undisturbed text in row 0."""
    units: np.ndarray
    """(N,) int, not falling; masks of one permutation share a number."""

    def first(self, n_masks: int) -> "Sample":
        """The prefix that earlier rounds have computed."""
        return Sample(self.masks[:n_masks], self.units[:n_masks])


def draw(n_segments: int, n_masks: int, width: float, random: np.random.RandomState) -> Sample:
    """Draws the undisturbed text and n_masks - 1 perturbations of it (fewer where there are no more)."""
    sizes = np.arange(1, n_segments + 1)
    frequency = size_shares(n_segments, width) * ((sizes / n_segments) ** 1.5 + EVEN_SHARE)
    frequency = frequency.clip(min=1e-12 * frequency.max())
    offsets = random.random_sample(n_segments)
    counts = _counts(frequency, offsets, comb(n_segments, sizes), n_masks - 1)
    masks, units, times = [np.ones((1, n_segments), dtype=bool)], [np.zeros(1, dtype=int)], [np.zeros(1)]
    for size in np.flatnonzero(counts):
        drawn, unit = _pairs(n_segments, int(size) + 1, int(counts[size]), random)
        first = np.searchsorted(unit, unit)
        masks.append(drawn)
        units.append(unit + 1)
        times.append((first / 2 + offsets[size]) / frequency[size])
    time = np.concatenate(times)
    order = np.argsort(time, kind="stable")[:n_masks]
    changes = np.diff(time[order], prepend=0.0) != 0
    return Sample(np.concatenate(masks)[order], np.cumsum(changes))


def _counts(frequency: np.ndarray, offsets: np.ndarray, available: np.ndarray, n_wanted: int) -> np.ndarray:
    """How many masks of each size lie before the first time at which there are enough, by bisection."""

    def before(time: float) -> np.ndarray:
        return np.asarray(np.minimum(available, 2 * np.ceil((time * frequency - offsets).clip(min=0))))

    n_wanted = int(min(n_wanted, available.sum()))
    low, high = 0.0, (n_wanted + 1.0) / frequency.min()
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (low, middle) if before(middle).sum() >= n_wanted else (middle, high)
    return before(high).astype(int)


def _pairs(n_segments: int, size: int, count: int, random: np.random.RandomState) -> tuple[np.ndarray, np.ndarray]:
    """`count` distinct masks with `size` segments removed (count, S), and the permutation of each (count,)."""
    masks, units = np.empty((0, n_segments), dtype=bool), np.empty(0, dtype=int)
    while len(masks) < count:
        rank = random.random_sample((count, n_segments)).argsort(axis=1)
        pairs = np.stack([rank >= size, rank < n_segments - size], axis=1).reshape(-1, n_segments)
        fresh = np.repeat(np.arange(count), 2) + (units[-1] + 1 if len(units) else 0)
        masks, units = np.concatenate([masks, pairs]), np.concatenate([units, fresh])
        kept = np.sort(np.unique(np.packbits(masks, axis=1), axis=0, return_index=True)[1])
        masks, units = masks[kept], units[kept]
    return masks[:count], units[:count]


def size_shares(n_segments: int, width: float) -> np.ndarray:
    """W(s), s = 1..S: what all masks with s segments removed weigh in the limit of LIME's sampling."""
    exponents = proximity_exponent(1 - np.arange(1, n_segments + 1) / n_segments, width)
    shares = np.exp(exponents - exponents.max())
    return np.asarray(shares / shares.sum())


def weigh(masks: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
    """The weight of each perturbation (N,), sum 1, and which share of the masks of its size was drawn (N,)."""
    n_segments = masks.shape[1]
    removed = n_segments - masks.sum(axis=1)
    drawn, size, counts = np.unique(removed, return_inverse=True, return_counts=True)
    sizes = np.arange(1, n_segments + 1)
    nearest = np.abs(sizes[:, None] - drawn).argmin(axis=1)
    shares = np.bincount(nearest, size_shares(n_segments, width), len(drawn))
    available = np.bincount(nearest, comb(n_segments, sizes), len(drawn))
    return (shares / counts)[size], (counts / available)[size]


def precision(fit: Fit) -> float:
    """The largest 95 % half-width as a share of the largest |coefficient|; 0 where nothing is uncertain."""
    widest, largest = fit.half_widths.max(), np.abs(fit.weights).max()
    if widest == 0:
        return 0.0
    return float(widest / largest) if largest > 0 else np.inf


def next_round(n_masks: int, reached: float, tolerance: float, budget: int) -> int:
    """How many masks to compute next, 0 to stop.

    Half-widths shrink a little faster than 1/√n, since the emulator learns; at least a quarter more is computed, at
    most twice as many, so that rounds are few.

    Args:
        n_masks: How many were computed.
        reached: The worst `precision` over the labels.
        tolerance: The one that suffices.
        budget: The largest n_masks.
    """
    if n_masks == 0:
        return min(FIRST_ROUND, budget)
    if reached <= tolerance:
        return 0
    growth = min((reached / tolerance) ** 1.5 - 1, 1.0)
    return max(min(int(np.ceil(max(growth, 0.25) * n_masks)), budget - n_masks), 0)
