"""The section of a probe that has none of its own, or that measured nothing: its coverage, numbers and parameters."""

from collections.abc import Mapping, Sequence

from auditor.findings.contract.evidence import Facts
from auditor.findings.contract.numbers import is_of_slice
from auditor.findings.contract.types import Coverage
from auditor.findings.wording import sentences
from auditor.languages import plural, say
from auditor.languages.numbers import paragraph
from auditor.report.contract import Column, Section, Sources, Table, numbers_table
from auditor.report.drawing import formats

MOST_FIELDS = 8
_SIMPLE = (str, int, float, bool)


def compose(sources: Sources, coverage: Coverage, section_id: str, title: str = "") -> Section:
    """A plain table for one probe."""
    probe, name = coverage.probe, sentences.probe(coverage.probe)
    numbers = [n for name, n in sources.numbers.items() if name.startswith(f"{probe}.") and not is_of_slice(name)]
    parameters = sources.findings.parameters.get(probe, {})
    tables = (
        (numbers_table(say("Numbers of the probe {probe}.", probe=name), numbers) if numbers else None, "numbers"),
        (_facts(name, sources.evidence.of(probe)), ""),
        (_parameters(name, parameters) if parameters else None, "compact"),
    )
    return Section(
        id=section_id,
        title=title or name,
        question=say("What did the probe “{probe}” find?", probe=name),
        answer=_answer(coverage),
        method=say("The probe has no section of its own; its numbers are listed as they are.") if numbers else "",
        limits="",
        template="sections/tables.html.j2",
        content={"tables": [(table, style) for table, style in tables if table is not None]},
    )


def _answer(coverage: Coverage) -> str:
    if coverage.not_measurable:
        return paragraph([_measured(coverage), _without(coverage)])
    return _measured(coverage)


def _without(coverage: Coverage) -> str:
    return plural(
        coverage.not_measurable,
        "{n} holds nothing for this probe to measure: {reasons}.",
        "{n} hold nothing for this probe to measure: {reasons}.",
        reasons=sentences.listing([formats.middle(sentences.reason(kind), 60) for kind in coverage.reasons]),
    )


def _measured(coverage: Coverage) -> str:
    if not coverage.measured:
        return plural(
            coverage.asked,
            "The one document could not be measured.",
            "None of {n} documents could be measured: {failed} failed.",
            failed=formats.count(coverage.failed),
        )
    values = {"measured": formats.count(coverage.measured), "failed": formats.count(coverage.failed)}
    if coverage.failed:
        return plural(
            coverage.asked,
            "{measured} of {n} document was measured, {failed} failed.",
            "{measured} of {n} documents were measured, {failed} failed.",
            **values,
        )
    return plural(
        coverage.asked, "The one document was measured.", "{measured} of {n} documents were measured.", **values
    )


def _parameters(probe: str, values: dict[str, str]) -> Table:
    rows = tuple((formats.middle(name, 60), formats.middle(value, 400)) for name, value in values.items())
    caption = say("Parameters of the probe {probe} in this run.", probe=probe)
    return Table(caption, (Column(say("Parameter"), "id", 30), Column(say("Value"), "id")), rows)


def _facts(probe: str, rows: Mapping[str, object]) -> Table | None:
    """The simple fields of what the probe found, a row per document; of records without a class only."""
    records: list[Facts] = [row for row in rows.values() if isinstance(row, Mapping)]
    simple = [name for name, value in records[0].items() if isinstance(value, _SIMPLE)] if records else []
    names = simple[:MOST_FIELDS]
    if not names:
        return None
    columns = tuple(Column(_title(name), "number" if _are_numbers(records, name) else "corpus") for name in names)
    cells = tuple(tuple(_cell(record[name]) for name in names) for record in records)
    caption = _facts_caption(probe, len(records[0]) - len(names))
    return Table(caption, columns, cells, kept_in="evidence")


def _facts_caption(probe: str, left_out: int) -> str:
    caption = say("What the probe {probe} found, by document.", probe=probe)
    if not left_out:
        return caption
    rest = plural(
        left_out,
        "{n} more field of each document is in the evidence of the run.",
        "{n} more fields of each document are in the evidence of the run.",
    )
    return paragraph([caption, rest])


def _title(field: str) -> str:
    return say("Document") if field == "document_id" else formats.middle(field, 40)


def _are_numbers(records: Sequence[Facts], name: str) -> bool:
    return all(isinstance(record[name], int | float) and not isinstance(record[name], bool) for record in records)


def _cell(value: object) -> str:
    return f"{value:.4g}".replace("-", "\u2212") if isinstance(value, float) else formats.middle(str(value), 80)
