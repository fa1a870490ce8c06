"""Which few segments hold the answer? Anchors (Ribeiro, Singh & Guestrin 2018) by enumeration, or by a beam of rules.

A rule A is a set of segments; under it those of A are kept and each other one with probability ½. With f the label that
the model gives,

    precision(A) = P(f(z) = f(x) | A kept)          coverage(A) = P(A kept) = 2^−|A|, exactly

An anchor is a rule of precision ≥ τ; the best covers most: the shortest, of equally short ones the most precise.

    enumerated   all 2^S masks are known: precision(A) is the mean over all masks that keep A (sums over supersets)
    searched     rules of 0, 1, 2 … segments. Each level extends the `beam` best of the last by one segment, and KL-LUCB
                 finds the best among them: it draws for the rule of the beam that may be worst and for the one outside
                 that may be best, until they differ by no more than `EPSILON`, or the level's share of the draws is
                 spent. A rule is an anchor if its mean is ≥ τ and its lower bound, of probability 1 − δ over the level,
                 ≥ τ − `tolerance`. A draw under a rule A counts for every rule that holds A and is kept by the draw.

The bounds of a search are the authors': they do not allow for looking again and again while draws come, and among many
rules the luckiest is chosen. What is told of the rule that was found therefore comes from `FRESH` draws that the search
has not seen; where no more masks than that keep the rule, from all of them, without an error.

A search is a generator that yields masks (N, S) and is sent (N,) bool, whether each keeps the label: who drives it asks
for many documents at once.

Edge cases: where the label hardly depends on the words the empty rule is the anchor, of coverage 1. Where `max_length`
segments do not hold the answer, or the draws are spent, the best rule so far is given, and why it is none.
"""

import math
from collections.abc import Generator
from dataclasses import dataclass, field

import numpy as np

from auditor.probes.anchors.bounds import exploration, interval, lower, upper
from auditor.probes.perturbing import every_mask

FIRST, LEAST, BATCH, FRESH = 100, 10, 25, 200
"""Draws under the empty rule; of every rule at least; in a round; for what is told of the rule that was found."""
EPSILON = 0.15
Asking = Generator[np.ndarray, np.ndarray, "Rule"]
Drawing = Generator[np.ndarray, np.ndarray, None]


