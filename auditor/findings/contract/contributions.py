"""What each document adds to a number, so that the same documents of two runs can be compared one by one.

    θ = s(Σ_i x_i),  x_i ∈ Rᵐ what document i adds, s the statistic

    a mean             x_i = (v_i, 1),          s = Σv / Σ1
    a ratio of sums    x_i = (a_i, b_i),        s = Σa / Σb
    a macro F1         x_i = (tp, s + p) of every label

θ is on the scale on which the number is compared: of a perplexity its logarithm, in nats. A median is no function of
sums: once it is settled which documents are compared, their values v_i are replaced by x_i = (θ + u_i, 1), where u_i =
(½ − [v_i ≤ θ]) / f is the influence of document i (Serfling 1980, 2.5.1), less the mean of all, and the density f =
(2k/n) / (v_(n/2+k) − v_(n/2−k)) with k = ⌈√n⌉ (Siddiqui 1960); where values agree so that f is infinite, u_i = 0.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from auditor.findings.contract.numbers import of_label
from auditor.findings.contract.quantity import Quantity
from auditor.findings.statistics import exponentials
from auditor.findings.statistics.intervals import divide
from auditor.findings.statistics.resampling import Floats

Whole = Callable[[Floats], Floats]
"""Sums (…, m) → the number (…), NaN where it is undefined."""


def quotient(sums: Floats) -> Floats:
    """First sum over second: a mean, or a ratio."""
    return divide(sums[..., 0], sums[..., 1])


@dataclass(frozen=True, slots=True, eq=False)
class Contributions:
    """One number, from what its documents add."""

    quantity: Quantity
    ids: tuple[str, ...]
    """Of the n documents that it rests on, or might have rested on: those of other labels add zeros."""
    features: Floats  # (n, m)
    statistic: Whole = quotient
    label: str = ""
    """Of a family."""
    settle: Callable[[Floats], Floats] = lambda features: features
    """The features of the documents that are compared → what they add, for numbers that are no function of sums."""

    @property
    def name(self) -> str:
        """As `[checks]` calls it."""
        return of_label(self.quantity.name, self.label) if self.label else self.quantity.name

    @property
    def value(self) -> float:
        """The number; NaN where it is undefined."""
        return float(self.statistic(self.settle(self.features).sum(axis=0)))


def mean_of(quantity: Quantity, values: Mapping[str, float | None], label: str = "") -> Contributions:
    """The mean of one value for each document id; documents without one are left out."""
    known = {name: value for name, value in values.items() if value is not None}
    return ratio_of(quantity, ((name, value, 1.0) for name, value in known.items()), label=label)


def ratio_of(
    quantity: Quantity, parts: Iterable[tuple[str, float, float]], scale: float = 1.0, label: str = ""
) -> Contributions:
    """`scale` · Σ numerators / Σ denominators, from (document id, numerator, denominator)."""
    rows = list(parts)
    features = np.array([(scale * above, below) for _, above, below in rows], dtype=np.float64).reshape(-1, 2)
    return Contributions(quantity, tuple(name for name, _, _ in rows), features, label=label)


def median_of(quantity: Quantity, values: Mapping[str, float]) -> Contributions:
    """The median of one value for each document id; of a perplexity its logarithm, from logarithms."""
    features = np.array(list(values.values()), dtype=np.float64).reshape(-1, 1)
    middle = exponentials.between if quantity.unit == "perplexity" else _between
    return Contributions(quantity, tuple(values), features, settle=lambda rows: _influences(rows[:, 0], middle))


def _between(ordered: Sequence[float], q: float) -> float:
    return float(np.quantile(ordered, q))


def _influences(x: Floats, middle: Callable[[Sequence[float], float], float]) -> Floats:
    """The values of n documents → (n, 2), whose mean is their median."""
    n = len(x)
    if not n:
        return np.zeros((0, 2))
    near = np.sort(x)
    median, reach = middle(near.tolist(), 0.5), min(math.ceil(math.sqrt(n)), (n - 1) // 2)
    width = near[(n - 1) // 2 + reach] - near[n // 2 - reach]
    influence = (0.5 - (x <= median)) * (width * n / (2 * reach) if reach else 0.0)
    return np.column_stack([median + influence - influence.mean(), np.ones(n)])
