"""Numbers and counts inside sentences: sensible digits, the true minus, plain plurals."""

from collections.abc import Sequence

from auditor.findings.digits import DECIMALS, digits_of, significant
from auditor.findings.types import Number
from auditor.languages import numbers, say


def figure(value: float, unit: str, digits: int | None = None) -> str:
    """A value as it stands in a sentence."""
    if digits is None:
        digits = significant(value, 3) if unit == "perplexity" else DECIMALS[unit]
    return numbers.decimal(value, digits)


def bound(value: float) -> str:
    """A bound as it was declared."""
    return numbers.shortest(value)


def measured(number: Number) -> str:
    """Value and interval: "0.861 (95% interval 0.812 to 0.899)"."""
    if number.value is None:
        return say("not measured")
    value = figure(number.value, number.unit, digits_of(number))
    if number.low is None or number.high is None:
        return value
    return say("{value} (95% interval {interval})", value=value, interval=interval(number))


def interval(number: Number) -> str:
    """The ends of the interval: "0.812 to 0.899"."""
    digits = digits_of(number)
    low, high = number.low or 0.0, number.high or 0.0
    return say("{low} to {high}", low=figure(low, number.unit, digits), high=figure(high, number.unit, digits))


def count(n: int, noun: str, plural: str | None = None) -> str:
    """A counted noun: "1 document", "1,204 documents"."""
    return f"{n:,} {noun if n == 1 else plural or noun + 's'}"


def listing(items: Sequence[str], most: int = 3) -> str:
    """The items as "a, b and c"; beyond `most` the rest is counted."""
    shown = list(items[:most])
    if len(items) > most:
        shown.append(say("{count} more", count=numbers.count(len(items) - most)))
    return numbers.listed(shown) if shown else ""
