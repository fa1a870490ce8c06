"""How much of the corpus was measured, and what every document came to."""

from collections import Counter
from collections.abc import Mapping, Sequence

from auditor.findings.analyses.answers import Answer
from auditor.findings.contract.context import Context
from auditor.findings.contract.evidence import Evidence
from auditor.findings.contract.numbers import WILSON
from auditor.findings.contract.quantity import Quantity
from auditor.findings.contract.registry import summaries, summary_of
from auditor.findings.contract.types import Coverage, DocumentRow, Number
from auditor.findings.statistics.intervals import wilson
from auditor.findings.wording.sentences import left_out as why_left_out
from auditor.findings.wording.sentences import listing
from auditor.findings.wording.sentences import probe as title_of
from auditor.languages import N_, plural, say
from auditor.languages import numbers as written
from auditor.records.types import Document, Failure, NotMeasurable, Unmeasured

LISTED = 20
"""Documents of one probe that are named, of each state."""
FAILED_SHARE = Quantity(name="coverage.failed_share", title=N_("Failed documents"), unit="share")


def cover(evidence: Evidence, context: Context) -> tuple[Coverage, ...]:
    """One row for each probe that ran or was asked to, and for those that would have run by default."""
    ran = [probe for probe in _in_order(evidence, context) if evidence.of(probe) or probe in context.asked]
    rows = [_row(probe, evidence, context) for probe in ran]
    return (*rows, *(_left_out(probe, kind, evidence) for probe, kind in context.left_out.items() if probe not in ran))


def _in_order(evidence: Evidence, context: Context) -> list[str]:
    """Probes in the order of the report, those without a summary last."""
    return list(dict.fromkeys([*summaries(), *evidence.rows, *context.asked]))


def failed_share(evidence: Evidence) -> Number:
    """Share of documents that a probe was asked about and at least one could not measure."""
    asked = {i for rows in evidence.rows.values() for i in rows}
    failed = {i for rows in evidence.rows.values() for i, row in rows.items() if isinstance(row, Failure)}
    protocol = say(
        "Share of documents asked about that at least one probe could not measure; {interval}", interval=say(WILSON)
    )
    return FAILED_SHARE.number(wilson(len(failed), len(asked)), protocol)


def describe_limits(coverage: Sequence[Coverage]) -> list[str]:
    """What page one must say about subsets, failures and truncation."""
    asked = {row.probe: row.asked for row in coverage if row.asked < row.corpus and not row.left_out}
    notes = [_subsets(_by_number(asked), coverage[0].corpus)] if asked else []
    notes += [_failed(n, probes) for n, probes in _by_number({row.probe: row.failed for row in coverage})]
    return notes + [_truncated(n, probes) for n, probes in _by_number({row.probe: row.truncated for row in coverage})]


def _subsets(given: Sequence[tuple[int, Sequence[str]]], corpus: int) -> str:
    if len(given) > 1:
        return say(
            "Several probes were given {numbers} of {documents}: seeded samples stratified by label.",
            numbers=written.listed([written.count(n) for n, _ in given]),
            documents=plural(corpus, "{n} document", "{n} documents"),
        )
    n, probes = given[0]
    return plural(
        len(probes),
        "The {probes} probe was given {asked} of {documents}, a seeded sample stratified by label.",
        "The {probes} probes were given {asked} of {documents}, a seeded sample stratified by label.",
        probes=listing(probes),
        asked=written.count(n),
        documents=plural(corpus, "{n} document", "{n} documents"),
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


def list_documents(
    evidence: Evidence, answers: Sequence[Answer], references: Mapping[str, str]
) -> tuple[DocumentRow, ...]:
    """The table of all documents, in the order of the corpus.

    Args:
        evidence: Of these documents.
        answers: To those of them that were predicted.
        references: Probe → the reference model that it asked.
    """
    predicted = {answer.document.id: answer.prediction.predicted for answer in answers}
    readers = sorted(summaries(), key=lambda probe: probe in references)
    return tuple(
        DocumentRow(
            document_id=document.id,
            reference=document.labels,
            predicted=predicted.get(document.id, ()),
            n_tokens=_n_tokens(evidence, document.id, readers),
            failed=_probes_with(Failure, evidence, document),
            not_measurable=_probes_with(NotMeasurable, evidence, document),
            metadata=dict(document.metadata),
            values=_values(evidence, document.id),
        )
        for document in evidence.documents
    )


def _values(evidence: Evidence, document_id: str) -> dict[str, float | None]:
    """Name of a cell → its value, of the probes that ran."""
    values: dict[str, float | None] = {}
    for probe, summary in summaries().items():
        if rows := evidence.of(probe):
            row = rows.get(document_id)
            record = row if isinstance(row, summary.record) else None
            values |= {cell.name: None if record is None else cell.value(record, evidence) for cell in summary.cells}
    return values


def _probes_with(state: type, evidence: Evidence, document: Document) -> tuple[str, ...]:
    ordered = dict.fromkeys([*summaries(), *evidence.rows])
    return tuple(probe for probe in ordered if isinstance(evidence.of(probe).get(document.id), state))


def _row(probe: str, evidence: Evidence, context: Context) -> Coverage:
    by_id, summary = evidence.of(probe), summary_of(probe)
    rows = [by_id[d.id] for d in evidence.documents if d.id in by_id]
    failures = [row for row in rows if isinstance(row, Failure)]
    without = [row for row in rows if isinstance(row, NotMeasurable)]
    records = evidence.measured(probe, summary.record).values() if summary else ()
    truncated = sum(summary.is_truncated(record, evidence) for record in records) if summary else 0
    return Coverage(
        probe=probe,
        corpus=len(evidence.documents),
        asked=context.asked.get(probe, len(by_id)),
        measured=len(by_id) - len(failures) - len(without),
        failed=len(failures),
        truncated=truncated,
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


def _n_tokens(evidence: Evidence, document_id: str, readers: Sequence[str]) -> int | None:
    """As the first of the probes that says so counts them."""
    for probe in readers:
        row, summary = evidence.of(probe).get(document_id), summaries()[probe]
        if isinstance(row, summary.record) and (n := summary.n_tokens(row)) is not None:
            return n
    return None
