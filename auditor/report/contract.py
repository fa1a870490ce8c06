"""What the report is made of: sections, their tables, and the chapter of a probe.

    Section     a question, its answer in one sentence, how it was found, what it does not say, and its content
    Chapter     all that the report says of one probe: its section, formulas, parameters, reasons of the gallery

A module of `sections/` composes one section from the conclusions (`Findings`) and the facts (`Evidence`); its template
in `templates/sections/` lays it out. Sections hold text and drawings, never layout. A chapter is found by the name of
its probe, through the entry point group `auditor.chapters` (`auditor.report.chapters`); those of the package are
registered as anybody's. A probe without one gets a plain table.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeVar

from auditor.findings.comparing import Since
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.finding import Finding
from auditor.findings.contract.numbers import as_nats
from auditor.findings.contract.types import Example, Findings, Number
from auditor.languages import say
from auditor.records.types import Document, Unmeasured
from auditor.report.drawing import formats
from auditor.report.regulations.contract import Evidence as Asked

A = TypeVar("A", bound=Finding)
PAPER_ROWS = 40
"""Rows of one table on paper; the HTML has all, and the PDF carries findings.json."""


@dataclass(frozen=True)
class Sources:
    """What every section is composed from."""

    findings: Findings
    evidence: Evidence
    since: Since | None = None
    """What changed since the baseline; None where there is none."""

    @cached_property
    def documents(self) -> dict[str, Document]:
        """Documents by id."""
        return {document.id: document for document in self.evidence.documents}

    @cached_property
    def numbers(self) -> dict[str, Number]:
        """Numbers by name."""
        return {number.name: number for number in self.findings.numbers}

    def analysis(self, probe: str, kind: type[A]) -> A:
        """What the summary of a probe came to.

        Raises:
            ValueError: The run has nothing of it.
        """
        analysis = self.findings.analysis(probe, kind)
        if analysis is None:
            raise ValueError(f"the run has no findings of the probe {probe}")
        return analysis

    def position(self, document_id: str) -> int:
        """Of a document in the corpus: addresses within the page are made of it, since an id may be any text."""
        return self._positions[document_id]

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {document.id: position for position, document in enumerate(self.evidence.documents)}

    def named(self, *names: str) -> list[Number]:
        """Those of the named numbers that the run has, in the order asked for."""
        return [self.numbers[name] for name in names if name in self.numbers]


@dataclass(frozen=True)
class Inline:
    """A template that lies in no file: the text that a section brings along."""

    name: str
    text: str


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
    kept_in: Literal["findings", "evidence", "comparison"] = "findings"
    """Where the rows stand that paper leaves out, besides report.html."""


@dataclass(frozen=True, slots=True)
class Method:
    """Formulas, and what their letters mean."""

    title: str
    """Message (`N_`)."""
    prose: str
    """Message: `*p_k*` in it is an italic p with the index k."""
    formulas: str
    """Name of the template that sets them."""
    applies: Callable[[Findings], bool] = lambda _: True
    """Whether a report whose probe measured something has them."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a probe as it was set, and what may explain it."""

    findings: Findings
    probe: str
    value: str
    siblings: Mapping[str, str]
    """All parameters of the probe."""

    @property
    def is_unset(self) -> bool:
        """Whether nothing was given; the findings say so in the language of the report."""
        return self.value == say("default")


Meaning = str | Callable[[Parameter], str]
"""What a parameter came to: a message, or a function that returns translated text; empty where nothing is known."""


@dataclass(frozen=True, slots=True)
class Reason:
    """What the gallery of failures says of a rule that chose a document."""

    title: str
    """Message: "Explanations with the lowest R²"."""
    sentence: Callable[[Sources, str, float], str]
    """From the document's id and the value that ranked it; translated."""


@dataclass(frozen=True, kw_only=True)
class Chapter:
    """All that the report says of one probe."""

    probe: str
    title: str
    """Message (`N_`): of the section."""
    compose: Callable[[Sources], Section]
    """The section; its id, its title and, of a third party, the place of its template are set for it."""
    name: str = ""
    """Message: what stands above its parameters; empty for the title."""
    methods: tuple[Method, ...] = ()
    parameters: Mapping[str, Meaning] = field(default_factory=dict)
    """Parameter of the probe → what it came to."""
    reasons: Mapping[str, Reason] = field(default_factory=dict)
    """Rule of the summary's `worst` → what the gallery says of it."""
    answers: Mapping[Asked, tuple[str, ...]] = field(default_factory=dict)
    """What laws and standards ask for that the section shows → names of the numbers of which one must be measured;
    none: the section itself is what is asked for."""
    card: Callable[[Sources, str], tuple[str, str] | None] = lambda *_: None
    """Where a document is shown at length: address within the page and title, translated; None where it is not."""


def numbers_table(caption: str, numbers: Iterable[Number]) -> Table:
    """Measure, value, interval, n and protocol of some numbers."""
    columns = (
        Column(say("Measure"), width=20),
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
