r"""From a few documents to all of them: what these are expected to cost, and what follows from what some took.

With w(d) what a document d is expected to cost, of the documents D of a probe some, T, are tried, and

    estimate = (seconds, tokens, evaluations of T) · Σ_{d ∈ D} w(d) / Σ_{d ∈ T} w(d)

    w(d) = (evaluations + 3 · gradients) · (characters + 8)     where the probe says how often it asks at most
         = characters + 8                                       where it does not

A gradient costs about as much as three answers, that of its own forward pass among them; eight characters stand for the
special tokens around a text. Only ratios of w within a probe count, unless a pace is all that is known.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from auditor.probes.contract import Evaluations
from auditor.records.types import Document
from auditor.running.cost import Estimate

SECONDS = 1.0
"""For how long something is tried, about."""
AROUND = 8
GRADIENT = 3


@dataclass(frozen=True, eq=False)
class Load:
    """The documents of a probe, and how often it asks the model about each, at most; None where it does not say."""

    documents: Sequence[Document]
    evaluations: Sequence[Evaluations] | None

    @property
    def most(self) -> Evaluations | None:
        """All evaluations together."""
        if self.evaluations is None:
            return None
        return Evaluations(sum(e.forward for e in self.evaluations), sum(e.backward for e in self.evaluations))

    def weights(self, gradient: int = GRADIENT) -> np.ndarray:
        """(D,) w of each document."""
        lengths = np.array([_length(document) + AROUND for document in self.documents], dtype=float)
        if self.evaluations is None:
            return lengths
        return lengths * [one.forward + gradient * one.backward for one in self.evaluations]


@dataclass(frozen=True, slots=True)
class Tried:
    """What some documents took."""

    seconds: float
    work: Mapping[str, int]
    """As `auditor.models.computing.batching.Batcher` counts it."""

    def times(self, factor: float) -> Estimate:
        """So many times as much."""
        texts, gradients, tokens = (round(self.work[key] * factor) for key in ("texts", "gradients", "tokens"))
        return Estimate(texts, gradients, tokens, self.seconds * factor)


@dataclass(frozen=True, slots=True)
class Pace:
    """What one unit of w takes."""

    seconds: float
    tokens: float

    @classmethod
    def of(cls, tried: Tried, weight: float) -> "Pace":
        """The pace at which something was tried."""
        return cls(tried.seconds / weight, tried.work["tokens"] / weight)

    def estimate(self, load: Load) -> Estimate | None:
        """Every evaluation at this pace; None where nobody says how many there are."""
        most = load.most
        if most is None:
            return None
        tokens, seconds = self.tokens * load.weights(gradient=1).sum(), self.seconds * load.weights().sum()
        return Estimate(most.forward + most.backward, most.backward, round(tokens), float(seconds))


def grown(measure: Callable[[int], Tried], most: int) -> tuple[int, Tried]:
    """Measures one, then as many as fit into `SECONDS`, until they take half of that or are all there are.

    Args:
        measure: Measures the first n.
        most: How many there are.

    Returns:
        How many were measured last, and what these took.
    """
    n, tried = 1, measure(1)
    while n < most and tried.seconds < SECONDS / 2:
        n = min(most, int(n * SECONDS / max(tried.seconds, 1e-6)))
        tried = measure(n)
    return n, tried


def spread(documents: Sequence[Document]) -> list[Document]:
    """The documents, in an order of which every beginning has short and long ones as all have them.

    Sorted by length, then those at 1/2, 1/4, 3/4, 1/8, … of the list (van der Corput 1935).
    """
    by_length = sorted(documents, key=lambda document: (_length(document), document.id))
    n_bits = max(len(by_length) - 1, 0).bit_length()
    positions = [int(f"{i:0{n_bits}b}"[::-1], 2) for i in range(1, 2**n_bits)]
    return [by_length[i] for i in (*positions, 0) if i < len(by_length)]


def _length(document: Document) -> int:
    return len(document.text) + len(document.pair or "")
