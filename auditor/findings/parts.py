"""Every number once more for every part of the corpus, so that `[checks]` can bound any of them.

A part is the documents with one value of a metadata column; its numbers are those of a corpus that holds nothing else.
The few that the table of slices shows are computed by `auditor.findings.slices`, and left out here.
"""

from collections.abc import Iterator, Mapping
from typing import TypeVar

from auditor.findings.agreement import agree_on
from auditor.findings.answers import pair
from auditor.findings.attention import summarise_attention
from auditor.findings.evidence import Evidence
from auditor.findings.explanations import summarise_explanations
from auditor.findings.numbers import SLICED, of_slice
from auditor.findings.perplexity import summarise_perplexity
from auditor.findings.predictions import summarise_predictions
from auditor.findings.pseudo_perplexity import summarise_pseudo_perplexity
from auditor.findings.slices import sliceable
from auditor.findings.types import Number

R = TypeVar("R")


def numbers_of_parts(evidence: Evidence, multi_label: bool, seed: int) -> Iterator[Number]:
    """The numbers of each part, named like `recall[positive]{length=short}`."""
    for column, values in sliceable(evidence.documents).items():
        for value in values:
            for own in _numbers(_restricted(evidence, column, value), multi_label, seed):
                if own.name not in SLICED.values():
                    name, title = of_slice(own.name, column, value), f"{own.title}, {column} {value}"
                    yield own.model_copy(update={"name": name, "title": title})


def _restricted(evidence: Evidence, column: str, value: str) -> Evidence:
    members = {d.id for d in evidence.documents if d.metadata.get(column) == value}

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


def _numbers(part: Evidence, multi_label: bool, seed: int) -> list[Number]:
    answers = pair(part, multi_label)
    explained = [explanation for _, explanation in part.measured(part.explanations)]
    attended = [record for _, record in part.measured(part.attention)]
    return [
        *summarise_predictions(answers, multi_label, seed)[1],
        *summarise_explanations(explained, answers, seed)[1],
        *summarise_attention(attended, agree_on(part, seed), seed)[1],
        *summarise_perplexity(tuple(part.measured(part.perplexity)), {}, False, seed)[1],
        *summarise_pseudo_perplexity(tuple(part.measured(part.pseudo_perplexity)), {}, False, seed)[1],
    ]
