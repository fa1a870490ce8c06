r"""How much could any ranking of the same segments lose? The bounds that an AOPC is to be read between.

What an answer loses as segments leave depends on the text: of one that moves with every word any ranking loses much, of
one that hardly moves the best loses little. Edin et al. 2024 read the area over the perturbation curve (AOPC) between
the least and the most that is attainable for the same text and model. A ranking gives nested sets A₁ ⊂ A₂ ⊂ …, one of
each size k; with g(A) what the answer loses (without A for comprehensiveness, of nothing but A for sufficiency),

    most    max over rankings of the mean over the sizes of g(A_k)         least    the same, min
    share   (AOPC − least) / (most − least), 0 … 1: of what could be attained, how much is

Two ways to both:

    exhaustive   all 2^S masks are evaluated; V(A) = max_{i ∈ A} V(A ∖ i) + g(A) where |A| is a size, from the empty
                 set up, is the best sum of every set, and the largest of the last size that of all rankings: exact
    beam         the best set of a size, or a few, is extended. Of one with fewer than three segments all extensions are
                 tried (at most `FEW`, those that promise most, beyond the first), of a larger one the four that
                 promised most when last tried; beyond `SINGLY` segments several leave at once, a quarter of those that
                 left before, so that what is asked grows with S and not with S². Sets between two sizes are compared
                 by what they lose themselves. The least takes less: one set, and of its extensions two after the first.
                 Most labels that are explained are all but certain, so that near the least rankings hardly differ

A beam is no proof: its `most` is attained by a ranking, and so a lower bound of the most, its `least` an upper bound of
the least. An explanation, or the random ranking, that goes beyond it is the bound itself; shares stay within 0 … 1.

How far beams stay from the bounds is tested on games with interactions, of which all rankings are known.

A search is a generator that yields sets (N, S) bool and is sent (N,) what is lost: who drives it asks for many
documents at once. Edge cases: ties go to the segment that comes first; two sizes may be neighbours, or one alone.

Source: Edin, Motzfeldt, Christensen, Ruotsalo, Maaløe & Maistro 2024, "Normalized AOPC: fixing misleading faithfulness
metrics for feature attribution explainability". Agrees with the enumeration of all rankings (the tests).
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from auditor.probes.perturbing import every_mask

Losses = tuple[float, ...]
"""What the answer loses at every size, by one ranking."""
Searching = Generator[np.ndarray, np.ndarray, Losses]

EVERY = 256
"""The most masks of a document that are all evaluated."""
FEW, SINGLY = 32, 8


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard a beam looks."""

    width: int
    """Sets of one size that are extended."""
    thorough: int
    """So many segments are chosen among all others, those after them among the few that promise most."""
    tried: int
    """How many these few are."""

    def most(self, size: int, n_segments: int) -> int:
        """How many extensions of a set are tried."""
        if not size:
            return n_segments
        return min(n_segments - size, FEW if size < self.thorough else self.tried)


@dataclass(frozen=True, slots=True, eq=False)
class _Set:
    """A set of the beam."""

    chosen: np.ndarray
    """(S,) bool."""
    gains: np.ndarray
    """(S,) what each segment added when it was last tried; −∞ for those of the set."""
    value: float
    """What is lost, times the sign."""
    losses: Losses
    """At the sizes that its ranking has passed."""
    order: tuple[float, float]
    """Sum over the sizes that were passed, and what the set itself loses where it has none of them."""


def exhaustive(lost: np.ndarray, sizes: Sequence[int], sign: int) -> Losses:
    """The losses of the ranking whose mean over the sizes is largest (sign 1) or smallest (sign −1).

    Args:
        lost: (2^S,) what is lost by every set; segment i belongs to set c where bit i of c is set.
        sizes: Ascending.
        sign: 1 or −1.
    """
    n_segments = len(lost).bit_length() - 1
    codes = np.arange(len(lost))
    bits = codes[:, None] >> np.arange(n_segments) & 1
    counts, best, last = bits.sum(axis=1), np.zeros(len(lost)), np.zeros(len(lost), dtype=int)
    for size in range(1, sizes[-1] + 1):
        level = codes[counts == size]
        smaller = np.where(bits[level] == 1, best[level[:, None] ^ (1 << np.arange(n_segments))], -np.inf)
        last[level] = level ^ (1 << smaller.argmax(axis=1))
        best[level] = smaller.max(axis=1) + (sign * lost[level] if size in sizes else 0.0)
    code = max(codes[counts == sizes[-1]].tolist(), key=best.__getitem__)
    path = [code]
    while path[-1]:
        path.append(int(last[path[-1]]))
    return tuple(float(lost[one]) for one in reversed(path) if counts[one] in sizes)


