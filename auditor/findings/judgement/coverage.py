"""How much of the corpus was measured, and what every document came to."""

from collections import Counter
from collections.abc import Mapping, Sequence

from auditor.findings.analyses.answers import Answer
from auditor.findings.analyses.perplexity import document_bits_per_byte, document_nats, document_perplexity
from auditor.findings.evidence import Context, Evidence, Facts
from auditor.findings.numbers import WILSON, number
from auditor.findings.statistics.intervals import wilson
from auditor.findings.types import Coverage, DocumentRow, Number
from auditor.findings.wording import left_out as why_left_out
from auditor.findings.wording import listing
from auditor.findings.wording import probe as title_of
from auditor.languages import numbers as written
from auditor.languages import plural, say
from auditor.records.types import (
    AttentionStatistics,
    Document,
    Explanation,
    Failure,
    NotMeasurable,
    Perplexity,
    Prediction,
    PseudoPerplexity,
    Record,
    Unmeasured,
)

LISTED = 20
"""Documents of one probe that are named, of each state."""


def cover(evidence: Evidence, context: Context) -> tuple[Coverage, ...]:
    """One row for each probe that ran or was asked to, and for those that would have run by default."""
    ran = {probe: found for probe, found in evidence.probes.items() if found or probe in context.asked}
    rows = [_row(probe, found, evidence, context) for probe, found in ran.items()]
    return (*rows, *(_left_out(probe, kind, evidence) for probe, kind in context.left_out.items() if probe not in ran))


def failed_share(evidence: Evidence) -> Number:
    """Share of documents that a probe was asked about and at least one could not measure."""
    asked = {i for found in evidence.probes.values() for i in found}
    failed = {i for found in evidence.probes.values() for i, record in found.items() if isinstance(record, Failure)}
    protocol = say(
        "Share of documents asked about that at least one probe could not measure; {interval}", interval=say(WILSON)
    )
    return number("coverage.failed_share", say("Failed documents"), wilson(len(failed), len(asked)), "share", protocol)


def describe_limits(coverage: Sequence[Coverage]) -> list[str]:
    """What page one must say about subsets, failures and truncation."""
    notes = [_subset(row) for row in coverage if row.asked < row.corpus and not row.left_out]
    notes += [_failed(n, probes) for n, probes in _by_number({row.probe: row.failed for row in coverage})]
    return notes + [_truncated(n, probes) for n, probes in _by_number({row.probe: row.truncated for row in coverage})]


def _subset(row: Coverage) -> str:
    return plural(
        row.corpus,
        "The {probe} probe was given {asked} of {n} document, a seeded sample stratified by label.",
        "The {probe} probe was given {asked} of {n} documents, a seeded sample stratified by label.",
        probe=title_of(row.probe),
        asked=written.count(row.asked),
    )


def _failed(n: int, probes: Sequence[str]) -> str:
    return plural(
        len(probes),
        "The {probes} probe could not measure {documents}.",
        "The {probes} probes could not measure {documents}.",
        probes=listing(probes, most=len(probes)),
        documents=plural(n, "{n} document", "{n} documents"),
    )


def _truncated(n: int, probes: Sequence[str]) -> str:
    return plural(
        len(probes),
        "The {probes} probe saw only the beginning of {documents}.",
        "The {probes} probes saw only the beginning of {documents}.",
        probes=listing(probes, most=len(probes)),
        documents=plural(n, "{n} document", "{n} documents"),
    )


def _by_number(numbers: Mapping[str, int]) -> list[tuple[int, list[str]]]:
    """The probes with the same number of documents in one breath, largest number first; zeros left out."""
    return [
        (n, [title_of(probe) for probe, m in numbers.items() if m == n])
        for n in sorted({n for n in numbers.values() if n}, reverse=True)
    ]


