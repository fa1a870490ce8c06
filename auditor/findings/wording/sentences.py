"""Numbers, lists and names inside sentences: sensible digits, the true minus, the words of the language spoken."""

from collections.abc import Collection, Sequence

from auditor.findings.contract.numbers import as_nats
from auditor.findings.contract.registry import owner_of, summaries, summary_of
from auditor.findings.contract.types import Check, Number
from auditor.findings.statistics.exponentials import PRINTED
from auditor.findings.wording.digits import check_digits, digits_of, usual_digits
from auditor.languages import N_, numbers, say

LEFT_OUT = {"hidden-attention": N_("the model does not show its attention")}
"""Kind of reason why a probe that runs by default was not asked → the reason."""
_WORTH_CUTTING = 14
_LEAST_P = 0.001


def figure(value: float, unit: str, digits: int | None = None) -> str:
    """A value as it stands in a sentence."""
    return numbers.decimal(value, usual_digits(value, unit) if digits is None else digits)


def bound(value: float) -> str:
    """A bound as it was declared."""
    return numbers.shortest(value)


def measured(number: Number | None, digits: int | None = None, *, is_brief: bool = False) -> str:
    """Value and interval: "0.861 (95% interval 0.812 to 0.899)"; decimals by the uncertainty where none are given.

    Brief, where what stands above says what brackets hold: "0.861 (0.812 to 0.899)".
    """
    if number is None or not number.is_measured:
        return say("not measured")
    if number.is_beyond:
        return _beyond(number)
    digits = digits_of(number) if digits is None else digits
    value = figure(number.value or 0.0, number.unit, digits)
    if number.low is None or number.high is None:
        return value
    message = N_("{value} ({interval})") if is_brief else N_("{value} (95% interval {interval})")
    return say(message, value=value, interval=interval(number, digits))


def _beyond(number: Number) -> str:
    """A perplexity that cannot be written, with its nats: "> 1e300 (805.3 nats, 95% interval 800.1 to 811.9 nats)"."""
    logarithm = as_nats(number)
    value = PRINTED if number.value is None else figure(number.value, number.unit)
    nats = say("{number} nats", number=figure(logarithm.value or 0.0, "nats", digits_of(logarithm)))
    if logarithm.low is None or logarithm.high is None:
        return say("{value} ({nats})", value=value, nats=nats)
    return say("{value} ({nats}, 95% interval {interval} nats)", value=value, nats=nats, interval=interval(logarithm))


def checked(check: Check, *, is_brief: bool = False) -> str:
    """Value and interval of a checked number, in decimals that tell them from the bound."""
    return measured(check.number, check_digits(check), is_brief=is_brief)


def interval(number: Number, digits: int | None = None) -> str:
    """The ends of the interval: "0.812 to 0.899"."""
    digits = digits_of(number) if digits is None else digits
    low, high = number.low or 0.0, number.high or 0.0
    return say("{low} to {high}", low=figure(low, number.unit, digits), high=figure(high, number.unit, digits))


def p_value(p: float) -> str:
    """A p-value, three decimals: "0.012", "< 0.001"."""
    return f"< {numbers.shortest(_LEAST_P)}" if p < _LEAST_P else numbers.decimal(p, 3)


def probe(name: str) -> str:
    """What a probe is called; one without a summary has its name."""
    summary = summary_of(name)
    return say(summary.title) if summary else name


def titled(name: str, title: str, references: Collection[str]) -> str:
    """The title of a number, which says where it is of a reference model and not of the audited one.

    Args:
        name: Of the number.
        title: Of the number.
        references: The probes that asked a reference model.
    """
    summary = owner_of(name)
    is_of_reference = summary is not None and summary.probe in references
    return say("{number} (reference model)", number=title) if is_of_reference else title


def reason(kind: str) -> str:
    """Why a document was not measurable; a reason that no summary knows is its kind."""
    reasons = {key: text for summary in summaries().values() for key, text in summary.reasons.items()}
    return say(reasons[kind]) if kind in reasons else kind


def left_out(kind: str) -> str:
    """Why a probe was not asked."""
    return say(LEFT_OUT[kind]) if kind in LEFT_OUT else kind


def listing(items: Sequence[str], most: int = 3) -> str:
    """The items as "a, b and c"; beyond `most` the rest is counted."""
    shown = list(items[:most])
    if len(items) > most:
        shown.append(say("{count} more", count=numbers.count(len(items) - most)))
    return numbers.listed(shown) if shown else ""


def middle(text: str, limit: int) -> str:
    """A word or identifier; of one longer than about `limit`, both ends and the number of characters left out."""
    if len(text) <= limit + _WORTH_CUTTING:
        return text
    keep = max(1, (limit - 8) // 2)
    return say(
        "{start}…({count} more)…{end}", start=text[:keep], count=numbers.count(len(text) - 2 * keep), end=text[-keep:]
    )
