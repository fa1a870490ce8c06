"""The sections of the report, in their order. `[report] sections` chooses among them."""

from collections.abc import Iterable, Iterator

from auditor.findings.contract.registry import summary_of
from auditor.findings.contract.types import Coverage
from auditor.languages import say
from auditor.report.chapters import chapter_of, chosen_sections, section_id
from auditor.report.chapters import compose as compose_chapter
from auditor.report.contract import Section, Sources
from auditor.report.sections import changed, documents, gallery, glossary, methods, plain, regulatory, slices, waivers


def compose(sources: Sources) -> list[Section]:
    """The chosen sections but provenance, which is composed last: it lists the characters the others could not print.

    Raises:
        RenderError: the section of a chapter cannot be composed.
    """
    chosen = chosen_sections(sources.findings)

    def kept(sections: Iterable[Section]) -> list[Section]:
        return [section for section in sections if chosen is None or section.id in chosen]

    evidence = kept(_of_evidence(sources))
    evidence += kept([methods.compose(sources, evidence)])
    words = kept([glossary.compose(sources)])
    sections = [*evidence, *kept([regulatory.compose(sources, [*evidence, *words])]), *words]
    return sections if chosen is None else sorted(sections, key=lambda section: chosen.index(section.id))


def _of_evidence(sources: Sources) -> Iterator[Section]:
    findings = sources.findings
    if sources.since is not None:
        yield changed.compose(sources.since)
    concluded = {probe: chapter for probe in findings.analyses if (chapter := chapter_of(probe))}
    yield from (compose_chapter(sources, chapter) for chapter in concluded.values())
    yield from (_of_probe(sources, row) for row in findings.coverage if not row.left_out and row.probe not in concluded)
    if findings.waivers:
        yield waivers.compose(sources)
    if findings.worst:
        yield gallery.compose(sources)
    if findings.slices:
        yield slices.compose(sources)
    yield documents.compose(sources)


def _of_probe(sources: Sources, coverage: Coverage) -> Section:
    """The chapter of a probe without a summary; where there is none, or nothing was measured, a plain table."""
    probe = coverage.probe
    chapter = chapter_of(probe)
    if chapter and coverage.measured and summary_of(probe) is None:
        return compose_chapter(sources, chapter)
    return plain.compose(sources, coverage, section_id(probe), say(chapter.title) if chapter else "")
