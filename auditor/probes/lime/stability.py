"""Would another sample have given the same explanation? Surrogates of two independent halves of a neighbourhood.

The perturbations of a document are dealt out in two halves, antithetic pairs together, the undisturbed document to
both; each half gets a surrogate by the same method as the whole. With a, b ∈ Rˢ the weights of the two,

    correlation        Pearson's r(a, b); with S weights of which one decides, the others are noise around zero: r stays
                       near 1 while ranks are scattered
    rank correlation   Spearman's ρ(a, b)
    top overlap        |A ∩ B| / |A ∪ B| of the three segments with the largest |weight| in each (all of fewer)
    sign flips         share of the S segments with a·b < 0
    distance           ‖a − b‖ / ‖(a + b) / 2‖, Euclidean: how much of the weights is not the same
    held out           R² of each half's surrogate on the answers of the other half, which it has not seen, weighted as
                       in fidelity; the mean of both

A half has half the perturbations, so that each number is a little worse than that of two full neighbourhoods would be.

Edge cases: weights that are all equal have no correlation; it is 1 where those of both halves are equal throughout
(they say the same) and 0 where those of one are. Halves of no more than S + 1 perturbations cannot tell S segments
apart: nothing is said. Where every mask was evaluated there is no other sample.

Agrees with `scipy.stats.pearsonr` and `spearmanr` (ties share their mean rank).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from auditor.findings.statistics.likeness import is_flat, mean_ranks, pearson, top_shared
from auditor.probes.lime.surrogate import Fit, r_squared
from auditor.records.explanations import Halves


@dataclass(frozen=True, slots=True, eq=False)
class Half:
    """One half of the perturbations of a document, and the surrogates of its K labels."""

    masks: np.ndarray
    """(N, S) bool, the undisturbed document in row 0."""
    values: np.ndarray
    """(N, K)"""
    weights: np.ndarray
    """(N,) what each counts in a fit."""
    fits: Sequence[Fit]


def stability(halves: Sequence[Half], label: int) -> Halves | None:
    """How far two halves agree on one of their labels; None without halves."""
    if not halves:
        return None
    one, other = halves
    a, b = one.fits[label].weights, other.fits[label].weights
    return Halves(
        correlation=_correlation(a, b),
        rank_correlation=_correlation(mean_ranks(a), mean_ranks(b)),
        top_overlap=top_shared(a, b),
        sign_flips=float(np.mean(a * b < 0)),
        distance=_distance(a, b),
        held_out=(_held_out(one, other, label) + _held_out(other, one, label)) / 2,
    )


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    known = pearson(a, b)
    if known is not None:
        return known
    return 1.0 if is_flat(a) and is_flat(b) else 0.0


def _distance(a: np.ndarray, b: np.ndarray) -> float | None:
    size = float(np.linalg.norm(a + b)) / 2
    return float(np.linalg.norm(a - b)) / size if size else None


def _held_out(learnt: Half, unseen: Half, label: int) -> float:
    fit, values = learnt.fits[label], unseen.values[:, label]
    residuals = values - fit.intercept - unseen.masks @ fit.weights
    return r_squared(values, residuals, unseen.weights)
