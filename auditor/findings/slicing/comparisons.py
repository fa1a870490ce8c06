"""Does a part of the corpus differ from the whole by more than chance? Every comparison with its p-value, corrected.

Asked is whether the documents of a part could have been drawn at random from those of the whole corpus, as far as one
number tells; a part that differs from the whole differs from the rest, which is the whole without it. With θ the number
of a part of n documents, Θ that of all N it belongs to, f = n/N:

Proportions (intervals are Wilson's, so that n · θ and N · Θ are counts)
    Exact: n documents drawn without replacement from N of which NΘ are right hold a hypergeometric number of right
    ones. p is twice the smaller tail (Fisher's exact test of the part against the rest).

Everything else
    t = |θ − Θ| / s,  p = 2 P(T_{n−1} > t),  s = max(s_n √(1 − f), s_N √(1/f − 1))
    s_n and s_N are standard errors read off the intervals: the half-width of the part's that faces Θ over Student's
    t_{n−1} at 97.5 %, the half-width of the whole's that faces θ over 1.96. Both estimate the same where there is no
    difference: θ − Θ has the variance of θ less that of Θ, which θ is a share of. The larger is taken, since either
    alone is too small in places: that of a part where few documents miss the rare ones, that of the whole where the
    part varies more than the rest. Perplexities are compared in nats.

Corrected for the m comparisons that were made by Holm 1979: the k-th smallest p is multiplied by m − k + 1, and never
less than those before it. A part stands apart below 0.05: where nothing differs, that happens in one report of twenty
at most. `python -m tests.simulations.families` shows how often it does.

No difference found is not no difference. δ = (t_{n−1, 1−0.05/2m} + z_{0.8}) s is the one that would have been found in
80 % of cases: the power of the first step of Holm, of a difference that leaves the standard error as it is.

Edge cases: no p where a value or an interval is missing, or has no width; a part that is the whole has p = 1 and no δ.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from auditor.findings.contract.types import Comparison, Nats, Number
from auditor.findings.statistics.corrections import holm
from auditor.findings.statistics.intervals import Z, student_quantile, wilson
from auditor.findings.statistics.resampling import Floats

APART = 0.05
POWER = 0.8
_SAME = 1e-9


@dataclass(frozen=True, slots=True)
class _Test:
    """One comparison before it is corrected."""

    name: str
    n: int
    p: float
    error: float


def compare(pairs: Iterable[tuple[Number, Number]]) -> dict[str, Comparison]:
    """Name of the number of a part → its comparison with that of the whole, of all that can be made."""
    tests = [test for part, whole in pairs if (test := _test(part, whole)) is not None]
    corrected = holm([test.p for test in tests])
    return {
        test.name: Comparison(
            name=test.name, p=p, stands_apart=p < APART, detectable=_detectable(test, len(tests)) or None
        )
        for test, p in zip(tests, corrected, strict=True)
    }


def _test(part: Number, whole: Number) -> _Test | None:
    error = _standard_error(part, whole)
    if error is None or (not error and part.n < whole.n):
        return None
    p = _exact(part, whole) if _is_proportion(part) and _is_proportion(whole) else _approximate(part, whole, error)
    return _Test(part.name, part.n, p, error)


def _exact(part: Number, whole: Number) -> float:
    right, of_all = round((part.value or 0.0) * part.n), round((whole.value or 0.0) * whole.n)
    shares, first = _hypergeometric(whole.n, of_all, part.n)
    return min(1.0, 2 * min(float(shares[: right - first + 1].sum()), float(shares[right - first :].sum())))


def _hypergeometric(n_all: int, right: int, drawn: int) -> tuple[Floats, int]:
    """Probabilities of as many right ones among those drawn as there can be, and the least that there can be."""
    from scipy.special import gammaln

    def log_ways(n: int | Floats, k: int | Floats) -> Floats:
        return np.asarray(gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1))

    first = max(0, drawn - (n_all - right))
    k = np.arange(first, min(drawn, right) + 1, dtype=np.float64)
    return np.exp(log_ways(right, k) + log_ways(n_all - right, drawn - k) - log_ways(n_all, drawn)), first


def _approximate(part: Number, whole: Number, error: float) -> float:
    from scipy.special import stdtr

    distance = abs((part.compared.value or 0.0) - (whole.compared.value or 0.0))
    return 1.0 if not error else 2 * float(stdtr(part.n - 1, -distance / error))


def _standard_error(part: Number, whole: Number) -> float | None:
    """Of the difference; None where an interval is missing."""
    of_part, all_of_it = part.compared, whole.compared
    if of_part.value is None or all_of_it.value is None or part.n < 2 or whole.n < part.n:
        return None
    inside, outside = _facing(of_part, all_of_it.value), _facing(all_of_it, of_part.value)
    if inside is None or outside is None:
        return None
    share = part.n / whole.n
    return max(inside / student_quantile(part.n) * math.sqrt(1 - share), outside / Z * math.sqrt(1 / share - 1))


def _facing(number: Number | Nats, other: float) -> float | None:
    """The half of an interval that faces another value."""
    value, low, high = number.value, number.low, number.high
    if value is None or low is None or high is None:
        return None
    return high - value if other > value else value - low


def _is_proportion(number: Number) -> bool:
    """Whether the interval is Wilson's, of a count of right documents."""
    if number.value is None or number.low is None or number.high is None or not 0 <= number.value <= 1:
        return False
    right = round(number.value * number.n)
    theirs = wilson(right, number.n)
    pairs = ((number.value, theirs.value), (number.low, theirs.low), (number.high, theirs.high))
    return all(b is not None and abs(a - b) < _SAME for a, b in pairs)


def _detectable(test: _Test, m: int) -> float:
    from scipy.special import stdtrit

    return (float(stdtrit(test.n - 1, 1 - APART / (2 * m))) + NormalDist().inv_cdf(POWER)) * test.error
