"""The sections of the report, in their order: one module each. `[report] sections` chooses among them."""

from collections.abc import Callable, Iterable, Iterator

from auditor.languages import N_, say
from auditor.report.page import third_party
from auditor.report.sections import (
    attention,
    documents,
    explanations,
    gallery,
    glossary,
    methods,
    perplexity,
    plain,
    predictions,
    pseudo_perplexity,
    regulatory,
    slices,
)
from auditor.report.sections.contract import Section, Sources

_OF_PROBE: dict[str, tuple[str, str, str, Callable[[Sources], Section]]] = {
    "prediction": ("predictions", "predictions", N_("Predictions"), predictions.compose),
    "lime": ("explanations", "lime", N_("Token explanations"), explanations.compose),
    "attention": ("attention", "attention", N_("Attention"), attention.compose),
    "perplexity": ("perplexity", "perplexity", N_("Perplexity"), perplexity.compose),
    "pseudo_perplexity": (
        "pseudo_perplexity",
        "pseudo_perplexity",
        N_("Pseudo-perplexity"),
        pseudo_perplexity.compose,
    ),
}
"""Probe → field of the findings, id and title of the section, composer."""


def compose(sources: Sources) -> list[Section]:
    """The chosen sections but provenance, which is composed last: it lists the characters the others could not print.

    Raises:
        RenderError: a third party's section cannot be composed.
    """
    chosen = sources.findings.presentation.sections

    def kept(sections: Iterable[Section]) -> list[Section]:
        return [section for section in sections if chosen is None or section.id in chosen]

    evidence = kept(_of_evidence(sources))
    evidence += kept([methods.compose(sources, evidence)])
    words = kept([glossary.compose(sources)])
    sections = [*evidence, *kept([regulatory.compose(sources, [*evidence, *words])]), *words]
    return sections if chosen is None else sorted(sections, key=lambda section: chosen.index(section.id))


def _of_evidence(sources: Sources) -> Iterator[Section]:
    findings = sources.findings
    for field, _, _, composer in _OF_PROBE.values():
        if getattr(findings, field) is not None:
            yield composer(sources)
    for coverage in findings.coverage:
        if not coverage.left_out and not _has_findings(sources, coverage.probe):
            yield _without_findings(sources, coverage.probe)
    if gallery.has_cases(sources):
        yield gallery.compose(sources)
    if findings.slices:
        yield slices.compose(sources)
    yield documents.compose(sources)


def _has_findings(sources: Sources, probe: str) -> bool:
    return probe in _OF_PROBE and getattr(sources.findings, _OF_PROBE[probe][0]) is not None


def _without_findings(sources: Sources, probe: str) -> Section:
    coverage = next(c for c in sources.findings.coverage if c.probe == probe)
    if probe in _OF_PROBE:
        _, section_id, title, _ = _OF_PROBE[probe]
        return plain.compose(sources, coverage, section_id, say(title))
    own = third_party.compose(sources, probe) if coverage.measured else None
    return own or plain.compose(sources, coverage, f"probe-{probe}")
