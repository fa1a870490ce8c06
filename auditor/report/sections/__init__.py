"""The sections of the report, in their order: one module each."""

from collections.abc import Callable

from auditor.report.sections import (
    attention,
    documents,
    explanations,
    glossary,
    methods,
    perplexity,
    plain,
    predictions,
    pseudo_perplexity,
    slices,
)
from auditor.report.sections.contract import Section, Sources

_OF_PROBE: dict[str, tuple[str, str, str, Callable[[Sources], Section]]] = {
    "prediction": ("predictions", "predictions", "Predictions", predictions.compose),
    "lime": ("explanations", "lime", "Token explanations", explanations.compose),
    "attention": ("attention", "attention", "Attention", attention.compose),
    "perplexity": ("perplexity", "perplexity", "Perplexity", perplexity.compose),
    "pseudo_perplexity": ("pseudo_perplexity", "pseudo_perplexity", "Pseudo-perplexity", pseudo_perplexity.compose),
}
"""Probe → field of the findings, id and title of the section, composer."""


def compose(sources: Sources) -> list[Section]:
    """All sections but provenance, which is composed last: it lists the characters that the others could not print."""
    findings = sources.findings
    sections = [
        composer(sources) for field, _, _, composer in _OF_PROBE.values() if getattr(findings, field) is not None
    ]
    sections += [_without_findings(sources, c.probe) for c in findings.coverage if not _has_findings(sources, c.probe)]
    if findings.slices:
        sections.append(slices.compose(sources))
    return [*sections, documents.compose(sources), methods.compose(sources), glossary.compose(sources)]


def _has_findings(sources: Sources, probe: str) -> bool:
    return probe in _OF_PROBE and getattr(sources.findings, _OF_PROBE[probe][0]) is not None


def _without_findings(sources: Sources, probe: str) -> Section:
    coverage = next(c for c in sources.findings.coverage if c.probe == probe)
    if probe in _OF_PROBE:
        _, section_id, title, _ = _OF_PROBE[probe]
        return plain.compose(sources, coverage, section_id, title)
    return plain.compose(sources, coverage)
