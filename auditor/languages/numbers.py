"""Numbers, lists and dates as a language writes them, by the Unicode locale data in Babel.

Minus is U+2212 in every language, nothing is printed as a negative zero, and from a million on rounded numbers are
written with a power of ten.
"""

import functools
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from auditor.languages import Language, spoken

if TYPE_CHECKING:
    from babel import Locale

MINUS = "\u2212"
NOTHING = "–"
"""Stands where a number could not be computed."""

_LOCALES: dict[Language, str] = {"en": "en_GB", "zh": "zh_Hans_CN"}
_HUGE = 1e6
_TINY, _ENDLESS = 1e-7, 1e15
"""Between them a number is written out in full where it is not rounded."""
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def count(n: int) -> str:
    """12,345."""
    return _localised(f"{n:,}")


def decimal(value: float, digits: int, *, sign: bool = False) -> str:
    """A number with a fixed count of decimals."""
    if abs(value) >= _HUGE:
        return _scientific(value)
    text = f"{value:{'+' if sign else ''},.{digits}f}"
    if not text.strip("+-0.,"):
        text = text.lstrip("+-")
    return _localised(text)


def shortest(value: float) -> str:
    """A number as it was declared, with all of its digits: `0.8`, `25`, `1,234,567`, `2.5 × 10⁻⁹`."""
    exact = Decimal(repr(float(value))).normalize()
    if value and not _TINY <= abs(value) < _ENDLESS:
        mantissa, _, exponent = f"{exact:E}".partition("E")
        return _times_ten(mantissa, exponent)
    return _localised(f"{exact + 0:,f}")


def power_of_ten(exponent: int) -> str:
    """10⁴⁰⁰, however large."""
    return f"10{str(exponent).translate(_SUPERSCRIPTS)}"


def listed(words: Iterable[str]) -> str:
    """`a, b and c`, in Chinese `a、b、c`; a dash where there is nothing."""
    from babel.lists import format_list

    found = list(words)
    if spoken() == "zh":  # Babel writes the last with 和, which a Latin word or a number would run into
        return "、".join(found) or NOTHING
    return format_list(found, locale=_locale(spoken())) if found else NOTHING


def separator() -> str:
    """What stands between the members of a row that is not a sentence: `, `, in Chinese `、`."""
    return "、" if spoken() == "zh" else ", "


def paragraph(sentences: Iterable[str]) -> str:
    """Sentences one after the other; Chinese has no space between them. Empty ones are left out."""
    return ("" if spoken() == "zh" else " ").join(filter(None, sentences))


def place_in_alphabet(word: str) -> bytes:
    """A key to sort words by: letters without their case; Chinese by the sound, in the order of its national code."""
    return word.casefold().encode("gb18030" if spoken() == "zh" else "utf-8")


def day(moment: datetime) -> str:
    """`21 November 2026`, in UTC."""
    from babel.dates import format_date

    return format_date(moment.astimezone(UTC), format="long", locale=_locale(spoken()))


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.1e}".split("e")
    return _times_ten(mantissa, exponent)


def _times_ten(mantissa: str, exponent: str) -> str:
    return f"{_localised(mantissa)} × 10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def _localised(text: str) -> str:
    return text.translate(_symbols(spoken()))


@functools.cache
def _symbols(language: Language) -> dict[int, str]:
    """What a language writes for the marks in Python's own numbers."""
    symbols = _locale(language).number_symbols["latn"]
    return {ord("-"): MINUS, ord(","): symbols["group"], ord("."): symbols["decimal"]}


@functools.cache
def _locale(language: Language) -> "Locale":
    from babel import Locale

    return Locale.parse(_LOCALES[language])
