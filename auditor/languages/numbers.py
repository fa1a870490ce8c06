"""Formats numbers, lists and dates in the current language, by the Unicode locale data in Babel.

Minus is U+2212 in every language, negative zero is printed as zero, and rounded numbers from a million on are written
with a power of ten.
"""

import functools
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from auditor.languages.current import Language, spoken
from auditor.languages.marks import marked

if TYPE_CHECKING:
    from babel import Locale

MINUS = "\u2212"
NOTHING = "–"
"""Printed in place of a number that could not be computed."""

_LOCALES: dict[Language, str] = {"en": "en_GB", "zh": "zh_Hans_CN"}
_HUGE = 1e6
_TINY, _ENDLESS = 1e-7, 1e15
"""Numbers between these two are written in full by `shortest`, others with a power of ten."""
_SUPERSCRIPTS = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")


def count(n: int) -> str:
    """A whole number with its thousands separated: `12,345`."""
    return marked(_localised(f"{n:,}"), n)


def decimal(value: float, digits: int, *, sign: bool = False) -> str:
    """A number with a fixed count of decimals: `0.25`, with `sign` also `+0.25`."""
    if abs(value) >= _HUGE:
        return _scientific(value)
    text = f"{value:{'+' if sign else ''},.{digits}f}"
    if not text.strip("+-0.,"):
        text = text.lstrip("+-")
    return marked(_localised(text), value)


def shortest(value: float) -> str:
    """A number with the fewest digits that identify it as a float: `0.8`, `25`, `1,234,567`, `2.5 × 10⁻⁹`."""
    exact = Decimal(repr(float(value))).normalize()
    if value and not _TINY <= abs(value) < _ENDLESS:
        mantissa, _, exponent = f"{exact:E}".partition("E")
        return _times_ten(mantissa, exponent)
    return marked(_localised(f"{exact + 0:,f}"), value)


def power_of_ten(exponent: int) -> str:
    """A power of ten, which may exceed every float: `10⁴⁰⁰`."""
    return f"10{str(exponent).translate(_SUPERSCRIPTS)}"


def listed(words: Iterable[str]) -> str:
    """An enumeration: `a, b and c`, in Chinese `a、b、c`; a dash where it is empty."""
    from babel.lists import format_list

    items = list(words)
    if spoken() == "zh":  # Babel writes the last with 和, which a Latin word or a number would run into
        return "、".join(items) or NOTHING
    return format_list(items, locale=_locale(spoken())) if items else NOTHING


def separator() -> str:
    """The separator of a list that is not a sentence: `, `, in Chinese `、`."""
    return "、" if spoken() == "zh" else ", "


def paragraph(sentences: Iterable[str]) -> str:
    """Sentences joined by a space, in Chinese by nothing; empty ones are left out."""
    return ("" if spoken() == "zh" else " ").join(filter(None, sentences))


def collation_key(word: str) -> bytes:
    """A key to sort words by: letters without their case; Chinese by sound, which is the order of GB 2312."""
    return word.casefold().encode("gb18030" if spoken() == "zh" else "utf-8")


def day(moment: datetime) -> str:
    """A date, in UTC: `21 November 2026`."""
    from babel.dates import format_date

    return format_date(moment.astimezone(UTC), format="long", locale=_locale(spoken()))


def _scientific(value: float) -> str:
    mantissa, exponent = f"{value:.1e}".split("e")
    return _times_ten(mantissa, exponent)


def _times_ten(mantissa: str, exponent: str) -> str:
    return f"{_localised(mantissa)} × 10{str(int(exponent)).translate(_SUPERSCRIPTS)}"


def _localised(text: str) -> str:
    """A number that Python formatted, with the signs of the current language."""
    return text.translate(_symbols(spoken()))


@functools.cache
def _symbols(language: Language) -> dict[int, str]:
    """A table for `str.translate`: the signs in numbers that Python formats → those of a language."""
    symbols = _locale(language).number_symbols["latn"]
    return {ord("-"): MINUS, ord(","): symbols["group"], ord("."): symbols["decimal"]}


@functools.cache
def _locale(language: Language) -> "Locale":
    from babel import Locale

    return Locale.parse(_LOCALES[language])
