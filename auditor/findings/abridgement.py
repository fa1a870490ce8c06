"""Which documents stay in findings.json and in the report where their table would grow without end.

    shown elsewhere   documents with a card, a map or a place in a list of the report
    failed            the first that a probe could not measure, in the order of the corpus
    wrong             wrong answers, the surest first; ties keep the order of the corpus
    others            from the beginning of the corpus, until there are `SHOWN`

All documents are then in documents.parquet and documents.html. A corpus of at most `SHOWN` documents is never abridged.
"""

from collections.abc import Iterable, Iterator, Sequence

from auditor.findings.analyses.answers import Answer, pair
from auditor.findings.analyses.prediction import is_multi_label
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.registry import summary_of
from auditor.findings.contract.types import DocumentRow, Findings
from auditor.findings.judgement.coverage import list_documents
from auditor.records.types import Failure, NotMeasurable

MOST_ROWS = 10_000
"""With more documents the table never fits on the page, so that nobody needs to draw it first."""
SHOWN = 500
FAILED = 100
WRONG = 300
"""The most of each kind, beside those that the report shows elsewhere."""
_AT_ONCE = 1000


def abridge(findings: Findings, evidence: Evidence) -> Findings:
    """The same findings with the rows of at most `SHOWN` documents, in the order of the corpus."""
    shown = choose_documents(findings, evidence)
    part = evidence.restricted(shown)
    rows = list_documents(part, pair(part, is_multi_label(findings)), findings.references)
    left_out = len(evidence.documents) - len(rows)
    analyses = {
        probe: summary.abridged(analysis) if (summary := summary_of(probe)) else analysis
        for probe, analysis in findings.analyses.items()
    }
    return findings.model_copy(update={"documents": rows, "documents_left_out": left_out, "analyses": analyses})


def choose_documents(findings: Findings, evidence: Evidence) -> frozenset[str]:
    """Ids of the documents that stay, by the rules at the head of this file."""
    everything = [document.id for document in evidence.documents]
    chosen = dict.fromkeys(name for name in _shown_elsewhere(findings))
    for names, most in (
        (failed_documents(evidence), FAILED),
        (_surest_errors(pair(evidence, is_multi_label(findings))), WRONG),
        (everything, SHOWN),
    ):
        _add(chosen, names, min(most, SHOWN - len(chosen)))
    return frozenset(chosen)


def document_rows(findings: Findings, evidence: Evidence) -> Iterator[DocumentRow]:
    """The rows of all documents, whether or not the findings keep them; made a thousand at a time."""
    if not findings.documents_left_out:
        yield from findings.documents
        return
    answers = {answer.document.id: answer for answer in pair(evidence, is_multi_label(findings))}
    for start in range(0, len(evidence.documents), _AT_ONCE):
        documents = evidence.documents[start : start + _AT_ONCE]
        answered = [answers[document.id] for document in documents if document.id in answers]
        yield from list_documents(Evidence(documents, evidence.rows), answered, findings.references)


def failed_documents(evidence: Evidence) -> list[str]:
    """Ids of the documents that at least one probe could not measure, in the order of the corpus."""
    return _documents_of(Failure, evidence)


def unmeasurable_documents(evidence: Evidence) -> list[str]:
    """Ids of the documents that hold nothing for at least one probe to measure, in the order of the corpus."""
    return _documents_of(NotMeasurable, evidence)


def _documents_of(state: type, evidence: Evidence) -> list[str]:
    probes = evidence.rows.values()
    return [d.id for d in evidence.documents if any(isinstance(rows.get(d.id), state) for rows in probes)]


def _add(chosen: dict[str, None], names: Iterable[str], most: int) -> None:
    new = [name for name in names if name not in chosen]
    chosen.update(dict.fromkeys(new[: max(0, most)]))


def _surest_errors(answers: Sequence[Answer]) -> list[str]:
    wrong = sorted((answer for answer in answers if answer.wrong), key=lambda answer: -answer.error_confidence)
    return [answer.document.id for answer in wrong]


def _shown_elsewhere(findings: Findings) -> Iterator[str]:
    """Documents that a section names or shows: each section has a limit of its own."""
    for probe, analysis in findings.analyses.items():
        if summary := summary_of(probe):
            yield from summary.shown(analysis)
    yield from (name for choice in findings.worst for name, _ in choice.documents)
    yield from (name for row in findings.coverage for name, *_ in (*row.failures, *row.unmeasurable))
