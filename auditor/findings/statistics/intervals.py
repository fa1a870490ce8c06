"""Intervals: how far a number measured on these documents may lie from its value on all such documents.

Every interval is two-sided at 95 %, treats documents as independent draws, and is not rounded.

Proportions, k of n (Wilson 1927; Brown, Cai & DasGupta 2001, eq. 4)
    (p̂ + z²/2n ± z √(p̂(1−p̂)/n + z²/4n²)) / (1 + z²/n),  p̂ = k/n,  z = 1.959964

Means and ratios of sums (bootstrap-t; Efron & Tibshirani 1993, 12.5; Hall 1988)
    θ̂ = Σx_i / Σy_i, of a mean y_i = 1. The n documents are drawn n times with replacement, B = 2,000 times
    (`resampling`). With e_i = x_i − θ̂ y_i and w_i how often document i was drawn,
        θ* − θ̂ = Σw_i e_i / Σw_i y_i,    s* = √(Σw_i (e_i − (θ* − θ̂) y_i)²) / |Σw_i y_i|
    and with ŝ = √(Σe_i²) / |Σy_i| of the sample the ends are θ̂ − t*₍₁₋ₐ₎ ŝ and θ̂ − t*₍ₐ₎ ŝ, quantiles of
        t* = (θ* − θ̂) / max(s*, ŝ/5),    a = 0.025 (1 − 2.5/n)
    The factor √(n/(n−1)) of both errors cancels. Both constants were chosen by simulation: 2.5/n makes up for what few
    documents of a skewed population leave out; ŝ/5 bounds t* where a resample misses the one document that differs,
    and changes nothing for values that vary smoothly.
    A ratio of sums (token-weighted means) resamples documents, never tokens: tokens of one text are not independent.
    The logarithm of a mean (`bootstrap_log_mean`) has ln(θ*/θ̂), s*/θ* and ŝ/θ̂ instead, and ends that exp makes
    positive; where the mean hangs on one document (θ* = 0 without it) there is no end.

    Documents that are all alike say nothing about those that were not seen: a value without interval. A mean of shares
    (`share`: each document's lies in 0 … 1) has Wilson's ends instead, p̂ the mean: nothing in 0 … 1 varies more than a
    proportion of that mean.

Other functions of sums: averages of F1 (Efron 1987, BCa; expanded as by Hesterberg 2015, 5.4)
    With x_i ∈ Rᵐ what document i adds to the sums and θ̂ = s(Σx_i), the ends are the quantiles
    Φ(z₀ + (z₀ ± ζ)/(1 − a(z₀ ± ζ))) of the B values θ*:
        ζ  = √(n/(n−1)) t_{n−1}: resamples vary less than samples do, and their spread is an estimate
        z₀ = Φ⁻¹(share of θ* below θ̂, ties count half), kept within 1/(B+1) … B/(B+1)
        a  = Σu_i³ / 6(Σu_i²)^{3/2},  u_i = mean of the leave-one-out values − the one without document i
    |a| ≤ 1/6 and n ≥ 10, so the denominator stays positive.

    Where all resamples agree they say nothing about documents that were not seen. A `share` that is 0 or 1 is then as
    uncertain as the plain proportion 0 of n or n of n, and has Wilson's ends: ten documents, all right, leave a
    macro F1 of 1 with 0.72 to 1. Every other such number has a value and no interval.

Calibration error (`upward_biased`)
    ECE is a sum of absolute values: on n documents it overestimates, and each resample does so again. The lower end is
    therefore reflected, max(0, 2θ̂ − q), and the upper end is q itself, the Φ(ζ) quantile of the θ*. What is left to
    noise, see `auditor.findings.analyses.calibration`.

Fewer than ten documents (`LEAST`): a value without interval. No method that was tried held for all of normal,
exponential and lognormal values there, and checks need ten documents anyway.

How often these intervals hold the truth is simulated by `python -m tests.simulations.coverage` with n = 10, 30, 100:
means and ratios in 93 to 98 % of cases, of lognormal values (σ = 1) in at least 92 %; averages of F1 in 94 to 99 %,
the calibration error in 95 % or more, the more often the fewer documents. BCa for all of them held in about 90 % of
samples of ten normal or exponential values, in 81 % of lognormal ones, and in 91 % of 100 texts of lognormal lengths.

Quantiles (order statistics, exact; David & Nagaraja 2003, 7.1)
    [x₍ₗ₎, x₍ᵤ₎] with the largest l such that P(Bin(n, q) < l) ≤ 0.025 and the smallest u such that
    P(Bin(n, q) < u) ≥ 0.975. No distribution is assumed; a median needs n ≥ 6, below that there is no interval.

Student's t: for means over as few as three explanations of a word, and of attention heads.

Edge cases: n = 0 has no value; n = 1 a value without interval; what is not finite is None.

Agrees with `scipy.stats.bootstrap` (1.17) of the same resamples' t* and, unexpanded, with its BCa, within the noise of
resampling; with `scipy.stats.binomtest(...).proportion_ci("wilson")` and
`scipy.stats.quantile_test(...).confidence_interval` exactly.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from auditor.findings.statistics.resampling import CELLS, Floats, is_left_out, on_grid, resampled_sums

LEVEL = 0.95
LEAST = 10
"""Documents that an interval by resampling needs."""

Statistic = Callable[[Floats], Floats]
"""Sums (…, m) → statistics (…, k); NaN where one is undefined."""

_ROUNDING = 1e-12
"""Of a sum of many numbers, as a share of it; the grid adds to it."""
_LEAST_ERROR = 0.2
"""Of a resample, in standard errors of the sample."""
_NORMAL = NormalDist()
Z = _NORMAL.inv_cdf(0.5 + LEVEL / 2)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with the ends of its interval, resting on `n` documents; None is what cannot be given."""

    value: float | None
    low: float | None
    high: float | None
    n: int

    def through(self, transform: Callable[[float], float]) -> "Estimate":
        """The estimate of an increasing function of the quantity: value and ends go through it."""
        value, low, high = (None if x is None else _finite(transform(x)) for x in (self.value, self.low, self.high))
        return estimate(value, low, high, self.n)

    def within(self, least: float, most: float) -> "Estimate":
        """The same value, its interval cut where nothing can lie."""
        if self.low is None or self.high is None:
            return self
        return estimate(self.value, max(self.low, least), min(self.high, most), self.n)


