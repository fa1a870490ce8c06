"""Detects the delimiter of a file from its header and its first hundred rows, never from its name.

Candidates are the delimiters that the header holds outside of quotation marks. The one by which most rows have as many
fields as the header wins; ties go to more columns, then to the first of comma, semicolon, tab and pipe. A header
without a candidate is that of one column, whatever the rows hold. A first line `sep=;`, which Excel writes and reads,
states the delimiter.
"""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from auditor.corpus.faults import fault, quote
from auditor.corpus.readers.rows import DELIMITERS
from auditor.corpus.readers.text import LONGEST_BEGINNING, Text
from auditor.errors import ConfigError
from auditor.records.dialect import ONE_COLUMN

NO_DELIMITER = "\ud800"
"""For csv.reader, which wants one: half a character, which no decoded text holds."""
_LONGEST_FIELD = 2**26
_LONE_RETURN, _RETURN = re.compile(r"\r(?!\n|\Z)"), "\ud801"
_ROWS = 100
_UNFIT = (0.0, 0)
_SEP_LINE = re.compile(r'"?sep=(.)"?(\r\n|\r|\n)', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Columns:
    """How the fields of a row are separated."""

    delimiter: str
    """A key of `DELIMITERS`, or "none"."""
    skips_space: bool = False
    """Whether spaces after a delimiter are dropped: `text, label`."""
    is_stated: bool = False
    """Whether the first line is `sep=…`, so that the header is the second."""

    @property
    def character(self) -> str:
        """The delimiter as the character that csv.reader expects."""
        return DELIMITERS.get(self.delimiter, NO_DELIMITER)


def detect(text: Text, beginning: str, requested: str | None) -> Columns:
    """The columns of a file.

    Args:
        text: The file.
        beginning: The first characters of its text.
        requested: `corpus.delimiter`: a delimiter, its name, or "none"; None detects it.

    Raises:
        ConfigError: the requested delimiter is none of the four.
        CorpusError: the delimiter in the line `sep=` is none of the four.
    """
    stated = _SEP_LINE.match(beginning)
    lines = [part + text.line_end for part in beginning.split(text.line_end)][1 if stated else 0 :]
    if requested is not None:
        name = _requested(requested)
    elif stated:
        name = _stated(text, stated[1])
    else:
        name = _sniffed(lines, is_whole=len(beginning) < LONGEST_BEGINNING)
    return Columns(name, _skips_space(lines, name), is_stated=stated is not None)


def read_fields(lines: Iterable[str], columns: Columns) -> Iterator[tuple[int, list[str]]]:
    """The number of the first line, from 1, and the fields of every row that is not blank.

    A lone carriage return within a line is text, also outside of quotation marks, where pandas leaves it.

    Raises:
        csv.Error: the lines are not strictly CSV; `args` are the reason and the number of the last line read.
    """
    limit = csv.field_size_limit(_LONGEST_FIELD)  # documents may be long; the default of 131,072 is global
    reader = csv.reader(
        (_LONE_RETURN.sub(_RETURN, line) if "\r" in line else line for line in lines),
        delimiter=columns.character,
        skipinitialspace=columns.skips_space,
        strict=True,
    )
    number = 1
    try:
        for fields in reader:
            if fields:
                yield number, [field.replace(_RETURN, "\r") for field in fields]
            number = reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(str(error).replace(NO_DELIMITER, "line end"), reader.line_num) from error
    finally:
        csv.field_size_limit(limit)


def _requested(delimiter: str) -> str:
    r"""The name of a requested delimiter: "tab" for "tab", a tab, and `\t` as typed into a shell."""
    characters = {character: name for name, character in DELIMITERS.items()} | {"\\t": "tab"}
    name = characters.get(delimiter, delimiter)
    if name not in (*DELIMITERS, ONE_COLUMN):
        known = ", ".join((*DELIMITERS, ONE_COLUMN))
        raise ConfigError(f"corpus.delimiter: unknown delimiter {quote(delimiter)}; expected one of {known}")
    return name


def _stated(text: Text, character: str) -> str:
    """The name of the delimiter in the line `sep=`."""
    for name, delimiter in DELIMITERS.items():
        if character == delimiter:
            return name
    what = f"the delimiter {quote(character)} is none of {', '.join(DELIMITERS)}"
    raise fault(text.content.path, "line 1", f"{what}; write the file again with one of them")


def _sniffed(lines: list[str], *, is_whole: bool) -> str:
    """The name of the delimiter that fits the rows best, or "none"."""
    fits = {name: _fit(lines, name, is_whole=is_whole) for name in DELIMITERS}
    best = max(fits, key=lambda name: fits[name])
    return best if fits[best] > _UNFIT else ONE_COLUMN


def _fit(lines: list[str], name: str, *, is_whole: bool) -> tuple[float, int]:
    """The share (0..1) of rows, header included, with as many fields as the header, and that number of fields."""
    rows: list[list[str]] = []
    try:
        for _, fields in islice(read_fields(lines, Columns(name, _skips_space(lines, name))), _ROWS):
            rows.append(fields)
        if not is_whole and len(rows) < _ROWS:
            rows.pop()  # cut in two
    except csv.Error:
        rows.append([])  # like no header
    width = len(rows[0]) if rows else 0
    return (sum(len(row) == width for row in rows) / len(rows), width) if width > 1 else _UNFIT


def _skips_space(lines: list[str], name: str) -> bool:
    """Whether a space follows every delimiter of the header."""
    header = next((line for line in lines if line.strip()), "")
    _, *others = header.split(DELIMITERS.get(name, NO_DELIMITER))
    return bool(others) and all(field.startswith(" ") for field in others)
