"""What separates the columns of a file: told from its header and its first hundred rows, never from its name.

A delimiter is one that the header holds, outside of quotation marks, and by which the rows have as many fields as the
header; of several, the one that most rows fit, then the one of most columns, then the first of comma, semicolon, tab
and pipe. A header that holds none is that of one column, whatever its texts hold. A first line `sep=;`, which Excel
writes and reads, says it outright.
"""

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice

from auditor.corpus.faults import fault, quote
from auditor.corpus.readers.rows import DELIMITERS, ONE_COLUMN
from auditor.corpus.readers.text import LONGEST_BEGINNING, Text

NO_DELIMITER = "\ud800"
"""For csv.reader, which wants one: half a character, which no decoded text holds."""
_LONGEST_FIELD = 2**26
_ROWS = 100
_UNFIT = (0.0, 0)
_SEP_LINE = re.compile(r'"?sep=(.)"?(\r\n|\r|\n)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Columns:
    """How the fields of a row stand beside each other."""

    delimiter: str
    """A key of `DELIMITERS`, or "none"."""
    skips_space: bool = False
    """Whether the space behind a delimiter belongs to it: `text, label`."""
    is_stated: bool = False
    """Whether the first line states the delimiter and holds no header."""

    @property
    def character(self) -> str:
        """As csv.reader wants it."""
        return DELIMITERS.get(self.delimiter, NO_DELIMITER)


def recognise(text: Text, beginning: str, asked: str | None) -> Columns:
    """What separates the columns.

    Args:
        text: The file.
        beginning: Of its text.
        asked: What the user says: a delimiter, its name, or "none".

    Raises:
        CorpusError: the line `sep=` states another delimiter than these four.
    """
    stated = _SEP_LINE.match(beginning)
    rest = beginning[stated.end() :] if stated else beginning
    if asked is None and stated:
        asked = _name(stated[1])
        if asked not in DELIMITERS:
            what = f"the delimiter {quote(stated[1])} is none of {', '.join(DELIMITERS)}"
            raise fault(text.content.path, "line 1", f"{what}; write the file again with one of them")
    if asked is not None:
        name = _name(asked)
        return Columns(name, _skips_space(rest, name), is_stated=stated is not None)
    is_whole = len(beginning) < LONGEST_BEGINNING
    with long_fields():
        measured = {name: _fit(rest, name, is_whole=is_whole) for name in DELIMITERS}
    best = max(measured, key=lambda name: measured[name])
    return Columns(best, _skips_space(rest, best)) if measured[best] > _UNFIT else Columns(ONE_COLUMN)


@contextmanager
def long_fields() -> Iterator[None]:
    """Lets csv.reader read documents of any length: its limit of 131,072 characters is one for the whole process."""
    limit = csv.field_size_limit(_LONGEST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(limit)


def _name(delimiter: str) -> str:
    r"""The name of a delimiter: "tab" for "tab", a tab, and `\t` as typed into a shell."""
    if delimiter == "\\t":
        return "tab"
    return next((name for name, character in DELIMITERS.items() if character == delimiter), delimiter)


def _fit(beginning: str, name: str, *, is_whole: bool) -> tuple[float, int]:
    """The share of rows, header included, that have as many fields as the header, and how many these are."""
    rows = list(islice(_rows(beginning, name, is_whole=is_whole), _ROWS))
    width = len(rows[0]) if rows else 0
    return (sum(len(row) == width for row in rows) / len(rows), width) if width > 1 else _UNFIT


def _rows(beginning: str, name: str, *, is_whole: bool) -> Iterator[list[str]]:
    """The first rows; where one is no CSV an empty one, which no header is like, and the end."""
    skips = _skips_space(beginning, name)
    lines = io.StringIO(beginning, newline="")
    reader = csv.reader(lines, delimiter=DELIMITERS[name], strict=True, skipinitialspace=skips)
    pending: list[str] | None = None
    try:
        for row in filter(None, reader):
            if pending is not None:
                yield pending
            pending = row
        if pending is not None and is_whole:
            yield pending
    except csv.Error:
        yield from [pending] if pending else []
        if is_whole or lines.tell() < len(beginning):
            yield []


def _skips_space(beginning: str, name: str) -> bool:
    """Whether a space follows every delimiter of the header."""
    header = beginning.lstrip("\r\n").partition("\n")[0].partition("\r")[0]
    _, *others = header.split(DELIMITERS.get(name, NO_DELIMITER))
    return bool(others) and all(field.startswith(" ") for field in others)