def list_documents(evidence: Evidence, answers: Sequence[Answer]) -> tuple[DocumentRow, ...]:
    """The table of all documents, in the order of the corpus."""
    fidelities = {d.id: e.targets[0].fidelity for d, e in evidence.measured(evidence.explanations)}
    by_id = {answer.document.id: answer for answer in answers}
    rows = []
    for document in evidence.documents:
        answer, score = by_id.get(document.id), _record(evidence.perplexity, document.id)
        scored = score if isinstance(score, Perplexity) else None
        guessed = _record(evidence.pseudo_perplexity, document.id)
        filled = guessed if isinstance(guessed, PseudoPerplexity) else None
        rows.append(
            DocumentRow(
                document_id=document.id,
                reference=document.labels,
                predicted=answer.prediction.predicted if answer else (),
                probability=answer.probability if answer else None,
                entropy=answer.prediction.entropy if answer and answer.prediction.labels else None,
                fidelity=fidelities.get(document.id),
                perplexity=document_perplexity(scored) if scored else None,
                bits_per_byte=document_bits_per_byte(scored) if scored else None,
                n_tokens=_n_tokens(evidence, document.id),
                failed=_probes_with(Failure, evidence, document),
                not_measurable=_probes_with(NotMeasurable, evidence, document),
                metadata=dict(document.metadata),
                perplexity_nats=document_nats(scored) if scored else None,
                pseudo_perplexity=document_perplexity(filled) if filled else None,
                pseudo_perplexity_nats=document_nats(filled) if filled else None,
            )
        )
    return tuple(rows)


def _probes_with(state: type, evidence: Evidence, document: Document) -> tuple[str, ...]:
    return tuple(probe for probe, found in evidence.probes.items() if isinstance(found.get(document.id), state))


def _row(
    probe: str, found: Mapping[str, Record | Facts | Unmeasured], evidence: Evidence, context: Context
) -> Coverage:
    rows = [found[d.id] for d in evidence.documents if d.id in found]
    failures = [row for row in rows if isinstance(row, Failure)]
    without = [row for row in rows if isinstance(row, NotMeasurable)]
    return Coverage(
        probe=probe,
        corpus=len(evidence.documents),
        asked=context.asked.get(probe, len(found)),
        measured=len(found) - len(failures) - len(without),
        failed=len(failures),
        truncated=sum(_is_truncated(record, evidence.predictions.get(i)) for i, record in found.items()),
        failures=_listed(failures),
        not_measurable=len(without),
        reasons=dict(Counter(row.kind for row in without).most_common()),
        unmeasurable=_listed(without),
    )


def _left_out(probe: str, kind: str, evidence: Evidence) -> Coverage:
    nothing = dict.fromkeys(("asked", "measured", "failed", "truncated"), 0)
    corpus = len(evidence.documents)
    return Coverage(probe=probe, corpus=corpus, failures=(), left_out=why_left_out(kind), **nothing)


def _listed(rows: Sequence[Unmeasured]) -> tuple[tuple[str, str, str], ...]:
    return tuple((row.document_id, row.kind, row.message) for row in rows[:LISTED])


def _is_truncated(record: Record | Facts | Unmeasured, prediction: Prediction | Unmeasured | None) -> bool:
    """Whether the model saw only the beginning; an explanation asks it about as much as the prediction did."""
    read = prediction if isinstance(record, Explanation) else record
    return isinstance(read, Prediction | AttentionStatistics) and read.truncated


def _record(found: Mapping[str, Record | Unmeasured], document_id: str) -> Record | None:
    record = found.get(document_id)
    return None if isinstance(record, Unmeasured) else record


def _n_tokens(evidence: Evidence, document_id: str) -> int | None:
    """As the audited model counts them; where only a language model read the document, as that one does."""
    for found in (evidence.predictions, evidence.attention):
        record = _record(found, document_id)
        if isinstance(record, Prediction | AttentionStatistics):
            return record.n_tokens
    scored = (_record(found, document_id) for found in (evidence.pseudo_perplexity, evidence.perplexity))
    return next((len(r.logprobs) for r in scored if isinstance(r, Perplexity | PseudoPerplexity)), None)
