"""Page one: the answer for a person who must sign."""

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.findings.types import Check, Coverage, Findings, Number, Result
from auditor.report import formats, marks
from auditor.report.sections.contract import Column, Section, Table

MOST_POINTERS = 5
MOST_NOTES = 4
_SHORT = {"pass": "pass", "pass with conditions": "watch", "fail": "fail", "not established": "not judged"}
_TASKS = {"text-classification": "Text classification", "text-generation": "Text generation", "fill-mask": "Fill mask"}


@dataclass(frozen=True, slots=True)
class KeyNumber:
    """One of the large numbers."""

    title: str
    value: str
    interval: str
    n: str
    result: Result | None
    bound: str


@dataclass(frozen=True, slots=True)
class Look:
    """One line of "where to look"."""

    sign: str
    text: str
    section: str
    """Anchor; empty where the report has no such section."""
    title: str


@dataclass(frozen=True, slots=True)
class Front:
    """What page one says."""

    verdict: str
    tone: str
    """`pass`, `watch`, `fail` or `not judged`, for colour and sign."""
    subtitle: str
    key_numbers: tuple[KeyNumber, ...]
    pointers: tuple[Look, ...]
    more_pointers: int
    checks: Table | None
    coverage: Table
    notes: tuple[str, ...]
    more_notes: int


def compose(findings: Findings, sections: Sequence[Section]) -> Front:
    """Page one, with links into the sections that follow."""
    titles = {section.id: section.title for section in sections}
    checks = {check.name: check for check in findings.checks}
    return Front(
        verdict=findings.verdict.result.capitalize(),
        tone=_SHORT[findings.verdict.result],
        subtitle=_subtitle(findings),
        key_numbers=tuple(_key_number(n, checks.get(n.name)) for n in findings.key_numbers),
        pointers=tuple(
            Look(p.severity, p.text, p.section if p.section in titles else "", titles.get(p.section, ""))
            for p in findings.pointers[:MOST_POINTERS]
        ),
        more_pointers=max(0, len(findings.pointers) - MOST_POINTERS),
        checks=_check_table(findings.checks) if findings.checks else None,
        coverage=_coverage_table(findings.coverage),
        notes=findings.notes[:MOST_NOTES],
        more_notes=max(0, len(findings.notes) - MOST_NOTES),
    )


def _subtitle(findings: Findings) -> str:
    parts = [_TASKS.get(findings.task, findings.task)]
    if "name" in findings.model:
        parts.append(formats.middle(findings.model["name"], 60))
    parts.append(formats.plural(len(findings.documents), "document"))
    return " · ".join([*parts, f"run {formats.middle(findings.run_id, 40)}", formats.day(findings.created)])


def _key_number(number: Number, check: Check | None) -> KeyNumber:
    return KeyNumber(
        title=number.title,
        value=formats.value(number),
        interval="" if number.low is None else formats.interval(number),
        n=formats.count(number.n),
        result=check.result if check else None,
        bound=formats.bound(check) if check else "",
    )


def _check_table(checks: Sequence[Check]) -> Table:
    columns = (
        Column("Check", width=26),
        Column("Value", "number", 9),
        Column("95% interval", "number", 14),
        Column("Interval and bound", "mark"),
        Column("Bound", "number", 8),
        Column("n", "number", 6),
        Column("Result", "result", 12),
    )
    caption = (
        "Line: 95% interval; tick: value; dotted: the bound declared before the run; shaded: the failing side. Each "
        "row has its own scale."
    )
    rows = tuple(_check_row(check) for check in checks)
    return Table(caption, columns, rows, paper_rows=len(rows))


def _check_row(check: Check) -> tuple[str, ...]:
    number, digits = check.number, formats.check_digits(check)
    title = check.title if check.required else f"{check.title} (advisory)"
    if number is None:
        return title, formats.NOTHING, formats.NOTHING, "", formats.bound(check), "0", check.result
    return (
        title,
        formats.quantity(number.value, number.unit, digits),
        formats.span(number.low, number.high, number.unit, digits),
        marks.judged(check),
        formats.bound(check),
        formats.count(number.n),
        check.result,
    )


def _coverage_table(coverage: Sequence[Coverage]) -> Table:
    columns = (
        Column("Probe"),
        Column("Asked", "number", 16),
        Column("Measured", "number", 20),
        Column("Truncated", "number", 22),
        Column("Failed", "number", 14),
    )
    rows = tuple(
        (
            c.probe.replace("_", "-"),
            formats.count(c.asked),
            formats.count(c.measured),
            formats.count(c.truncated),
            formats.count(c.failed),
        )
        for c in coverage
    )
    corpus = max((c.corpus for c in coverage), default=0)
    return Table(f"Of {formats.plural(corpus, 'document')} in the corpus.", columns, rows)
