"""The key numbers of parts of the corpus: every metadata column with 2 to 12 values.

Parts are listed whatever their size, and judged from 30 documents on. Documents without the column are in none of its
parts. The values of a column are ordered as numbers if all are numbers, else by name.
"""

from collections.abc import Sequence

from auditor.findings import perplexity, pseudo_perplexity
from auditor.findings.answers import Answer, scored
from auditor.findings.evidence import Evidence
from auditor.findings.explanations import fidelity
from auditor.findings.numbers import SLICE_VALUES, of_slice
from auditor.findings.predictions import accuracy
from auditor.findings.types import Number, SliceRow
from auditor.records.types import Document

LEAST_JUDGED = 30


def sliceable(documents: Sequence[Document]) -> dict[str, tuple[str, ...]]:
    """Column → its values, of the metadata columns that have 2 to 12 values."""
    columns = dict.fromkeys(column for document in documents for column in document.metadata)
    found = {column: _ordered({d.metadata[column] for d in documents if d.metadata.get(column)}) for column in columns}
    return {column: values for column, values in found.items() if len(values) in SLICE_VALUES}


def slice_corpus(evidence: Evidence, answers: Sequence[Answer], seed: int) -> tuple[SliceRow, ...]:
    """One row per column and value."""
    columns = sliceable(evidence.documents)
    return tuple(_row(evidence, answers, column, value, seed) for column, values in columns.items() for value in values)


def count_comparisons(rows: Sequence[SliceRow]) -> int:
    """How many numbers of parts large enough to be judged were measured."""
    return sum(number.value is not None for row in rows if row.judged for number in row.numbers)


def _row(evidence: Evidence, answers: Sequence[Answer], column: str, value: str, seed: int) -> SliceRow:
    members = {d.id for d in evidence.documents if d.metadata.get(column) == value}
    return SliceRow(
        column=column,
        value=value,
        n=len(members),
        numbers=tuple(_numbers(evidence, answers, members, (column, value), seed)),
        judged=len(members) >= LEAST_JUDGED,
    )


def _numbers(
    evidence: Evidence, answers: Sequence[Answer], members: set[str], part: tuple[str, str], seed: int
) -> list[Number]:
    """Of one part, the numbers that the corpus as a whole has."""
    where = f", {part[0]} {part[1]}"
    explanations = [e for d, e in evidence.measured(evidence.explanations)]
    perplexities = [p for d, p in evidence.measured(evidence.perplexity)]
    filled = [p for d, p in evidence.measured(evidence.pseudo_perplexity)]
    found = []
    if scored(answers):
        inside = [a for a in answers if a.document.id in members]
        found.append(accuracy(inside, of_slice("accuracy", *part), f"Accuracy{where}"))
    if explanations:
        explained = [e for e in explanations if e.document_id in members]
        found.append(fidelity(explained, seed, of_slice("lime.fidelity", *part), f"LIME fidelity{where}"))
    if perplexities:
        read = [p for p in perplexities if p.document_id in members]
        found.append(
            perplexity.median(read, of_slice("perplexity.median", *part), f"Median document perplexity{where}")
        )
    if filled:
        own = [p for p in filled if p.document_id in members]
        name, title = of_slice("pseudo_perplexity.median", *part), f"Median document pseudo-perplexity{where}"
        found.append(pseudo_perplexity.median(own, name, title))
    return found


def _ordered(values: set[str]) -> tuple[str, ...]:
    try:
        return tuple(sorted(values, key=lambda value: (float(value), value)))
    except ValueError:
        return tuple(sorted(values))
