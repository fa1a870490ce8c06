"""What was found for each document?"""

from collections.abc import Callable

from auditor.findings.types import DocumentRow
from auditor.report import formats
from auditor.report.sections.contract import PAPER_ROWS, Column, Kind, Section, Sources, Table
from auditor.report.sections.predictions import labels

MOST_METADATA = 2

_Cell = Callable[[DocumentRow], str]
_NUMBERS: tuple[tuple[str, int, str, str], ...] = (
    ("Prob.", 6, "probability", "probability"),
    ("Entropy", 7, "entropy", "nats"),
    ("R²", 6, "fidelity", "correlation"),
    ("Perplexity", 9, "perplexity", "perplexity"),
    ("Bits/byte", 8, "bits_per_byte", "bits"),
    ("Pseudo-p.", 9, "pseudo_perplexity", "perplexity"),
    ("Tokens", 6, "n_tokens", "count"),
)


def compose(sources: Sources) -> Section:
    """The table of all documents."""
    rows = sources.findings.documents
    failed = sum(bool(row.failed) for row in rows)
    trouble = f", {formats.plural(failed, 'document')} with a failed probe" if failed else ", no probe failed"
    return Section(
        id="documents",
        title="Documents",
        question="What was found for each document?",
        answer=f"{formats.plural(len(rows), 'document')}{trouble}.",
        method="One line per document, in the order of the corpus; a dash means not measured.",
        limits=_limits(len(rows)),
        template="sections/documents.html.j2",
        content={"table": _table(rows)},
    )


def _limits(n: int) -> str:
    if n <= PAPER_ROWS:
        return "Texts are shown only for the examples above."
    return f"On paper the first {PAPER_ROWS} of {formats.count(n)} are printed; report.html and findings.json have all."


def _table(rows: tuple[DocumentRow, ...]) -> Table:
    parts = _parts(rows)
    columns = tuple(column for column, _ in parts)
    cells = tuple(tuple(cell(row) for _, cell in parts) for row in rows)
    return Table("All documents. Entropy in nats; R² is the fidelity of the explanation.", columns, cells)


def _parts(rows: tuple[DocumentRow, ...]) -> list[tuple[Column, _Cell]]:
    """Columns that hold anything, with the function that fills them."""
    parts: list[tuple[Column, _Cell]] = [
        (Column("Document", "id", 14), lambda row: formats.middle(row.document_id, 24))
    ]
    if any(row.reference for row in rows):
        parts.append(_labels("Labelled", lambda row: row.reference))
    if any(row.predicted for row in rows):
        parts.append(_labels("Predicted", lambda row: row.predicted))
    for title, width, name, unit in _NUMBERS:
        if any(getattr(row, name) for row in rows):
            parts.append((Column(title, "number", width), _number(name, unit)))
    for key in list(dict.fromkeys(key for row in rows for key in row.metadata))[:MOST_METADATA]:
        parts.append((Column(formats.middle(key, 24), "corpus"), _metadata(key)))
    if any(row.failed for row in rows):
        parts.append((Column("Failed"), lambda row: ", ".join(row.failed)))
    return parts


def _labels(title: str, names: Callable[[DocumentRow], tuple[str, ...]]) -> tuple[Column, _Cell]:
    kind: Kind = "corpus"
    return Column(title, kind, 9), lambda row: labels(names(row))


def _number(name: str, unit: str) -> _Cell:
    return lambda row: formats.quantity(getattr(row, name), unit, suffix=False)


def _metadata(key: str) -> _Cell:
    return lambda row: formats.excerpt(row.metadata.get(key, formats.NOTHING), 40)
