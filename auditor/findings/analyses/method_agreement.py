"""Do two methods of explanation say the same of the same document?

For two methods with the same segments and the same first label, a, b ∈ Rˢ their weights in one document:

    correlation    Pearson's r(a, b): of weights, since ranks of words that do nothing are noise
    τ              Kendall's τ_b(a, b): of ranks, as the literature gives it; low too where one word decides and the
                   others are noise
    top shared     |A ∩ B| / |A ∪ B| of the three segments with the largest |weight| in each (all of fewer)
    by chance      what two random rankings share: Σ_h P(h) h / (2k − h), h hypergeometric, k = min(3, S)
    same sign      of the segments in A ∪ B, the share whose weights have the same sign; both zero is the same

Each is averaged over the documents that both methods explained. A method without signs (all weights ≥ 0) has no share
of signs. Edge cases: fewer than two segments, or weights that are all equal, have no correlation: the document is left
out of that mean. Source: Krishna et al. 2022, "The disagreement problem in explainable machine learning".
"""

import math
from collections.abc import Collection, Mapping, Sequence
from itertools import combinations

import numpy as np

from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import BOOTSTRAP, number
from auditor.findings.contract.types import Number, Unit
from auditor.findings.statistics.intervals import bootstrap_mean
from auditor.findings.statistics.likeness import TOP, kendall_tau_b, pearson, top, top_shared
from auditor.languages import N_, say
from auditor.records.explanations import Explanation

MOST_DISAGREEMENTS = 3
LEAST_SEGMENTS = 5
"""Of a document that is chosen for them: of a few segments any correlation comes by chance."""
TITLES: Mapping[str, str] = {
    "correlation": N_("Correlation of weights"),
    "tau": N_("Kendall’s τ"),
    "top_shared": N_("Top three shared"),
    "by_chance": N_("By chance"),
    "same_sign": N_("Same sign"),
}
"""Number of a pair → message: what it is called."""


class MethodAgreement(Finding):
    """How far two methods say the same of the same documents."""

    one: str
    other: str
    """Their probes."""
    n_documents: int
    correlation: Number
    tau: Number
    top_shared: Number
    by_chance: Number
    same_sign: Number | None
    """None where one of them has no signs."""


class Disagreement(Finding):
    """A document of which two methods say little alike."""

    document_id: str
    one: str
    other: str
    """Their probes."""
    correlation: float
    """Of their weights."""


def least_alike(explained: Mapping[str, Mapping[str, Explanation]], among: Collection[str]) -> tuple[Disagreement, ...]:
    """The documents of which the first method and another have the lowest correlation, each document once.

    Args:
        explained: Probe → document id → explanation.
        among: Ids of the documents to choose from. Those of fewer than five segments are left out.
    """
    first, *others = explained
    disagreements = [
        Disagreement(document_id=name, one=first, other=other, correlation=r)
        for other in others
        for name in explained[first]
        if name in among and name in explained[other]
        if (pair := _weights(explained[first][name], explained[other][name])) and len(pair[0]) >= LEAST_SEGMENTS
        if (r := pearson(*pair)) is not None
    ]
    by_document: dict[str, Disagreement] = {}
    for one in sorted(disagreements, key=lambda one: one.correlation):
        by_document.setdefault(one.document_id, one)
    return tuple(by_document.values())[:MOST_DISAGREEMENTS]


def agreements(explained: Mapping[str, Mapping[str, Explanation]], seed: int) -> tuple[MethodAgreement, ...]:
    """Every pair of methods that explained some document alike, in their order.

    Args:
        explained: Probe → document id → explanation.
        seed: Of the bootstrap.
    """
    pairs = (_agreement(one, other, explained, seed) for one, other in combinations(explained, 2))
    return tuple(pair for pair in pairs if pair.n_documents)


def _agreement(one: str, other: str, explained: Mapping[str, Mapping[str, Explanation]], seed: int) -> MethodAgreement:
    first, second = explained[one], explained[other]
    shared = [(first[name], second[name]) for name in first if name in second]
    weights = [pair for a, b in shared if (pair := _weights(a, b)) is not None]
    correlations = [r for a, b in weights if (r := pearson(a, b)) is not None]
    values = {
        "correlation": correlations,
        "tau": [tau for a, b in weights if (tau := kendall_tau_b(a, b)) is not None],
        "top_shared": [top_shared(a, b) for a, b in weights],
        "by_chance": [shared_by_chance(len(a)) for a, _ in weights],
        "same_sign": [same_sign(a, b) for a, b in weights],
    }
    signed = all(any(np.any(pair[i] < 0) for pair in weights) for i in (0, 1))
    numbers = {what: _mean(f"{one}.{other}.{what}", what, listed, seed) for what, listed in values.items()}
    return MethodAgreement(
        one=one, other=other, n_documents=len(weights), **{**numbers, **({} if signed else {"same_sign": None})}
    )


def _weights(a: Explanation, b: Explanation) -> tuple[np.ndarray, np.ndarray] | None:
    if a.segments != b.segments or a.targets[0].label != b.targets[0].label:
        return None
    return np.asarray(a.targets[0].weights), np.asarray(b.targets[0].weights)


def _mean(name: str, what: str, values: Sequence[float], seed: int) -> Number:
    unit: Unit = "correlation" if what in ("correlation", "tau") else "share"
    protocol = say("Mean over documents; {interval}", interval=say(BOOTSTRAP))
    return number(name, say(TITLES[what]), bootstrap_mean(values, seed=seed, name=name), unit, protocol)


def shared_by_chance(n_segments: int) -> float:
    """What `top_shared` is on average for two random rankings of S segments."""
    k = min(TOP, n_segments)
    ways = [math.comb(k, h) * math.comb(n_segments - k, k - h) for h in range(k + 1)]
    return sum(n * h / (2 * k - h) for h, n in enumerate(ways)) / sum(ways)


def same_sign(a: np.ndarray, b: np.ndarray) -> float:
    """Share of the segments that either puts first whose weights have the same sign."""
    named = sorted(top(a) | top(b))
    return float(np.mean(np.sign(a[named]) == np.sign(b[named])))
