"""How many digits a number deserves.

Digits follow the uncertainty. With h the half-width of the 95 % interval, the last digit printed is the first
significant digit of h, and one more where that digit is 1 or 2 (the rule of the Particle Data Group, simplified),
within limits per unit: 0.912 (0.900–0.923), but 0.74 (0.71–0.77). Without an interval each unit has a fixed number of
decimals; perplexity has three significant digits.

A number that stands beside a bound has more where it needs them: so many that neither it nor an end of its interval is
printed as the bound, or beyond it, unless it is the bound.
"""

import math

from auditor.findings.contract.types import Check, Number

DECIMALS = {
    "share": 3,
    "nats": 2,
    "bits": 2,
    "count": 0,
    "tokens": 1,
    "perplexity": 1,
    "correlation": 2,
    "probability": 2,
    "log-probability": 2,
    "log-odds": 2,
}
_MOST_DECIMALS = {"share": 3, "count": 0, "tokens": 2, "perplexity": 2}
_LEAST_DECIMALS = {"count": 0, "tokens": 0, "perplexity": 0}
_SAME = 1e-12
"""What lies closer to a bound differs from it by rounding alone."""
_FINEST = 12


def digits_for(low: float | None, high: float | None, unit: str) -> int:
    """Decimals that the width of an interval justifies."""
    half_width = 0.0 if low is None or high is None else (high - low) / 2
    if not half_width > 0:  # an interval of the smallest floats has a half-width of nought too
        return DECIMALS[unit]
    exponent = math.floor(math.log10(half_width) + 1e-12)
    leading = round(half_width / 10**exponent, 9)
    digits = -exponent + (1 if leading < 3 else 0)
    return min(max(digits, _LEAST_DECIMALS.get(unit, 2)), _MOST_DECIMALS.get(unit, 4))


def digits_of(number: Number) -> int | None:
    """Decimals of a number by its interval; None where it has none."""
    if number.low is None or number.high is None or not number.high > number.low:
        return None
    return digits_for(number.low, number.high, number.unit)


def usual_digits(value: float, unit: str) -> int:
    """Decimals of a value without an interval."""
    return significant(value, 3) if unit == "perplexity" else DECIMALS[unit]


def check_digits(check: Check) -> int:
    """Decimals of a checked number and of the ends of its interval."""
    return 0 if check.number is None else digits_beside(check.number, check.bound)


def digits_beside(number: Number, bound: float) -> int:
    """As many decimals as the uncertainty justifies, and more where anything would round onto the bound."""
    first = digits_of(number)
    first = usual_digits(number.value or 0.0, number.unit) if first is None else first
    apart = [x for x in (number.value, number.low, number.high) if x is not None and abs(x - bound) >= _SAME]
    finer = range(first, _FINEST)
    return next((d for d in finer if all(round(x, d) != round(bound, d) for x in apart)), _FINEST)


def significant(value: float, figures: int) -> int:
    """Decimals that show so many significant figures."""
    if value == 0:
        return figures - 1
    return max(0, figures - 1 - math.floor(math.log10(abs(value))))
