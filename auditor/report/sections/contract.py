"""What a section is: a question, its answer in one sentence, how it was found, what it does not say, and its content.

A module of this folder composes one section from the conclusions (`Findings`) and the facts (`Evidence`); its template
in `templates/sections/` lays it out. Sections hold text and drawings, never layout.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from auditor.findings.evidence import Evidence
from auditor.findings.numbers import as_nats
from auditor.findings.types import Example, Findings, Number
from auditor.languages import say
from auditor.records.types import Document, Unmeasured
from auditor.report.drawing import formats
from auditor.report.page.templates import Inline

PAPER_ROWS = 40
"""Rows of one table on paper; the HTML has all, and the PDF carries findings.json."""


@dataclass(frozen=True)
class Sources:
    """What every section is composed from."""

    findings: Findings
    evidence: Evidence

    @cached_property
    def documents(self) -> dict[str, Document]:
        """Documents by id."""
        return {document.id: document for document in self.evidence.documents}

    @cached_property
    def numbers(self) -> dict[str, Number]:
        """Numbers by name."""
        return {number.name: number for number in self.findings.numbers}

    def named(self, *names: str) -> list[Number]:
        """Those of the named numbers that the run has, in the order asked for."""
        return [self.numbers[name] for name in names if name in self.numbers]


@dataclass(frozen=True, slots=True)
class Section:
    """One section of the report."""

    id: str
    title: str
    question: str
    answer: str
    """One sentence, with the number."""
    method: str
    limits: str
    template: str | Inline
    content: Mapping[str, object] = field(default_factory=dict)


Kind = Literal["text", "corpus", "number", "id", "mark", "result"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    title: str
    kind: Kind = "text"
    """`corpus` is text from outside, set in its own direction; `number` is right-aligned; `mark` holds a drawing."""
    width: int = 0
    """Per cent of the table, a multiple of two; 0 shares what is left."""
    axis: str = ""
    """Drawing of the shared axis, for a column of marks."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with a caption that states the finding and how to read the marks."""

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]
    """Cells by column; a row with fewer ends in a sentence that spans the columns that are left."""
    muted: frozenset[int] = frozenset()
    """Rows listed but not judged."""
    paper_rows: int = PAPER_ROWS
    kept_in: Literal["findings", "evidence"] = "findings"
    """Where the rows stand that paper leaves out, besides report.html."""


def numbers_table(caption: str, numbers: Iterable[Number]) -> Table:
    """Measure, value, interval, n and protocol of some numbers."""
    columns = (
        Column(say("Measure"), width=24),
        Column(say("Value"), "number", 10),
        Column(say("95% interval"), "number", 14),
        Column("n", "number", 6),
        Column(say("Computed as")),
    )
    rows = tuple((n.title, formats.value(n), formats.interval(n), formats.count(n.n), n.protocol) for n in numbers)
    return Table(caption, columns, rows)


def with_interval(number: Number) -> str:
    """`0.87 (0.76–0.93)`, for a sentence; beyond 1e300 `> 1e300 (805.3 nats; 800.1–811.9 nats)`."""
    if number.compared.low is None or number.compared.high is None:
        return formats.value(number)
    values = {"value": formats.short(number), "interval": formats.interval(number)}
    if number.is_beyond:
        return say("{value} ({nats}; {interval})", nats=formats.value(as_nats(number)), **values)
    return say("{value} ({interval})", **values)


def known(examples: Iterable[Example], rows: Mapping[str, object]) -> list[Example]:
    """The examples whose document was measured."""
    return [e for e in examples if e.document_id in rows and not isinstance(rows[e.document_id], Unmeasured)]


def rule_of(examples: Iterable[Example]) -> str:
    """The printed rule that chose the examples; each rule once."""
    return say("; ").join(dict.fromkeys(example.rule for example in examples))
