"""What was found for each document?

One table. On screen it can be sorted and filtered: a cell whose text is not what it sorts by carries the value, and a
column with few different entries carries the numbers of those that each cell holds.

    Labelled     negative, neutral      entries (negative, neutral, positive), held (0, 1)
    Perplexity   18.4                   value 2.91351, its logarithm
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from auditor.findings import abridgement
from auditor.findings.analyses import answers
from auditor.findings.analyses.faithfulness import GRADE
from auditor.findings.analyses.grades import CODES
from auditor.findings.analyses.prediction import is_multi_label
from auditor.findings.contract import summary as contract
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.registry import summaries
from auditor.findings.contract.types import DocumentRow, Findings
from auditor.findings.wording import sentences
from auditor.languages import N_, plural, say
from auditor.languages.numbers import paragraph
from auditor.report.contract import PAPER_ROWS, Column, Section, Sources
from auditor.report.drawing import formats
from auditor.report.sections.prediction import labels

MOST_METADATA = 2
"""Columns of the corpus on paper; the screen has all."""
MOST_BYTES = 2_000_000
"""Of report.html; beyond, the table of all documents is a page of its own."""
MOST_ENTRIES = 40
"""A column with more different entries is searched, not chosen from."""

_TOKENS_ORDER = 30
"""Place of the column of tokens among the summaries whose cells are the others."""
OTHERS = 4
"""Rank of the documents of which nothing has to be said; paper leaves them out of a longer table."""
_LEAST_PRINTED = 10
MARKED = N_("✗ stands before a prediction that differs from the label.")


@dataclass(frozen=True, slots=True)
class Cell:
    """What one cell prints, and what the screen sorts and filters by."""

    text: str
    value: str | None = None
    """What it sorts by, where that is not its text; empty where nothing was measured."""
    holds: tuple[str, ...] = ()
    """Entries to filter by."""
    is_wrong: bool = False

    @property
    def says_something(self) -> bool:
        """Whether anything was measured or is known."""
        return self.value != "" and self.text != ""


@dataclass(frozen=True, slots=True)
class Field:
    """How one column is made: its head, and what it says of a document."""

    column: Column
    cell: Callable[[DocumentRow], Cell]
    is_choice: bool = True
    """Whether the screen may offer its entries to choose from."""
    on_paper: bool = True
    aid: str = ""
    """What the caption says of it, before it is translated."""


@dataclass(frozen=True, slots=True)
class Part:
    """One column: its head, its cells, and the entries it can be filtered by."""

    column: Column
    cells: tuple[Cell, ...]
    entries: tuple[str, ...] = ()
    on_paper: bool = True
    aid: str = ""

    def held(self, cell: Cell) -> str:
        """Numbers of the entries that a cell holds, as the page carries them."""
        return " ".join(str(self.entries.index(entry)) for entry in cell.holds) if self.entries else ""


def compose(sources: Sources) -> Section:
    """The table of all documents; of too many, of those that stay on the page."""
    findings, wrong = sources.findings, wrong_documents(sources.findings, sources.evidence)
    rank = _Rank(wrong, frozenset(name for choice in findings.worst for name, _ in choice.documents))
    rows = tuple(sorted(findings.documents, key=rank.of))
    parts = _parts(rows, wrong, unmeasured_title(findings))
    n_printed = rank.printed(rows)
    return Section(
        id="documents",
        title=say("Documents"),
        question=say("What was found for each document?"),
        answer=_answer(findings, sources.evidence),
        method=_method(findings),
        limits=_limits(findings, n_printed),
        template="sections/documents.html.j2",
        content={
            "caption": _caption(findings, parts, wrong),
            "parts": parts,
            "screen_only": [part.column.title for part in parts if not part.on_paper],
            "n_rows": len(rows),
            "n_documents": findings.n_documents,
            "paper_rows": n_printed,
            "wrong": [row.document_id in wrong for row in rows],
        },
    )


@dataclass(frozen=True, slots=True)
class _Rank:
    """The order of the table."""

    wrong: frozenset[str]
    chosen: frozenset[str]
    """By a rule for the worst."""

    def of(self, row: DocumentRow) -> int:
        """The lowest of what is true of a document: the ranks follow the method of the section."""
        states = (
            bool(row.failed),
            row.document_id in self.wrong,
            row.values.get(GRADE.name) == CODES["not"],
            row.document_id in self.chosen,
        )
        return states.index(True) if True in states else OTHERS

    def printed(self, rows: Sequence[DocumentRow]) -> int:
        """How many rows stand on paper: all of a short table, else those of which something has to be said."""
        if len(rows) <= PAPER_ROWS:
            return len(rows)
        return min(PAPER_ROWS, max(_LEAST_PRINTED, sum(self.of(row) < OTHERS for row in rows)))


def wrong_documents(findings: Findings, evidence: Evidence) -> frozenset[str]:
    """Documents whose answer counts as an error in the accuracy."""
    return frozenset(a.document.id for a in answers.pair(evidence, is_multi_label(findings)) if a.wrong)


def _answer(findings: Findings, evidence: Evidence) -> str:
    documents = plural(findings.n_documents, "{n} document", "{n} documents")
    failed, without = _unmeasured_counts(findings, evidence)
    said = plural(
        failed,
        "{documents}; for {n} of them a probe failed.",
        "{documents}; for {n} of them a probe failed.",
        documents=documents,
    )
    if not failed:
        said = say("{documents}; no probe failed.", documents=documents)
    return paragraph([said, _without(without)])


def _unmeasured_counts(findings: Findings, evidence: Evidence) -> tuple[int, int]:
    """Documents that a probe failed on, and those that hold nothing for one to measure."""
    if findings.documents_left_out:
        return len(abridgement.failed_documents(evidence)), len(abridgement.unmeasurable_documents(evidence))
    rows = findings.documents
    return sum(bool(row.failed) for row in rows), sum(bool(row.not_measurable) for row in rows)


def _without(n: int) -> str:
    if not n:
        return ""
    return plural(n, "{n} holds nothing for some probe to measure.", "{n} hold nothing for some probe to measure.")


def _method(findings: Findings) -> str:
    which = say("One line per document.")
    if findings.documents_left_out:
        which = say(
            "One line per document: those that this report shows elsewhere, up to {failed} that a probe could not "
            "measure, up to {wrong} wrong answers, the surest first, and others from the beginning of the corpus, "
            "{shown} in all.",
            failed=formats.count(abridgement.FAILED),
            wrong=formats.count(abridgement.WRONG),
            shown=formats.count(abridgement.SHOWN),
        )
    order = say(
        "First stand documents that a probe failed on, then wrong answers, explanations that must not be cited, "
        "documents that a rule under Failures chose, and the others, each in the order of the corpus; a dash means not "
        "measured."
    )
    return paragraph([which, order])


def _limits(findings: Findings, n_printed: int) -> str:
    if findings.documents_left_out:
        return say(
            "The table of all {n} documents would make report.html larger than {limit} MB: it is in documents.html, "
            "to be sorted and filtered, and in documents.parquet, both beside report.html.",
            n=formats.count(findings.n_documents),
            limit=formats.count(MOST_BYTES // 10**6),
        )
    if n_printed == findings.n_documents:
        return say("Texts are shown only for the examples above.")
    return say(
        "On paper stand {shown} of {all}, those of which something has to be said first, and no more than {most}; "
        "report.html and findings.json have all.",
        shown=formats.count(n_printed),
        all=formats.count(findings.n_documents),
        most=formats.count(PAPER_ROWS),
    )


def _caption(findings: Findings, parts: Iterable[Part], wrong: frozenset[str]) -> str:
    if findings.documents_left_out:
        counts = {"shown": formats.count(len(findings.documents)), "all": formats.count(findings.n_documents)}
        which = [say("{shown} of {all} documents, chosen as stated below.", **counts)]
        which += [say(MARKED)] if wrong else []
    else:
        which = [
            say("All documents, those of which something has to be said first."),
            *([say(MARKED)] if wrong else []),
        ]
    return paragraph([*which, *(say(part.aid) for part in parts if part.aid)])


def unmeasured_title(findings: Findings) -> str:
    """Head of the last column: only failures, or also documents that hold nothing to measure."""
    return say("Not measured") if any(row.not_measurable for row in findings.coverage) else say("Failed")


def fields(metadata: Iterable[str], wrong: frozenset[str], unmeasured: str) -> list[Field]:
    """Every column that the table may have, in its order.

    Args:
        metadata: Columns of the corpus.
        wrong: Documents whose answer counts as an error.
        unmeasured: Head of the column of probes without a record.
    """

    def predicted(row: DocumentRow) -> Cell:
        return replace(_labels(row.predicted), is_wrong=row.document_id in wrong)

    return [
        Field(Column(say("Document"), "id", 12), _document, is_choice=False),
        Field(Column(say("Labelled"), "corpus", 8), lambda row: _labels(row.reference)),
        Field(Column(say("Predicted"), "corpus", 9), predicted),
        *_number_fields(),
        *(_metadata_field(key, on_paper=position < MOST_METADATA) for position, key in enumerate(metadata)),
        Field(Column(unmeasured), _unmeasured),
    ]


def _number_fields() -> list[Field]:
    """The cells of all summaries, and the tokens, in the order of the report."""
    placed = [(_TOKENS_ORDER, _tokens_field())]
    for summary in summaries().values():
        placed += [(summary.order, _number_field(cell)) for cell in summary.cells if cell.title]
    return [field for _, field in sorted(placed, key=lambda pair: pair[0])]


def _number_field(declared: contract.Cell[Any]) -> Field:
    def number(row: DocumentRow) -> Cell:
        return _number(row.values.get(declared.name), declared.unit)

    def word(row: DocumentRow) -> Cell:
        return _word(row.values.get(declared.name), declared.words)

    title = say(declared.title)
    if declared.words:
        return Field(Column(title, width=declared.width), word, aid=declared.aid)
    return Field(Column(title, "number", declared.width), number, is_choice=False, aid=declared.aid)


def _tokens_field() -> Field:
    def cell(row: DocumentRow) -> Cell:
        return _number(row.n_tokens, "count")

    aid = N_("Tokens as the audited model counts them.")
    return Field(Column(say("Tokens"), "number", 6), cell, is_choice=False, aid=aid)


def _metadata_field(key: str, *, on_paper: bool) -> Field:
    def cell(row: DocumentRow) -> Cell:
        return _metadata(row.metadata.get(key))

    return Field(Column(formats.middle(key, 24), "corpus"), cell, on_paper=on_paper)


def _parts(rows: tuple[DocumentRow, ...], wrong: frozenset[str], title: str) -> list[Part]:
    """Columns that hold anything."""
    known = fields(dict.fromkeys(key for row in rows for key in row.metadata), wrong, title)
    parts = [_part(field, [field.cell(row) for row in rows]) for field in known]
    return [part for part in parts if any(cell.says_something for cell in part.cells)]


def _part(field: Field, cells: list[Cell]) -> Part:
    """A column; one to choose from where it has few enough entries and more than one group."""
    entries = tuple(sorted({entry for cell in cells for entry in cell.holds})) if field.is_choice else ()
    chosen = entries if tells_apart(entries, any(not cell.holds for cell in cells)) else ()
    return Part(field.column, tuple(cells), chosen, field.on_paper, field.aid)


def tells_apart(entries: Sequence[str], any_empty: bool) -> bool:
    """Whether a choice among the entries of a column leaves out documents, and is short enough to offer."""
    return (len(entries) > 1 or (any_empty and bool(entries))) and len(entries) <= MOST_ENTRIES


def _document(row: DocumentRow) -> Cell:
    short = formats.middle(row.document_id, 24)
    return Cell(short, None if short == row.document_id else row.document_id)


def _labels(names: tuple[str, ...]) -> Cell:
    return Cell(labels(names), ", ".join(names), names)


def _number(value: float | None, unit: str) -> Cell:
    """A perplexity is given, and sorted, by its logarithm."""
    text = formats.perplexity(value) if unit == "perplexity" else formats.quantity(value, unit, suffix=False)
    return Cell(text, "" if value is None else f"{value:.9g}")


def _word(value: float | None, words: Sequence[str]) -> Cell:
    if value is None:
        return Cell(formats.NOTHING, "")
    word = say(words[int(value)])
    return Cell(word, f"{value:.0f}", (word,))


def _metadata(value: str | None) -> Cell:
    if not value:
        return Cell(formats.NOTHING, "")
    return Cell(formats.excerpt(value, 40), holds=(value,))


def _unmeasured(row: DocumentRow) -> Cell:
    """The probes that have no record of a document; those that had nothing to measure say so."""
    without = (say("{probe} (not measurable)", probe=sentences.probe(probe)) for probe in row.not_measurable)
    names = (*map(sentences.probe, row.failed), *without)
    return Cell(formats.listed(names) if names else "", holds=names)
