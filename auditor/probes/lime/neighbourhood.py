"""The perturbations of one document: which masks are computed, when it is enough, and what is made of the answers.

Enumerated   all 2^S masks: no sampling error
Fixed        as many as were asked for, drawn as the `lime` package draws them; equal ones are computed once
Adaptive     as many as the intervals need, up to a budget (`auditor.probes.lime.design`)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from auditor.probes.lime.design import Sample, draw, next_round, precision, weigh
from auditor.probes.lime.emulator import estimate
from auditor.probes.lime.stability import Half
from auditor.probes.lime.surrogate import Fit, enumerate_masks, fit_all, kernel, sample_masks
from auditor.probes.perturbing import distinct
from auditor.records.explanations import Neighbourhood
from auditor.records.neighbourhoods import Perturbed


class Perturbations(Protocol):
    """Distinct masks in the order of their computation, and the surrogate that follows from the model's answers."""

    @property
    def masks(self) -> np.ndarray:
        """(D, S) bool; row 0 is the undisturbed document."""
        ...

    def more(self, n_computed: int, fits: Sequence[Fit]) -> int:
        """How many masks to compute next, after `n_computed` gave `fits`; 0 where it is enough."""
        ...

    def fit(self, values: np.ndarray, num_features: int | None) -> list[Fit]:
        """The surrogates of K labels from the answers (n, K) to the first n masks.

        Perturbations that the model cannot read are rows of NaN, and left out; `Adaptive` takes none.
        """
        ...

    def account(self, n_computed: int, n_unread: int, fits: Sequence[Fit]) -> Neighbourhood:
        """The neighbourhood for the record, without masks and answers: samples, evaluations, why it stopped."""
        ...

    def perturbed(self, values: np.ndarray) -> Perturbed:
        """The first n masks with the answers (n, K), and how they were drawn: all that `fit` needs."""
        ...

    def halves(self, values: np.ndarray, num_features: int | None) -> list[Half]:
        """Two independent halves of the first n masks, with a surrogate of every label each.

        There are none where nothing was sampled, or too little to tell the segments apart twice.
        """
        ...


@dataclass(frozen=True)
class Enumerated:
    """All masks of S segments, weighed as a sample of `n_samples` would find them."""

    n_segments: int
    n_samples: int
    width: float

    @cached_property
    def _all(self) -> tuple[np.ndarray, np.ndarray]:
        return enumerate_masks(self.n_segments, self.n_samples)

    @property
    def masks(self) -> np.ndarray:
        """(2^S, S) all masks."""
        return self._all[0]

    def more(self, n_computed: int, fits: Sequence[Fit]) -> int:  # noqa: ARG002
        """All, then none."""
        return len(self.masks) - n_computed

    def fit(self, values: np.ndarray, num_features: int | None) -> list[Fit]:
        """Without a penalty and without errors."""
        masks, shares = self._all
        read = np.isfinite(values).all(axis=1)
        weights = kernel(masks[read], self.width) * shares[read]
        return fit_all(masks[read], values[read], weights, num_features=num_features, exact=True)

    def account(self, n_computed: int, n_unread: int, fits: Sequence[Fit]) -> Neighbourhood:  # noqa: ARG002
        """As in `Perturbations`; exact, without a sampling error."""
        return Neighbourhood(
            n_samples=n_computed,
            n_evaluations=n_computed - n_unread,
            exact=True,
            kernel_width=self.width,
            stopped="enumerated",
            n_unread=n_unread,
        )

    def perturbed(self, values: np.ndarray) -> Perturbed:
        """All masks; their weights follow from the number removed and `n_samples`."""
        return Perturbed.of(self.masks, values)

    def halves(self, values: np.ndarray, num_features: int | None) -> list[Half]:  # noqa: ARG002
        """None: no other sample could differ."""
        return []


