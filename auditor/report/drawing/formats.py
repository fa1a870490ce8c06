"""Formats numbers, dates and text as the report prints them.

Digits follow the uncertainty (`auditor.findings.wording.digits`). Minus is U+2212; ranges take an en dash, or "to"
where a sign would meet it. Measured shares stay between 0 and 1, as bounds are declared; plain fractions of a count
(how many heads, how many documents) are printed as percentages.
"""

import unicodedata
from collections.abc import Sequence
from datetime import UTC, datetime

from auditor.findings.contract.numbers import as_nats
from auditor.findings.contract.types import Check, Number
from auditor.findings.statistics.exponentials import PRINTED, exponential
from auditor.findings.wording.digits import check_digits as check_digits
from auditor.findings.wording.digits import digits_for, digits_of, usual_digits
from auditor.findings.wording.sentences import middle as middle
from auditor.languages import N_, numbers, say
from auditor.languages.numbers import NOTHING as NOTHING
from auditor.languages.numbers import count as count
from auditor.languages.numbers import decimal as decimal
from auditor.languages.numbers import listed as listed
from auditor.languages.numbers import paragraph as paragraph

_WITH_UNIT = {"nats": N_("{number} nats"), "bits": N_("{number} bits"), "tokens": N_("{number} tokens")}
_REORDERING = (*range(0x202A, 0x202F), *range(0x2066, 0x206A))
# No page may hold them: controls other than tab and line ends, lone surrogates, noncharacters.
_FORBIDDEN = (
    *(code for code in range(0x20) if chr(code) not in "\t\n\r"),
    *range(0x7F, 0xA0),
    *range(0xD800, 0xE000),
    *range(0xFDD0, 0xFDF0),
    *(plane + low for plane in range(0, 0x110000, 0x10000) for low in (0xFFFE, 0xFFFF)),
)
_VISIBLE = {code: f"[U+{code:04X}]" for code in (*_REORDERING, *_FORBIDDEN)}


def visible(text: str) -> str:
    """A text with two kinds of characters replaced by their code point, such as `[U+202E]`.

    Controls that reorder text are replaced so that the page shows it in the order that the model was given. Characters
    that no page may contain are replaced too: a corpus is free of them (`auditor.corpus.cleaning`), but not the labels
    of a model, its tokens and its continuations.
    """
    return text.translate(_VISIBLE)


def spelled_out(text: str, missing: Sequence[str]) -> str:
    """A text with the characters in `missing`, which no font has, replaced by their code point: `[U+XXXX]`."""
    return text.translate({ord(character): f"[U+{ord(character):04X}]" for character in missing})


def direction(text: str) -> str:
    """`rtl` or `ltr`, by the first strong character, as HTML's `dir="auto"`, which WeasyPrint does not support."""
    for character in text:
        bidi_class = unicodedata.bidirectional(character)
        if bidi_class in ("R", "AL"):
            return "rtl"
        if bidi_class == "L":
            return "ltr"
    return "ltr"


def excerpt(text: str, limit: int) -> str:
    """The first `limit` characters of a text on one line, with an ellipsis where it was cut."""
    line = " ".join(text[: 4 * limit].split())
    if len(line) <= limit and len(text) <= 4 * limit:
        return line
    return line[: limit - 1].rstrip() + "…"


def percent(share: float, digits: int = 0) -> str:
    """A share (0..1) of a count as a percentage: `25%`."""
    return decimal(100 * share, digits) + "%"


def quantity(value: float | None, unit: str, digits: int | None = None, *, suffix: bool = True) -> str:
    """A value in its unit: `0.912`, `18.4`, `1.05 nats`."""
    if value is None:
        return NOTHING
    number = decimal(value, usual_digits(value, unit) if digits is None else digits)
    return say(_WITH_UNIT[unit], number=number) if suffix and unit in _WITH_UNIT else number


def perplexity(nats: float | None) -> str:
    """A perplexity, given its logarithm in nats: `18.4`; beyond 1e300 `> 1e300 (805.3 nats)`."""
    if nats is None:
        return NOTHING
    known = exponential(nats)
    if known is not None:
        return quantity(known, "perplexity")
    return say("{value} ({nats})", value=PRINTED, nats=quantity(nats, "nats", 1))


def value(number: Number, digits: int | None = None) -> str:
    """The value of a number: `0.912`; a perplexity beyond 1e300 with its logarithm.

    Args:
        number: The number.
        digits: Decimals; None takes as many as its interval justifies.
    """
    if number.is_beyond:
        return say("{value} ({nats})", value=short(number), nats=value(as_nats(number)))
    return quantity(number.value, number.unit, digits_of(number) if digits is None else digits)


def short(number: Number, digits: int | None = None) -> str:
    """As `value`, but without the logarithm, for use beside an interval in nats."""
    if not number.is_beyond:
        return value(number, digits)
    return PRINTED if number.value is None else quantity(number.value, number.unit)


def interval(number: Number, digits: int | None = None) -> str:
    """The 95 % interval of a number, without unit; of a perplexity beyond 1e300 that of its logarithm, in nats."""
    if number.is_beyond:
        logarithm = as_nats(number)
        ends = span(logarithm.low, logarithm.high, "nats", digits_of(logarithm))
        return ends if logarithm.low is None else say("{number} nats", number=ends)
    return span(number.low, number.high, number.unit, digits_of(number) if digits is None else digits)


def span(low: float | None, high: float | None, unit: str, digits: int | None = None) -> str:
    """A range: `0.900–0.923`, `−0.02 to 0.08`."""
    if low is None or high is None:
        return NOTHING
    digits = digits_for(low, high, unit) if digits is None else digits
    ends = {"low": decimal(low, digits), "high": decimal(high, digits)}
    return say("{low} to {high}", **ends) if low < 0 or high < 0 else "{low}–{high}".format(**ends)


def bound(check: Check) -> str:
    """The bound of a check as it was declared, unrounded: `≥ 0.8`, `≤ 25`."""
    return f"{'≥' if check.direction == 'at_least' else '≤'} {numbers.shortest(check.bound)}"


def moment(created: str) -> str:
    """The date and time of an ISO 8601 string: `21 November 2026, 22:00 UTC`."""
    time = instant(created)
    return say("{day}, {time} UTC", day=numbers.day(time), time=f"{time:%H:%M}")


def day(created: str) -> str:
    """The date of an ISO 8601 string, in UTC: `21 November 2026`."""
    return numbers.day(instant(created))


def instant(created: str) -> datetime:
    """The time of an ISO 8601 string, in UTC; a string without an offset is taken as UTC."""
    time = datetime.fromisoformat(created)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
