"""Renders the table of all documents, where it is too large for the report, as a separate page and as Parquet.

documents.html      One file like report.html: styles, fonts and script are inside and allowed by their hashes, and
                    there are no requests. The rows are JSON, in a script element that is not executed; the page
                    draws a hundred of them at a time.
documents.parquet   Every field of a row in its own type: strings, lists of strings, float64, int64, null where nothing
                    was measured. A column of the corpus is called `metadata.` and its name.

Columns of the JSON:

    {"title": "Document", "kind": "id", "cells": ["reviews-1", ["reviews…(9 more)…2", "reviews-and-9-more-2"]]}
    {"title": "Prob.", "kind": "number", "cells": [["0.91", 0.912345678], null]}
    {"title": "Labelled", "kind": "corpus", "entries": ["negative", "positive"],
     "choices": [{"text": "negative", "value": null, "holds": [0]}], "cells": [0, 0]}

A cell is its text, or its text and its sort key, or the index of a choice; null where nothing was measured.
"""

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from markupsafe import Markup

from auditor.findings.abridgement import document_rows
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.registry import summaries
from auditor.findings.contract.types import DocumentRow, Findings
from auditor.languages import say
from auditor.languages.numbers import paragraph
from auditor.report.drawing import formats
from auditor.report.page import html, templates
from auditor.report.sections import documents
from auditor.report.sections.documents import Cell, Field

PARQUET, PAGE = "documents.parquet", "documents.html"
FORMAT = "auditor.documents/1"
ROWS_AT_ONCE = 100
"""Rows that the page draws at a time."""
_CHUNK = 1000
_METADATA = "metadata"
_NESTED = (_METADATA, "values")
_ESCAPES = {ord(character): f"\\u{ord(character):04x}" for character in "<>&"}
_TYPES: dict[Any, pa.DataType] = {
    str: pa.string(),
    int | None: pa.int64(),
    float | None: pa.float64(),
    tuple[str, ...]: pa.list_(pa.string()),
}


def render(findings: Findings, evidence: Evidence) -> dict[str, bytes]:
    """Name → content of both files; the same findings and evidence give the same bytes."""
    columns = tuple(dict.fromkeys(key for document in evidence.documents for key in document.metadata))
    wrong = documents.wrong_documents(findings, evidence)
    title = documents.unmeasured_title(findings)
    page_columns = [_PageColumn(definition) for definition in documents.fields(columns, wrong, title)]
    sink = io.BytesIO()
    rows = document_rows(findings, evidence)
    with pq.ParquetWriter(sink, _schema(columns), compression="zstd", compression_level=3) as parquet:
        while chunk := list(islice(rows, _CHUNK)):
            parquet.write_batch(_batch(chunk, columns))
            for column in page_columns:
                column.add(chunk)
    measured = [column for column in page_columns if column.says_something]
    return {PARQUET: sink.getvalue(), PAGE: _page(findings, measured)}


def table(rows: Sequence[DocumentRow]) -> pa.Table:
    """The table of documents.parquet, of these rows."""
    columns = tuple(dict.fromkeys(key for row in rows for key in row.metadata))
    return pa.Table.from_batches([_batch(rows, columns)])


def _schema(columns: Sequence[str]) -> pa.Schema:
    types = {name: info.annotation for name, info in DocumentRow.model_fields.items() if name not in _NESTED}
    measured = [pa.field(name, _TYPES[annotation]) for name, annotation in types.items()]
    measured += [pa.field(name, pa.float64()) for name in _cells()]
    metadata = [pa.field(f"{_METADATA}.{name}", pa.string()) for name in columns]
    return pa.schema([*measured, *metadata], metadata={"auditor.format": FORMAT})


def _cells() -> list[str]:
    return [cell.name for summary in summaries().values() for cell in summary.cells]


def _batch(rows: Sequence[DocumentRow], columns: Sequence[str]) -> pa.RecordBatch:
    schema = _schema(columns)
    names = [name for name in DocumentRow.model_fields if name not in _NESTED]
    arrays = [pa.array([getattr(row, name) for row in rows], schema.field(name).type) for name in names]
    arrays += [pa.array([row.values.get(name) for row in rows], pa.float64()) for name in _cells()]
    arrays += [pa.array([row.metadata.get(name) for row in rows], pa.string()) for name in columns]
    return pa.record_batch(arrays, schema=schema)