def estimate(value: float | None, low: float | None, high: float | None, n: int) -> Estimate:
    """An estimate whose interval is whole or absent, finite, and contains the value."""
    value, low, high = _finite(value), _finite(low), _finite(high)
    if value is None or low is None or high is None:
        return Estimate(value, None, None, n)
    return Estimate(value, min(low, value), max(high, value), n)


def wilson(successes: float, n: int) -> Estimate:
    """The share `successes` / `n`."""
    if n == 0:
        return Estimate(None, None, None, 0)
    share = successes / n
    if n == 1:
        return Estimate(share, None, None, 1)
    centre = share + Z**2 / (2 * n)
    spread = Z * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2))
    scale = 1 + Z**2 / n
    return estimate(share, max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale), n)


def student(values: Sequence[float]) -> Estimate:
    """The mean of few values, by Student's t."""
    x = np.asarray(values, dtype=np.float64)
    n = len(x)
    if n < 2:
        return Estimate(_finite(float(x[0])) if n else None, None, None, n)
    mean, half = float(x.mean()), student_quantile(n) * float(x.std(ddof=1)) / math.sqrt(n)
    return estimate(mean, mean - half, mean + half, n)


def student_quantile(n: int) -> float:
    """The 97.5 % point of Student's t for the mean of `n` ≥ 2 values."""
    from scipy.special import stdtrit

    return float(stdtrit(n - 1, 0.5 + LEVEL / 2))


def quantile(values: Sequence[float], q: float = 0.5) -> Estimate:
    """The `q` quantile (between order statistics: linear), with the exact distribution-free interval."""
    x = np.sort(np.asarray(values, dtype=np.float64))
    n = len(x)
    if n == 0:
        return Estimate(None, None, None, 0)
    value = float(np.quantile(x, q))
    ranks = quantile_ranks(n, q)
    if ranks is None:
        return estimate(value, None, None, n)
    return estimate(value, float(x[ranks[0] - 1]), float(x[ranks[1] - 1]), n)


