"""What was found for each document?

One table. On screen it can be sorted and filtered: a cell whose text is not what it sorts by carries the value, and a
column with few different entries carries the numbers of those that each cell holds.

    Labelled     negative, neutral      entries (negative, neutral, positive), held (0, 1)
    Perplexity   18.4                   value 2.91351, its logarithm
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from auditor.findings import answers, wording
from auditor.findings.types import DocumentRow
from auditor.languages import N_, plural, say
from auditor.languages.numbers import paragraph
from auditor.report import formats
from auditor.report.sections.contract import PAPER_ROWS, Column, Section, Sources
from auditor.report.sections.predictions import labels

MOST_METADATA = 2
"""Columns of the corpus on paper; the screen has all."""
MOST_ENTRIES = 40
"""A column with more different entries is searched, not chosen from."""

_NUMBERS: tuple[tuple[str, int, str, str], ...] = (
    (N_("Prob."), 6, "probability", "probability"),
    (N_("Entropy"), 7, "entropy", "nats"),
    (N_("R²"), 6, "fidelity", "correlation"),
    (N_("Tokens"), 6, "n_tokens", "count"),
    (N_("Perplexity"), 9, "perplexity_nats", "perplexity"),
    (N_("Bits/byte"), 8, "bits_per_byte", "bits"),
    (N_("Pseudo-p."), 9, "pseudo_perplexity_nats", "perplexity"),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """What one cell prints, and what the screen sorts and filters by."""

    text: str
    value: str | None = None
    """What it sorts by, where that is not its text; empty where nothing was measured."""
    holds: tuple[str, ...] = ()
    """Entries to filter by."""
    is_wrong: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """One column: its head, its cells, and the entries it can be filtered by."""

    column: Column
    cells: tuple[Cell, ...]
    entries: tuple[str, ...] = ()
    on_paper: bool = True

    def held(self, cell: Cell) -> str:
        """Numbers of the entries that a cell holds, as the page carries them."""
        return " ".join(str(self.entries.index(entry)) for entry in cell.holds) if self.entries else ""


def compose(sources: Sources) -> Section:
    """The table of all documents."""
    wrong = _wrong(sources)
    rows = tuple(sorted(sources.findings.documents, key=lambda row: row.document_id not in wrong))
    parts = _parts(rows, wrong)
    return Section(
        id="documents",
        title=say("Documents"),
        question=say("What was found for each document?"),
        answer=_answer(rows),
        method=_method(wrong),
        limits=_limits(len(rows)),
        template="sections/documents.html.j2",
        content={
            "caption": _caption(rows, wrong),
            "parts": parts,
            "screen_only": [part.column.title for part in parts if not part.on_paper],
            "n_rows": len(rows),
            "paper_rows": PAPER_ROWS,
            "wrong": [row.document_id in wrong for row in rows],
        },
    )


def _wrong(sources: Sources) -> frozenset[str]:
    """Documents whose answer counts as an error in the accuracy."""
    found = sources.findings.predictions
    if found is None:
        return frozenset()
    return frozenset(a.document.id for a in answers.pair(sources.evidence, found.multi_label) if a.wrong)


def _answer(rows: tuple[DocumentRow, ...]) -> str:
    documents = plural(len(rows), "{n} document", "{n} documents")
    failed = sum(bool(row.failed) for row in rows)
    if not failed:
        return paragraph([say("{documents}; no probe failed.", documents=documents), _without(rows)])
    said = plural(
        failed,
        "{documents}; for {n} of them a probe failed.",
        "{documents}; for {n} of them a probe failed.",
        documents=documents,
    )
    return paragraph([said, _without(rows)])


def _without(rows: tuple[DocumentRow, ...]) -> str:
    n = sum(bool(row.not_measurable) for row in rows)
    if not n:
        return ""
    return plural(n, "{n} holds nothing for some probe to measure.", "{n} hold nothing for some probe to measure.")


def _method(wrong: frozenset[str]) -> str:
    if not wrong:
        return say("One line per document, in the order of the corpus; a dash means not measured.")
    return say(
        "One line per document: first those with a wrong answer, then the others, both in the order of the corpus; a "
        "dash means not measured."
    )


def _limits(n: int) -> str:
    if n <= PAPER_ROWS:
        return say("Texts are shown only for the examples above.")
    return say(
        "On paper the first {shown} of {all} are printed; report.html and findings.json have all.",
        shown=formats.count(PAPER_ROWS),
        all=formats.count(n),
    )


def _caption(rows: tuple[DocumentRow, ...], wrong: frozenset[str]) -> str:
    sentences = [say("All documents.")]
    if wrong:
        sentences = [
            say("All documents, wrong answers first: ✗ stands before a prediction that differs from the label.")
        ]
    if any(row.entropy for row in rows):
        sentences.append(say("Entropy in nats."))
    if any(row.fidelity for row in rows):
        sentences.append(say("R² is the fidelity of the explanation."))
    if any(row.n_tokens for row in rows):
        sentences.append(say("Tokens as the audited model counts them."))
    return paragraph(sentences)


def _parts(rows: tuple[DocumentRow, ...], wrong: frozenset[str]) -> list[Part]:
    """Columns that hold anything."""
    parts = [Part(Column(say("Document"), "id", 14), tuple(_document(row) for row in rows))]
    if any(row.reference for row in rows):
        parts.append(_choice(Column(say("Labelled"), "corpus", 9), [_labels(row.reference) for row in rows]))
    if any(row.predicted for row in rows):
        cells = [replace(_labels(row.predicted), is_wrong=row.document_id in wrong) for row in rows]
        parts.append(_choice(Column(say("Predicted"), "corpus", 9), cells))
    for title, width, name, unit in _NUMBERS:
        if any(getattr(row, name) or (unit == "perplexity" and getattr(row, name) == 0) for row in rows):
            column = Column(say(title), "number", width)
            parts.append(Part(column, tuple(_number(getattr(row, name), unit) for row in rows)))
    for place, key in enumerate(dict.fromkeys(key for row in rows for key in row.metadata)):
        column = Column(formats.middle(key, 24), "corpus")
        part = _choice(column, [_metadata(row.metadata.get(key)) for row in rows])
        parts.append(replace(part, on_paper=place < MOST_METADATA))
    if any(row.failed or row.not_measurable for row in rows):
        title = say("Not measured") if any(row.not_measurable for row in rows) else say("Failed")
        parts.append(_choice(Column(title), [_unmeasured(row) for row in rows]))
    return parts


def _choice(column: Column, cells: Iterable[Cell]) -> Part:
    """A column to choose from, where it has few enough entries and more than one group."""
    made = tuple(cells)
    entries = sorted({entry for cell in made for entry in cell.holds})
    tells = len(entries) > 1 or any(not cell.holds for cell in made)
    return Part(column, made, tuple(entries) if tells and len(entries) <= MOST_ENTRIES else ())


def _document(row: DocumentRow) -> Cell:
    short = formats.middle(row.document_id, 24)
    return Cell(short, None if short == row.document_id else row.document_id)


def _labels(names: tuple[str, ...]) -> Cell:
    return Cell(labels(names), ", ".join(names), names)


def _number(value: float | None, unit: str) -> Cell:
    """A perplexity is given, and sorted, by its logarithm."""
    text = formats.perplexity(value) if unit == "perplexity" else formats.quantity(value, unit, suffix=False)
    return Cell(text, "" if value is None else f"{value:.9g}")


def _metadata(value: str | None) -> Cell:
    if not value:
        return Cell(formats.NOTHING, "")
    return Cell(formats.excerpt(value, 40), holds=(value,))


def _unmeasured(row: DocumentRow) -> Cell:
    """The probes that have no record of a document; those that had nothing to measure say so."""
    without = (say("{probe} (not measurable)", probe=wording.probe(probe)) for probe in row.not_measurable)
    names = (*map(wording.probe, row.failed), *without)
    return Cell(formats.listed(names) if names else "", holds=names)