def is_exhaustive(n_segments: int) -> bool:
    """Whether all masks of a document are evaluated."""
    return bool(2 ** min(n_segments, 40) <= EVERY)


def effort(sign: int, width: int) -> Effort:
    """For the most (sign 1), by a beam of `width`, or for the least (−1)."""
    return Effort(width, thorough=3, tried=4) if sign == 1 else Effort(1, thorough=1, tried=2)


def search(n_segments: int, sizes: Sequence[int], sign: int, width: int) -> Searching:
    """The losses of the best ranking of all, or of those that a beam finds.

    Args:
        n_segments: Few, and all 2^S sets are asked about; at least the last size.
        sizes: Ascending.
        sign: 1 for the most, −1 for the least.
        width: How many sets of a size are extended in search of the most.
    """
    if is_exhaustive(n_segments):
        lost = yield every_mask(n_segments)[::-1]
        return exhaustive(lost, sizes, sign)
    nothing, hard = np.zeros(n_segments, dtype=bool), effort(sign, width)
    beam = [_Set(nothing, np.zeros(n_segments), 0.0, (), (0.0, 0.0))]
    for size, added in _steps(sizes):
        tried = [(one, block) for one in beam for block in _blocks(one, added, hard.most(size, n_segments))]
        lost = yield np.array([_with(one.chosen, block) for one, block in tried])
        beam = _best(tried, sign * lost, sign, is_size=size + added in sizes)[: hard.width]
    return beam[0].losses


def most_asked(n_segments: int, sizes: Sequence[int], width: int) -> int:
    """The most sets that the searches for the most and for the least ask about together; terms as in `search`."""
    if is_exhaustive(n_segments):
        return int(2**n_segments)
    efforts, later = [effort(sign, width) for sign in (1, -1)], [size for size, _ in _steps(sizes) if size]
    return n_segments + sum(one.width * one.most(size, n_segments) for one in efforts for size in later)


def _steps(sizes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """How many segments a set has, and how many are added to it, until it has the last size."""
    size = 0
    for end in sizes:
        while size < end:
            added = min(max(1, size // 4) if size >= SINGLY else 1, end - size)
            yield size, added
            size += added


def _blocks(one: _Set, added: int, most: int) -> Iterator[np.ndarray]:
    """What is tried to be added to a set: neighbours in the order of what they promise, so many at a time."""
    order = np.argsort(-one.gains, kind="stable")[: int((~one.chosen).sum())]
    for first in range(min(most, len(order) - added + 1)):
        yield order[first : first + added]


def _with(chosen: np.ndarray, block: np.ndarray) -> np.ndarray:
    more = chosen.copy()
    more[block] = True
    return more


def _best(tried: Sequence[tuple[_Set, np.ndarray]], values: np.ndarray, sign: int, *, is_size: bool) -> list[_Set]:
    """The sets of the next size, the best first; each once, with the better of its rankings."""
    sets: dict[bytes, _Set] = {}
    learnt: dict[int, np.ndarray] = {}
    for (one, block), value in zip(tried, values.tolist(), strict=True):
        if len(block) == 1:
            learnt.setdefault(id(one), one.gains.copy())[block] = value - one.value
    for (one, block), value in zip(tried, values.tolist(), strict=True):
        chosen, gains = _with(one.chosen, block), learnt.get(id(one), one.gains).copy()
        gains[block] = -np.inf
        total = one.order[0] + (value if is_size else 0.0)
        losses = (*one.losses, sign * value) if is_size else one.losses
        new = _Set(chosen, gains, value, losses, (total, 0.0 if is_size else value))
        known = sets.get(chosen.tobytes())
        if known is None or sum(known.order) < sum(new.order):
            sets[chosen.tobytes()] = new
    return sorted(sets.values(), key=lambda one: -sum(one.order))
