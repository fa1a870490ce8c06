"""Reads CSV, TSV and other text with a delimiter between columns.

There are two parsers. `_Quoted` is RFC 4180 with any of four delimiters, strictly: a stray quotation mark is an error,
rather than the loss of half of the file. `_Plain` reads one row per line and unquotes a field only if quotation marks
enclose all of it. Files with tabs are tried with both, `_Plain` first where the format is "tsv", and read by the first
that gives every row as many fields as the header; other files, and those that neither fits, by the first of the list.

A column without a name is left out: the first as the numbering that pandas and R write, others if they hold no value.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auditor.corpus.faults import fault, no_duplicates, quote
from auditor.corpus.readers.delimiters import Columns, read_fields
from auditor.corpus.readers.rows import Row
from auditor.corpus.readers.text import Text
from auditor.errors import CorpusError
from auditor.records.dialect import ONE_COLUMN


def read_rows(text: Text, columns: Columns, *, prefers_plain: bool) -> Iterator[Row]:
    """The rows below the header, in order.

    Args:
        text: The file.
        columns: Its delimiter.
        prefers_plain: Whether `_Plain` is tried first on a file with tabs.

    Raises:
        CorpusError: a row does not fit the header; names its line.
    """
    parsers: list[_Quoted | _Plain] = [_Quoted(text, columns)]
    if columns.delimiter == "tab":
        parsers.insert(0 if prefers_plain else 1, _Plain(text, columns))
    parser = next((parser for parser in parsers if len(parsers) > 1 and _fits(parser)), parsers[0])
    header: _Header | None = None
    for number, fields in parser.fields():
        if header is None:
            header = _Header(text, number, tuple(fields), parser.advice)
        else:
            yield header.row(number, fields)


@dataclass(frozen=True, slots=True)
class _Quoted:
    """Rows as csv.reader reads them."""

    text: Text
    columns: Columns

    @property
    def advice(self) -> str:
        """How the user can mend a row with more or fewer fields than the header."""
        if self.columns.delimiter == ONE_COLUMN:
            return "put a field that holds a quotation mark into quotation marks, and double the mark inside"
        separator = self.columns.delimiter
        advice = f"put a field that holds a {separator} into quotation marks"
        return f'{advice}, or say in corpus.delimiter what separates columns ("none" if there is only one)'

    def fields(self) -> Iterator[tuple[int, list[str]]]:
        """The number of the first line and the fields of every row that is not blank."""
        first = 1 + self.columns.is_stated
        lines = (line for number, line in self.text.lines() if number >= first)
        try:
            for number, fields in read_fields(lines, self.columns):
                yield number + first - 1, fields
        except csv.Error as error:
            reason, number = error.args
            raise self._fault(number + first - 1, reason) from error

    def _fault(self, line: int, reason: str) -> CorpusError:
        advice = "double every quotation mark inside a quoted field, and close each"
        if "new-line" in reason:
            advice = "its line ends are mixed: save it with one kind of them"
        return fault(self.text.content.path, f"line {line}", f"not CSV ({reason.split(' - ')[0]}); {advice}")


@dataclass(frozen=True, slots=True)
class _Plain:
    """Rows as lines; only whole fields may be quoted."""

    text: Text
    columns: Columns
    advice = "a field cannot hold a tab or a line break"

    def fields(self) -> Iterator[tuple[int, list[str]]]:
        """The number and the fields of every line that is not blank."""
        for number, line in self.text.lines():
            if number > 1 or not self.columns.is_stated:
                fields = [_unquoted(field) for field in line.rstrip("\r\n").split(self.columns.character)]
                if fields != [""]:
                    yield number, fields


def _unquoted(field: str) -> str:
    inside = field[1:-1]
    enclosed = len(field) >= 2 and field[0] == field[-1] == '"' and '"' not in inside.replace('""', "")
    return inside.replace('""', '"') if enclosed else field


def _fits(parser: _Quoted | _Plain) -> bool:
    """Whether every row has as many fields as the header."""
    try:
        return len({len(fields) for _, fields in parser.fields()}) <= 1
    except CorpusError:
        return False


class _Header:
    """The names of the columns; turns the fields of a row into a `Row`."""

    def __init__(self, text: Text, number: int, names: Sequence[str], advice: str) -> None:
        self._path, self._names, self._advice = text.content.path, names, advice
        self._unnamed = [position for position, name in enumerate(names) if not name.strip()]
        no_duplicates(self._path, f"line {number}", [name for name in names if name.strip()])

    def row(self, number: int, fields: list[str]) -> Row:
        """The row with these fields, without columns that have no name.

        Raises:
            CorpusError: it has more or fewer fields than the header, or a value in a column without a name.
        """
        location = f"line {number}"
        if len(fields) != len(self._names):
            what = f"expected {len(self._names)} fields as in the header, found {len(fields)}"
            raise fault(self._path, location, f"{what}; {self._advice}")
        for position in self._unnamed:
            if position > 0 and fields[position].strip():
                what = f"{quote(fields[position])} stands in column {position + 1}, which has no name in the header"
                raise fault(self._path, location, f"{what}; name the column there, or {self._advice}")
        named = zip(self._names, fields, strict=True)
        return Row(number, location, {name: field for name, field in named if name.strip()})
