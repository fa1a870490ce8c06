"""What a document has in the column of labels, as text, before anybody has asked which label is meant.

A number is as a table would write it, 1.0 as 1; true is True; null, NaN, "" and " " are nothing. A string that is a
list in JSON ("[0, 1]") is that list: so tables without lists write them.
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
    """The value, or the items of the list; "" is a gap in it."""
    is_list: bool = False

    @property
    def is_absent(self) -> bool:
        """Whether nothing is said about the document; an empty list says that it has no label."""
        return not self.is_list and not self.parts

    @property
    def values(self) -> tuple[str, ...]:
        """The distinct values, without the gaps."""
        return tuple(dict.fromkeys(part for part in self.parts if part))

    @property
    def text(self) -> str:
        """The entry as one value, which `[corpus.labels]` may name: `[0, 1]` for a list."""
        if not self.is_list:
            return "".join(self.parts)
        shown = (part if number(part) is not None else json.dumps(part, ensure_ascii=False) for part in self.parts)
        return f"[{', '.join(shown)}]"


def read_cell(value: object) -> Cell:
    """An entry as it stands in the file.

    Raises:
        TypeError: it is neither a string, a number, a boolean, nothing, nor a list of these; the argument of the
            error is what is none of them.
    """
    if isinstance(value, list):
        return Cell(tuple(map(_text, value)), is_list=True)
    text = _text(value)
    return Cell((text,) if text else ())


def cell_from_text(text: str) -> Cell:
    """What a string says: a list where it is one in JSON, else the string."""
    if text[:1] == "[" and text[-1:] == "]":
        try:
            value = json.loads(text)
            return read_cell(value) if isinstance(value, list) else Cell((text,))
        except (ValueError, TypeError, RecursionError):
            return Cell((text,))
    return Cell((text,))


def number(text: str) -> int | None:
    """The whole number that a text is: "1", "1.0" and "-1" are, "01", "+1" and "1e0" are not."""
    match = _NUMBER.fullmatch(text.strip())
    return int(match[1]) if match else None


def bit(text: str) -> int | None:
    """The 0 or 1 that an item of a vector stands for, where it does."""
    value = number(text)
    return _BITS.get(text if value is None else str(value))


def distinct(cells: Iterable[Cell]) -> dict[str, None]:
    """Every value that occurs, once, in the order of the first."""
    return dict.fromkeys(value for cell in cells for value in cell.values)


def _text(value: object) -> str:
    """A value as text: 1.0 is 1, for tables with gaps turn whole numbers into floats; nothing is empty."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if not isinstance(value, (str, int, float)):
        raise TypeError(value)
    text = plain(str(value))
    return text if text.strip() else ""
