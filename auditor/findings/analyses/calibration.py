"""Calibration: does a probability of 0.8 come true in 80 % of cases?

    ECE = Σ_b |Σ_{i∈b} (p_i − c_i)| / N

p_i is the probability of the top label and c_i whether it is right, N the labelled documents; for multi-label every
label of every document counts on its own: p its probability, c whether it is in the reference, N = documents · labels.
Ten bins of equal width, closed on the right: (0, 0.1], …, (0.9, 1]; a probability of 0 falls into the first.
Empty bins add nothing. Source: Guo et al. 2017, eq. 3 (who use 15 bins; the number of bins matters and is printed).

The interval resamples documents, its lower end reflected (`intervals`). On few documents even a calibrated model shows
an error, and resamples of them cannot know: the lower end is 0 where the ECE is no larger than noise explains. Were the
model calibrated, N · ECE would be a sum of |G_b| with G_b about normal around 0, at 95 %
    N · ECE ≤ √(2/π) Σ_b σ_b + z √((1 − 2/π) Σ_b σ_b²),   σ_b² = max(Σ_{i∈b} p_i (1 − p_i), Σ_d g_db²),  z = 1.96
with g_db the sum of p_i − c_i of document d in bin b: what the claims say of their own noise, or what is seen of it.
(A test of calibration by what it implies: Bröcker & Smith 2007.)

Where every claim of the sample came true, or none did, resamples know nothing of the others. With the share that came
true anywhere in Wilson's interval [l, u] of n of n (0 of n) documents, the error is at least |p̄ − share|, p̄ the mean of
the p_i: the interval is widened to hold these values for all shares in [l, u].
    10 documents, all right with p = 0.98     ECE 0.02; Wilson 0.72 to 1; interval 0 to 0.26
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from auditor.findings.analyses.answers import Answer
from auditor.findings.analyses.scores import given_labelled
from auditor.findings.contract.contributions import Contributions
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import WILSON, number
from auditor.findings.contract.quantity import PageOne, Quantity, Term
from auditor.findings.contract.types import Number
from auditor.findings.statistics.intervals import Estimate, Z, bootstrap, divide, estimate, wilson
from auditor.findings.statistics.resampling import Floats
from auditor.languages import N_, numbers, say

Flags = NDArray[np.bool_]
BINS = 10
EDGES = np.arange(1, BINS) / BINS
REFLECTED = N_(
    "95% interval by bootstrap over documents (2,000 resamples), its lower end reflected because the error is "
    "overestimated on samples, and 0 where a calibrated model would show as much on so few"
)

WIDENED = N_(
    "95% interval by bootstrap over documents (2,000 resamples), widened to what Wilson’s interval leaves open about "
    "the share of probabilities that came true, because they all did or none did"
)

CALIBRATION_ERROR = Quantity(
    name="calibration_error",
    title=N_("Calibration error"),
    unit="probability",
    better="low",
    page_one=PageOne(20),
    given=given_labelled,
    glossary=(
        Term(
            N_("Calibration error"),
            N_("Mean distance between stated probability and share correct, over bins weighted by documents."),
        ),
    ),
)


class CalibrationBin(Finding):
    """Documents whose top probability lies in one bin (for multi-label: all label probabilities)."""

    low: float
    high: float
    n: int
    mean_probability: float | None
    accuracy: Number


def calibrate(answers: Sequence[Answer], multi_label: bool, seed: int) -> tuple[tuple[CalibrationBin, ...], Number]:
    """The bins and the expected calibration error of labelled answers."""
    p, hit = _claims(answers, multi_label)  # (n, K), K = 1 for single-label
    bins, error = _bins(p), expected_error(p, hit, seed)
    interval = say(WIDENED) if _is_certain(hit) else say(REFLECTED)
    protocol = (
        say(
            "Expected calibration error of all label probabilities in {n} bins of equal width; {interval}",
            n=BINS,
            interval=interval,
        )
        if multi_label
        else say(
            "Expected calibration error of the probability of the predicted label in {n} bins of equal width; "
            "{interval}",
            n=BINS,
            interval=interval,
        )
    )
    rows = tuple(_bin(b, p[bins == b], hit[bins == b]) for b in range(BINS))
    return rows, CALIBRATION_ERROR.number(error, protocol)


def expected_error(p: Floats, hit: Flags, seed: int) -> Estimate:
    """The expected calibration error of the probabilities (n, K) that came true or not."""
    gaps = _by_bin(p, p - hit)

    def statistic(sums: Floats) -> Floats:
        return _error(sums)[..., None]

    features = np.column_stack([gaps, np.full(len(p), p.shape[1])])
    error = bootstrap(features, statistic, seed=seed, name="calibration_error", share=True, upward_biased=True)[0]
    if _is_certain(hit):
        return _widened(error, float(p.mean()), came_true=bool(hit.all()))
    if error.value is not None and error.value <= _noise(p, gaps):
        return estimate(error.value, 0.0 if error.low is not None else None, error.high, error.n)
    return error


def calibration_contributions(answers: Sequence[Answer], multi_label: bool) -> Contributions:
    """What each labelled answer adds to the error: its gap in every bin, and how many probabilities it has."""
    p, hit = _claims(answers, multi_label)
    features = np.column_stack([_by_bin(p, p - hit), np.full(len(p), p.shape[1])])
    return Contributions(CALIBRATION_ERROR, tuple(answer.document.id for answer in answers), features, _error)


def _error(sums: Floats) -> Floats:
    """From the gaps of the bins, and the number of probabilities behind them; NaN of none."""
    return divide(np.abs(sums[..., :-1]).sum(axis=-1), sums[..., -1])


def _bins(p: Floats) -> NDArray[np.intp]:
    return np.searchsorted(EDGES, p, side="left")  # a value on an edge falls below it


def _by_bin(p: Floats, values: Floats) -> Floats:
    """(n, BINS), the sums of the values of each document."""
    sums = np.zeros((len(p), BINS))
    np.add.at(sums, (np.arange(len(p))[:, None], _bins(p)), values)
    return sums


def _noise(p: Floats, gaps: Floats) -> float:
    """The largest error that a calibrated model shows in 95 % of cases, on both sides."""
    claimed, seen = _by_bin(p, p * (1 - p)).sum(axis=0), np.sum(gaps**2, axis=0)
    squares = np.maximum(claimed, seen)
    spread = math.sqrt((1 - 2 / math.pi) * float(squares.sum()))
    return (math.sqrt(2 / math.pi) * float(np.sqrt(squares).sum()) + Z * spread) / p.size


def _is_certain(hit: Flags) -> bool:
    """Whether every claim came true, or none, of more than one document."""
    return len(hit) > 1 and bool(np.ptp(hit.astype(int)) == 0)


def _widened(error: Estimate, mean: float, came_true: bool) -> Estimate:
    ends = wilson(error.n if came_true else 0, error.n)
    if ends.low is None or ends.high is None:
        return error
    gaps = [abs(mean - share) for share in (ends.low, ends.high, min(max(mean, ends.low), ends.high))]
    known = [end for end in (error.low, error.high) if end is not None]
    return estimate(error.value, min(*known, *gaps), max(*known, *gaps), error.n)


def _claims(answers: Sequence[Answer], multi_label: bool) -> tuple[Floats, Flags]:
    if not multi_label:
        p = np.array([[answer.confidence] for answer in answers], dtype=np.float64).reshape(-1, 1)
        return p, np.array([[answer.correct] for answer in answers], dtype=bool).reshape(-1, 1)
    k = len(answers[0].prediction.labels) if answers else 1
    p = np.array([answer.prediction.probabilities for answer in answers], dtype=np.float64).reshape(-1, k)
    hits = [[label in (answer.reference or ()) for label in answer.prediction.labels] for answer in answers]
    return p, np.array(hits, dtype=bool).reshape(-1, k)


def _bin(index: int, p: Floats, hit: NDArray[np.bool_]) -> CalibrationBin:
    low, high = index / BINS, (index + 1) / BINS
    share = wilson(int(hit.sum()), len(p))
    ends = {"low": numbers.decimal(low, 1), "high": numbers.decimal(high, 1)}
    protocol = say("Share of probabilities in ({low}, {high}] that came true; {interval}", interval=say(WILSON), **ends)
    return CalibrationBin(
        low=low,
        high=high,
        n=len(p),
        mean_probability=float(p.mean()) if len(p) else None,
        accuracy=number(
            f"calibration[{low:.1f}-{high:.1f}]", say("Came true, {low} to {high}", **ends), share, "share", protocol
        ),
    )
