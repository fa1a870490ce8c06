"""What perplexity and pseudo-perplexity have in common: documents by their scored tokens, and the strips of slices."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from auditor.findings.contract.finding import Finding
from auditor.findings.contract.types import Example, Number
from auditor.findings.statistics import exponentials
from auditor.records.types import Document, ScoredTokens

POINTS = 1000
"""Of the sorted values of one slice, for its strip: the report draws them from the evidence."""
Strips = dict[str, dict[str, tuple[float, ...]]]
"""Column → value → sorted logarithms of the documents' perplexities."""


def document_nats(record: ScoredTokens) -> float:
    """Mean negative log-likelihood of a token: the logarithm of the perplexity."""
    return record.nll / max(len(record.logprobs), 1)


def document_perplexity(record: ScoredTokens) -> float | None:
    """Exponential of the mean negative log-likelihood of a token; None beyond 1e300."""
    return exponentials.exponential(document_nats(record))


class ScoredFindings(Finding):
    """What perplexity and pseudo-perplexity have in common."""

    model: str
    is_reference: bool
    """Whether this is a reference model and not the audited one."""
    context_length: int
    n_documents: int
    n_tokens: int
    corpus: Number
    """exp of the mean negative (pseudo-)log-likelihood over all tokens."""
    mean_document: Number
    median_document: Number
    most_surprising: tuple[Example, ...]
    nats_by_slice: Strips
    """column → value → sorted logarithms of the documents' perplexities, for the strips; of a corpus that is too
    large for one page 1,000 at even steps."""


F = TypeVar("F", bound=ScoredFindings)


def nats_by_slice(
    documents: Iterable[Document], records: Mapping[str, ScoredTokens], columns: Mapping[str, Sequence[str]]
) -> Strips:
    """Sorted logarithms of the documents' perplexities by column and value; values without any are left out."""
    measured = [(document, document_nats(records[document.id])) for document in documents if document.id in records]
    strips: Strips = {}
    for column, values in columns.items():
        by_value = {
            value: tuple(sorted(nats for document, nats in measured if document.metadata.get(column) == value))
            for value in values
        }
        strips[column] = {value: nats for value, nats in by_value.items() if nats}
    return strips


def abridged_strips(findings: F) -> F:
    """The findings with at most `POINTS` values of each strip, at even steps, both ends among them."""
    strips = {
        column: {value: _at_even_steps(nats) for value, nats in by_value.items()}
        for column, by_value in findings.nats_by_slice.items()
    }
    return findings.model_copy(update={"nats_by_slice": strips})


def _at_even_steps(values: tuple[float, ...]) -> tuple[float, ...]:
    if len(values) <= POINTS:
        return values
    return tuple(values[round(i * (len(values) - 1) / (POINTS - 1))] for i in range(POINTS))
