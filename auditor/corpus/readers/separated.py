"""Rows of columns with a delimiter between them: CSV, TSV and their kin.

Two ways of writing them are read. Quoted is RFC 4180 with any of four delimiters, strictly: a stray quotation mark is a
fault, not a swallowed half of the file. Plain is one row per line, in which a field is unquoted only if quotation marks
enclose all of it; it is tried on files with tabs only, first where the format is "tsv", and holds if every line is as
wide as the header.

A column without a name is left out: the first as the numbering that pandas and R write, others if they hold no value.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from auditor.corpus.faults import fault, no_duplicates, quote
from auditor.corpus.readers.delimiters import Columns, read_fields
from auditor.corpus.readers.rows import ONE_COLUMN, Row
from auditor.corpus.readers.text import Text
from auditor.errors import CorpusError


def read_rows(text: Text, columns: Columns, *, prefers_plain: bool) -> Iterator[Row]:
    """The rows below the header, in order.

    Raises:
        CorpusError: names the line that is not as the header says.
    """
    ways: list[_Quoted | _Plain] = [_Quoted(text, columns)]
    if columns.delimiter == "tab":
        ways.insert(0 if prefers_plain else 1, _Plain(text, columns))
    way = next((way for way in ways if len(ways) > 1 and _fits(way)), ways[0])
    header: _Header | None = None
    for number, fields in way.fields():
        if header is None:
            header = _Header(text, number, tuple(fields), way.advice)
        else:
            yield header.row(number, fields)


@dataclass(frozen=True, slots=True)
class _Quoted:
    """Rows as csv.reader reads them."""

    text: Text
    columns: Columns

    @property
    def advice(self) -> str:
        """What to do about a row that is not as wide as the header."""
        if self.columns.delimiter == ONE_COLUMN:
            return "put a field that holds a quotation mark into quotation marks, and double the mark inside"
        separator = self.columns.delimiter
        advice = f"put a field that holds a {separator} into quotation marks"
        return f'{advice}, or say in corpus.delimiter what separates columns ("none" if there is only one)'

    def fields(self) -> Iterator[tuple[int, list[str]]]:
        """The fields of every row that is not blank, with the number of its first line."""
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
    """One row per line, without quoting but of whole fields."""

    text: Text
    columns: Columns
    advice = "a field cannot hold a tab or a line break"

    def fields(self) -> Iterator[tuple[int, list[str]]]:
        """The fields of every line that is not blank, with its number."""
        for number, line in self.text.lines():
            if number > 1 or not self.columns.is_stated:
                fields = [_unquoted(field) for field in line.rstrip("\r\n").split(self.columns.character)]
                if fields != [""]:
                    yield number, fields


def _unquoted(field: str) -> str:
    inside = field[1:-1]
    enclosed = len(field) >= 2 and field[0] == field[-1] == '"' and '"' not in inside.replace('""', "")
    return inside.replace('""', '"') if enclosed else field


def _fits(way: _Quoted | _Plain) -> bool:
    """Whether every row is as wide as the header."""
    try:
        return len({len(fields) for _, fields in way.fields()}) <= 1
    except CorpusError:
        return False


class _Header:
    """The names of the columns, and the rows that they make of fields."""

    def __init__(self, text: Text, number: int, names: Sequence[str], advice: str) -> None:
        self._path, self._names, self._advice = text.content.path, names, advice
        self._unnamed = [position for position, name in enumerate(names) if not name.strip()]
        no_duplicates(self._path, f"line {number}", [name for name in names if name.strip()])

    def row(self, number: int, fields: list[str]) -> Row:
        """The named values of one row.

        Raises:
            CorpusError: it has more or fewer fields than the header, or a value in a column without a name.
        """
        place = f"line {number}"
        if len(fields) != len(self._names):
            what = f"expected {len(self._names)} fields as in the header, found {len(fields)}"
            raise fault(self._path, place, f"{what}; {self._advice}")
        for position in self._unnamed:
            if position > 0 and fields[position].strip():
                what = f"{quote(fields[position])} stands in column {position + 1}, which has no name in the header"
                raise fault(self._path, place, f"{what}; name the column there, or {self._advice}")
        named = zip(self._names, fields, strict=True)
        return Row(number, place, {name: field for name, field in named if name.strip()})
