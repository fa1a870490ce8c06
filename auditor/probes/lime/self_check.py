r"""LIME held against closed forms before a run, on toy models, by the way and with the parameters of the run.

    linear         f(z) = c + w·z: every surrogate that is not penalised has the coefficients w
    conjunction    f(z) = 1 where segments 1 … p are all kept. With ν = width / 100,
                   ψ(t) = exp(−(1 − √(1 − t))² / 2ν²) and

                       α_q = e + (1 − e) 1/S Σ_{s=1..S} ψ(s/S) Π_{k<q} (S − s − k) / (S − k)

                   the weighted share of the masks that keep q given segments, and of the undisturbed text, which is the
                   share e of a sample, the coefficients follow as in Mardaoui & Garreau (AISTATS 2021):

                       c = (S − 1) α₀α₂ − S α₁² + α₀α₁      σ₁ = −α₁      σ₃ = (α₁² − α₀α₂) / (α₁ − α₂)
                       σ₂ = ((S − 2) α₀α₂ − (S − 1) α₁² + α₀α₁) / (α₁ − α₂)
                       β_j = (σ₁ E πf + σ₂ E πz_jf + σ₃ Σ_{k≠j} E πz_kf) / c
                       E πf = α_p, E πz_jf = α_p inside of 1 … p and α_{p+1} outside

    enumerated     2^S ≤ the budget: both, e = 1 / budget; nothing is estimated
    drawn until    the smallest S with 2^S > the budget: both, e = 0; in standard errors, to which 1e-4 of the largest
    narrow enough  weight is added for the rounding of the emulator
    drawn, as many the same S: the minimum of Σ_i π_i (f_i − β₀ − z_i·β)² + α‖β‖² on masks drawn mask by mask as the
    as asked for   `lime` package draws them, by least squares on the rows √π_i (1, z_i) and √α (0, 1): another
                   algorithm than the fit's

`num_features` is left aside, since selection is not part of the closed forms, and of a budget no more than 2,000 masks
are used. Where the kernel is so narrow that a closed form is ill-conditioned, nothing is known.
"""

import math
from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple, Protocol

import numpy as np

from auditor.probes.contract import Sitting
from auditor.probes.lime.surrogate import ALPHA
from auditor.probes.perturbing import seed_for
from auditor.probes.toys import DOCUMENT, Toy, conjunction, linear
from auditor.records.explanations import Explanation
from auditor.records.proof import SelfCheck
from auditor.records.types import Document, Unmeasured

MOST = 2000
"""Masks of one document."""
TOLERANCE = 1e-6
MOST_DEVIATION = 5.0
ROUNDING = 1e-4
"""Of the emulator, as a share of the largest weight."""
ENUMERATED = 8
"""Segments that are enumerated at most."""
CONDITION = 1e-9
"""Least share of α₀ that the differences in the closed form must have."""


class Explainer(Protocol):
    """LIME with the parameters of the run, as far as they are checked."""

    name: ClassVar[str]

    @property
    def budget(self) -> int:
        """The most masks of a document."""
        ...

    @property
    def kernel_width(self) -> float:
        """Of the kernel π."""
        ...

    def measure(
        self, model: Toy, documents: Sequence[Document], sitting: Sitting[frozenset[str]]
    ) -> Iterator[Explanation | Unmeasured]:
        """An explanation of each document."""
        ...


class _Case(NamedTuple):
    """How far the weights of one toy model are from the known ones."""

    n_weights: int
    difference: float
    """0 where they are estimated."""
    deviation: float | None
    """In standard errors; None where nothing is estimated."""


def self_check(probe: Explainer) -> SelfCheck | None:
    """What a probe gives on toy models; None where its kernel leaves nothing to compare."""
    cases = list(_cases(probe))
    if not cases:
        return None
    deviations = [case.deviation for case in cases if case.deviation is not None]
    return SelfCheck(
        probe=probe.name,
        n_weights=sum(case.n_weights for case in cases),
        difference=max(case.difference for case in cases),
        tolerance=TOLERANCE,
        deviation=max(deviations, default=None),
        most_deviation=MOST_DEVIATION if deviations else None,
    )


