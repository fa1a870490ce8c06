"""Every number once more for every part of the corpus, so that `[checks]` can bound any of them.

A part is the documents with one value of a metadata column that has 2 to 12 values; its numbers are those of a corpus
that holds nothing else. A part has every number that the whole corpus has: where nothing in it was measured, without a
value. Documents without a value are a part of their own, which is called (missing) when the corpus is read. The values
are ordered as numbers if all of them are finite numbers, else by name; (missing) comes last.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import isfinite

from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.numbers import SLICE_VALUES, of_slice
from auditor.findings.contract.registry import summaries
from auditor.findings.contract.summary import Setting
from auditor.findings.contract.types import Number
from auditor.languages import say
from auditor.records.types import MISSING, Document


@dataclass(frozen=True, slots=True)
class Part:
    """The documents with one value of one metadata column."""

    column: str
    value: str
    n: int
    numbers: tuple[Number, ...]
    """Named like `recall[positive]{length=short}`, in the order of the whole corpus."""


def sliceable(documents: Sequence[Document]) -> dict[str, tuple[str, ...]]:
    """Column → its values, of the metadata columns that have 2 to 12 values."""
    columns = dict.fromkeys(column for document in documents for column in document.metadata)
    values = {column: _ordered({d.metadata[column] for d in documents if d.metadata.get(column)}) for column in columns}
    return {column: values[column] for column in values if len(values[column]) in SLICE_VALUES}


def measure_parts(evidence: Evidence, setting: Setting, whole: Sequence[Number]) -> Iterator[Part]:
    """The parts of every column.

    Args:
        evidence: Of the whole corpus.
        setting: Of the whole corpus: what counts as a reference was decided there.
        whole: The numbers of the whole corpus.
    """
    within = replace(setting, columns={})
    for column, values in sliceable(evidence.documents).items():
        for value in values:
            members = frozenset(d.id for d in evidence.documents if d.metadata.get(column) == value)
            inside = {number.name: number for number in numbers_of(evidence.restricted(members), within)}
            numbers = tuple(_of_part(inside.get(n.name, _unmeasured(n)), column, value) for n in whole)
            yield Part(column, value, len(members), numbers)


def numbers_of(evidence: Evidence, setting: Setting) -> list[Number]:
    """The numbers of a part of a corpus, of the summaries that conclude of parts."""
    conclusions = (summary.summarise(evidence, setting) for summary in summaries().values() if summary.of_parts)
    return [number for conclusion in conclusions if conclusion for number in conclusion.numbers]


def _of_part(number: Number, column: str, value: str) -> Number:
    title = say("{number}, {column} {value}", number=number.title, column=column, value=value)
    return number.model_copy(update={"name": of_slice(number.name, column, value), "title": title})


def _unmeasured(number: Number) -> Number:
    return number.model_copy(update={"value": None, "low": None, "high": None, "n": 0, "nats": None})


def _ordered(values: set[str]) -> tuple[str, ...]:
    known = sorted(values - {MISSING})
    if all(map(_is_finite, known)):
        known.sort(key=float)
    return (*known, *(values & {MISSING}))


def _is_finite(value: str) -> bool:
    try:
        return isfinite(float(value))
    except ValueError:
        return False