def quantile_ranks(n: int, q: float = 0.5) -> tuple[int, int] | None:
    """The ranks (l, u), from 1, whose order statistics bound the `q` quantile; None where n is too small."""
    from scipy.special import bdtr

    below: Floats = np.asarray(bdtr(np.arange(n), n, q))  # P(Bin(n, q) ≤ k), k = 0 … n−1; P(Bin < r) is entry r−1
    lower = int(np.sum(below <= (1 - LEVEL) / 2))
    upper = int(np.searchsorted(below, (1 + LEVEL) / 2)) + 1
    return (lower, upper) if lower >= 1 and upper <= n else None


def bootstrap_mean(values: Sequence[float] | Floats, *, seed: int, name: str, share: bool = False) -> Estimate:
    """The mean over documents of one value each; with `share` values that lie between 0 and 1."""
    ratio = bootstrap_ratio(values, np.ones(len(values)), seed=seed, name=name)
    if not share or ratio.value is None or ratio.low is not None:
        return ratio
    ends = wilson(min(max(ratio.value, 0.0), 1.0) * ratio.n, ratio.n)
    return estimate(ratio.value, ends.low, ends.high, ratio.n)


def bootstrap_log_mean(values: Sequence[float] | Floats, *, seed: int, name: str) -> Estimate:
    """The logarithm of the mean over documents of one value ≥ 0 each, with an interval made on that scale."""
    value, spread = _studentised(values, np.ones(len(values)), seed, name)
    if value is None or value <= 0:
        return Estimate(None, None, None, len(values))
    if spread is not None:
        means = value + spread.shifts
        means = np.where(means > _ROUNDING * value, means, 0.0)
        errors = np.where(means > 0, divide(spread.errors, means), 0.0)
        with np.errstate(divide="ignore"):  # a mean of 0 sets no end
            spread = _Spread(spread.error / value, np.log(means / value), errors)
    return estimate(math.log(value), *_ends(math.log(value), spread, len(values)), len(values))


def bootstrap_ratio(
    numerators: Sequence[float] | Floats, denominators: Sequence[float] | Floats, *, seed: int, name: str
) -> Estimate:
    """Σ numerators / Σ denominators, with one of each per document."""
    value, spread = _studentised(numerators, denominators, seed, name)
    return estimate(value, *_ends(value, spread, len(numerators)), len(numerators))


def bootstrap(
    features: Floats, statistic: Statistic, *, seed: int, name: str, share: bool = False, upward_biased: bool = False
) -> list[Estimate]:
    """Several statistics of sums over documents, with intervals by resampling the documents.

    Args:
        features: (n, m), what each document adds to the sums.
        statistic: sums (…, m) → (…, k); NaN where a statistic is undefined. Such resamples are left out, and where
            they are more than half there is no interval.
        seed: of the audit.
        name: of the number; different names draw different resamples.
        share: the statistic lies between 0 and 1.
        upward_biased: the statistic is at least 0 and overestimates on samples (calibration error).

    Returns:
        One estimate for each of the k, all with n documents.
    """
    n = len(features)
    if n == 0:
        k = statistic(np.zeros(features.shape[1])).shape[-1]
        return [Estimate(None, None, None, 0)] * k
    values = statistic(features.sum(axis=0))
    if n == 1 or is_left_out() or not np.isfinite(features).all():
        return [estimate(float(value), None, None, n) for value in values]
    features = on_grid(features)
    replicates = np.concatenate([statistic(sums) for sums in resampled_sums(features, seed, name)])  # (B, k)
    left_out = _leave_one_out(features, statistic)  # (n, k)
    return [
        _with_interval(float(value), replicates[:, k], left_out[:, k], share, upward_biased)
        for k, value in enumerate(values)
    ]


def divide(numerator: Floats, denominator: Floats) -> Floats:
    """The quotient, NaN where the denominator is 0."""
    out = np.full(np.broadcast_shapes(numerator.shape, denominator.shape), np.nan)
    np.divide(numerator, denominator, out=out, where=denominator != 0)
    return out


@dataclass(frozen=True, slots=True)
class _Spread:
    """The standard error ŝ of a value θ̂; of its B resamples the distances θ* − θ̂ and the standard errors s*."""

    error: float
    shifts: Floats
    errors: Floats