def _cases(probe: Explainer) -> Iterator[_Case]:
    """The way of short documents, and the way of longer ones."""
    few = min(ENUMERATED, int(math.log2(probe.budget)))
    many = int(math.log2(probe.budget)) + 1
    for n_segments, share in ((few, 1 / probe.budget), (many, 0.0)):
        weights, toy = linear(n_segments)
        limits = {p: closed_form(n_segments, p, probe.kernel_width, share) for p in (2, 3)}
        known = {p: limit for p, limit in limits.items() if limit is not None}
        yield from (_case(probe, conjunction(n_segments, p), limit) for p, limit in known.items())
        if known:
            yield _case(probe, toy, weights)


def _case(probe: Explainer, toy: Toy, limit: np.ndarray) -> _Case:
    rows: list[Explanation | Unmeasured] = list(probe.measure(toy, [DOCUMENT], Sitting(0)))
    explanation = rows[0]
    if not isinstance(explanation, Explanation) or explanation.neighbourhood is None:
        return _Case(toy.n_segments, math.inf, None)
    weights, errors = (
        np.array(values) for values in (explanation.targets[0].weights, explanation.targets[0].standard_errors)
    )
    if explanation.neighbourhood.stopped == "fixed":
        random = np.random.RandomState(seed_for(0, DOCUMENT, probe.name))
        limit = least_squares(toy, drawn(toy.n_segments, probe.budget, random), probe.kernel_width)
    if explanation.neighbourhood.stopped in ("fixed", "enumerated"):
        return _Case(toy.n_segments, float(np.abs(weights - limit).max()), None)
    allowed = errors + ROUNDING * np.abs(limit).max()
    return _Case(toy.n_segments, 0.0, float((np.abs(weights - limit) / allowed).max()))


def closed_form(n_segments: int, n_needed: int, width: float, share: float) -> np.ndarray | None:
    """(S,) coefficients of the conjunction of the first p segments; None where the kernel leaves them open."""
    s, p = n_segments, n_needed
    a = [share + (1 - share) * _moment(s, q, width / 100) for q in range(p + 2)]
    c = (s - 1) * a[0] * a[2] - s * a[1] ** 2 + a[0] * a[1]
    if min(c / a[0], a[1] - a[2]) < CONDITION * a[0]:
        return None
    first = -a[1]
    second = ((s - 2) * a[0] * a[2] - (s - 1) * a[1] ** 2 + a[0] * a[1]) / (a[1] - a[2])
    third = (a[1] ** 2 - a[0] * a[2]) / (a[1] - a[2])
    with_one = np.where(np.arange(s) < p, a[p], a[p + 1])
    return np.asarray((first * a[p] + second * with_one + third * (with_one.sum() - with_one)) / c)


def _moment(n_segments: int, n_kept: int, width: float) -> float:
    """E π ∏ of q given segments, over masks of s ~ U{1 … S} removed."""
    s = np.arange(1, n_segments + 1)
    psi = np.exp(-((1 - np.sqrt(1 - s / n_segments)) ** 2) / (2 * width**2))
    kept = np.prod([(n_segments - s - k) / (n_segments - k) for k in range(n_kept)], axis=0)
    return float(np.mean(psi * kept))


def drawn(n_segments: int, n_samples: int, random: np.random.RandomState) -> np.ndarray:
    """(N, S) bool: masks as the `lime` package draws them, one by one."""
    masks = np.ones((n_samples, n_segments), dtype=bool)
    for row, size in enumerate(random.randint(1, n_segments + 1, n_samples - 1), start=1):
        masks[row, random.choice(n_segments, size, replace=False)] = False
    return masks


def least_squares(toy: Toy, masks: np.ndarray, width: float) -> np.ndarray:
    """(S,) coefficients of the penalised regression of a toy's answers to masks (N, S)."""
    distances = 1 - np.sqrt(masks.mean(axis=1))
    roots = np.exp(-((100 * distances) ** 2) / (4 * width**2))
    rows = np.column_stack([np.ones(len(masks)), masks]) * roots[:, None]
    penalty = math.sqrt(ALPHA) * np.eye(toy.n_segments, toy.n_segments + 1, 1)
    answers = np.concatenate([toy.function(masks) * roots, np.zeros(toy.n_segments)])
    return np.asarray(np.linalg.lstsq(np.concatenate([rows, penalty]), answers, rcond=None)[0][1:])
