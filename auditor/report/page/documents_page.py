"""The table of all documents where it is too large for the report: a page of its own, and the same rows as Parquet.

documents.html      One file like report.html: styles, fonts and script inside, allowed by their hashes, no request to
                    anywhere. The rows are JSON in a script that never runs; the page draws a hundred of them at a time.
documents.parquet   Every field of a row in its own type: strings, lists of strings, float64, int64, null where nothing
                    was measured. A column of the corpus is called `metadata.` and its name.

Of the JSON, by column:

    {"title": "Document", "kind": "id", "cells": ["reviews-1", ["reviews…(9 more)…2", "reviews-and-9-more-2"]]}
    {"title": "Prob.", "kind": "number", "cells": [["0.91", 0.912345678], null]}
    {"title": "Labelled", "kind": "corpus", "entries": ["negative", "positive"],
     "choices": [{"text": "negative", "value": null, "holds": [0]}], "cells": [0, 0]}

A cell is its text, or its text and what it sorts by, or the number of a choice; null where nothing was measured.
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
from auditor.findings.evidence import Evidence
from auditor.findings.registry import summaries
from auditor.findings.types import DocumentRow, Findings
from auditor.languages import say
from auditor.languages.numbers import paragraph
from auditor.report.drawing import formats
from auditor.report.page import html, templates
from auditor.report.sections import documents
from auditor.report.sections.documents import Cell, Field

PARQUET, PAGE = "documents.parquet", "documents.html"
FORMAT = "auditor.documents/1"
ROWS_AT_ONCE = 100
"""Rows that the page draws."""
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
    """Both files by name; the same findings and evidence give the same bytes, and the rows are made once."""
    columns = tuple(dict.fromkeys(key for document in evidence.documents for key in document.metadata))
    wrong = documents.wrong_documents(findings, evidence)
    drawn = [_Drawn(made) for made in documents.fields(columns, wrong, documents.unmeasured_title(findings))]
    sink = io.BytesIO()
    rows = document_rows(findings, evidence)
    with pq.ParquetWriter(sink, _schema(columns), compression="zstd", compression_level=3) as parquet:
        while chunk := list(islice(rows, _CHUNK)):
            parquet.write_batch(_batch(chunk, columns))
            for column in drawn:
                column.add(chunk)
    return {PARQUET: sink.getvalue(), PAGE: _page(findings, [column for column in drawn if column.says_something])}


def _schema(columns: Sequence[str]) -> pa.Schema:
    kinds = {name: about.annotation for name, about in DocumentRow.model_fields.items() if name not in _NESTED}
    own = [pa.field(name, _TYPES[kind]) for name, kind in kinds.items()]
    own += [pa.field(name, pa.float64()) for name in _cells()]
    more = [pa.field(f"{_METADATA}.{name}", pa.string()) for name in columns]
    return pa.schema([*own, *more], metadata={"auditor.format": FORMAT})


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
class _Drawn:
    """One column of the page: JSON as it grows, so that no row is kept."""

    made: Field
    parts: list[str] = field(default_factory=list)
    choices: dict[Cell, int] = field(default_factory=dict)
    letters: set[str] = field(default_factory=set)
    """What the fonts of the page must draw."""
    says_something: bool = False

    def add(self, rows: Iterable[DocumentRow]) -> None:
        """Appends what the column says of these documents."""
        cells = [self.made.cell(row) for row in rows]
        self.says_something = self.says_something or any(cell.says_something for cell in cells)
        told = [self._choice(cell) if self.made.is_choice else self._cell(cell) for cell in cells]
        self.parts.append(_json(told)[1:-1])

    def payload(self) -> Iterator[str]:
        """The column as JSON, in pieces."""
        head = {"title": self.made.column.title, "kind": self.made.column.kind}
        yield _json({**head, **(self._choices() if self.made.is_choice else {})})[:-1]
        yield ',"cells":['
        yield from (part if i == 0 else f",{part}" for i, part in enumerate(self.parts))
        yield "]}"

    def _cell(self, cell: Cell) -> object:
        if not cell.says_something:
            return None
        self.letters.update(cell.text)
        text = formats.visible(cell.text)
        if cell.value is None:
            return text
        return [text, float(cell.value) if self.made.column.kind == "number" else formats.visible(cell.value)]

    def _choice(self, cell: Cell) -> int:
        if cell not in self.choices:
            self.letters.update(cell.text, *cell.holds)
        return self.choices.setdefault(cell, len(self.choices))

    @cached_property
    def entries(self) -> tuple[str, ...]:
        """What the column can be filtered by, once all rows are there."""
        entries = sorted({entry for cell in self.choices for entry in cell.holds})
        offered = documents.tells_apart(entries, any(not cell.holds for cell in self.choices))
        return tuple(entries) if offered else ()

    def _choices(self) -> dict[str, object]:
        places = {entry: i for i, entry in enumerate(self.entries)}
        return {
            "choices": [
                {
                    "text": formats.visible(cell.text),
                    "value": cell.value and formats.visible(cell.value),
                    "holds": [places[entry] for entry in cell.holds if entry in places],
                    "wrong": cell.is_wrong,
                }
                for cell in self.choices
            ],
        }


def _page(findings: Findings, columns: Sequence[_Drawn]) -> bytes:
    """The page, with its rows in the place that the template leaves for them."""
    heading = say("All documents")
    aids = [say(column.made.aid) for column in columns if column.made.aid]
    marked = [say(documents.MARKED)] if any(cell.is_wrong for column in columns for cell in column.choices) else []
    body = templates.fill(
        "documents_page.html.j2",
        findings=findings,
        heading=heading,
        caption=paragraph([say("All documents, in the order of the corpus."), *marked, *aids]),
        columns=[column.made.column for column in columns],
        choices=[column.entries for column in columns],
        has_wrong=bool(marked),
        n_documents=findings.n_documents,
        run=formats.middle(findings.run_id, 40),
        rows=_PLACE,
    )
    page = html.framed(
        findings,
        say("{title}: all documents", title=findings.title),
        templates.fill("documents_navigation.html.j2"),
        [body],
        templates.read("report.js") + templates.read("documents_page.js"),
        heading.upper() + "".join(sorted(set().union(*(column.letters for column in columns)))),
    )
    before, after = page.split(_PLACE)
    return b"".join(piece.encode("utf-8") for piece in (before, *_payload(columns), after))


_PLACE = Markup("<!--rows-->")
"""Where the rows go; escaping makes it impossible to forge."""


def _payload(columns: Sequence[_Drawn]) -> Iterator[str]:
    yield f'{{"rows":{ROWS_AT_ONCE},"columns":['
    for i, column in enumerate(columns):
        yield "," if i else ""
        yield from column.payload()
    yield "]}"


def _json(value: object) -> str:
    """ASCII that cannot end the script it stands in, nor be mistaken for markup."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).translate(_ESCAPES)
