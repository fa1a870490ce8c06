"""How much of the corpus each probe measured: the tables of page one and of the provenance page."""

from collections.abc import Iterator, Mapping, Sequence

from auditor.findings.contract.types import Coverage
from auditor.findings.wording import sentences
from auditor.languages import N_, plural, say
from auditor.languages.numbers import separator
from auditor.report.contract import Column, Table
from auditor.report.drawing import formats

_TITLES = {
    "corpus": N_("Corpus"),
    "asked": N_("Asked"),
    "measured": N_("Measured"),
    "truncated": N_("Truncated"),
    "failed": N_("Failed"),
    "not_measurable": N_("Not measurable"),
}
_WIDTHS = {"asked": 12, "measured": 18, "truncated": 20, "failed": 14}
"""Of the columns of page one."""


def summary(coverage: Sequence[Coverage], caption: str) -> Table:
    """For page one: how many documents came to each state, and below each probe what it could not measure, and why.

    Probes of which the same is to be said stand in one row, at the place of the first.
    """
    rows: list[tuple[str, ...]] = []
    muted = set()
    for names, alike in _alike(coverage):
        first = alike[0]
        rows.append((names, *_row(first, tuple(_WIDTHS))[1:]))
        if first.not_measurable:
            muted.add(len(rows))
            rows.append((_without_reason(first),))
    return Table(caption, _columns(_WIDTHS), tuple(rows), muted=frozenset(muted))


def _alike(coverage: Sequence[Coverage]) -> Iterator[tuple[str, list[Coverage]]]:
    """Names and rows of the probes with the same counts; one with documents that were not measurable stands alone."""
    groups: dict[tuple[object, ...], list[Coverage]] = {}
    for row in coverage:
        alone = row.probe if row.not_measurable or row.left_out else ""
        groups.setdefault((alone, *(getattr(row, state) for state in _WIDTHS)), []).append(row)
    for rows in groups.values():
        yield separator().join(_row(row, ())[0] for row in rows), rows


def whole(coverage: Sequence[Coverage], caption: str) -> Table:
    """For the provenance page: every state in a column of its own."""
    states = [state for state in _TITLES if state != "not_measurable" or any(row.not_measurable for row in coverage)]
    rows = tuple(_row(row, states) for row in coverage)
    return Table(caption, _columns(dict.fromkeys(states, 0), 24), rows)


def failures(coverage: Sequence[Coverage]) -> Table | None:
    """Documents that a probe could not measure, with what went wrong."""
    rows = [(row.probe, *failure) for row in coverage for failure in row.failures]
    return _listed(rows, _failed(sum(row.failed for row in coverage), len(rows)))


def not_measurable(coverage: Sequence[Coverage]) -> Table | None:
    """Documents that hold nothing for a probe to measure."""
    rows = [(row.probe, *reason) for row in coverage for reason in row.unmeasurable]
    return _listed(rows, _without(sum(row.not_measurable for row in coverage), len(rows)))


def _columns(widths: Mapping[str, int], probe: int = 0) -> tuple[Column, ...]:
    return (
        Column(say("Probe"), width=probe),
        *(Column(say(_TITLES[state]), "number", width) for state, width in widths.items()),
    )


def _row(row: Coverage, states: Sequence[str]) -> tuple[str, ...]:
    probe = formats.middle(sentences.probe(row.probe), 40)
    if row.left_out:
        return probe, say("not measured: {reason}", reason=row.left_out)
    return (probe, *(formats.count(getattr(row, state)) for state in states))


def _without_reason(row: Coverage) -> str:
    """How many documents hold nothing for this probe, and what they lack."""
    return say(
        "{probe}: {count} not measurable: {reasons}",
        probe=formats.middle(sentences.probe(row.probe), 40),
        count=formats.count(row.not_measurable),
        reasons=sentences.listing([formats.middle(sentences.reason(kind), 60) for kind in row.reasons]),
    )


def _listed(rows: Sequence[tuple[str, str, str, str]], caption: str) -> Table | None:
    if not rows:
        return None
    columns = (
        Column(say("Probe"), width=12),
        Column(say("Document"), "id", 22),
        Column(say("Kind"), width=16),
        Column(say("Message"), "corpus"),
    )
    cells = tuple(
        (
            formats.middle(sentences.probe(probe), 40),
            formats.middle(document_id, 40),
            formats.middle(kind, 40),
            formats.excerpt(message, 240),
        )
        for probe, document_id, kind, message in rows
    )
    return Table(caption, columns, cells)


def _failed(failed: int, listed: int) -> str:
    if listed >= failed:
        return plural(failed, "{n} measurement failed.", "{n} measurements failed.")
    return plural(
        failed,
        "{n} measurement failed; the first {listed} are listed.",
        "{n} measurements failed; the first {listed} are listed.",
        listed=formats.count(listed),
    )


def _without(n: int, listed: int) -> str:
    if listed >= n:
        return plural(
            n,
            "{n} document held nothing that the probe could measure.",
            "{n} times a document held nothing that the probe could measure.",
        )
    return plural(
        n,
        "{n} document held nothing that the probe could measure; the first {listed} are listed.",
        "{n} times a document held nothing that the probe could measure; the first {listed} are listed.",
        listed=formats.count(listed),
    )