@dataclass(frozen=True)
class Fixed:
    """`n_samples` masks, drawn and fitted as the package does."""

    n_segments: int
    n_samples: int
    width: float
    random: np.random.RandomState

    @cached_property
    def _drawn(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        masks = sample_masks(self.n_segments, self.n_samples, self.random)
        return masks, *distinct(masks)

    @property
    def masks(self) -> np.ndarray:
        """(D, S) the distinct masks."""
        return self._drawn[1]

    def more(self, n_computed: int, fits: Sequence[Fit]) -> int:  # noqa: ARG002
        """All, then none."""
        return len(self.masks) - n_computed

    def fit(self, values: np.ndarray, num_features: int | None) -> list[Fit]:
        """With the package's penalty."""
        masks, _, inverse = self._drawn
        answers = values[inverse]
        read = np.isfinite(answers).all(axis=1)
        return fit_all(masks[read], answers[read], kernel(masks[read], self.width), num_features=num_features)

    def account(self, n_computed: int, n_unread: int, fits: Sequence[Fit]) -> Neighbourhood:  # noqa: ARG002
        """As in `Perturbations`; stopped at the fixed number."""
        return Neighbourhood(
            n_samples=self.n_samples,
            n_evaluations=n_computed - n_unread,
            exact=False,
            kernel_width=self.width,
            n_unread=n_unread,
        )

    def perturbed(self, values: np.ndarray) -> Perturbed:
        """The distinct masks, with how often each was drawn."""
        masks, inverse = self._drawn[1:]
        return Perturbed(masks, values, np.bincount(inverse, minlength=len(masks)), np.arange(len(masks)))

    def halves(self, values: np.ndarray, num_features: int | None) -> list[Half]:
        """Every other draw; the undisturbed document is in both."""
        masks, _, inverse = self._drawn
        answers = values[inverse]
        read = np.flatnonzero(np.isfinite(answers).all(axis=1))
        parts = [np.append(read[0], read[start::2]) for start in (1, 2)]
        if min(map(len, parts)) <= self.n_segments + 1:
            return []
        weights = [kernel(masks[part], self.width) for part in parts]
        return [
            Half(masks[i], answers[i], w, fit_all(masks[i], answers[i], w, num_features=num_features))
            for i, w in zip(parts, weights, strict=True)
        ]


@dataclass(frozen=True)
class Adaptive:
    """Masks until the widest 95 % interval is within `tolerance` of the largest coefficient of each label."""

    n_segments: int
    budget: int
    width: float
    random: np.random.RandomState
    tolerance: float

    @cached_property
    def _sample(self) -> Sample:
        return draw(self.n_segments, self.budget, self.width, self.random)

    @property
    def masks(self) -> np.ndarray:
        """(D, S) all masks that the budget allows."""
        return self._sample.masks

    def more(self, n_computed: int, fits: Sequence[Fit]) -> int:
        """None where the intervals are narrow enough or the budget is spent."""
        return next_round(n_computed, self._reached(fits), self.tolerance, len(self.masks))

    def fit(self, values: np.ndarray, num_features: int | None) -> list[Fit]:
        """See `auditor.probes.lime.emulator`."""
        return estimate(self._sample.first(len(values)), values, self.width, num_features)

    def account(self, n_computed: int, n_unread: int, fits: Sequence[Fit]) -> Neighbourhood:
        """As in `Perturbations`; with the tolerance and the precision reached."""
        reached = self._reached(fits)
        return Neighbourhood(
            n_samples=n_computed,
            n_evaluations=n_computed - n_unread,
            exact=False,
            kernel_width=self.width,
            stopped="tolerance" if reached <= self.tolerance else "budget",
            tolerance=self.tolerance,
            precision=reached,
            n_unread=n_unread,
        )

    def perturbed(self, values: np.ndarray) -> Perturbed:
        """The computed masks, with the unit of each."""
        sample, n = self._sample.first(len(values)), len(values)
        return Perturbed(sample.masks, values, np.ones(n, dtype=int), sample.units)

    def halves(self, values: np.ndarray, num_features: int | None) -> list[Half]:
        """Every other unit; the undisturbed document, which the limit gives no weight, is in both."""
        units = self._sample.first(len(values)).units
        parts = [np.append(0, np.flatnonzero((units % 2 == parity) & (units > 0))) for parity in (0, 1)]
        if min(map(len, parts)) <= self.n_segments + 1:
            return []
        return [self._half(part, values[part], num_features) for part in parts]

    def _half(self, rows: np.ndarray, values: np.ndarray, num_features: int | None) -> Half:
        sample = Sample(self._sample.masks[rows], (self._sample.units[rows] + 1) // 2)
        weights = np.append(0.0, weigh(sample.masks[1:], self.width)[0])
        return Half(sample.masks, values, weights, estimate(sample, values, self.width, num_features))

    def _reached(self, fits: Sequence[Fit]) -> float:
        return max((precision(fit) for fit in fits), default=np.inf)
