"""A sparse linear regression, what it says of rows that it was not fitted to, and how its weights vary.

For X (n, W), 0 or 1, and y (n,), the elastic net (Zou & Hastie 2005)

    β₀, β = arg min  Σ (y − β₀ − Xβ)² / (2n)  +  α (ρ ‖β‖₁ + (1 − ρ) ‖β‖² / 2),    ρ = ½

α is the one of ten, from the least that makes every weight 0 down to a hundredth of it, whose squared error is least in
three inner folds.

    held out     ŷ_i from the fit to the four of five folds that i is not in, α chosen within these; ȳ_i their mean
    resampled    β of 200 resamples of the rows, at the α of all rows; an interval is from the 2.5 to the 97.5 % point

Folds are given by the caller. A penalty shrinks weights toward 0, and so do the intervals: they say how the printed
weight varies with the rows, not where the weight of an unpenalised fit lies.

Edge cases: y that is constant in a fold's training rows gives β = 0 there. Nothing else is special: rows may repeat,
columns may be constant. Weights are rounded to seven digits, beyond which the CPU decides.

The fit is scikit-learn's `ElasticNetCV` (1.9) by coordinate descent; it is imported only here, and only when called.
"""

import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from auditor.findings.statistics.resampling import Floats, resamples

FOLDS, INNER_FOLDS = 5, 3
PENALTIES, LEAST_PENALTY = 10, 0.01
RATIO = 0.5
RESAMPLES = 200
_SWEEPS = 2000
_DIGITS = 7

Features = Any
"""(n, W) `scipy.sparse.csr_array` of float64."""


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """What is said of each row by a fit without it, for K targets."""

    predictions: Floats
    """(n, K)."""
    means: Floats
    """(n, K), of the rows it was fitted to."""


@dataclass(frozen=True, slots=True, eq=False)
class Weights:
    """Of one target."""

    value: Floats
    """(W,)."""
    low: Floats
    high: Floats
    same_sign: Floats
    """Share of the resamples in which the weight has the sign that most give it; a weight of 0 has none."""


def features(bags: Sequence[Sequence[int]], n_columns: int) -> Features:
    """(n, W): 1 where a row has a column.

    Args:
        bags: The columns of each row, each once.
        n_columns: W.
    """
    from scipy.sparse import csr_array

    ends = np.cumsum([0, *map(len, bags)], dtype=np.int32)
    columns = np.concatenate([np.asarray(bag, dtype=np.int32) for bag in bags])
    return csr_array((np.ones(len(columns)), columns, ends), shape=(len(bags), n_columns))


def held_out(x: Features, targets: Floats, folds: np.ndarray) -> HeldOut:
    """Predictions for rows that were left out.

    Args:
        x: (n, W), from `features`.
        targets: (n, K).
        folds: (n,) int, 0 … 4: which rows are left out together.
    """
    predictions, means = np.empty_like(targets), np.empty_like(targets)
    for fold in range(FOLDS):
        inside, outside = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        means[outside] = targets[inside].mean(axis=0)
        for k in range(targets.shape[1]):
            model = _fit(_rows(x, inside), targets[inside, k])
            predictions[outside, k] = model.predict(_rows(x, outside))
    return HeldOut(predictions, means)


def weights(x: Features, target: Floats, *, seed: int, name: str) -> Weights:
    """The weights of a fit to all rows, and those of its resamples.

    Args:
        x: (n, W), from `features`.
        target: (n,).
        seed: Of the audit.
        name: Different names draw different resamples.
    """
    fitted = _fit(x, target)
    drawn = np.array(list(_resampled(x, target, float(fitted.alpha_), seed, name)))  # (B, W)
    low, high = np.quantile(drawn, (0.025, 0.975), axis=0)
    signs = np.maximum((drawn > 0).mean(axis=0), (drawn < 0).mean(axis=0))
    return Weights(*(_rounded(values) for values in (fitted.coef_, low, high, signs)))


def _fit(x: Features, target: Floats) -> Any:
    """A fitted `ElasticNetCV`; its inner folds go round the rows in their order."""
    from sklearn.linear_model import ElasticNetCV

    inner = np.arange(len(target)) % INNER_FOLDS
    splits = [(np.flatnonzero(inner != k), np.flatnonzero(inner == k)) for k in range(INNER_FOLDS)]
    model = ElasticNetCV(
        l1_ratio=RATIO, alphas=PENALTIES, eps=LEAST_PENALTY, cv=splits, max_iter=_SWEEPS, selection="cyclic"
    )
    with _unconverged():
        return model.fit(x.tocsc(), target)


def _resampled(x: Features, target: Floats, penalty: float, seed: int, name: str) -> Iterator[Floats]:
    from sklearn.linear_model import ElasticNet

    for rows in resamples(len(target), RESAMPLES, seed, name):
        model = ElasticNet(alpha=penalty, l1_ratio=RATIO, max_iter=_SWEEPS)
        with _unconverged():
            yield model.fit(_rows(x, rows), target[rows]).coef_


def _rows(x: Features, rows: np.ndarray) -> Features:
    """Some rows, column by column, with indices of 32 bits: scikit-learn takes no others."""
    return x[rows.astype(np.int32)].tocsc()


def _unconverged() -> "warnings.catch_warnings[None]":
    """A fit short of the optimum is a fit all the same: what it is worth is measured on rows that were left out."""
    from sklearn.exceptions import ConvergenceWarning

    return warnings.catch_warnings(action="ignore", category=ConvergenceWarning)


def _rounded(values: Floats) -> Floats:
    """To seven significant digits."""
    scale = 10.0 ** (_DIGITS - 1 - np.floor(np.log10(np.maximum(np.abs(values), 1e-300))))
    return np.asarray(np.where(values == 0, 0.0, np.rint(values * scale) / scale))
