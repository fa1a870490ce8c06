"""One entry of the column of labels, as text; which label of the model it means is decided in `labels`.

Numbers are written as tables write them (1.0 is "1", true is "True"); null, NaN, "" and " " are absent. A string that
is a list in JSON ("[0, 1]") is that list: tables that cannot hold lists write them so.
"""

import json
import math
import re
from collections.abc import Iterable
from dataclasses import dataclass

from auditor.corpus.cleaning import plain

_NUMBER = re.compile(r"(0|-?[1-9][0-9]{0,17})(\.0*)?")
_BITS = {"True": 1, "False": 0, "0": 0, "1": 1}


@dataclass(frozen=True, slots=True)
class Cell:
    """One entry of the column."""

    parts: tuple[str, ...]
    """The value alone, or the items of the list; "" stands for a missing item, () for an absent entry."""
    is_list: bool = False

    @property
    def is_absent(self) -> bool:
        """Whether the entry is missing; an empty list is present and means "no label"."""
        return not self.is_list and not self.parts

    @property
    def values(self) -> tuple[str, ...]:
        """The distinct items in their order, without missing ones."""
        return tuple(dict.fromkeys(part for part in self.parts if part))

    @property
    def text(self) -> str:
        """The entry as one string, as a key of `[corpus.labels]` writes it: `[0, 1]` for a list."""
        if not self.is_list:
            return "".join(self.parts)
        shown = (part if number(part) is not None else json.dumps(part, ensure_ascii=False) for part in self.parts)
        return f"[{', '.join(shown)}]"


def read_cell(value: object) -> Cell:
    """Read the value of one entry.

    Raises:
        TypeError: the value, or an item of the list, is no string, number, boolean or None; `args[0]` is that object.
    """
    if isinstance(value, list):
        return Cell(tuple(map(_text, value)), is_list=True)
    text = _text(value)
    return Cell((text,) if text else ())


def cell_from_text(text: str) -> Cell:
    """The list that a string is in JSON, else the string itself as one value."""
    if text[:1] == "[" and text[-1:] == "]":
        try:
            value = json.loads(text)
            return read_cell(value) if isinstance(value, list) else Cell((text,))
        except (ValueError, TypeError, RecursionError):
            return Cell((text,))
    return Cell((text,))


def number(text: str) -> int | None:
    """The whole number that a text writes ("1", "1.0", "-1"), else None ("01", "+1", "1e0")."""
    match = _NUMBER.fullmatch(text.strip())
    return int(match[1]) if match else None


def bit(text: str) -> int | None:
    """0 or 1 for an item of a vector ("0", "1.0", "True", "False"), None for any other text."""
    value = number(text)
    return _BITS.get(text if value is None else str(value))


def distinct(cells: Iterable[Cell]) -> dict[str, None]:
    """Every value that occurs, once, in the order of first occurrence (an ordered set)."""
    return dict.fromkeys(value for cell in cells for value in cell.values)


def _text(value: object) -> str:
    """A scalar as text, "" where it is missing; 1.0 is "1", for tables with gaps turn integers into floats."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if not isinstance(value, (str, int, float)):
        raise TypeError(value)
    text = plain(str(value))
    return text if text.strip() else ""
