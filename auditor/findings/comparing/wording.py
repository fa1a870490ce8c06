"""How the difference of a number between two runs is put: digits by its interval, of a perplexity as a factor."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from auditor.findings.comparing.types import Change, Difference
from auditor.findings.statistics.exponentials import BEYOND, PRINTED, exponential
from auditor.findings.wording.digits import DECIMALS, digits_for
from auditor.findings.wording.sentences import figure, p_value
from auditor.languages import N_, numbers, say

CHANGES: Mapping[Change, str] = {
    "worse": N_("worse"),
    "better": N_("better"),
    "changed": N_("changed"),
    "small": N_("changed a little"),
    "none": N_("no change found"),
    "not compared": N_("not compared"),
}
_FACTOR_DIGITS = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """A difference as it is printed; `NOTHING` in the place of what is unknown."""

    before: str
    after: str
    difference: str
    interval: str
    p: str
    detectable: str
    change: str


def shown(one: Difference) -> Shown:
    """A difference as it is printed."""
    change = say(CHANGES[one.change])
    if one.difference is None or one.before is None or one.after is None:
        nothing = numbers.NOTHING
        return Shown(nothing, nothing, nothing, nothing, nothing, nothing, change)
    write = _factor if one.unit == "perplexity" else _signed(_digits(one))
    known = one.low is not None and one.high is not None
    ends = {"low": write(one.low or 0.0), "high": write(one.high or 0.0)}
    return Shown(
        before=_value(one, one.before),
        after=_value(one, one.after),
        difference=write(one.difference),
        interval=say("{low} to {high}", **ends) if known else numbers.NOTHING,
        p=numbers.NOTHING if one.corrected_p is None else p_value(one.corrected_p),
        detectable=numbers.NOTHING if one.detectable is None else write(one.detectable).lstrip("+"),
        change=change,
    )


def _digits(one: Difference) -> int:
    if one.low is None or one.high is None:
        return DECIMALS[one.unit]
    return digits_for(one.low, one.high, one.unit)


def _value(one: Difference, value: float) -> str:
    if one.unit != "perplexity":
        return figure(value, one.unit, _digits(one))
    written = exponential(value)
    return PRINTED if written is None else figure(written, "perplexity")


def _signed(digits: int) -> Callable[[float], str]:
    return lambda value: numbers.decimal(value, digits, sign=True)


def _factor(nats: float) -> str:
    return f"×{numbers.decimal(math.exp(min(nats, BEYOND)), _FACTOR_DIGITS)}"