@dataclass(frozen=True, slots=True)
class Settings:
    """What an anchor has to be, and how long it is looked for; see `auditor.probes.anchors.probe.AnchorsProbe`."""

    precision: float = 0.95
    delta: float = 0.05
    tolerance: float = 0.05
    beam: int = 4
    max_length: int = 6
    max_samples: int = 4000


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule, and what is known of it."""

    rule: tuple[int, ...]
    precision: float
    low: float
    high: float
    base_precision: float
    """Of the empty rule."""
    n_samples: int
    """Fresh draws behind the precision; 0 where it is exact."""
    stopped: str
    """`anchored`, `length` or `budget`."""


def enumerated(agreed: np.ndarray, settings: Settings) -> Rule:
    """The best rule of at most `max_length` segments, from all masks.

    Args:
        agreed: (2^S,) bool in the order of `auditor.probes.perturbing.every_mask`: whether the label stays.
        settings: Of which only precision and length matter.
    """
    n_segments = len(agreed).bit_length() - 1
    sums = agreed[::-1].astype(np.float64)  # by code
    for i in range(n_segments):
        pairs = sums.reshape(-1, 2, 2**i)
        pairs[:, 0] += pairs[:, 1]
    sizes = every_mask(n_segments)[::-1].sum(axis=1)
    precisions = sums / 2.0 ** (n_segments - sizes)
    holds = (precisions >= settings.precision) & (sizes <= settings.max_length)
    length = sizes[holds].min() if holds.any() else min(settings.max_length, n_segments)
    code = int(np.where(sizes == length, precisions, -1.0).argmax())
    rule, value = tuple(i for i in range(n_segments) if code >> i & 1), float(precisions[code])
    return Rule(rule, value, value, value, float(precisions[0]), 0, "anchored" if holds.any() else "length")


@dataclass(eq=False)
class Search:
    """The draws so far, and the next ones."""

    n_segments: int
    settings: Settings
    random: np.random.RandomState
    kept: np.ndarray = field(init=False)
    """(N, S) bool."""
    under: np.ndarray = field(init=False)
    """(N, S) bool: the rule under which each was drawn."""
    agreed: np.ndarray = field(init=False)
    """(N,) bool."""

    def __post_init__(self) -> None:
        """No draw yet."""
        self.kept = self.under = np.empty((0, self.n_segments), dtype=bool)
        self.agreed = np.empty(0, dtype=bool)

    def run(self) -> Asking:
        """From the empty rule on, level by level."""
        beam, most = np.zeros((1, self.n_segments), dtype=bool), min(self.settings.max_length, self.n_segments)
        yield from self._draw(beam, FIRST)
        base = float(self.agreed.mean())
        for length in range(most + 1):
            end = self._share_of(length)
            if length:
                beam = yield from self._best(_extended(beam), end)
            holds = yield from self._confirmed(beam)
            if holds.any() or self._is_spent:
                break
        means = _means(self._counts(beam))
        best = int(np.where(holds | ~holds.any(), means, -1.0).argmax())
        is_long = length == most and means[best] < self.settings.precision
        stopped = "anchored" if holds.any() else "length" if is_long else "budget"
        return (yield from self._told(beam[best], base, stopped))

    @property
    def _is_spent(self) -> bool:
        return len(self.kept) >= self.settings.max_samples

    def _share_of(self, length: int) -> int:
        """Draws after which a level ends its choice: what is left is shared with the levels to come."""
        left = self.settings.max_samples - len(self.kept)
        return len(self.kept) + left // (self.settings.max_length - length + 1)

    def _draw(self, rules: np.ndarray, n: int) -> Drawing:
        """N masks under each of the rules."""
        under = np.repeat(rules, n, axis=0)
        masks = under | (self.random.random_sample(under.shape) < 0.5)
        agreed = yield masks
        self.kept, self.under = np.concatenate([self.kept, masks]), np.concatenate([self.under, under])
        self.agreed = np.concatenate([self.agreed, agreed])

    def _counts(self, rules: np.ndarray, since: int = 0) -> np.ndarray:
        """(2, R) draws that count for each rule, and how many of them keep the label."""
        kept, under = self.kept[since:].astype(np.float32), self.under[since:].astype(np.float32)
        counts = (under @ ~rules.T == 0) & ((1 - kept) @ rules.T == 0)
        return np.stack([counts.sum(axis=0), (counts & self.agreed[since:, None]).sum(axis=0)]).astype(np.float64)

    def _best(self, rules: np.ndarray, end: int) -> Generator[np.ndarray, np.ndarray, np.ndarray]:
        """(beam, S): the rules of the highest precision, by KL-LUCB, as far as `end` draws tell them."""
        counts, size = self._counts(rules), self.settings.beam
        room = max(0, self.settings.max_samples - len(self.kept)) // LEAST
        if len(few := rules[counts[0] < LEAST][:room]):
            yield from self._draw(few, LEAST)
            counts = self._counts(rules)
        round_ = 1
        while True:
            order = np.argsort(-_means(counts), kind="stable")
            inside, outside = order[:size], order[size:]
            pair = self._undecided(counts, inside, outside, round_)
            if pair is None or len(self.kept) >= end:
                return np.asarray(rules[inside])
            since = len(self.kept)
            yield from self._draw(rules[pair], BATCH)
            counts += self._counts(rules, since)
            round_ += 1

    def _undecided(self, counts: np.ndarray, inside: np.ndarray, outside: np.ndarray, round_: int) -> list[int] | None:
        """The rule of the beam that may be worst and the one outside that may be best; None where it is decided."""
        if not len(outside):
            return None
        beta = exploration(round_, counts.shape[1], self.settings.delta)
        lows = lower(counts[1, inside], counts[0, inside], beta)
        highs = upper(counts[1, outside], counts[0, outside], beta)
        if highs.max() - lows.min() < EPSILON:
            return None
        return [int(inside[lows.argmin()]), int(outside[highs.argmax()])]

    def _confirmed(self, rules: np.ndarray) -> Generator[np.ndarray, np.ndarray, np.ndarray]:
        """(R,) bool: which are anchors; draws for those that may be, until it is known or the draws are spent."""
        wanted = self.settings
        beta = math.log((1 + (wanted.beam - 1) * self.n_segments) / wanted.delta)
        while True:
            n, hits = self._counts(rules)
            precise = hits >= wanted.precision * n
            holds = precise & (lower(hits, n, beta) >= wanted.precision - wanted.tolerance)
            if holds.any() or not precise.any() or self._is_spent:
                return np.asarray(holds)
            yield from self._draw(rules[precise], BATCH)

    def _told(self, rule: np.ndarray, base: float, stopped: str) -> Asking:
        """What fresh draws, or all masks, say of a rule."""
        names, others = tuple(np.flatnonzero(rule).tolist()), np.flatnonzero(~rule)
        is_exact = 2 ** min(len(others), 40) <= FRESH
        masks = np.repeat(rule[None], 2 ** len(others) if is_exact else FRESH, axis=0)
        masks[:, others] = (
            every_mask(len(others)) if is_exact else self.random.random_sample(masks[:, others].shape) < 0.5
        )
        agreed = yield masks
        value = float(agreed.mean())
        low, high = (value, value) if is_exact else interval(int(agreed.sum()), FRESH)
        return Rule(names, value, low, high, base, 0 if is_exact else FRESH, stopped)


def _means(counts: np.ndarray) -> np.ndarray:
    """Share of hits; 0 without a draw."""
    return np.asarray(counts[1] / np.maximum(counts[0], 1))


def _extended(beam: np.ndarray) -> np.ndarray:
    """(R, S) distinct rules of one segment more than those of the beam."""
    n_segments = beam.shape[1]
    longer = (beam[:, None] | np.eye(n_segments, dtype=bool)).reshape(-1, n_segments)
    return np.asarray(np.unique(longer[longer.sum(axis=1) > beam[0].sum()], axis=0)[::-1])