def _studentised(
    numerators: Sequence[float] | Floats, denominators: Sequence[float] | Floats, seed: int, name: str
) -> tuple[float | None, _Spread | None]:
    """The ratio of the sums, and how it is spread; None where documents are too few, or too alike, to say."""
    x, y = np.asarray(numerators, dtype=np.float64), np.asarray(denominators, dtype=np.float64)
    value = _finite(float(divide(x.sum(), y.sum())))
    if value is None or len(x) < LEAST or is_left_out():
        return value, None
    beyond = x - value * y  # what a document adds to the numerator beyond what its denominator lets expect
    error = math.sqrt(float(np.sum(beyond**2))) / abs(float(y.sum()))
    if error <= _ROUNDING * abs(value):
        return value, None
    features = on_grid(np.column_stack([beyond, y, beyond**2, beyond * y, y**2]))
    added, size, aa, ay, yy = np.concatenate(list(resampled_sums(features, seed, name))).T
    shifts = divide(added, size)
    squares = aa - 2 * shifts * ay + shifts**2 * yy
    squares = np.where(squares > _ROUNDING * aa, squares, 0.0)
    return value, _Spread(error, shifts, divide(np.sqrt(squares), np.abs(size)))


def _ends(value: float | None, spread: _Spread | None, n: int) -> tuple[float | None, float | None]:
    """Bootstrap-t; None where the resamples set no end."""
    if value is None or spread is None:
        return None, None
    t = np.sort(spread.shifts / np.maximum(spread.errors, _LEAST_ERROR * spread.error))  # NaN comes last
    t = t[: np.sum(~np.isnan(t))]
    if 2 * len(t) < len(spread.shifts):
        return None, None
    beyond = math.floor((1 - LEVEL) / 2 * (1 - 2.5 / n) * (len(t) - 1))
    return value - float(t[-1 - beyond]) * spread.error, value - float(t[beyond]) * spread.error


def _with_interval(value: float, replicates: Floats, left_out: Floats, share: bool, upward_biased: bool) -> Estimate:
    n = len(left_out)
    finite = replicates[np.isfinite(replicates)]
    if not math.isfinite(value) or 2 * len(finite) < len(replicates):
        return estimate(value, None, None, n)
    if np.ptp(finite) <= _ROUNDING * abs(value):
        return _where_all_agree(value, n, share)
    if n < LEAST:
        return estimate(value, None, None, n)
    if upward_biased:
        high = float(np.quantile(finite, _NORMAL.cdf(_expanded(n))))
        return estimate(value, max(0.0, 2 * value - high), high, n)
    low, high = np.quantile(finite, _bca_levels(value, finite, left_out[np.isfinite(left_out)]))
    return estimate(value, float(low), float(high), n)


def _where_all_agree(value: float, n: int, share: bool) -> Estimate:
    if share and min(abs(value), abs(value - 1)) <= _ROUNDING:
        ends = wilson(n * round(value), n)
        return estimate(value, ends.low, ends.high, n)
    return estimate(value, None, None, n)


def _expanded(n: int) -> float:
    """How many standard deviations of the resamples make an end: more than z, since they vary less than samples do."""
    return math.sqrt(n / (n - 1)) * student_quantile(n)


def _bca_levels(value: float, replicates: Floats, left_out: Floats) -> tuple[float, float]:
    b = len(replicates)
    below = (np.sum(replicates < value) + 0.5 * np.sum(replicates == value)) / b
    bias = _NORMAL.inv_cdf(min(max(float(below), 1 / (b + 1)), b / (b + 1)))
    u = left_out.mean() - left_out
    u = u / (np.max(np.abs(u)) or 1.0)  # a has no unit, and cubes of tiny numbers vanish
    squares = float(np.sum(u**2))
    acceleration = float(np.sum(u**3)) / (6 * squares**1.5) if squares > 0 else 0.0
    z = _expanded(len(left_out))
    low, high = (_NORMAL.cdf(bias + (bias + end) / (1 - acceleration * (bias + end))) for end in (-z, z))
    return low, high


def _leave_one_out(features: Floats, statistic: Statistic) -> Floats:
    total = features.sum(axis=0)
    rows = max(1, CELLS // features.shape[1])
    return np.concatenate([statistic(total - features[i : i + rows]) for i in range(0, len(features), rows)])


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
