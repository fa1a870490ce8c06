r"""What does each word add to the answer, from a document that says nothing? Integrated gradients (Sundararajan 2017).

A document x is read as T parts with embeddings e_t (D,); a baseline has others, b_t, at the same places. With
x(α) = b + α (e − b) and the probability of a label f (log-probability for a free continuation),

    φ_t = (e_t − b_t) · ∫₀¹ ∂f/∂x_t (x(α)) dα        Σ_t φ_t = f(x) − f(b)        (completeness)

positive where the part supports the label. The integral is a Gauss–Legendre sum of n points (captum's `gausslegendre`,
its default): Σ_k v_k g(α_k), nodes and weights those of [−1, 1] moved to [0, 1]. How good it is shows in

    error = Σ_t φ_t − (f(x) − f(b))

n begins at `n_steps` and is doubled until |error| ≤ `tolerance` · max(|f(x) − f(b)|, FLOOR), or the next n would
exceed `max_steps`; each label of each document stops by itself. Steps, f(b) and the error are facts of the record.

What the baseline is decides what is explained: parts that are equal in it and the document (special tokens, padding in
the text) get 0. `FLOOR` keeps a document of which the answer is that of the baseline from being asked for ever.

Edge cases: an answer that no step changes has error 0 and weights 0. f(x), f(b) and the gradients are of one way of
asking, which may differ from `model_prediction` by rounding. An error above the tolerance is reported, not hidden.

Source: Sundararajan, Taly & Yan, "Axiomatic attribution for deep networks", 2017, equation 1 and proposition 1. Agrees
with captum's `LayerIntegratedGradients` of the input embeddings with the same baseline and n, summed over channels.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass as plain
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, model_validator
from pydantic.dataclasses import dataclass

from auditor.models import Differentiates
from auditor.models.inputs import Points
from auditor.probes.attribution import Asked, Attribution
from auditor.probes.contract import STRICT
from auditor.probes.gradients.attribution import GradientProbe, gradients
from auditor.records.explanations import Integral
from auditor.records.types import Span

FLOOR = 0.01
"""The least change of an answer, in its unit, of which the error must be a small share."""
Pair = tuple[int, int]
"""Document and label."""


@plain(frozen=True, slots=True, eq=False)
class _Ends:
    """What the model says at both ends of a line."""

    document: float
    baseline: float

    @property
    def change(self) -> float:
        return self.document - self.baseline


@dataclass(frozen=True, config=STRICT)
class IntegratedGradientsProbe(GradientProbe):
    """Explains each prediction by gradients integrated from a baseline; the other parameters are `GradientProbe`'s.

    Attributes:
        baseline: What stands for a document that says nothing: embeddings of the padding token, of the mask token, of
            the end token, or zeros; `auto` takes the first of these that the model has.
        n_steps: Points of the line, at first.
        max_steps: Their number is doubled up to so many.
        tolerance: How large the completeness error may be, as a share of what the answer changes.
    """

    name: ClassVar[str] = "integrated_gradients"

    baseline: Literal["auto", "pad", "mask", "eos", "zero"] = "auto"
    n_steps: int = Field(default=16, ge=1, le=4096)
    max_steps: int = Field(default=256, ge=1, le=4096)
    tolerance: float = Field(default=0.01, gt=0)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.max_steps < self.n_steps:
            raise ValueError(f"max_steps = {self.max_steps} is less than n_steps = {self.n_steps}")
        return self

    @property
    def most_points(self) -> int:
        """Both ends, and n points until the next n would be more than `max_steps`."""
        n_rounds = (self.max_steps // self.n_steps).bit_length()
        return 2 + self.n_steps * ((1 << n_rounds) - 1)

    def attribute(self, model: Differentiates[Any], asked: Sequence[Asked]) -> list[tuple[Attribution, ...]]:
        """φ_t of every part, by as many steps as each label of each document needs."""
        pairs = [(i, label) for i, one in enumerate(asked) for label in one.labels]
        ends = self._ends(model, asked, pairs)
        integrals: dict[Pair, Attribution] = {}
        waiting, n = pairs, self.n_steps
        while waiting:
            integrals |= self._integrated(model, asked, waiting, ends, n)
            n *= 2
            waiting = [pair for pair in waiting if n <= self.max_steps and self._is_rough(integrals[pair], ends[pair])]
        return [tuple(integrals[i, label] for label in one.labels) for i, one in enumerate(asked)]

    def _is_rough(self, attribution: Attribution, ends: _Ends) -> bool:
        allowed = self.tolerance * max(abs(ends.change), FLOOR)
        return attribution.integral is not None and abs(attribution.integral.completeness_error) > allowed

    def _ends(self, model: Differentiates[Any], asked: Sequence[Asked], pairs: Sequence[Pair]) -> Mapping[Pair, _Ends]:
        slopes = gradients(model, asked, _along(pairs, np.array([1.0, 0.0])), self.baseline)
        return {pair: _Ends(*both) for pair, both in zip(pairs, slopes.answers.reshape(-1, 2).tolist(), strict=True)}

    def _integrated(
        self,
        model: Differentiates[Any],
        asked: Sequence[Asked],
        pairs: Sequence[Pair],
        ends: Mapping[Pair, _Ends],
        n_steps: int,
    ) -> dict[Pair, Attribution]:
        nodes, weights = gauss_legendre(n_steps)
        slopes = gradients(model, asked, _along(pairs, nodes), self.baseline)
        parts = [slopes.parts[i] for i, _ in pairs]
        return {
            pair: _attribution(slopes.baseline, weights @ values, one, ends[pair], n_steps)
            for pair, values, one in zip(pairs, _by_pair(slopes.changes, parts, n_steps), parts, strict=True)
        }


def gauss_legendre(n: int) -> tuple[np.ndarray, np.ndarray]:
    """(n,) nodes and (n,) weights of the integral over [0, 1], exact for polynomials of degree 2n − 1."""
    nodes, weights = np.polynomial.legendre.leggauss(n)
    return (nodes + 1) / 2, weights / 2


def _along(pairs: Sequence[Pair], positions: np.ndarray) -> Points:
    """All of these positions for each pair, pair by pair."""
    documents, labels = np.repeat(np.array(pairs, dtype=np.int64), len(positions), axis=0).T
    return Points(documents, labels, np.tile(positions, len(pairs)))


def _by_pair(values: np.ndarray, parts: Sequence[tuple[Span, ...]], n_steps: int) -> Iterator[np.ndarray]:
    """Of each pair (n, T)."""
    start = 0
    for one in parts:
        stop = start + n_steps * len(one)
        yield values[start:stop].reshape(n_steps, len(one))
        start = stop


def _attribution(baseline: str, values: np.ndarray, parts: tuple[Span, ...], ends: _Ends, n_steps: int) -> Attribution:
    with np.errstate(invalid="ignore"):  # infinities of both signs are no number, which is said elsewhere
        error = float(values.sum()) - ends.change
    return Attribution(values, parts, Integral(baseline, ends.baseline, n_steps, error))
