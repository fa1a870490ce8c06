"""Every number once more for every part of the corpus, so that `[checks]` can bound any of them.

A part is the documents with one value of a metadata column that has 2 to 12 values; its numbers are those of a corpus
that holds nothing else. A part has every number that the whole corpus has: where nothing in it was measured, without a
value. Documents without a value are a part of their own, which is called (missing) when the corpus is read. The values
are ordered as numbers if all of them are finite numbers, else by name; (missing) comes last.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TypeVar

from auditor.findings.analyses.agreement import agree_on
from auditor.findings.analyses.answers import Answer
from auditor.findings.analyses.attention import summarise_attention
from auditor.findings.analyses.explanations import summarise_explanations
from auditor.findings.analyses.perplexity import summarise_perplexity
from auditor.findings.analyses.predictions import summarise_predictions
from auditor.findings.analyses.pseudo_perplexity import summarise_pseudo_perplexity
from auditor.findings.evidence import Evidence
from auditor.findings.numbers import SLICE_VALUES, of_slice
from auditor.findings.types import Number
from auditor.languages import say
from auditor.records.types import MISSING, Document

R = TypeVar("R")


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
    found = {column: _ordered({d.metadata[column] for d in documents if d.metadata.get(column)}) for column in columns}
    return {column: values for column, values in found.items() if len(values) in SLICE_VALUES}


def measure_parts(
    evidence: Evidence, answers: Sequence[Answer], whole: Sequence[Number], *, candidates: bool, seed: int
) -> Iterator[Part]:
    """The parts of every column.

    Args:
        evidence: of the whole corpus.
        answers: to all of its documents; what counts as a reference was decided there.
        whole: the numbers of the whole corpus.
        candidates: whether the labels are continuations that a language model chose among.
        seed: of the bootstrap.
    """
    for column, values in sliceable(evidence.documents).items():
        for value in values:
            members = {d.id for d in evidence.documents if d.metadata.get(column) == value}
            inside = [answer for answer in answers if answer.document.id in members]
            own = {n.name: n for n in _numbers(_restricted(evidence, members), inside, candidates, seed)}
            numbers = tuple(_placed(own.get(n.name, _unmeasured(n)), column, value) for n in whole)
            yield Part(column, value, len(members), numbers)


def _placed(number: Number, column: str, value: str) -> Number:
    title = say("{number}, {column} {value}", number=number.title, column=column, value=value)
    return number.model_copy(update={"name": of_slice(number.name, column, value), "title": title})


def _unmeasured(number: Number) -> Number:
    return number.model_copy(update={"value": None, "low": None, "high": None, "n": 0, "nats": None})


def _restricted(evidence: Evidence, members: set[str]) -> Evidence:
    def inside(found: Mapping[str, R]) -> dict[str, R]:
        return {key: record for key, record in found.items() if key in members}

    return Evidence(
        documents=tuple(d for d in evidence.documents if d.id in members),
        predictions=inside(evidence.predictions),
        explanations=inside(evidence.explanations),
        attention=inside(evidence.attention),
        perplexity=inside(evidence.perplexity),
        pseudo_perplexity=inside(evidence.pseudo_perplexity),
    )


def _numbers(part: Evidence, answers: Sequence[Answer], candidates: bool, seed: int) -> list[Number]:
    explained = [explanation for _, explanation in part.measured(part.explanations)]
    attended = [record for _, record in part.measured(part.attention)]
    return [
        *summarise_predictions(answers, candidates=candidates, seed=seed)[1],
        *summarise_explanations(explained, answers, seed)[1],
        *summarise_attention(attended, agree_on(part, seed), seed)[1],
        *summarise_perplexity(tuple(part.measured(part.perplexity)), {}, False, seed)[1],
        *summarise_pseudo_perplexity(tuple(part.measured(part.pseudo_perplexity)), {}, False, seed)[1],
    ]


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
