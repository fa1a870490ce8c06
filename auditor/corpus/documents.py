"""Rows become documents: which column is the text, the reference labels, the id, and what to slice by.

Ids, labels and metadata are data: they are cleaned and compared, and never become part of a path or of markup.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from auditor.corpus.cleaning import clean, plain
from auditor.corpus.faults import fault, kind, quote, unknown_column
from auditor.corpus.label_cells import Cell, read_cell
from auditor.corpus.readers import Row, stem
from auditor.records.types import MISSING, Document

_MOST_VALUES = 12
"""A column with more distinct values than this is no column to slice by, unless it is asked for."""


@dataclass(frozen=True, slots=True)
class Roles:
    """Which column is what: the keys of `[corpus]`."""

    text: str = "text"
    """The document's text."""
    pair: str | None = None
    """The second sentence, where the task compares two."""
    label: str | None = None
    """The reference labels: a string, a number, a boolean, or a list; None takes "label" if it is there, "" none."""
    id: str | None = None
    """None takes "id" if it is there, "" none; without, a document is called after the file and its line."""
    metadata: tuple[str, ...] | None = None
    """What to slice by; None takes every other scalar column with 2 to 12 distinct values."""

    @property
    def label_column(self) -> str:
        """The column of the labels, "" for none; only a named one must exist."""
        return "label" if self.label is None else self.label

    @property
    def id_column(self) -> str:
        """The column of the ids, "" for none; only a named one must exist."""
        return "id" if self.id is None else self.id

    def is_slice(self, column: str) -> bool:
        """Whether a column is a candidate for the metadata."""
        if self.metadata is not None:
            return column in self.metadata
        return column not in ("", self.text, self.pair, self.label_column, self.id_column)


@dataclass(frozen=True, slots=True)
class Table:
    """The documents of a file, their labels as written, and its columns."""

    documents: list[Document]
    """In the order of the file, without labels: `auditor.corpus.labels` reads those from `cells`."""
    cells: list[Cell]
    """The entry of each document in the column of labels, as it is written."""
    columns: tuple[str, ...]
    """Every column, in the order in which they appear."""


def read_documents(path: Path, rows: Iterable[Row], roles: Roles) -> Table:
    """Read every row as a document.

    Args:
        path: The file, for ids and messages.
        rows: Its rows, in order.
        roles: Which column is what.

    Raises:
        CorpusError: names the file and the row whose text, label, id or metadata is not what it must be.
    """
    documents: list[Document] = []
    cells: list[Cell] = []
    distinct: dict[Cell, Cell] = {}  # equal entries share one object: a corpus has few
    columns: dict[str, None] = {}
    locations: dict[str, str] = {}  # id → where it stands
    slices = _Slices()
    for row in rows:
        columns.update(dict.fromkeys(row.values))
        document = _document(path, row, roles, slices)
        if document.id in locations:
            first = locations[document.id]
            advice = "ids must be unique; name another column in corpus.id"
            raise fault(path, row.location, f"the id {quote(document.id)} already stands on {first}; {advice}")
        locations[document.id] = row.location
        documents.append(document)
        cell = _cell(path, row, roles.label_column)
        cells.append(distinct.setdefault(cell, cell))
    if documents:
        _check_columns(path, roles, columns, distinct)
    kept = slices.kept(columns, roles)
    return Table([_sliced(document, kept) for document in documents], cells, tuple(map(plain, columns)))


def _document(path: Path, row: Row, roles: Roles, slices: "_Slices") -> Document:
    text, n_cleaned = clean(_text(path, row, "text", roles.text))
    pair, n_cleaned_pair = (None, 0) if roles.pair is None else clean(_text(path, row, "pair", roles.pair))
    return Document(
        id=_id(path, row, roles),
        text=text,
        pair=pair,
        unlabelled=True,
        metadata=slices.of(path, row, roles),
        n_cleaned=n_cleaned + n_cleaned_pair,
    )


def _text(path: Path, row: Row, purpose: str, column: str) -> str:
    if column not in row.values:
        raise unknown_column(path, row.location, purpose, column, row.values)
    value = row.values[column]
    if not isinstance(value, str):
        raise fault(path, row.location, f"expected a string in column {quote(column)}, found {kind(value)}")
    return value


def _id(path: Path, row: Row, roles: Roles) -> str:
    value = row.values.get(roles.id_column) if roles.id_column else None
    if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
        return plain(str(value))
    if value is not None and value != "":
        raise fault(path, row.location, f"expected a string as id, found {kind(value)}")
    if roles.id and roles.id in row.values:
        raise fault(path, row.location, f"no id in column {quote(roles.id)}; every document needs one")
    return plain(f"{stem(path)}-{row.number}")


def _cell(path: Path, row: Row, column: str) -> Cell:
    try:
        return read_cell(row.values.get(column) if column else None)
    except TypeError as error:
        expected = "expected a label (a string, a number, a boolean or a list)"
        raise fault(path, row.location, f"{expected}, found {kind(error.args[0])}") from None


def _is_absent(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, float) and math.isnan(value))


def _check_columns(path: Path, roles: Roles, columns: Iterable[str], cells: Iterable[Cell]) -> None:
    named = [("label", roles.label), ("id", roles.id), *(("metadata", name) for name in roles.metadata or ())]
    for purpose, name in named:
        if name and name not in columns:
            raise unknown_column(path, "", purpose, name, columns)
    if roles.label and not any(cell.values for cell in cells):
        raise fault(path, "", f"no document has a label in column {quote(roles.label)}; drop corpus.label or fill it")


class _Slices:
    """The distinct values of every column that could be sliced by; a column with too many is dropped."""

    def __init__(self) -> None:
        self._values: dict[str, set[str]] = {}
        self._dropped: set[str] = set()

    def of(self, path: Path, row: Row, roles: Roles) -> dict[str, str]:
        """Column → value, as a string, for every candidate column of one row; counts the values."""
        candidates = {}
        for column, value in row.values.items():
            if column in self._dropped or not roles.is_slice(column):
                continue
            if isinstance(value, (list, dict, bytes)):
                if roles.metadata is not None:
                    raise fault(
                        path, row.location, f"expected one value in column {quote(column)}, found {kind(value)}"
                    )
                self._dropped.add(column)
                continue
            candidates[column] = MISSING if _is_absent(value) else plain(str(value))
            self._count(column, candidates[column], roles)
        return candidates

    def _count(self, column: str, value: str, roles: Roles) -> None:
        values = self._values.setdefault(column, set())
        values.add(value)
        if len(values) > _MOST_VALUES and roles.metadata is None:
            self._dropped.add(column)

    def kept(self, columns: Iterable[str], roles: Roles) -> tuple[str, ...]:
        """The columns to slice by: those asked for, else those with 2 to 12 distinct values."""
        if roles.metadata is not None:
            return roles.metadata
        return tuple(c for c in columns if c not in self._dropped and len(self._values.get(c, ())) >= 2)


def _sliced(document: Document, columns: Sequence[str]) -> Document:
    return replace(document, metadata={plain(c): document.metadata.get(c, MISSING) for c in columns})
