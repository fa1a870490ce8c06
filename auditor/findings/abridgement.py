"""Which documents stay in findings.json and in the report where their table would grow without end.

    shown elsewhere   documents with a card, a map or a place in a list of the report
    failed            the first that a probe could not measure, in the order of the corpus
    wrong             wrong answers, the surest first; ties keep the order of the corpus
    others            from the beginning of the corpus, until there are `SHOWN`

All documents are then in documents.parquet and documents.html. A corpus of at most `SHOWN` documents is never abridged.
"""

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence

from auditor.findings.analyses.answers import Answer, pair
from auditor.findings.analyses.failures import choose_failures
from auditor.findings.evidence import Evidence
from auditor.findings.judgement.coverage import list_documents
from auditor.findings.types import DocumentRow, Findings
from auditor.records.types import Failure, NotMeasurable

MOST_ROWS = 10_000
"""With more documents the table never fits on the page, so that nobody needs to draw it first."""
SHOWN = 500
FAILED = 100
WRONG = 300
"""The most of each kind, beside those that the report shows elsewhere."""
POINTS = 1000
"""Of the sorted values of one slice, for its strip: the report draws them from the evidence."""
_AT_ONCE = 1000


def abridge(findings: Findings, evidence: Evidence) -> Findings:
    """The same findings with the rows of at most `SHOWN` documents, in the order of the corpus."""
    shown = choose_documents(findings, evidence)
    part = dataclasses.replace(evidence, documents=tuple(d for d in evidence.documents if d.id in shown))
    rows = list_documents(part, pair(part, _is_multi_label(findings)))
    left_out = len(evidence.documents) - len(rows)
    strips = {
        name: found.model_copy(update={"nats_by_slice": _thinned(found.nats_by_slice)})
        for name in ("perplexity", "pseudo_perplexity")
        if (found := getattr(findings, name)) is not None
    }
    return findings.model_copy(update={"documents": rows, "documents_left_out": left_out, **strips})


def choose_documents(findings: Findings, evidence: Evidence) -> frozenset[str]:
    """Ids of the documents that stay, by the rules at the head of this file."""
    everything = [document.id for document in evidence.documents]
    chosen = dict.fromkeys(name for name in _shown_elsewhere(findings, evidence))
    for names, most in (
        (failed_documents(evidence), FAILED),
        (_surest_errors(pair(evidence, _is_multi_label(findings))), WRONG),
        (everything, SHOWN),
    ):
        _add(chosen, names, min(most, SHOWN - len(chosen)))
    return frozenset(chosen)


def document_rows(findings: Findings, evidence: Evidence) -> Iterator[DocumentRow]:
    """The rows of all documents, whether or not the findings keep them; made a thousand at a time."""
    if not findings.documents_left_out:
        yield from findings.documents
        return
    answers = {answer.document.id: answer for answer in pair(evidence, _is_multi_label(findings))}
    for start in range(0, len(evidence.documents), _AT_ONCE):
        documents = evidence.documents[start : start + _AT_ONCE]
        answered = [answers[document.id] for document in documents if document.id in answers]
        yield from list_documents(dataclasses.replace(evidence, documents=documents), answered)


def failed_documents(evidence: Evidence) -> list[str]:
    """Ids of the documents that at least one probe could not measure, in the order of the corpus."""
    return _documents_of(Failure, evidence)


def unmeasurable_documents(evidence: Evidence) -> list[str]:
    """Ids of the documents that hold nothing for at least one probe to measure, in the order of the corpus."""
    return _documents_of(NotMeasurable, evidence)


def _documents_of(state: type, evidence: Evidence) -> list[str]:
    probes = evidence.probes.values()
    return [d.id for d in evidence.documents if any(isinstance(found.get(d.id), state) for found in probes)]


def _thinned(by_slice: Mapping[str, Mapping[str, tuple[float, ...]]]) -> dict[str, dict[str, tuple[float, ...]]]:
    """Of more than `POINTS` sorted values so many at even steps, both ends among them."""
    return {
        column: {value: _at_even_steps(values) for value, values in by_value.items()}
        for column, by_value in by_slice.items()
    }


def _at_even_steps(values: tuple[float, ...]) -> tuple[float, ...]:
    if len(values) <= POINTS:
        return values
    return tuple(values[round(i * (len(values) - 1) / (POINTS - 1))] for i in range(POINTS))


def _add(chosen: dict[str, None], names: Iterable[str], most: int) -> None:
    new = [name for name in names if name not in chosen]
    chosen.update(dict.fromkeys(new[: max(0, most)]))


def _surest_errors(answers: Sequence[Answer]) -> list[str]:
    wrong = sorted((answer for answer in answers if answer.wrong), key=lambda answer: -answer.error_confidence)
    return [answer.document.id for answer in wrong]


def _shown_elsewhere(findings: Findings, evidence: Evidence) -> Iterator[str]:
    """Documents that a section names or shows: each section has a limit of its own."""
    examples = [
        *((*found.confident_errors, *found.least_certain) if (found := findings.predictions) else ()),
        *(findings.explanations.examples if findings.explanations else ()),
        *(findings.perplexity.most_surprising if findings.perplexity else ()),
        *(findings.pseudo_perplexity.most_surprising if findings.pseudo_perplexity else ()),
    ]
    yield from (example.document_id for example in examples)
    if findings.attention:
        yield from findings.attention.mapped
        yield from (head.document_id for head in findings.attention.mapped_heads)
    yield from (name for choice in choose_failures(findings, evidence) for name, _ in choice.documents)
    yield from (name for row in findings.coverage for name, *_ in (*row.failures, *row.unmeasurable))


def _is_multi_label(findings: Findings) -> bool:
    return findings.predictions is not None and findings.predictions.multi_label
