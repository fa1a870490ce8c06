"""What each parameter was set to, and what that came to in this run: part of the page on methods.

A parameter that was left to its default, or to `auto`, is resolved as far as the chapter of its probe knows it
(`auditor.report.contract.Chapter.parameters`); the rest is printed as it was set.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from auditor.findings.contract.types import Findings
from auditor.languages import N_, plural, say
from auditor.report.chapters import chapter_of, chapters
from auditor.report.contract import Meaning, Parameter
from auditor.report.drawing import formats


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter."""

    name: str
    value: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Group:
    """The parameters of one probe, or of the whole run."""

    title: str
    rows: tuple[Row, ...]


def groups(findings: Findings) -> tuple[Group, ...]:
    """The run's own parameters, then those of each probe."""
    whole = Group(say("Whole run"), tuple(_run(findings)))
    probes = [
        Group(_title(probe), tuple(_row(findings, probe, name, values) for name in values))
        for probe, values in sorted(findings.parameters.items(), key=lambda item: _order(item[0]))
    ]
    return tuple(group for group in (whole, *probes) if group.rows)


def _order(probe: str) -> int:
    return list(chapters()).index(probe) if probe in chapters() else len(chapters())


def _title(probe: str) -> str:
    chapter = chapter_of(probe)
    if chapter is None:
        return formats.middle(probe, 60)
    title = chapter.name or chapter.title
    return say(title)


def _run(findings: Findings) -> list[Row]:
    rows = []
    if seed := findings.provenance.get("Seed"):
        meaning = say("of samples of documents, of perturbations (with each document’s text) and of bootstraps")
        rows.append(Row("seed", formats.middle(seed, 60), meaning))
    if dtype := findings.model.get("Data type"):
        rows.append(Row("dtype", formats.middle(dtype, 60), formats.middle(findings.model.get("Statistics", ""), 120)))
    return rows


def _row(findings: Findings, probe: str, name: str, values: Mapping[str, str]) -> Row:
    parameter = Parameter(findings, probe, values[name], values)
    printed = say("not set") if parameter.is_unset or not parameter.value else formats.middle(parameter.value, 400)
    return Row(formats.middle(name, 60), printed, _meaning(parameter, name))


def _meaning(parameter: Parameter, name: str) -> str:
    chapter = chapter_of(parameter.probe)
    meaning: Meaning = (chapter.parameters.get(name) if chapter else None) or _OF_ANY.get(name, "")
    if callable(meaning):
        return meaning(parameter)
    return say(meaning) if meaning else ""


def _limit(parameter: Parameter) -> str:
    coverage = next((c for c in parameter.findings.coverage if c.probe == parameter.probe), None)
    if coverage is None:
        return ""
    if coverage.asked >= coverage.corpus:
        return plural(coverage.asked, "all of the corpus: {n} document", "all of the corpus: {n} documents")
    return say(
        "{asked} of {documents}, a sample drawn by the seed",
        asked=formats.count(coverage.asked),
        documents=plural(coverage.corpus, "{n} document", "{n} documents"),
    )


def _model(parameter: Parameter) -> str:
    return say("the audited model") if parameter.is_unset else say("a reference model, not the audited one")


_OF_ANY: Mapping[str, Meaning] = {
    "limit": _limit,
    "ids": N_("documents picked by name, besides those that were drawn"),
    "model": _model,
}
"""Parameters that probes have in common."""
