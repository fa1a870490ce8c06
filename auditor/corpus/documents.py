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
    """Which column is what: the keys of `[corpus]`. For `label` and `id`, None is "if there is one", "" is none."""

    text: str = "text"
    pair: str | None = None
    label: str | None = None
    id: str | None = None
    metadata: tuple[str, ...] | None = None

    @property
    def label_column(self) -> str:
        """The column to look for; may be absent unless it was named."""
        return "label" if self.label is None else self.label

    @property
    def id_column(self) -> str:
        """The column to look for; may be absent unless it was named."""
        return "id" if self.id is None else self.id

    def is_slice(self, column: str) -> bool:
        """Whether a column is a candidate for the metadata."""
        if self.metadata is not None:
            return column in self.metadata
        return column not in ("", self.text, self.pair, self.label_column, self.id_column)


@dataclass(frozen=True, slots=True)
class Table:
    """What a file holds."""

    documents: list[Document]
    """In the order of the file; without labels, which nobody has understood yet."""
    cells: list[Cell]
    """What each document has in the column of labels."""
    columns: tuple[str, ...]
    """In the order in which they appear."""


def read_documents(path: Path, rows: Iterable[Row], roles: Roles) -> Table:
    """Every row as a document.

    Raises:
        CorpusError: names the file and the row whose text, label, id or metadata is not what it must be.
    """
    documents: list[Document] = []
    cells: list[Cell] = []
    known: dict[Cell, Cell] = {}  # equal entries are one: a corpus has few
    columns: dict[str, None] = {}
    places: dict[str, str] = {}
    slices = _Slices()
    for row in rows:
        columns.update(dict.fromkeys(row.values))
        document = _document(path, row, roles, slices)
        if document.id in places:
            first = places[document.id]
            advice = "ids must be unique; name another column in corpus.id"
            raise fault(path, row.place, f"the id {quote(document.id)} already stands on {first}; {advice}")
        places[document.id] = row.place
        documents.append(document)
        cell = _cell(path, row, roles.label_column)
        cells.append(known.setdefault(cell, cell))
    if documents:
        _check_columns(path, roles, columns, known)
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
        raise unknown_column(path, row.place, purpose, column, row.values)
    value = row.values[column]
    if not isinstance(value, str):
        raise fault(path, row.place, f"expected a string in column {quote(column)}, found {kind(value)}")
    return value


def _id(path: Path, row: Row, roles: Roles) -> str:
    value = row.values.get(roles.id_column) if roles.id_column else None
    if isinstance(value, (str, int)) and not isinstance(value, bool) and value != "":
        return plain(str(value))
    if value is not None and value != "":
        raise fault(path, row.place, f"expected a string as id, found {kind(value)}")
    if roles.id and roles.id in row.values:
        raise fault(path, row.place, f"no id in column {quote(roles.id)}; every document needs one")
    return plain(f"{stem(path)}-{row.number}")


def _cell(path: Path, row: Row, column: str) -> Cell:
    try:
        return read_cell(row.values.get(column) if column else None)
    except TypeError as error:
        found = kind(error.args[0])
        raise fault(
            path, row.place, f"expected a label (a string, a number, a boolean or a list), found {found}"
        ) from None


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
    """Collects the values of every column that may be worth slicing by, and forgets a column that has too many."""

    def __init__(self) -> None:
        self._values: dict[str, set[str]] = {}
        self._unfit: set[str] = set()

    def of(self, path: Path, row: Row, roles: Roles) -> dict[str, str]:
        """The candidates of one row, as strings."""
        candidates = {}
        for column, value in row.values.items():
            if column in self._unfit or not roles.is_slice(column):
                continue
            if isinstance(value, (list, dict, bytes)):
                if roles.metadata is not None:
                    raise fault(path, row.place, f"expected one value in column {quote(column)}, found {kind(value)}")
                self._unfit.add(column)
                continue
            candidates[column] = MISSING if _is_absent(value) else plain(str(value))
            self._count(column, candidates[column], roles)
        return candidates

    def _count(self, column: str, value: str, roles: Roles) -> None:
        values = self._values.setdefault(column, set())
        values.add(value)
        if len(values) > _MOST_VALUES and roles.metadata is None:
            self._unfit.add(column)

    def kept(self, columns: Iterable[str], roles: Roles) -> tuple[str, ...]:
        """The columns to slice by: those asked for, else those with 2 to 12 distinct values."""
        if roles.metadata is not None:
            return roles.metadata
        return tuple(c for c in columns if c not in self._unfit and len(self._values.get(c, ())) >= 2)


def _sliced(document: Document, columns: Sequence[str]) -> Document:
    return replace(document, metadata={plain(c): document.metadata.get(c, MISSING) for c in columns})
