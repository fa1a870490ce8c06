"""The section of a probe that has none of its own, or that measured nothing: its coverage, numbers and parameters."""

from auditor.findings.types import Coverage
from auditor.report import formats
from auditor.report.sections.contract import Column, Section, Sources, Table, numbers_table


def compose(sources: Sources, coverage: Coverage, section_id: str = "", title: str = "") -> Section:
    """A plain table for one probe."""
    probe = coverage.probe
    numbers = [n for name, n in sources.numbers.items() if name.startswith(f"{probe}.") and "{" not in name]
    parameters = sources.findings.parameters.get(probe, {})
    return Section(
        id=section_id or f"probe-{_anchor(probe)}",
        title=title or probe,
        question=f"What did the probe “{probe}” find?",
        answer=_answer(coverage),
        method="The probe has no section of its own; its numbers are listed as they are." if numbers else "",
        limits="",
        template="sections/plain.html.j2",
        content={
            "numbers": numbers_table(f"Numbers of the probe {probe}.", numbers) if numbers else None,
            "parameters": _parameters(probe, parameters) if parameters else None,
        },
    )


def _answer(coverage: Coverage) -> str:
    if not coverage.measured:
        return f"No document could be measured: {coverage.failed} of {coverage.asked} failed."
    failed = f", {formats.count(coverage.failed)} failed" if coverage.failed else ""
    return f"{formats.count(coverage.measured)} of {formats.plural(coverage.asked, 'document')} were measured{failed}."


def _parameters(probe: str, values: dict[str, str]) -> Table:
    rows = tuple((formats.middle(name, 60), formats.middle(value, 400)) for name, value in values.items())
    return Table(f"Parameters of {probe} in this run.", (Column("Parameter", "id", 30), Column("Value", "id")), rows)


def _anchor(probe: str) -> str:
    return "".join(c if c.isascii() and c.isalnum() else "-" for c in probe)