@dataclass
class _PageColumn:
    """One column of the page; its cells are written as JSON chunk by chunk, so that no row is kept."""

    definition: Field
    parts: list[str] = field(default_factory=list)
    """The cells of each chunk, as JSON without brackets."""
    choices: dict[Cell, int] = field(default_factory=dict)
    """Cell → its index, in a column of choices."""
    characters: set[str] = field(default_factory=set)
    """Those that the fonts of the page must have."""
    says_something: bool = False
    """Whether any cell has a value."""

    def add(self, rows: Iterable[DocumentRow]) -> None:
        """Append the cells of these documents."""
        cells = [self.definition.cell(row) for row in rows]
        self.says_something = self.says_something or any(cell.says_something for cell in cells)
        values = [self._choice(cell) if self.definition.is_choice else self._cell(cell) for cell in cells]
        self.parts.append(_json(values)[1:-1])

    def payload(self) -> Iterator[str]:
        """The pieces of the column as a JSON object."""
        column = self.definition.column
        head = {"title": column.title, "kind": column.kind}
        yield _json({**head, **(self._choices() if self.definition.is_choice else {})})[:-1]
        yield ',"cells":['
        yield from (part if i == 0 else f",{part}" for i, part in enumerate(self.parts))
        yield "]}"

    def _cell(self, cell: Cell) -> object:
        if not cell.says_something:
            return None
        self.characters.update(cell.text)
        text = formats.visible(cell.text)
        if cell.value is None:
            return text
        return [text, float(cell.value) if self.definition.column.kind == "number" else formats.visible(cell.value)]

    def _choice(self, cell: Cell) -> int:
        if cell not in self.choices:
            self.characters.update(cell.text, *cell.holds)
        return self.choices.setdefault(cell, len(self.choices))

    @cached_property
    def entries(self) -> tuple[str, ...]:
        """The entries by which the column can be filtered, sorted; to be read after all rows were added."""
        entries = sorted({entry for cell in self.choices for entry in cell.holds})
        offered = documents.tells_apart(entries, any(not cell.holds for cell in self.choices))
        return tuple(entries) if offered else ()

    def _choices(self) -> dict[str, object]:
        positions = {entry: i for i, entry in enumerate(self.entries)}
        return {
            "choices": [
                {
                    "text": formats.visible(cell.text),
                    "value": cell.value and formats.visible(cell.value),
                    "holds": [positions[entry] for entry in cell.holds if entry in positions],
                    "wrong": cell.is_wrong,
                }
                for cell in self.choices
            ],
        }


def _page(findings: Findings, columns: Sequence[_PageColumn]) -> bytes:
    """The content of documents.html."""
    heading = say("All documents")
    aids = [say(column.definition.aid) for column in columns if column.definition.aid]
    marked = [say(documents.MARKED)] if any(cell.is_wrong for column in columns for cell in column.choices) else []
    body = templates.fill(
        "documents_page.html.j2",
        findings=findings,
        heading=heading,
        caption=paragraph([say("All documents, in the order of the corpus."), *marked, *aids]),
        columns=[column.definition.column for column in columns],
        choices=[column.entries for column in columns],
        has_wrong=bool(marked),
        n_documents=findings.n_documents,
        run=formats.middle(findings.run_id, 40),
        rows=_ROWS,
    )
    page = html.framed(
        findings,
        say("{title}: all documents", title=findings.title),
        templates.fill("documents_navigation.html.j2"),
        [body],
        templates.read("report.js") + templates.read("documents_page.js"),
        heading.upper() + "".join(sorted(set().union(*(column.characters for column in columns)))),
    )
    before, after = page.split(_ROWS)
    return b"".join(piece.encode("utf-8") for piece in (before, *_payload(columns), after))


_ROWS = Markup("<!--rows-->")
"""Replaced by the rows; text from the corpus cannot contain it, for it is escaped."""


def _payload(columns: Sequence[_PageColumn]) -> Iterator[str]:
    """The pieces of the JSON described above."""
    yield f'{{"rows":{ROWS_AT_ONCE},"columns":['
    for i, column in enumerate(columns):
        yield "," if i else ""
        yield from column.payload()
    yield "]}"


def _json(value: object) -> str:
    """A value as JSON in ASCII that can stand in a script: it neither ends it nor contains markup."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).translate(_ESCAPES)
